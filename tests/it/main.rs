//! Everything that is tested over real files, sockets and processes, in one binary.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod config;
mod http;
