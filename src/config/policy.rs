//! `[purchase]`, `[syntax]`, `[replies]`, `[engine]` and `[alarms]`: how a purchase is decided, worded and worked on.

use super::duration::{DAY, HOUR, MINUTE, MS, SECOND};
use super::section::Section;
use super::{Alarms, Engine, Otp, Purchase};
use paygate_parsers::msisdn::Country;
use paygate_parsers::request::{AccountForm, Example, NAME_MAX, Syntax};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::time::Duration;

impl Purchase {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            country_code: section
                .parsed("country_code", "1 to 3 digits without +, such as \"84\"", country_code)
                .unwrap_or_else(|| "84".to_owned()),
            otp: section
                .choice("otp", &[("gateway", Otp::Gateway), ("telco", Otp::Telco), ("none", Otp::None)])
                .unwrap_or(Otp::Gateway),
            otp_length: section.integer("otp_length", 4..=10).unwrap_or(6),
            otp_ttl: section.duration("otp_ttl", SECOND..=DAY).unwrap_or(5 * MINUTE),
            otp_attempts: section.integer("otp_attempts", 1..=10).unwrap_or(3),
            otp_sends: section.integer("otp_sends", 1..=10).unwrap_or(3),
            otp_hourly: section.integer("otp_hourly", 1..=1000).unwrap_or(5),
            confirm_without_code: section.boolean("confirm_without_code").unwrap_or(false),
            code_key: code_key(section),
            repeat_window: section.duration("repeat_window", Duration::ZERO..=30 * DAY).unwrap_or(10 * MINUTE),
            redelivery_window: section.duration("redelivery_window", Duration::ZERO..=DAY).unwrap_or(2 * MINUTE),
            consent_valid: section.duration("consent_valid", SECOND..=7 * DAY).unwrap_or(HOUR),
            checking_after: section.duration("checking_after", SECOND..=HOUR).unwrap_or(30 * SECOND),
            grant_fresh: section.duration("grant_fresh", Duration::ZERO..=30 * DAY).unwrap_or(DAY),
            check_attempts: section.integer("check_attempts", 1..=20).unwrap_or(3),
            retry_pause: section.duration("retry_pause", 10 * MS..=HOUR).unwrap_or(2 * SECOND),
            parts_window: section.duration("parts_window", SECOND..=DAY).unwrap_or(5 * MINUTE),
            surplus_window: section.duration("surplus_window", Duration::ZERO..=DAY).unwrap_or(10 * MINUTE),
            hotline: section.text("hotline", 1..=40).unwrap_or_else(|| "tong dai".to_owned()),
        }
    }
}

impl Engine {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            queue: section.integer("queue", 1..=1_000_000).unwrap_or(4096),
            batch: section.integer("batch", 1..=4096).unwrap_or(512),
            cache: section.integer("cache", 0..=10_000_000).unwrap_or(65_536),
            poll: section.duration("poll", 10 * MS..=MINUTE).unwrap_or(500 * MS),
            lease: section.duration("lease", SECOND..=HOUR).unwrap_or(MINUTE),
            outbox: section.integer("outbox", 1..=1_000_000).unwrap_or(4096),
            reply_lease: section.duration("reply_lease", SECOND..=HOUR).unwrap_or(30 * SECOND),
            reply_pause: section.duration("reply_pause", 10 * MS..=HOUR).unwrap_or(5 * SECOND),
            reply_doubt: section.duration("reply_doubt", SECOND..=HOUR).unwrap_or(MINUTE),
            drain: section.duration("drain", SECOND..=10 * MINUTE).unwrap_or(30 * SECOND),
        }
    }
}

impl Alarms {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            oldest_unknown: section.duration("oldest_unknown", MINUTE..=30 * DAY).unwrap_or(30 * MINUTE),
            review: section.integer("review", 0..=1_000_000).unwrap_or(100),
            review_growth: section.integer("review_growth", 0..=1_000_000).unwrap_or(20),
            surplus: section.integer("surplus", 0..=1_000_000).unwrap_or(10),
            long: section.integer("long", 0..=1_000_000).unwrap_or(10),
            short: section.integer("short", 0..=1_000_000).unwrap_or(10),
            notify_silence: section.integer("notify_silence", 1..=1_000_000).unwrap_or(10),
        }
    }
}

/// The words a subscriber may write. A list that is given replaces the built-in one.
pub(super) fn syntax(section: &mut Section<'_>) -> Syntax {
    let mut syntax = Syntax::default();
    for (key, words) in [
        ("buy", &mut syntax.buy),
        ("cancel", &mut syntax.cancel),
        ("status", &mut syntax.status),
        ("help", &mut syntax.help),
        ("confirm", &mut syntax.confirm),
        ("yes", &mut syntax.yes),
    ] {
        if let Some(given) = section.list(key, "words of 1 to 20 characters", keyword) {
            *words = given;
        }
    }
    syntax.account = section
        .choice("account", &[("number", AccountForm::Number), ("word", AccountForm::Word)])
        .unwrap_or(syntax.account);
    syntax.example = section.section("example", |at| Example {
        service: at.text("service", 1..=NAME_MAX).unwrap_or(syntax.example.service),
        package: at.text("package", 1..=NAME_MAX).unwrap_or(syntax.example.package),
        account: at.text("account", 1..=64).unwrap_or(syntax.example.account),
    });
    syntax
}

/// Texts by name, as they were written; `replies.rs` knows the names and placeholders.
pub(super) fn replies(section: &mut Section<'_>) -> BTreeMap<String, String> {
    let names = section.names();
    names.into_iter().filter_map(|name| Some((name.clone(), section.text(&name, 1..=1000)?))).collect()
}

/// A word may hold a space, as in `DONG Y`.
fn keyword(text: &str) -> Option<String> {
    ((1..=20).contains(&text.trim().chars().count())).then(|| text.trim().to_owned())
}

/// Who can guess the key can compute every code from the journal.
fn code_key(section: &mut Section<'_>) -> Option<SecretString> {
    let key = section.secret("code_key")?;
    if key.expose_secret().len() < 16 {
        section.fault("code_key", "is too short", "expected at least 16 characters, made at random");
        return None;
    }
    Some(key)
}

fn country_code(text: &str) -> Option<String> {
    let plain = !text.starts_with('+') && Country::new(text).is_ok();
    plain.then(|| text.to_owned())
}
