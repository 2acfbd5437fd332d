//! Idempotency keys at their boundary, in the process and in Redis.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
