//! The driver interface: what the engine may ask of a channel. A driver translates its dialect and decides nothing about
//! money. A further channel is a folder here with a `Driver` in it, and a line in [`dialects!`].

pub mod carrier_billing;
pub mod pay123;

use crate::config::{self, GivesBack};
use crate::http_client::HttpClient;
use crate::purchase::evidence::{ChannelAnswer, Reason};
use crate::purchase::money::Money;
use jiff::Timestamp;
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
    /// When nothing of any send can be under way any more, Unix microseconds: a list by time goes on until here. A later
    /// send lands later than the intent's time says.
    pub in_flight_until: i64,
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
    /// How long all the calls that one effect makes, one after the other, may take.
    pub answer_within: Duration,
    /// When unknown outcomes are inquired about; the last step repeats.
    pub inquiry_plan: Vec<Duration>,
    /// Calls under way at once; more wait in order.
    pub concurrency: usize,
}

/// A channel's word, checked, that something happened to one of our charges. It is never proof by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    /// The charge's key.
    pub key: String,
    /// Money moved, or may have.
    pub paid: bool,
    /// The same for the same notify, whenever it is heard.
    pub digest: String,
    /// For a person; bounded, without secrets.
    pub heard: String,
}

/// A notify that is not believed, and what its sender is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub why: Refused,
    /// The key that it named, whether or not there is such a charge.
    pub key: String,
    pub answer: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody with the key has signed it.
    BadChecksum,
    /// Signed, at a time that is too far from ours.
    Stale,
    /// Signed, and not what the channel's notifies are.
    Unreadable,
}

impl Refused {
    /// The word for it in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadChecksum => "bad_checksum",
            Self::Stale => "stale",
            Self::Unreadable => "unreadable",
        }
    }

    /// What may be wrong, for an operator.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::BadChecksum => "its checksum is wrong; it is forged, or the key is not the channel's",
            Self::Stale => "its time is too far from ours; one of the clocks is wrong, or it is a copy of an old one",
            Self::Unreadable => "it is signed and not understood",
        }
    }
}

/// What the sender of a notify is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// Durable now.
    Taken,
    /// Heard before, or decided already.
    Again,
    /// Not believed.
    BadChecksum,
    /// Believed, and not kept.
    Failed,
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
macro_rules! dialects {
    ($($Dialect:ident => $module:ident),+ $(,)?) => {
        pub enum Channel {
            $($Dialect($module::Driver)),+
        }

        impl Channel {
            #[must_use]
            pub fn new(settings: &config::Charging, client: HttpClient) -> Self {
                match settings {
                    $(config::Charging::$Dialect(settings) => Self::$Dialect($module::Driver::new(settings, client))),+
                }
            }

            #[must_use]
            pub fn capabilities(&self) -> &Capabilities {
                match self { $(Self::$Dialect(driver) => driver.capabilities()),+ }
            }

            /// The body that [`Self::charge`] opens the attempt with, without its secrets: what the journal keeps as the
            /// intent.
            #[must_use]
            pub fn request(&self, order: &ChargeOrder) -> String {
                match self { $(Self::$Dialect(driver) => driver.request(order)),+ }
            }

            /// The body of [`Self::refund`], without its secrets.
            #[must_use]
            pub fn refund_request(&self, order: &RefundOrder) -> String {
                match self { $(Self::$Dialect(driver) => driver.refund_request(order)),+ }
            }

            /// Sets money aside, and has the channel text its code where it works so. Moves nothing.
            pub async fn prepare(&self, order: &ChargeOrder) -> ChannelAnswer {
                match self { $(Self::$Dialect(driver) => driver.prepare(order).await),+ }
            }

            /// Moves the money, whatever steps are still missing, up to the debit; or brings the link at which it is paid.
            pub async fn charge(&self, order: &ChargeOrder) -> ChannelAnswer {
                match self { $(Self::$Dialect(driver) => driver.charge(order).await),+ }
            }

            /// What became of a charge. Changes nothing.
            pub async fn inquire(&self, order: &ChargeOrder) -> ChannelAnswer {
                match self { $(Self::$Dialect(driver) => driver.inquire(order).await),+ }
            }

            /// Lets go of money that was set aside. Never gives back what was charged.
            pub async fn cancel(&self, order: &ChargeOrder) -> ChannelAnswer {
                match self { $(Self::$Dialect(driver) => driver.cancel(order).await),+ }
            }

            /// Gives a charge back, whole.
            pub async fn refund(&self, order: &RefundOrder) -> ChannelAnswer {
                match self { $(Self::$Dialect(driver) => driver.refund(order).await),+ }
            }

            /// What became of a refund. Changes nothing.
            pub async fn inquire_refund(&self, order: &RefundOrder) -> ChannelAnswer {
                match self { $(Self::$Dialect(driver) => driver.inquire_refund(order).await),+ }
            }

            /// Where the channel tells us by itself what happened: its listener.
            #[must_use]
            pub fn listener(&self) -> Option<&dyn Listener> {
                match self { $(Self::$Dialect(driver) => driver.listener()),+ }
            }
        }

        fn kind_gives_back(settings: &config::Charging, refusal: Option<Reason>) -> GivesBack {
            match settings { $(config::Charging::$Dialect(_) => $module::codes::gives_back(refusal)),+ }
        }
    };
}

dialects! {
    CarrierBilling => carrier_billing,
    Pay123 => pay123,
}

/// Reads the calls of a channel that tells us by itself what happened. Pure: the time comes in with the octets.
pub trait Listener: Send + Sync {
    /// # Errors
    /// Whatever is not to be believed, with the answer that says so.
    fn notified(&self, body: &[u8], now: Timestamp) -> Result<Notified, Refusal>;

    /// What the sender of a notify about `key` is answered.
    fn answer(&self, key: &str, ack: Ack, now: Timestamp) -> String;
}

/// Whether a channel gives money back by itself after this refusal, or after none: as its kind does, unless it is
/// configured otherwise. One that is not configured promises nothing.
#[must_use]
pub fn gives_back(settings: Option<&config::Charging>, refusal: Option<Reason>) -> GivesBack {
    let Some(settings) = settings else { return GivesBack::Never };
    let own = refusal.and_then(|reason| settings.refusals().gives_back.get(reason.as_str()).copied());
    own.unwrap_or_else(|| kind_gives_back(settings, refusal))
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
