//! Bytes and text to values and back. Knows no tokio, clock, configuration or randomness, and never panics on any input.

pub mod concat;
pub mod msisdn;
pub mod request;
pub mod smpp;
pub mod text;
pub mod ussd;
pub mod ussd_line;
