//! From the configuration to the core's rules and the engine's desk. Only translates: numbers to numbers, names to names.

use crate::charging::{Capabilities, Channels};
use crate::config::{self, Config};
use crate::purchase::offer::CodeKey;
use crate::purchase::record::Micros;
use crate::purchase::rules::{ChannelRules, Flight, Rules};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) fn rules(config: &Config, channels: &Channels, code_secret: &str) -> Rules {
    let purchase = &config.purchase;
    Rules {
        otp: purchase.otp,
        menu_otp: config.menu.as_ref().map_or(config::Otp::None, |menu| menu.otp),
        otp_length: purchase.otp_length,
        otp_ttl: micros(purchase.otp_ttl),
        otp_attempts: purchase.otp_attempts,
        otp_sends: purchase.otp_sends,
        otp_hourly: purchase.otp_hourly,
        confirm_without_code: purchase.confirm_without_code,
        code_key: CodeKey::new(
            Sha256::new_with_prefix("paygate code key\0").chain_update(code_secret).finalize().into(),
        ),
        repeat_window: micros(purchase.repeat_window),
        surplus_window: micros(purchase.surplus_window),
        consent_valid: micros(purchase.consent_valid),
        checking_after: micros(purchase.checking_after),
        grant_fresh: micros(purchase.grant_fresh),
        check_attempts: u32::from(purchase.check_attempts),
        check_pause: micros(purchase.retry_pause),
        grant: grant_flight(&config.package_manager),
        idempotent_grants: config.package_manager.idempotent_grants,
        channels: channels
            .iter()
            .filter_map(|(name, channel)| Some((name, channel, config.charging.get(name)?.refusals())))
            .map(|(name, channel, refusals)| (name.to_owned(), channel_rules(channel.capabilities(), refusals)))
            .collect(),
        // Read from the journal before the engine starts.
        frozen: BTreeSet::new(),
        // Told by the journal when it finds itself on another server.
        lost_before: None,
    }
}

fn grant_flight(settings: &config::PackageManager) -> Flight {
    Flight {
        send_within: micros(settings.send_within),
        max_flight: micros(settings.max_flight),
        answer_within: micros(settings.timeout * 2),
        plan: settings.inquiry_plan.iter().copied().map(micros).collect(),
    }
}

fn channel_rules(capabilities: &Capabilities, refusals: &config::Refusals) -> ChannelRules {
    ChannelRules {
        texts_codes: capabilities.texts_codes,
        can_cancel: capabilities.can_cancel,
        can_refund: capabilities.can_refund,
        retry: refusals.retry.iter().copied().map(micros).collect(),
        retry_consent: micros(refusals.retry_consent),
        link_ttl: capabilities.link_ttl.map(micros),
        flight: Flight {
            send_within: micros(capabilities.send_within),
            max_flight: micros(capabilities.max_flight),
            answer_within: micros(capabilities.answer_within),
            plan: capabilities.inquiry_plan.iter().copied().map(micros).collect(),
        },
    }
}

pub(super) fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}
