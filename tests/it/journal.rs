//! The journal at its boundary, on both stores.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod claims;
mod commit;
mod crash;
mod finding;
mod lost_answers;
mod mutants;
mod opening;
pub(crate) mod samples;
mod surplus;
