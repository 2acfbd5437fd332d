//! All that the page's server holds: the neighbours, the telephones, the journal to read from, and the feed to show it by.
//! Everything that is shown passes through here, and one task alone shows it.

use super::card::Card;
use super::cases::Case;
use super::feed::{Feed, Part};
use super::phones::{Bubble, Phone, Taken, Way};
use super::switches::{self, Setting, Switch};
use crate::journal::rows::{Filter, MessageFilter, Search, Story};
use crate::journal::{Journal, JournalError};
use crate::purchase::record::Micros;
use crate::sandbox::bank::Bank;
use crate::sandbox::billing::Billing;
use crate::sandbox::configuration::{BANK_CODE, SHORT_CODE};
use crate::sandbox::gateways::{self, Gateways};
use crate::sandbox::packages::Packages;
use crate::sandbox::partner::Partner;
use crate::sandbox::people::Person;
use crate::sandbox::smsc::{AckStatus, Mo, MtText, Smsc};
use jiff::Timestamp;
use paygate_parsers::smpp::status::ESME_RX_T_APPN;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// What the telephones can write to.
const CODES: [&str; 2] = [SHORT_CODE, BANK_CODE];
/// Purchases of earlier runs that are shown at first.
const SHOWN_AT_FIRST: u32 = 50;

pub(in crate::sandbox) struct Neighbours {
    pub(in crate::sandbox) smsc: Smsc,
    pub(in crate::sandbox) billing: Billing,
    pub(in crate::sandbox) bank: Bank,
    pub(in crate::sandbox) packages: Packages,
    pub(in crate::sandbox) partner: Partner,
    pub(in crate::sandbox) gateways: Gateways,
}

impl Neighbours {
    /// Waits until paygate has come to all that it connects to.
    pub(in crate::sandbox) async fn connected(&self) {
        self.smsc.bound(1).await;
        self.bank.smsc.bound(1).await;
        self.gateways.connected().await;
    }

    /// Those that call paygate are told where it is.
    pub(in crate::sandbox) fn are_told_of(&self, daemon: SocketAddr) {
        self.bank.is_told_of(daemon);
        self.gateways.are_told_of(daemon);
    }

    /// All by which texts come.
    pub(super) fn smscs(&self) -> impl Iterator<Item = &Smsc> {
        [&self.smsc, &self.bank.smsc].into_iter().chain(self.gateways.smscs())
    }
}

/// What the page tells of the sandbox itself.
pub(in crate::sandbox) struct About {
    /// TOML.
    pub(in crate::sandbox) configuration: String,
    pub(in crate::sandbox) folder: String,
    /// Where the daemon's own doors are.
    pub(in crate::sandbox) daemon: SocketAddr,
    /// Who may log in at the care page.
    pub(in crate::sandbox) people: Vec<Person>,
    /// What the app sends as its bearer. The page is never told.
    pub(in crate::sandbox) app_token: SecretString,
    /// The simulated books begin here; the journal may be older.
    pub(in crate::sandbox) started_at: Micros,
    /// How long the same words from the same telephone are one message.
    pub(in crate::sandbox) redelivery_window: Duration,
}

/// Why a telephone cannot send that.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no telephone here has the number {0}")]
    NoPhone(String),
    #[error("an empty message cannot be sent; write something first")]
    Empty,
    #[error("nobody can be written to at {0} here")]
    NoCode(String),
    #[error("these telephones send one SMS at a time: at most 160 letters, or 70 with accents")]
    Long,
    #[error("this telephone has not sent such a message")]
    NoMessage,
    #[error("there is no gateway {0} here")]
    NoGateway(String),
    #[error("dial a code that begins with * and ends with #, such as *098#")]
    NotDialled,
    #[error("key something in first, at most 64 characters")]
    NotKeyed,
    #[error("no screen waits for an answer on this telephone")]
    NoScreen,
    #[error("the telco's shop: {0}")]
    Shop(String),
    #[error("this case: {0}")]
    Case(&'static str),
    #[error("the app: {0}")]
    App(String),
}

pub(in crate::sandbox) struct Stage {
    pub(super) neighbours: Neighbours,
    pub(super) journal: Journal,
    pub(super) feed: Feed,
    /// Something was changed by hand.
    pub(super) nudged: Notify,
    pub(super) started_at: Micros,
    /// Of the daemon, where the partner and the app call.
    pub(super) door: String,
    /// The app's.
    pub(super) client: reqwest::Client,
    pub(super) app_token: SecretString,
    phones: Mutex<Vec<Phone>>,
    delivering: tokio::sync::Mutex<()>,
}

impl Stage {
    pub(in crate::sandbox) fn new(neighbours: Neighbours, journal: Journal, phones: Vec<Phone>, about: About) -> Self {
        for phone in &phones {
            neighbours.billing.set_balance(&phone.e164(), phone.opening_balance);
        }
        let feed = Feed::new(json!({
            "configuration": about.configuration,
            "folder": about.folder,
            "daemon": format!("http://{}", about.daemon),
            "people": about.people,
            "cases": Case::all(),
            "shortCode": SHORT_CODE,
            "bankCode": BANK_CODE,
            "serviceCode": gateways::SERVICE_CODE,
            "gateways": gateways::ALL,
            "redeliveryMs": about.redelivery_window.as_millis() as u64,
        }));
        let started_at = about.started_at;
        let stage = Self {
            neighbours,
            journal,
            feed,
            nudged: Notify::new(),
            started_at,
            door: format!("http://{}", about.daemon),
            client: reqwest::Client::new(),
            app_token: about.app_token,
            phones: Mutex::new(phones),
            delivering: tokio::sync::Mutex::default(),
        };
        stage.show_phones_and_switches();
        stage
    }

    /// Sends a message from a telephone, and returns it with what became of it.
    pub(super) async fn send(self: &Arc<Self>, number: &str, to: &str, text: &str) -> Result<Bubble, Refusal> {
        let to = *CODES.iter().find(|code| **code == to).ok_or_else(|| Refusal::NoCode(to.to_owned()))?;
        if text.trim().is_empty() {
            return Err(Refusal::Empty);
        }
        // In parts it would have another reference with each delivery, and would never be the same message again.
        if Mo::parts("", "", text, 0).len() != 1 {
            return Err(Refusal::Long);
        }
        let id = self.with_phone(number, |phone| {
            phone.write(Timestamp::now().as_microsecond(), text, Way::Sent { to, taken: Taken::Sending, deliveries: 0 })
        })?;
        self.deliver(number, id).await
    }

    /// Delivers a message once more, octet for octet.
    pub(super) async fn redeliver(self: &Arc<Self>, number: &str, id: u64) -> Result<Bubble, Refusal> {
        self.deliver(number, id).await
    }

    /// Carried to its end though the browser may go away: the thread must not stay at "sending".
    async fn deliver(self: &Arc<Self>, number: &str, id: u64) -> Result<Bubble, Refusal> {
        let (from, to, text) = self.with_phone(number, |phone| {
            let sent = phone.bubble(id).and_then(|bubble| Some((bubble.sent_to()?, bubble.text.clone())));
            sent.map(|(to, text)| (phone.digits(), to, text)).ok_or(Refusal::NoMessage)
        })??;
        self.nudged.notify_one();
        let (stage, number) = (Arc::clone(self), number.to_owned());
        let delivery = tokio::spawn(async move {
            let taken = stage.exchange(&from, to, &text).await;
            let bubble = stage.with_phone(&number, |phone| phone.bubble(id).map(|bubble| bubble.delivered(taken)));
            stage.nudged.notify_one();
            bubble
        });
        match delivery.await {
            Ok(bubble) => bubble?.ok_or(Refusal::NoMessage),
            Err(_stopped) => Err(Refusal::NoMessage),
        }
    }

    /// One at a time: what the journal has taken since is then this very message.
    async fn exchange(&self, from: &str, to: &str, text: &str) -> Taken {
        let _alone = self.delivering.lock().await;
        let before = self.newest_message_of(from).await;
        let smsc = if to == BANK_CODE { &self.neighbours.bank.smsc } else { &self.neighbours.smsc };
        match smsc.text(from, to, text).await {
            status if status.is_ok() && self.newest_message_of(from).await > before => Taken::New,
            status if status.is_ok() => Taken::Again,
            AckStatus::Answered(ESME_RX_T_APPN) => {
                Taken::Refused("the gateway cannot make it safe now, and asks for it again later".to_owned())
            }
            AckStatus::Answered(status) => Taken::Refused(format!("the gateway refused it (0x{status:08x})")),
            AckStatus::TimedOut => Taken::Refused("the gateway did not answer in time".to_owned()),
            AckStatus::Lost => Taken::Refused("the link broke before it was answered".to_owned()),
            AckStatus::NotBound => Taken::Refused("the gateway is not connected to the SMSC".to_owned()),
        }
    }

    /// When the journal took the newest message of this telephone, by its own clock; `None` where it cannot be asked.
    async fn newest_message_of(&self, from: &str) -> Option<Micros> {
        let messages = self.journal.messages(&MessageFilter { limit: 100, ..MessageFilter::default() }).await;
        let own = messages.ok()?.into_iter().find(|message| message.from.trim_start_matches('+') == from);
        own.map(|message| message.at)
    }

    pub(super) fn turn(&self, switch: Switch, setting: Setting) {
        switch.turn(&self.neighbours, setting);
        self.nudged.notify_one();
    }

    pub(super) fn turn_all_off(&self) {
        switches::all_off(&self.neighbours);
        self.nudged.notify_one();
    }

    /// A text has reached a telephone. Others' telephones are not shown.
    pub(super) fn received(&self, text: &MtText) {
        if let Some(phone) = self.phones().iter_mut().find(|phone| phone.digits() == text.to) {
            phone.write(Timestamp::now().as_microsecond(), &text.text, Way::Received);
        }
    }

    /// Shows what is quick to look at: telephones with their balances, and the switches.
    pub(super) fn show_phones_and_switches(&self) {
        for (place, phone) in self.phones().iter().enumerate() {
            self.feed.show(Part::Phone(place), self.phone_as_shown(phone));
        }
        self.feed.show(Part::Switches, json!(switches::all(&self.neighbours)));
    }

    fn phone_as_shown(&self, phone: &Phone) -> Value {
        json!({
            "name": phone.name,
            "number": phone.number,
            "note": phone.note,
            "balance": self.neighbours.billing.balance(&phone.e164()),
            "bubbles": phone.bubbles,
            "call": phone.call,
        })
    }

    /// Reads one purchase from the journal, holds the books against it, and shows both.
    pub(super) async fn show_purchase(&self, id: &str) -> Result<(), JournalError> {
        if let Some(story) = self.journal.story(id).await? {
            let part = Part::Purchase(Reverse(story.purchase.created_at), id.to_owned());
            self.feed.show(part, json!(self.card(&story)));
        }
        Ok(())
    }

    fn card(&self, story: &Story) -> Card {
        let phones = self.phones();
        let msisdn = story.purchase.order.msisdn;
        let phone = msisdn.and_then(|msisdn| phones.iter().find(|phone| phone.is(&msisdn)));
        Card::new(story, phone, &self.neighbours, self.started_at)
    }

    /// The purchases that the journal has from earlier runs, or that were missed.
    pub(super) async fn known_purchases(&self) -> Result<Vec<String>, JournalError> {
        let filter = Filter { limit: SHOWN_AT_FIRST, ..Filter::default() };
        Ok(self.journal.list(&filter).await?.into_iter().map(|listed| listed.purchase.id).collect())
    }

    /// The purchase that a charge or refund under this key belongs to.
    pub(super) async fn purchase_of(&self, key: &str) -> Result<Vec<String>, JournalError> {
        let filter = Filter { search: Some(Search::exactly(key)), limit: 1, ..Filter::default() };
        Ok(self.journal.list(&filter).await?.into_iter().map(|listed| listed.purchase.id).collect())
    }

    /// The open purchases of a telephone.
    pub(super) async fn open_purchases_of(&self, digits: &str) -> Result<Vec<String>, JournalError> {
        let Ok(msisdn) = format!("+{digits}").parse() else { return Ok(Vec::new()) };
        let open = self.journal.purchases_of(&[msisdn], Micros::MAX).await?;
        Ok(open.into_iter().map(|purchase| purchase.id).collect())
    }

    pub(super) fn with_phone<T>(&self, number: &str, act: impl FnOnce(&mut Phone) -> T) -> Result<T, Refusal> {
        let mut phones = self.phones();
        let phone = phones.iter_mut().find(|phone| phone.number == number);
        phone.map(act).ok_or_else(|| Refusal::NoPhone(number.to_owned()))
    }

    fn phones(&self) -> MutexGuard<'_, Vec<Phone>> {
        self.phones.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bubble {
    fn sent_to(&self) -> Option<&'static str> {
        match self.way {
            Way::Sent { to, .. } => Some(to),
            Way::Received => None,
        }
    }

    /// Notes one more delivery, and what became of it.
    fn delivered(&mut self, now: Taken) -> Self {
        if let Way::Sent { taken, deliveries, .. } = &mut self.way {
            *deliveries += 1;
            *taken = now;
        }
        self.clone()
    }
}
