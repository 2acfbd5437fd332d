//! `[partner.NAME]`: the telcos that charge by themselves and tell us.

use super::duration::{MINUTE, MS, SECOND};
use super::section::Section;
use super::{Partner, Signature};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Requests a second that one partner may make.
const RATE: RangeInclusive<u32> = 1..=100_000;
/// Shorter, and a partner's clock that is a little off is refused; longer, and what was overheard is good for too long.
const MAX_AGE: RangeInclusive<Duration> = SECOND..=Duration::from_hours(24);

/// `[partner.NAME]`, once for each partner.
pub(super) fn partners(root: &mut Section<'_>) -> BTreeMap<String, Partner> {
    root.section("partner", |section| {
        let names = section.names();
        names.into_iter().map(|name| section.section(&name.clone(), |at| (name, Partner::read(at)))).collect()
    })
}

impl Partner {
    fn read(section: &mut Section<'_>) -> Self {
        // The partner's word is the only consent there can be: the key says so where the configuration is read.
        section.choice("otp", &[("partner", ())]);
        Self {
            secret: section.required("secret", Default::default(), "the secret shared with this partner", |at| {
                at.secret("secret")
            }),
            signature: section
                .choice("signature", &[("hmac-sha256", Signature::HmacSha256), ("sha1", Signature::Sha1)])
                .unwrap_or(Signature::HmacSha256),
            allow: section
                .list("allow", "addresses or networks, such as \"10.1.0.0/16\"", |text| text.parse().ok())
                .unwrap_or_default(),
            rate: section.integer("rate", RATE).unwrap_or(50),
            max_age: section.duration("max_age", MAX_AGE).unwrap_or(5 * MINUTE),
            check_within: section.duration("check_within", 10 * MS..=MINUTE).unwrap_or(2 * SECOND),
            link: section.text("link", 1..=64),
            short_code: section.parsed("short_code", "1 to 20 letters or digits", super::doors::short_code),
        }
    }
}
