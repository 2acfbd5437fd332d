//! `retry`, `retry_consent` and `gives_back` of `[charging.NAME]`: what follows a channel's refusal. Only reads.

use super::duration::{DAY, SECOND, parse_duration};
use super::section::Section;
use super::{Charging, GivesBack, Refusals};
use std::collections::BTreeMap;
use std::time::Duration;

/// Attempts in all, the first included (seed 001).
const ATTEMPTS_AT_MOST: usize = 4;

/// What a charge can be refused for, as `gives_back` names it.
pub const REASONS: [&str; 21] = [
    "no_package",
    "no_account",
    "already_active",
    "no_money",
    "limit",
    "not_allowed",
    "blocked",
    "not_registered",
    "otp_wrong",
    "otp_expired",
    "otp_locked",
    "otp_none",
    "need_auth",
    "bad_instrument",
    "card_used",
    "cancelled",
    "declined",
    "fraud",
    "maintenance",
    "busy",
    "config",
];

impl Refusals {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let retry = retry(section);
        let retry_consent = section.duration("retry_consent", SECOND..=7 * DAY).unwrap_or(DAY);
        let last: Duration = retry.iter().sum();
        if last >= retry_consent {
            section.fault(
                "retry",
                "its last attempt would come when the consent stands no longer",
                "expected pauses that are together shorter than retry_consent",
            );
        }
        Self { retry, retry_consent, gives_back: gives_back(section) }
    }

    /// Of a channel that hands out links, which makes nothing anew: whoever wants to pay has the link, or asks again.
    pub(super) fn of_links(section: &mut Section<'_>) -> Self {
        Self { gives_back: gives_back(section), ..Self::default() }
    }
}

impl Charging {
    #[must_use]
    pub const fn refusals(&self) -> &Refusals {
        match self {
            Self::CarrierBilling(settings) => &settings.refusals,
            Self::Pay123(settings) => &settings.refusals,
        }
    }
}

fn gives_back(section: &mut Section<'_>) -> BTreeMap<&'static str, GivesBack> {
    section.section("gives_back", |at| REASONS.iter().filter_map(|reason| one(at, reason)).collect())
}

fn retry(section: &mut Section<'_>) -> Vec<Duration> {
    let pause = |text: &str| parse_duration(text).filter(|pause| (SECOND..=2 * DAY).contains(pause));
    let retry = section.list("retry", "durations from 1s to 2d, such as \"4h\"", pause).unwrap_or_default();
    if retry.len() < ATTEMPTS_AT_MOST {
        return retry;
    }
    let remedy = format!("expected at most {}: {ATTEMPTS_AT_MOST} attempts in all", ATTEMPTS_AT_MOST - 1);
    section.fault("retry", format!("has {} pauses", retry.len()), remedy);
    Vec::new()
}

fn one(section: &mut Section<'_>, reason: &'static str) -> Option<(&'static str, GivesBack)> {
    Some((reason, section.choice(reason, &GivesBack::ALL.map(|it| (it.as_str(), it)))?))
}

impl GivesBack {
    pub const ALL: [Self; 3] = [Self::Now, Self::InDays, Self::Never];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::InDays => "in_1_2_days",
            Self::Never => "never",
        }
    }
}

impl Default for Refusals {
    fn default() -> Self {
        Self { retry: Vec::new(), retry_consent: DAY, gives_back: BTreeMap::new() }
    }
}
