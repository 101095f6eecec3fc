#![no_main]

use std::time::Duration;

#[path = "../targets/document.rs"]
mod target;

#[global_allocator]
static COUNTING: c360_fuzz::Counting = c360_fuzz::Counting;

/// Three times what a release may take: this build counts what it does, and checks its arithmetic.
const MOST_TIME: Duration = Duration::from_millis(150);
const MOST_BYTES: usize = 48 << 20;

libfuzzer_sys::fuzz_target!(
    init: target::begin(),
    |data: &[u8]| {
        c360_fuzz::bounded(MOST_TIME, MOST_BYTES, || target::check(data));
        target::run(data);
    }
);
