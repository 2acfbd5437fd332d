//! The neighbours paygate lives among, simulated on real sockets, with books of their own and faults to be switched on:
//! for `paygate sandbox`, the tests and the benchmark alike. Shares no state with the daemon; what passes between them
//! passes over a socket.

pub mod billing;
pub mod faults;
pub mod packages;
mod server;
pub mod smsc;
