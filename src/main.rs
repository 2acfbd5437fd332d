//! The `paygate` program: arguments to exit code. Decides nothing itself.

fn main() {}
