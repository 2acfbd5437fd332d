//! The keys of a channel of kind `123pay`, with the lengths that seed 004 allows its fields.

use super::duration::{DAY, MINUTE, MS, SECOND};
use super::neighbours::{BASE_URL, base_url, inquiry_plan};
use super::section::Section;
use super::{Pay123, Refusals};
use secrecy::{ExposeSecret, SecretString};
use std::net::Ipv4Addr;
use std::time::Duration;

/// What queryOrder allows a passcode; createOrder allows 255 (seed 004 says both).
const PASSCODE_OCTETS: usize = 20;
const CODE: &str = "1 to 20 letters, digits, - or _, as 123PAY gave them";
const RETURN_URL: &str = "an http:// or https:// address of at most 1000 characters";

impl Pay123 {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let base_url =
            section.required("base_url", String::new(), BASE_URL, |at| at.parsed("base_url", BASE_URL, base_url));
        let return_url = section.parsed("return_url", RETURN_URL, return_url).unwrap_or_else(|| root_of(&base_url));
        Self {
            base_url,
            return_url,
            merchant_code: section
                .required("merchant_code", String::new(), CODE, |at| at.parsed("merchant_code", CODE, code)),
            passcode: passcode(section),
            secret_key: section.required("secret_key", SecretString::default(), "the key that 123PAY gave", |at| {
                at.secret("secret_key")
            }),
            bank_code: section.parsed("bank_code", CODE, code).unwrap_or_else(|| "123PAY".to_owned()),
            client_ip: section
                .parsed("client_ip", "an IPv4 address", |text| text.parse().ok())
                .unwrap_or(Ipv4Addr::LOCALHOST),
            link_ttl: section.duration("link_ttl", SECOND..=7 * DAY).unwrap_or(15 * MINUTE),
            notify_max_age: section.duration("notify_max_age", SECOND..=DAY).unwrap_or(5 * MINUTE),
            timeout: section.duration("timeout", 100 * MS..=5 * MINUTE).unwrap_or(5 * SECOND),
            max_flight: section.duration("max_flight", Duration::ZERO..=DAY).unwrap_or(30 * SECOND),
            send_within: section.duration("send_within", 100 * MS..=5 * MINUTE).unwrap_or(10 * SECOND),
            inquiry_plan: inquiry_plan(section),
            concurrency: section.integer("concurrency", 1..=10_000).unwrap_or(64),
            refusals: Refusals::of_links(section),
        }
    }
}

fn passcode(section: &mut Section<'_>) -> SecretString {
    let passcode = section
        .required("passcode", SecretString::default(), "the passcode that 123PAY gave", |at| at.secret("passcode"));
    if passcode.expose_secret().len() > PASSCODE_OCTETS {
        section.fault("passcode", "is too long", format!("expected at most {PASSCODE_OCTETS} characters"));
    }
    passcode
}

fn code(text: &str) -> Option<String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let fits = (1..=20).contains(&text.len()) && text.bytes().all(known);
    fits.then(|| text.to_owned())
}

/// Unlike a base, it may have a query.
fn return_url(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    let fits = matches!(url.scheme(), "http" | "https") && text.len() <= 1000 && text.is_ascii();
    fits.then(|| text.to_owned())
}

/// 123PAY asks for an address to return to; a subscriber who paid by a link from an SMS has nothing to return to, and ends
/// on 123PAY's own front page.
fn root_of(base_url: &str) -> String {
    reqwest::Url::parse(base_url).and_then(|url| url.join("/")).map_or_else(|_| String::new(), String::from)
}
