//! Every test that crosses a boundary, in one binary.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod config;
mod core;
mod http;
mod systemd;
mod telemetry;
