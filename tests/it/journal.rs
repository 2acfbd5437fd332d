//! The journal at its boundary, on both stores.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod commit;
mod samples;
