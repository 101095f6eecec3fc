//! The `c360` program: arguments in, [`c360::cli`] does the rest.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    c360::cli::main()
}
