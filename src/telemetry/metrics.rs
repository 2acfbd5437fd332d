//! Every metric by name, after Prometheus' naming rules: base units, `_total`, timestamps rather than ages, labels of few
//! values. No number, account or text of a subscriber is ever a label.

use crate::config::Config;
use crate::purchase::State;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::time::Duration;

/// Always 1; `version` is the label of interest.
pub const BUILD_INFO: &str = "paygate_build_info";
/// `door`: smpp, http, kannel; `verdict`: fresh, again, later.
pub const MESSAGES_RECEIVED: &str = "paygate_messages_received_total";
/// Purchases that came into a state, by `state` and `channel`.
pub const PURCHASES: &str = "paygate_purchases_total";
/// From the message to the end.
pub const PURCHASE_DURATION: &str = "paygate_purchase_duration_seconds";
/// By `channel` and `outcome`.
pub const CHARGE_REQUESTS: &str = "paygate_charge_requests_total";
/// By `channel`.
pub const CHARGE_DURATION: &str = "paygate_charge_duration_seconds";
/// By `outcome`.
pub const GRANTS: &str = "paygate_grants_total";
pub const GRANT_DURATION: &str = "paygate_grant_duration_seconds";
/// By `outcome`.
pub const REFUNDS: &str = "paygate_refunds_total";
/// By `outcome`: the words of the journal's reply status.
pub const REPLIES: &str = "paygate_replies_total";
/// Charges, grants and refunds of which nothing is proven.
pub const UNKNOWN_OUTCOMES: &str = "paygate_unknown_outcomes";
/// When the oldest of them began; 0 where there is none.
pub const OLDEST_UNKNOWN: &str = "paygate_oldest_unknown_timestamp_seconds";
/// By `state`: open, review, replies.
pub const BACKLOG: &str = "paygate_backlog";
/// By `smsc`: 1 while bound.
pub const SMSC_BOUND: &str = "paygate_smsc_bound";
/// By `smsc`: submit_sm unanswered.
pub const SMSC_WINDOW: &str = "paygate_smsc_window_inflight";
/// One transaction of the journal.
pub const COMMIT_DURATION: &str = "paygate_commit_duration_seconds";
/// Keys that Redis could not answer, left to the journal.
pub const KEYS_FALLTHROUGH: &str = "paygate_keys_fallthrough_total";
/// Log records that journald did not take.
pub const LOG_DROPPED: &str = "paygate_log_dropped_total";

/// What a call that may move money, or grant, can come to.
pub const OUTCOMES: [&str; 4] = ["ok", "declined", "error", "unknown"];

/// Seconds; from a cache hit to the longest wait for a peer.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// Between two rounds of upkeep, without which histograms would grow until somebody reads them.
const UPKEEP: Duration = Duration::from_secs(5);

/// This process's recorder, installed and described at the first call.
pub fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
            .expect("the list of buckets above is not empty")
            .build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("metrics of this process are recorded by somebody else; /metrics stays empty");
        }
        describe();
        handle
    })
}

/// Keeps the recorder small. Runs until it is dropped.
pub async fn upkeep() {
    let mut rounds = tokio::time::interval(UPKEEP);
    loop {
        rounds.tick().await;
        recorder().run_upkeep();
    }
}

/// Every label set at 0, so that a rule over a counter sees its first increase.
pub fn register(config: &Config) {
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for (door, verdict) in
        ["smpp", "http", "kannel"].into_iter().flat_map(|door| VERDICTS.map(|verdict| (door, verdict)))
    {
        counter!(MESSAGES_RECEIVED, "door" => door, "verdict" => verdict).absolute(0);
    }
    for channel in config.charging.keys() {
        for state in State::ALL {
            counter!(PURCHASES, "state" => state.as_str(), "channel" => channel.clone()).absolute(0);
        }
        for outcome in OUTCOMES {
            counter!(CHARGE_REQUESTS, "channel" => channel.clone(), "outcome" => outcome).absolute(0);
        }
    }
    for (name, outcome) in [GRANTS, REFUNDS].into_iter().flat_map(|name| OUTCOMES.map(|outcome| (name, outcome))) {
        counter!(name, "outcome" => outcome).absolute(0);
    }
    for smsc in &config.smsc {
        gauge!(SMSC_BOUND, "smsc" => smsc.name.clone()).set(0.0);
        gauge!(SMSC_WINDOW, "smsc" => smsc.name.clone()).set(0.0);
    }
    for state in ["open", "review", "replies"] {
        gauge!(BACKLOG, "state" => state).set(0.0);
    }
    for name in [KEYS_FALLTHROUGH, LOG_DROPPED] {
        counter!(name).absolute(0);
    }
    for name in [UNKNOWN_OUTCOMES, OLDEST_UNKNOWN] {
        gauge!(name).set(0.0);
    }
}

const VERDICTS: [&str; 3] = ["fresh", "again", "later"];

fn describe() {
    describe_gauge!(BUILD_INFO, "The program that runs");
    describe_counter!(MESSAGES_RECEIVED, "Messages taken in, by door and by what the peer was told");
    describe_counter!(PURCHASES, "Purchases that came into a state");
    describe_histogram!(PURCHASE_DURATION, Unit::Seconds, "From the message to the end of its purchase");
    describe_counter!(CHARGE_REQUESTS, "Requests that may move money, by what they came to");
    describe_histogram!(CHARGE_DURATION, Unit::Seconds, "One request that may move money");
    describe_counter!(GRANTS, "Requests that may grant a package, by what they came to");
    describe_histogram!(GRANT_DURATION, Unit::Seconds, "One request that may grant a package");
    describe_counter!(REFUNDS, "Requests that may give money back, by what they came to");
    describe_counter!(REPLIES, "Texts to subscribers, by what became of them");
    describe_gauge!(UNKNOWN_OUTCOMES, "Charges, grants and refunds of which nothing is proven");
    describe_gauge!(
        OLDEST_UNKNOWN,
        Unit::Seconds,
        "Unix time at which the oldest of them began; 0 where there is none"
    );
    describe_gauge!(BACKLOG, "What is open, in review, or owed as a reply");
    describe_gauge!(SMSC_BOUND, "1 while the link is bound");
    describe_gauge!(SMSC_WINDOW, "submit_sm that the SMSC has not answered");
    describe_histogram!(COMMIT_DURATION, Unit::Seconds, "One transaction of the journal");
    describe_counter!(KEYS_FALLTHROUGH, "Keys that Redis could not answer, left to the journal");
    describe_counter!(LOG_DROPPED, "Log records that journald did not take");
}
