//! The policy a purchase is decided by, as plain numbers. Made from the configuration at start; names no channel in code.

use super::offer::CodeKey;
use super::record::Micros;
use crate::config::Otp;
use std::collections::{BTreeMap, BTreeSet};

/// All that [`super::next()`] needs to know besides the purchase. Durations are microseconds.
#[derive(Clone, Debug)]
pub struct Rules {
    pub otp: Otp,
    /// What is asked for besides the consent on a menu's screen.
    pub menu_otp: Otp,
    pub otp_length: u8,
    pub otp_ttl: Micros,
    pub otp_attempts: u8,
    pub otp_sends: u8,
    pub otp_hourly: u32,
    pub confirm_without_code: bool,
    pub code_key: CodeKey,
    pub repeat_window: Micros,
    pub surplus_window: Micros,
    pub consent_valid: Micros,
    pub checking_after: Micros,
    pub grant_fresh: Micros,
    pub check_attempts: u32,
    /// Between two tries of check-user.
    pub check_pause: Micros,
    pub grant: Flight,
    /// A repeated grant under the same key is the same grant.
    pub idempotent_grants: bool,
    pub channels: BTreeMap<String, ChannelRules>,
    /// Channels where an operator lets no new charge begin.
    pub frozen: BTreeSet<String>,
    /// The journal may have lost steps of purchases that began before this moment.
    pub lost_before: Option<Micros>,
}

/// One channel's promises.
#[derive(Clone, Debug)]
pub struct ChannelRules {
    pub texts_codes: bool,
    pub can_cancel: bool,
    pub can_refund: bool,
    /// Pauses before a charge that moved nothing, and that it is advised to wait with, is made anew; none: it is not.
    pub retry: Vec<Micros>,
    /// How long a consent stands for that.
    pub retry_consent: Micros,
    /// The subscriber pays at the channel's own page, by a link that is good for so long.
    pub link_ttl: Option<Micros>,
    pub flight: Flight,
}

/// How long a request may be under way, and when its outcome is asked about.
#[derive(Clone, Debug)]
pub struct Flight {
    /// From the intent until the last byte may leave.
    pub send_within: Micros,
    /// From the last byte until the request can no longer take effect.
    pub max_flight: Micros,
    /// How long an answer is waited for before the outcome counts as unknown.
    pub answer_within: Micros,
    /// Pauses between inquiries; the last one repeats.
    pub plan: Vec<Micros>,
}
