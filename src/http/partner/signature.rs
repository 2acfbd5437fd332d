//! Whether a partner's request is its own and of now: HMAC-SHA256 over timestamp and body, or SHA-1 over the values in
//! their order (interface.md, "Partner calls"). Pure; compares in constant time, and tells no peer which part was wrong.

use crate::config::{self, Signature};
use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;

pub(super) const TIMESTAMP: &str = "x-timestamp";
pub(super) const SIGNATURE: &str = "x-signature";

/// A `ts` from here on counts milliseconds, as seed 004's does: in seconds it would be the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Why a request is not believed. For the log and the metrics: the peer hears the same of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unbelieved {
    Partner,
    Address,
    Signature,
    /// Rightly signed, so that a clock that is wrong is told from a secret that is.
    Timestamp,
}

impl Unbelieved {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Partner => "unknown_partner",
            Self::Address => "address",
            Self::Signature => "signature",
            Self::Timestamp => "timestamp",
        }
    }
}

/// Whether `body`, whose values stand in the order `names`, is signed by this partner within `max_age` of `now` (unix
/// seconds).
pub(super) fn believed(
    partner: &config::Partner,
    names: &[&str],
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> Result<(), Unbelieved> {
    let signed_at = match partner.signature {
        Signature::HmacSha256 => by_header(partner, headers, body),
        Signature::Sha1 => by_checksum(partner, names, body),
    };
    let signed_at = signed_at.ok_or(Unbelieved::Signature)?;
    let apart = Duration::from_secs(now.abs_diff(signed_at));
    if apart <= partner.max_age { Ok(()) } else { Err(Unbelieved::Timestamp) }
}

/// The time of a request that is signed rightly. What was signed is the timestamp as it was written.
fn by_header(partner: &config::Partner, headers: &HeaderMap, body: &[u8]) -> Option<i64> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (timestamp, given) = (header(TIMESTAMP)?, header(SIGNATURE)?);
    let right = hmac_sha256(partner.secret.expose_secret(), timestamp, body);
    let same: bool = right.as_bytes().ct_eq(given.as_bytes()).into();
    if same { timestamp.parse().ok() } else { None }
}

fn by_checksum(partner: &config::Partner, names: &[&str], body: &[u8]) -> Option<i64> {
    let values: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let value = |name: &str| values.get(name).map_or(Some(String::new()), written);
    let (ts, given) = (value("ts")?, value("checksum")?.to_ascii_lowercase());
    let in_order: Vec<String> = names.iter().map(|name| value(name)).collect::<Option<_>>()?;
    let right = sha1_of_values(&in_order, &ts, partner.secret.expose_secret());
    let same: bool = right.as_bytes().ct_eq(given.as_bytes()).into();
    let ts: i64 = if same { ts.parse().ok()? } else { return None };
    Some(if ts.abs() >= MILLISECONDS_FROM { ts / 1_000 } else { ts })
}

/// A value as it stands in the concatenation: a text without its quotes, a number as written, nothing for null. Others are
/// none of the interface's, and would be summed and then not read.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What the sum of a believed request is known by: nothing parts the values under it, so that under one sum there is one
/// request, however it is cut. None for a signature over the body as it stands.
pub(super) fn sum_of(partner: &config::Partner, body: &[u8]) -> Option<String> {
    if partner.signature == Signature::HmacSha256 {
        return None;
    }
    let values: Map<String, Value> = serde_json::from_slice(body).ok()?;
    values.get("checksum").and_then(written).map(|sum| sum.to_ascii_lowercase())
}

/// Lower-case hex of HMAC-SHA256(secret, timestamp + "." + body).
#[must_use]
pub fn hmac_sha256(secret: &str, timestamp: &str, body: &[u8]) -> String {
    // HMAC takes a key of any length, so none is refused.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC accepts every key length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex(&mac.finalize().into_bytes())
}

/// Lower-case hex of SHA1(values, one behind the other, + ts + secret).
#[must_use]
pub fn sha1_of_values(values: &[String], ts: &str, secret: &str) -> String {
    let hash = values.iter().fold(Sha1::new(), |hash, value| hash.chain_update(value));
    hex(&hash.chain_update(ts).chain_update(secret).finalize())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    const NOW: i64 = 1_780_000_000;
    const NAMES: &[&str] = &["requestId", "msisdn", "account", "service", "package"];
    /// Each made by `openssl dgst -sha256 -hmac` and `sha1sum`.
    const BODY: &str = r#"{"requestId":"r-1","msisdn":"+84854689520","service":"VIP","package":"NAP1"}"#;
    const HMAC: &str = "3960628d4aa498e6f75874f861cd37daef0d31f93ca73b4f680d260a6283a7dc";
    const CHECKSUM: &str = "f391c4f67d7881f3d239461614378120f4d5a7e1";

    fn partner(signature: Signature) -> config::Partner {
        config::Partner {
            secret: "hush".into(),
            signature,
            allow: Vec::new(),
            rate: 50,
            max_age: Duration::from_secs(300),
            check_within: Duration::from_secs(1),
            link: None,
            short_code: None,
        }
    }

    fn by_hmac(timestamp: &str, signature: &str, body: &str, now: i64) -> Result<(), Unbelieved> {
        let headers = [(TIMESTAMP, timestamp), (SIGNATURE, signature)];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        believed(&partner(Signature::HmacSha256), NAMES, &headers.into_iter().collect(), body.as_bytes(), now)
    }

    fn by_sha1(body: &Value, now: i64) -> Result<(), Unbelieved> {
        believed(&partner(Signature::Sha1), NAMES, &HeaderMap::new(), body.to_string().as_bytes(), now)
    }

    /// The request of [`BODY`] as a partner that can do no better sends it.
    fn summed() -> Value {
        let mut body: Value = serde_json::from_str(BODY).unwrap();
        body["ts"] = NOW.into();
        body["checksum"] = CHECKSUM.into();
        body
    }

    #[test]
    fn the_pinned_signatures_are_believed_and_nothing_else_is() {
        let ts = NOW.to_string();
        assert_eq!(by_hmac(&ts, HMAC, BODY, NOW), Ok(()));
        for (timestamp, signature, body) in [
            (ts.as_str(), HMAC, &BODY.replace("r-1", "r-2")),
            ("1780000001", HMAC, &BODY.to_owned()),
            (&ts, &HMAC.replace('0', "1"), &BODY.to_owned()),
            (&ts, &HMAC.to_uppercase(), &BODY.to_owned()),
            (&ts, &HMAC[..10], &BODY.to_owned()),
            (&ts, "", &BODY.to_owned()),
            ("", HMAC, &BODY.to_owned()),
        ] {
            assert_eq!(by_hmac(timestamp, signature, body, NOW), Err(Unbelieved::Signature), "{timestamp} {body}");
        }
    }

    #[test]
    fn the_pinned_checksum_is_believed_and_nothing_else_is() {
        assert_eq!(by_sha1(&summed(), NOW), Ok(()));
        let mut upper = summed();
        upper["checksum"] = CHECKSUM.to_uppercase().into();
        upper["account"] = Value::Null;
        assert_eq!(by_sha1(&upper, NOW), Ok(()), "absent is empty, and hex has no case");
        for (name, value) in [("msisdn", "+84854689521"), ("account", "0"), ("ts", "1780000001"), ("checksum", "")] {
            let mut other = summed();
            other[name] = value.into();
            assert_eq!(by_sha1(&other, NOW), Err(Unbelieved::Signature), "{name}");
        }
        let nothing = by_sha1(&Value::Null, NOW);
        assert_eq!(nothing, Err(Unbelieved::Signature), "what is no JSON object has no checksum");
    }

    #[test]
    fn a_timestamp_is_good_for_exactly_its_age_before_and_behind() {
        let ts = NOW.to_string();
        for (now, expected) in [
            (NOW - 301, Err(Unbelieved::Timestamp)),
            (NOW - 300, Ok(())),
            (NOW + 300, Ok(())),
            (NOW + 301, Err(Unbelieved::Timestamp)),
        ] {
            assert_eq!(by_hmac(&ts, HMAC, BODY, now), expected, "{now}");
            assert_eq!(by_sha1(&summed(), now), expected, "{now}");
        }
    }

    #[test]
    fn a_timestamp_in_milliseconds_is_understood_where_the_body_carries_it() {
        let values: Vec<String> = ["r-1", "+84854689520", "", "VIP", "NAP1"].map(str::to_owned).into();
        let mut body = summed();
        body["ts"] = (NOW * 1_000 + 999).into();
        body["checksum"] = sha1_of_values(&values, &body["ts"].to_string(), "hush").into();
        assert_eq!(by_sha1(&body, NOW), Ok(()));
    }
}
