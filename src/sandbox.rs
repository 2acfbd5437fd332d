//! The neighbours, simulated, each with books of its own and switches for its faults: for `paygate sandbox`, the tests and
//! the benchmark alike. Shares no state with the daemon; what passes between them passes over a socket.

pub mod billing;
pub mod faults;
pub mod packages;
mod server;
pub mod smsc;
