//! Idempotency keys at their boundary, in the process and in Redis.

mod contract;
mod process;
mod redis;

use paygate::idempotency::Ask;
use std::time::Duration;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// A claim for an hour.
pub(crate) const fn ask<'a>(key: &'a str, fingerprint: &'a str, owner: &'a str) -> Ask<'a> {
    Ask { key, fingerprint, owner, life: HOUR }
}
