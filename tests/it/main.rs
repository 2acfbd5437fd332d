//! The tests that need real sockets, as one binary. Nothing in them is timed, and every port is the kernel's choice.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod contract;
