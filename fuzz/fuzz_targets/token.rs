#![no_main]

#[path = "../targets/token.rs"]
mod target;

libfuzzer_sys::fuzz_target!(init: target::begin(), |data: &[u8]| target::run(data));
