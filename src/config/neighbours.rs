//! `[journal]`, `[redis]`, `[charging.NAME]` and `[package_manager]`: what paygate stands on and whom it asks.

use super::duration::{DAY, HOUR, MINUTE, MS, SECOND, parse_duration};
use super::section::Section;
use super::{CarrierBilling, Charging, Journal, PackageManager, Pay123, Redis, Refusals};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::time::Duration;

/// Pauses between inquiries into an unknown outcome; the last one repeats (design.md, rule 3).
const INQUIRY_PLAN: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_hours(1),
    Duration::from_hours(6),
];
pub(super) const BASE_URL: &str = "an http:// or https:// address";

impl Journal {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let url = section.secret("url").unwrap_or_else(|| SecretString::from("sqlite:paygate.db"));
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.expose_secret().starts_with(scheme)) {
            section.fault(
                "url",
                "names no database that paygate knows",
                "expected \"sqlite:FILE\" or \"postgres://…\"",
            );
        }
        Self {
            url,
            readers: section.integer("readers", 1..=256).unwrap_or(4),
            statement_timeout: section.duration("statement_timeout", 100 * MS..=5 * MINUTE).unwrap_or(5 * SECOND),
            max_lag: section.duration("max_lag", Duration::ZERO..=DAY).unwrap_or(MINUTE),
        }
    }
}

impl Redis {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let urls = match (section.secret("url"), section.list("urls", "redis:// addresses", |url| Some(url.into()))) {
            (Some(_), Some(_)) => {
                section.fault(
                    "url",
                    "is given together with urls",
                    "expected url for one server, or urls for a cluster",
                );
                Vec::new()
            }
            (Some(url), None) => vec![url],
            (None, Some(urls)) if !urls.is_empty() => urls,
            (None, _) => {
                section.fault("url", "is missing", "expected \"redis://…\", \"rediss://…\" or \"unix:…\"");
                Vec::new()
            }
        };
        let known = |url: &SecretString| {
            ["redis://", "rediss://", "unix:", "redis+unix:"]
                .iter()
                .any(|scheme| url.expose_secret().starts_with(scheme))
        };
        if !urls.iter().all(known) {
            section.fault("url", "is no address of a Redis", "expected \"redis://…\", \"rediss://…\" or \"unix:…\"");
        }
        Self {
            urls,
            timeout: section.duration("timeout", MS..=10 * SECOND).unwrap_or(250 * MS),
            pause_after_failure: section.duration("pause_after_failure", 10 * MS..=MINUTE).unwrap_or(SECOND),
        }
    }
}

/// `[charging.NAME]`, once for each channel.
pub(super) fn channels(root: &mut Section<'_>) -> BTreeMap<String, Charging> {
    root.section("charging", |section| {
        let names = section.names();
        names.into_iter().map(|name| section.section(&name.clone(), |at| (name, Charging::read(at)))).collect()
    })
}

impl Charging {
    fn read(section: &mut Section<'_>) -> Self {
        let kind = section.required("kind", None, "\"carrier-billing\" or \"123pay\"", |at| at.choice("kind", &KINDS));
        let Some(read) = kind else {
            // Which keys belong here follows from the kind.
            section.forgive_the_rest();
            return Self::CarrierBilling(CarrierBilling::stand_in());
        };
        read(section)
    }
}

/// Reads the keys of one kind of channel.
type ReadKind = fn(&mut Section<'_>) -> Charging;

/// Each kind of channel, by its word in the configuration.
const KINDS: [(&str, Option<ReadKind>); 2] = [
    ("carrier-billing", Some(|section| Charging::CarrierBilling(CarrierBilling::read(section)))),
    ("123pay", Some(|section| Charging::Pay123(Pay123::read(section)))),
];

impl CarrierBilling {
    fn read(section: &mut Section<'_>) -> Self {
        let base_url =
            section.required("base_url", String::new(), BASE_URL, |at| at.parsed("base_url", BASE_URL, base_url));
        let refund_url =
            section.parsed("refund_url", BASE_URL, self::base_url).unwrap_or_else(|| refund_url(&base_url));
        Self {
            base_url,
            refund_url,
            token: token(section),
            timeout: section.duration("timeout", 100 * MS..=5 * MINUTE).unwrap_or(5 * SECOND),
            merchant: section.text("merchant", 1..=128).unwrap_or_else(|| "paygate".to_owned()),
            one_step: section.boolean("one_step").unwrap_or(false),
            max_flight: section.duration("max_flight", Duration::ZERO..=DAY).unwrap_or(30 * SECOND),
            send_within: section.duration("send_within", 100 * MS..=5 * MINUTE).unwrap_or(10 * SECOND),
            inquiry_plan: inquiry_plan(section),
            clock_skew: section.duration("clock_skew", SECOND..=HOUR).unwrap_or(5 * MINUTE),
            concurrency: section.integer("concurrency", 1..=10_000).unwrap_or(64),
            refusals: Refusals::read(section),
        }
    }

    /// What stands in the tree beside a fault in `kind`; the tree is thrown away.
    fn stand_in() -> Self {
        Self {
            base_url: String::new(),
            refund_url: String::new(),
            token: SecretString::default(),
            timeout: SECOND,
            merchant: String::new(),
            one_step: false,
            max_flight: SECOND,
            send_within: SECOND,
            inquiry_plan: vec![SECOND],
            clock_skew: SECOND,
            concurrency: 1,
            refusals: Refusals::default(),
        }
    }
}

impl PackageManager {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            base_url: section
                .required("base_url", String::new(), BASE_URL, |at| at.parsed("base_url", BASE_URL, base_url)),
            token: token(section),
            timeout: section.duration("timeout", 100 * MS..=5 * MINUTE).unwrap_or(5 * SECOND),
            idempotent_grants: section.boolean("idempotent_grants").unwrap_or(true),
            max_flight: section.duration("max_flight", Duration::ZERO..=DAY).unwrap_or(30 * SECOND),
            send_within: section.duration("send_within", 100 * MS..=5 * MINUTE).unwrap_or(10 * SECOND),
            inquiry_plan: inquiry_plan(section),
            concurrency: section.integer("concurrency", 1..=10_000).unwrap_or(64),
        }
    }
}

fn token(section: &mut Section<'_>) -> SecretString {
    section.required("token", SecretString::default(), "the bearer token for this service", |at| at.secret("token"))
}

pub(super) fn inquiry_plan(section: &mut Section<'_>) -> Vec<Duration> {
    let step = |text: &str| parse_duration(text).filter(|pause| (10 * MS..=7 * DAY).contains(pause));
    let plan = section.list("inquiry_plan", "durations from 10ms to 7d, such as \"5s\"", step);
    match plan {
        None => INQUIRY_PLAN.to_vec(),
        Some(plan) if plan.is_empty() || plan.len() > 100 => {
            section.fault(
                "inquiry_plan",
                format!("has {} steps", plan.len()),
                "expected 1 to 100; the last one repeats",
            );
            INQUIRY_PLAN.to_vec()
        }
        Some(plan) => plan,
    }
}

/// Without a closing slash, so that paths can be joined to it.
pub(super) fn base_url(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    let fits = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    fits.then(|| text.trim_end_matches('/').to_owned())
}

/// CAMARA publishes refunds beside payments: `…/carrier-billing/v0.5` and `…/carrier-billing-refund/v0.3`.
fn refund_url(base_url: &str) -> String {
    match base_url.rsplit_once("/carrier-billing/") {
        Some((root, _)) => format!("{root}/carrier-billing-refund/v0.3"),
        None => format!("{base_url}/carrier-billing-refund/v0.3"),
    }
}
