//! Every metric by name, after Prometheus' naming rules: base units, `_total`, timestamps rather than ages, labels of few
//! values. No number, account or text of a subscriber is ever a label. A test holds the source against these tables.

use crate::config::Config;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::time::Duration;

pub const BUILD_INFO: &str = "paygate_build_info";
pub const MESSAGES_RECEIVED: &str = "paygate_messages_received_total";
pub const NOTIFIES: &str = "paygate_notifies_received_total";
pub const PURCHASES: &str = "paygate_purchases_total";
pub const UNKNOWN_OUTCOMES: &str = "paygate_unknown_outcomes";
pub const OLDEST_UNKNOWN: &str = "paygate_oldest_unknown_timestamp_seconds";
pub const BACKLOG: &str = "paygate_backlog";
pub const SMSC_BOUND: &str = "paygate_smsc_bound";
pub const SMSC_WINDOW: &str = "paygate_smsc_window_inflight";
pub const LATE_SENDS: &str = "paygate_late_sends_refused_total";
pub const EXTRA_CHARGES: &str = "paygate_extra_charges_total";
pub const SURPLUS: &str = "paygate_surplus_total";
pub const CHANNEL_FROZEN: &str = "paygate_channel_frozen";
pub const ALARM: &str = "paygate_alarm";
pub const PARTNER_REQUESTS: &str = "paygate_partner_requests_total";
pub const USSD_HOPS: &str = "paygate_ussd_hops_total";
pub const USSD_LATE: &str = "paygate_ussd_late_screens_total";
pub const USSD_OPEN: &str = "paygate_ussd_dialogues_open";
pub const USSD_ANSWER: &str = "paygate_ussd_answer_duration_seconds";
pub const LOG_DROPPED: &str = "paygate_log_dropped_total";

/// Counters, and what they count.
pub const COUNTERS: [(&str, &str); 30] = [
    ("paygate_care_logins_total", "Logins at the care page, by outcome"),
    (MESSAGES_RECEIVED, "Messages and orders by HTTP, by door and by what the peer was told (fresh, again, later)"),
    (NOTIFIES, "What channels told by themselves, by channel and by what became of it"),
    ("paygate_redeliveries_total", "Messages and parts that were here already, by door"),
    ("paygate_messages_kept_total", "Messages that led to no purchase, by what they were taken for"),
    (PURCHASES, "Purchases that came into a state, by state and channel"),
    ("paygate_channel_calls_total", "Calls to channels, by channel, call and what the answer proves"),
    ("paygate_replies_total", "Texts to subscribers, by what became of them"),
    ("paygate_outbox_full_total", "Texts that waited in the journal because their link had too many, by smsc"),
    ("paygate_fenced_writes_total", "Writes refused because the purchase had moved on meanwhile"),
    ("paygate_refused_writes_total", "Writes that a constraint of the journal refused: a rule failed above it"),
    (LATE_SENDS, "Requests that did not leave because their time to leave was over"),
    (EXTRA_CHARGES, "Charges found that nothing stood for: of a purchase given up, or a second one; by channel"),
    (SURPLUS, "Pairs of charges of one subscriber for the same package in a short time, by the later one's channel"),
    ("paygate_journal_commits_total", "Transactions of the journal"),
    ("paygate_journal_rows_total", "Rows written by them"),
    ("paygate_journal_failures_total", "Transactions that the store did not take"),
    ("paygate_keys_fallthrough_total", "Keys that Redis could not answer, left to the journal"),
    ("paygate_smsc_pdus_total", "PDUs, by smsc, command and direction"),
    ("paygate_smsc_malformed_total", "PDUs that could not be read, by smsc"),
    ("paygate_smsc_throttled_total", "submit_sm that the SMSC refused for coming too fast, by smsc"),
    ("paygate_smsc_late_responses_total", "Responses that came after their wait was over, by smsc"),
    ("paygate_ussd_screens_total", "Screens of dialogues, by gateway and outcome (sent, refused, lost)"),
    ("paygate_ussd_malformed_total", "Lines of a USSD socket that could not be read or lead to nothing, by gateway"),
    ("paygate_http_panics_total", "Requests answered 500 because of a fault of ours"),
    ("paygate_http_refused_total", "Messages and orders by HTTP that were refused, by status"),
    (PARTNER_REQUESTS, "Requests of partners, by partner, call and outcome"),
    (USSD_HOPS, "Steps of dialogues, by gateway and by what became of them"),
    (USSD_LATE, "Steps whose own screen was not ready in [menu] answer_within, by gateway"),
    (LOG_DROPPED, "Log records that journald did not take"),
];

/// Gauges, and what they show.
pub const GAUGES: [(&str, &str); 11] = [
    ("paygate_keys_may_be_evicted", "1 where Redis may forget keys before their time: set maxmemory-policy noeviction"),
    (BUILD_INFO, "Always 1; the version is the label"),
    (UNKNOWN_OUTCOMES, "Purchases whose charge, grant or refund is not proven either way, in review or not"),
    (OLDEST_UNKNOWN, "Unix time at which the oldest of them was asked for; 0 where there is none"),
    (BACKLOG, "Purchases open and in review, texts owed, and operators' acts not carried out, by state"),
    (ALARM, "1 while that is worse than its bound in [alarms], by alarm and by the channel it is about"),
    (CHANNEL_FROZEN, "1 while an operator lets no new charge begin there, by channel"),
    (SMSC_BOUND, "1 while the link is bound, by smsc"),
    ("paygate_ussd_line_up", "1 while the USSD socket is logged in, by gateway"),
    (USSD_OPEN, "Dialogues that wait for an answer, as this instance knows them"),
    (SMSC_WINDOW, "submit_sm that the SMSC has not answered, by smsc"),
];

/// Histograms, all in seconds, and what they measure.
pub const HISTOGRAMS: [(&str, &str); 4] = [
    ("paygate_channel_call_duration_seconds", "One call to a channel, by channel and call"),
    ("paygate_grant_duration_seconds", "One call to the package manager, by call"),
    (USSD_ANSWER, "One step of a dialogue to its screen, by gateway"),
    ("paygate_commit_duration_seconds", "One transaction of the journal"),
];

/// Seconds; from a local commit to the longest wait for a peer.
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
        COUNTERS.iter().for_each(|(name, help)| describe_counter!(*name, *help));
        GAUGES.iter().for_each(|(name, help)| describe_gauge!(*name, *help));
        HISTOGRAMS.iter().for_each(|(name, help)| describe_histogram!(*name, Unit::Seconds, *help));
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

/// The label sets known at start, at 0: a rule over a counter must see its first increase. `states` are the words that a
/// purchase's state may be.
pub fn register(config: &Config, states: &[&'static str]) {
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for (door, verdict) in
        ["http", "kannel", "app", "ussd"].into_iter().flat_map(|door| VERDICTS.map(|verdict| (door, verdict)))
    {
        counter!(MESSAGES_RECEIVED, "door" => door, "verdict" => verdict).absolute(0);
    }
    for channel in config.charging.keys().chain(config.partner.keys()) {
        for state in states {
            counter!(PURCHASES, "state" => *state, "channel" => channel.clone()).absolute(0);
        }
    }
    for partner in config.partner.keys().map(String::as_str).chain([NOBODY]) {
        for (call, outcome) in
            PARTNER_CALLS.into_iter().flat_map(|call| PARTNER_OUTCOMES.map(|outcome| (call, outcome)))
        {
            counter!(PARTNER_REQUESTS, "partner" => partner.to_owned(), "call" => call, "outcome" => outcome)
                .absolute(0);
        }
    }
    for channel in config.charging.keys() {
        counter!(EXTRA_CHARGES, "channel" => channel.clone()).absolute(0);
    }
    for channel in config.charging.keys().chain(config.partner.keys()) {
        counter!(SURPLUS, "channel" => channel.clone()).absolute(0);
        gauge!(CHANNEL_FROZEN, "channel" => channel.clone()).set(0.0);
        for verdict in NOTIFY_VERDICTS {
            counter!(NOTIFIES, "channel" => channel.clone(), "verdict" => verdict).absolute(0);
        }
    }
    for smsc in &config.smsc {
        gauge!(SMSC_BOUND, "smsc" => smsc.name.clone()).set(0.0);
        gauge!(SMSC_WINDOW, "smsc" => smsc.name.clone()).set(0.0);
    }
    for gateway in config.ussd.keys() {
        for outcome in USSD_OUTCOMES {
            counter!(USSD_HOPS, "gateway" => gateway.clone(), "outcome" => outcome).absolute(0);
        }
        counter!(USSD_LATE, "gateway" => gateway.clone()).absolute(0);
    }
    gauge!(USSD_OPEN).set(0.0);
    for state in ["open", "review", "replies", "acts"] {
        gauge!(BACKLOG, "state" => state).set(0.0);
    }
    for name in [UNKNOWN_OUTCOMES, OLDEST_UNKNOWN] {
        gauge!(name).set(0.0);
    }
    for name in UNLABELLED {
        counter!(name).absolute(0);
    }
}

/// The label of whoever is no partner: what such a one calls itself is nobody's word.
pub const NOBODY: &str = "unknown";
/// What partners call.
pub const PARTNER_CALLS: [&str; 2] = ["check_user", "payments"];
/// What can become of it: of those who are not believed, the last four, they hear the same.
pub const PARTNER_OUTCOMES: [&str; 14] = [
    "ok",
    "refused",
    "accepted",
    "review",
    "already",
    "conflict",
    "later",
    "malformed",
    "too_large",
    "too_many",
    "unknown_partner",
    "address",
    "signature",
    "timestamp",
];

/// What a peer by HTTP may be told of a message.
const VERDICTS: [&str; 3] = ["fresh", "again", "later"];

/// What may become of a channel's notify: taken, here already, not durable, about no charge of ours, not believed for its
/// checksum, for its time, or not understood.
const NOTIFY_VERDICTS: [&str; 7] = ["fresh", "again", "later", "unknown", "bad_checksum", "stale", "unreadable"];

/// What may become of a dialogue's step: a menu's screen, the consent's, taken, not durable now, refused, any other end; the same
/// again; not remembered, not served, not a number; nobody answers, or not in time; told that it is over;
/// one too many for its link, to be sent again.
const USSD_OUTCOMES: [&str; 14] = [
    "ask",
    "consent",
    "taken",
    "later",
    "refused",
    "end",
    "again",
    "lost",
    "unknown_code",
    "unknown_number",
    "busy",
    "late",
    "ended",
    "put_off",
];

/// Counters without labels: whole from the start.
const UNLABELLED: [&str; 7] = [
    LATE_SENDS,
    "paygate_fenced_writes_total",
    "paygate_refused_writes_total",
    "paygate_journal_failures_total",
    "paygate_keys_fallthrough_total",
    "paygate_http_panics_total",
    LOG_DROPPED,
];
