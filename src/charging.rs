//! The driver interface: what the engine may ask of a channel. A driver translates its dialect and decides nothing about money.

pub mod carrier_billing;

use crate::config;
use crate::http_client::HttpClient;
use crate::purchase::evidence::ChannelAnswer;
use crate::purchase::money::Money;
use paygate_parsers::msisdn::Msisdn;
use std::{collections::BTreeMap, fmt, time::Duration};
use tokio::time::Instant;

/// One attempt to move money under one key, as the journal's intent holds it.
#[derive(Clone)]
pub struct ChargeOrder {
    /// Never used for another charge; what the peer is to recognise a repeat by.
    pub key: String,
    /// The phone that pays; a channel that is paid at a page of its own can do without.
    pub msisdn: Option<Msisdn>,
    pub amount: Money,
    pub service: String,
    pub package: String,
    /// The package's name, as it may stand on the subscriber's bill.
    pub description: String,
    /// Where the channel's own page is to send the customer afterwards, where that was asked for.
    pub return_url: Option<String>,
    /// The driver's memory of earlier steps of this attempt.
    pub handle: Option<String>,
    /// The code the subscriber answered, where the channel judges it.
    pub code: Option<String>,
    /// How many times this key was let out, this time included: a first send that is refused as a repeat was not ours.
    pub sends: u32,
    /// When the intent was committed, Unix microseconds: a list by time starts here.
    pub intended_at: i64,
    /// Where the journal may have lost an earlier send under this key: a list by time starts here.
    pub lost_since: Option<i64>,
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
    pub msisdn: Option<Msisdn>,
    pub amount: Money,
    /// The driver's memory of earlier steps of this refund.
    pub handle: Option<String>,
    pub sends: u32,
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
    /// The subscriber pays at the channel's own page, and money then moves without us: `charge` opens the page and hands
    /// out a link to it, which is good for so long.
    pub link_ttl: Option<Duration>,
    /// How long after its send deadline a request may still take effect.
    pub max_flight: Duration,
    /// How long after the intent's commit a request may still leave.
    pub send_within: Duration,
    /// When unknown outcomes are inquired about; the last step repeats.
    pub inquiry_plan: Vec<Duration>,
}

impl fmt::Debug for ChargeOrder {
    /// The code is a secret of the subscriber's and stays out of every log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChargeOrder")
            .field("key", &self.key)
            .field("msisdn", &self.msisdn)
            .field("amount", &self.amount)
            .field("package", &self.package)
            .field("code", &self.code.as_ref().map(|_| "***"))
            .field("sends", &self.sends)
            .finish_non_exhaustive()
    }
}

/// A way to be paid. One variant for each dialect, so that a missing case is a compile error and not a surprise.
pub enum Channel {
    CarrierBilling(carrier_billing::Driver),
}

impl Channel {
    #[must_use]
    pub fn new(settings: &config::Charging, client: HttpClient) -> Self {
        match settings {
            config::Charging::CarrierBilling(settings) => {
                Self::CarrierBilling(carrier_billing::Driver::new(settings, client))
            }
        }
    }

    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        match self {
            Self::CarrierBilling(driver) => driver.capabilities(),
        }
    }

    /// The exact body that [`Self::charge`] opens the attempt with: what the journal keeps as the intent. Holds no secret.
    #[must_use]
    pub fn request(&self, order: &ChargeOrder) -> String {
        match self {
            Self::CarrierBilling(driver) => driver.request(order),
        }
    }

    /// The exact body of [`Self::refund`]. Holds no secret.
    #[must_use]
    pub fn refund_request(&self, order: &RefundOrder) -> String {
        match self {
            Self::CarrierBilling(driver) => driver.refund_request(order),
        }
    }

    /// Sets money aside, and has the channel text its code where it works so. Moves nothing.
    pub async fn prepare(&self, order: &ChargeOrder) -> ChannelAnswer {
        match self {
            Self::CarrierBilling(driver) => driver.prepare(order).await,
        }
    }

    /// Moves the money: whatever steps are still missing, up to the debit.
    pub async fn charge(&self, order: &ChargeOrder) -> ChannelAnswer {
        match self {
            Self::CarrierBilling(driver) => driver.charge(order).await,
        }
    }

    /// What became of a charge. Changes nothing.
    pub async fn inquire(&self, order: &ChargeOrder) -> ChannelAnswer {
        match self {
            Self::CarrierBilling(driver) => driver.inquire(order).await,
        }
    }

    /// Lets go of money that was set aside. Never gives back what was charged.
    pub async fn cancel(&self, order: &ChargeOrder) -> ChannelAnswer {
        match self {
            Self::CarrierBilling(driver) => driver.cancel(order).await,
        }
    }

    /// Gives a charge back, whole.
    pub async fn refund(&self, order: &RefundOrder) -> ChannelAnswer {
        match self {
            Self::CarrierBilling(driver) => driver.refund(order).await,
        }
    }

    /// What became of a refund. Changes nothing.
    pub async fn inquire_refund(&self, order: &RefundOrder) -> ChannelAnswer {
        match self {
            Self::CarrierBilling(driver) => driver.inquire_refund(order).await,
        }
    }
}

/// The configured channels by name.
pub struct Channels(BTreeMap<String, Channel>);

impl Channels {
    #[must_use]
    pub fn new(settings: &BTreeMap<String, config::Charging>, client: &HttpClient) -> Self {
        Self(settings.iter().map(|(name, one)| (name.clone(), Channel::new(one, client.clone()))).collect())
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Channel> {
        self.0.get(name)
    }

    /// Every channel with its name, in the names' order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Channel)> {
        self.0.iter().map(|(name, channel)| (name.as_str(), channel))
    }
}
