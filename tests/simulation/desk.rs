//! The engine's desk for a model world: real rules, reader, words and pure halves of the drivers, with nobody behind their
//! addresses. Never opens a connection.

use super::life::{MINUTE, SECOND};
use paygate::charging::Channels;
use paygate::config::{self, Otp};
use paygate::engine::Reader;
use paygate::engine::desk::Desk;
use paygate::http_client::HttpClient;
use paygate::package_manager;
use paygate::purchase::offer::CodeKey;
use paygate::purchase::rules::{ChannelRules, Flight, Rules};
use paygate::replies::Replies;
use paygate_parsers::msisdn::Country;
use paygate_parsers::request::Syntax;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const LONGEST_FLIGHT: Duration = Duration::from_secs(30);
const SEND_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn desk() -> Desk {
    let client = HttpClient::new().expect("a client needs nothing but memory");
    let channels = [("viettel".to_owned(), config::Charging::CarrierBilling(billing()))].into();
    Desk {
        rules: rules(),
        reader: Reader {
            country: Country::new("84").expect("84 is a country"),
            syntax: Syntax::default(),
            alphabets: BTreeMap::new(),
        },
        replies: Replies::new(&BTreeMap::new(), "19001000", "ON", "HUY").expect("the default words are right"),
        link_channels: [("viettel".to_owned(), "viettel".to_owned())].into(),
        channels: Arc::new(Channels::new(&channels, &client)),
        package_manager: Arc::new(package_manager::Client::new(&packages(), client)),
        redelivery_window: 2 * MINUTE,
        parts_window: 2 * MINUTE,
        reply_lease: 30 * SECOND,
        reply_pause: 5 * SECOND,
        reply_doubt: 60 * SECOND,
    }
}

fn rules() -> Rules {
    let flight = Flight {
        send_within: 10 * SECOND,
        max_flight: 30 * SECOND,
        answer_within: 15 * SECOND,
        plan: [5, 15, 60, 300, 3_600, 21_600].map(|seconds| seconds * SECOND).to_vec(),
    };
    let channel = ChannelRules {
        texts_codes: true,
        can_cancel: true,
        can_refund: true,
        link_ttl: None,
        retry: Vec::new(),
        retry_consent: 24 * 3_600 * SECOND,
        flight: flight.clone(),
    };
    Rules {
        otp: Otp::Gateway,
        menu_otp: Otp::None,
        otp_length: 6,
        otp_ttl: 5 * MINUTE,
        otp_attempts: 3,
        otp_sends: 3,
        otp_hourly: 5,
        confirm_without_code: false,
        code_key: CodeKey::new([7; 32]),
        repeat_window: 10 * MINUTE,
        surplus_window: 600 * SECOND,
        consent_valid: 10 * MINUTE,
        checking_after: 30 * SECOND,
        grant_fresh: 24 * 60 * MINUTE,
        check_attempts: 3,
        check_pause: 2 * SECOND,
        grant: flight,
        idempotent_grants: true,
        channels: [("viettel".to_owned(), channel)].into(),
        frozen: BTreeSet::new(),
        lost_before: None,
    }
}

fn billing() -> config::CarrierBilling {
    config::CarrierBilling {
        base_url: "http://127.0.0.1:9/carrier-billing/v0.5".to_owned(),
        refund_url: "http://127.0.0.1:9/carrier-billing-refund/v0.3".to_owned(),
        token: "secret".into(),
        timeout: Duration::from_secs(5),
        merchant: "paygate".to_owned(),
        one_step: true,
        max_flight: LONGEST_FLIGHT,
        send_within: SEND_WITHIN,
        inquiry_plan: vec![Duration::from_secs(5)],
        clock_skew: Duration::from_secs(300),
        concurrency: 1,
        refusals: config::Refusals::default(),
    }
}

fn packages() -> config::PackageManager {
    config::PackageManager {
        base_url: "http://127.0.0.1:9".to_owned(),
        token: "secret".into(),
        timeout: Duration::from_secs(5),
        idempotent_grants: true,
        max_flight: LONGEST_FLIGHT,
        send_within: SEND_WITHIN,
        inquiry_plan: vec![Duration::from_secs(5)],
        concurrency: 1,
    }
}
