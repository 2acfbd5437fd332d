//! The neighbours paygate lives among, simulated on real sockets, with books of their own and faults to be switched on.
//! Used by `paygate sandbox`, by the tests and by the benchmark alike; never by the daemon itself.

pub mod billing;
pub mod faults;
pub mod packages;
mod server;
