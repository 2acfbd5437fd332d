//! The `paygate` program: arguments to exit code. Decides nothing itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    paygate::cli::main()
}
