//! The one loop: takes what the doors, peers and timers say, asks the core, commits, and only then performs.

pub mod door;
