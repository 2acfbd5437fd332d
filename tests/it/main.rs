//! All tests over real sockets and stores, in one binary.

mod journal;
mod keys;
mod stores;
