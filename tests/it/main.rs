//! The one integration binary: the daemon's parts over real sockets, beside neighbours that keep books of their own.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod smpp;
