//! The driver interface: what the engine may ask of a channel. A driver translates its dialect and decides nothing about money.

pub mod carrier_billing;

use crate::purchase::money::Money;
use paygate_parsers::msisdn::Msisdn;
use std::time::Duration;
use tokio::time::Instant;

/// One attempt to move money under one key, as the journal's intent holds it.
#[derive(Clone, Debug)]
pub struct ChargeOrder {
    /// Never used for another charge; what the peer is to recognise a repeat by.
    pub key: String,
    pub msisdn: Msisdn,
    pub amount: Money,
    pub service: String,
    pub package: String,
    /// The package's name, as it may stand on the subscriber's bill.
    pub description: String,
    /// The driver's memory of earlier steps of this attempt.
    pub handle: Option<String>,
    /// The code the subscriber answered, where the channel judges it.
    pub code: Option<String>,
    /// When the intent was committed, Unix microseconds: a list by time starts here.
    pub intended_at: i64,
    /// No byte that may move money leaves after this.
    pub send_by: Instant,
}

/// Money to be given back for a charge, under its own key.
#[derive(Clone, Debug)]
pub struct RefundOrder {
    pub key: String,
    /// The charge's handle and the peer's reference for it.
    pub charge_handle: Option<String>,
    pub peer_reference: Option<String>,
    pub msisdn: Msisdn,
    pub amount: Money,
    pub handle: Option<String>,
    pub intended_at: i64,
    pub send_by: Instant,
}

/// What a channel can do and what it promises: policy follows from this record, never from a channel's name.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The channel can set money aside first and text its own code (`otp = "telco"`).
    pub texts_codes: bool,
    pub can_cancel: bool,
    pub can_refund: bool,
    /// How long after its send deadline a request may still take effect.
    pub max_flight: Duration,
    /// How long after the intent's commit a request may still leave.
    pub send_within: Duration,
    /// When unknown outcomes are inquired about; the last step repeats.
    pub inquiry_plan: Vec<Duration>,
}
