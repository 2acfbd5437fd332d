//! The `paygate` program: arguments to exit code. Decides nothing itself.

use std::process::ExitCode;

/// A purchase makes many small, short-lived values on several threads; glibc's allocator takes a sixth of the processor
/// for them. SQLite's own go the same way (the crate's `override`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    paygate::cli::main()
}
