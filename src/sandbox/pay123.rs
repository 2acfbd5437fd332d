//! 123PAY, simulated: createOrder and queryOrder as seed 004 has them, the bank's page at which a customer pays, and the notify
//! that follows. Keeps books of its own, knows nothing of paygate's journal, and computes its checksums by itself.

mod bank;
mod books;
mod notify;
mod orders;
mod page;
mod signature;

use super::faults::{FaultRule, Faults};
use super::server::{Call, Peer, Reply, Serving, serve};
use axum::http::Method;
use books::Books;
pub use books::{Entry, EntryKind};
use notify::{Notifier, Sent};
pub use notify::{NotifyAnswer, NotifyFault};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;

/// The card that seed 004 has for trying (section IV).
pub mod card {
    pub const HOLDER: &str = "Nguyen Van A";
    pub const NUMBER: &str = "0000000000000000";
    pub const OTP: &str = "00000000";
}

/// Who may ask, and how this 123PAY works.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub merchant_code: String,
    pub passcode: String,
    pub secret_key: String,
    /// The largest amount of one order (6212).
    pub amount_limit: i64,
    /// Wrong OTPs until the order is lost (7224).
    pub otp_attempts: u32,
    /// The bank that a customer of bankCode `123PAY` chooses.
    pub bank: String,
    /// Each order is paid the moment it is made, before createOrder is answered.
    pub pays_at_once: bool,
    /// How long an order can be paid at its page; for ever, where it is not said.
    pub page_life: Option<Duration>,
    /// Orders held; more are answered 5000.
    pub capacity: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            merchant_code: "MICODE".to_owned(),
            passcode: "MIPASSCODE".to_owned(),
            secret_key: "MIKEY".to_owned(),
            amount_limit: 50_000_000,
            otp_attempts: 3,
            bank: "123PVTB".to_owned(),
            pays_at_once: false,
            page_life: None,
            capacity: 5_000_000,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Endpoint {
    CreateOrder,
    QueryOrder,
    /// The bank's page is shown.
    BankPage,
    /// A form of it is sent.
    BankForm,
}

/// The simulator, running. Dropped, it is gone from the network.
pub struct Pay123 {
    office: Arc<Office>,
    serving: Serving,
}

/// What answers the requests.
struct Office {
    settings: Settings,
    /// Where the bank's page is, known once it is served.
    address: std::sync::OnceLock<SocketAddr>,
    books: Mutex<Books>,
    faults: Faults<Endpoint>,
    notifier: Notifier,
}

impl Pay123 {
    /// # Errors
    /// When the address cannot be listened on, or HTTP cannot be spoken from this machine.
    pub async fn start(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let notifier = Notifier::start(settings.secret_key.clone())?;
        let (books, faults) = (Mutex::new(Books::default()), Faults::default());
        let office = Arc::new(Office { settings, address: std::sync::OnceLock::new(), books, faults, notifier });
        let serving = serve(address, Arc::clone(&office)).await?;
        office.address.get_or_init(|| serving.address);
        Ok(Self { office, serving })
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.serving.address
    }

    /// `base_url` for the configuration.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/miservice", self.address())
    }

    /// Where notifies go from now on; without it nobody is told.
    pub fn notify(&self, url: &str) {
        self.office.notifier.tell(url);
    }

    /// Switches a fault on; false when too many are on.
    #[must_use]
    pub fn fault(&self, rule: FaultRule<Endpoint>) -> bool {
        self.office.faults.set(rule)
    }

    /// What goes wrong with the next so many notifies.
    pub fn notify_fault(&self, fault: NotifyFault, times: u32) {
        self.office.notifier.fault(fault, times);
    }

    /// One fault alone goes wrong with the next so many notifies; 0 is none.
    pub fn set_notify_fault(&self, fault: NotifyFault, times: u32) {
        self.office.notifier.set_fault(fault, times);
    }

    /// With how many more notifies this will go wrong.
    #[must_use]
    pub fn notify_fault_left(&self, fault: NotifyFault) -> u32 {
        self.office.notifier.fault_left(fault)
    }

    #[must_use]
    pub fn faults(&self) -> Vec<FaultRule<Endpoint>> {
        self.office.faults.list()
    }

    pub fn clear_faults(&self) {
        self.clear_endpoint_faults();
        self.office.notifier.clear_faults();
    }

    /// Those of the notifies stay.
    pub fn clear_endpoint_faults(&self) {
        self.office.faults.clear();
    }

    /// The customer pays, as by the page. False where the order is not there or decided already.
    pub fn pay(&self, key: &str) -> bool {
        self.office.decide(key, "1")
    }

    /// The customer cancels, as by the page.
    pub fn cancel(&self, key: &str) -> bool {
        self.office.decide(key, "-100")
    }

    /// The order shows this status from now on, whatever it was; money moves by it only where it is 1 and none has.
    pub fn set_status(&self, key: &str, status: &str) -> bool {
        self.office.books().set_status(key, status)
    }

    /// A notify about the order as it stands, once more.
    pub fn notify_again(&self, key: &str) {
        self.office.tell(key);
    }

    /// A notify of any content, rightly signed.
    pub fn notify_of(&self, key: &str, status: &str) {
        let bank = self.office.settings.bank.clone();
        self.office.notifier.send(Sent { key: key.to_owned(), bank, status: status.to_owned() });
    }

    /// What our notifies were answered, oldest first.
    #[must_use]
    pub fn notify_answers(&self) -> Vec<NotifyAnswer> {
        self.office.notifier.answers()
    }

    /// Where the order is paid.
    #[must_use]
    pub fn page_of(&self, key: &str) -> Option<String> {
        self.office.books().by_key(key).map(|order| order.url.clone())
    }

    /// Debits under a mTransactionID.
    #[must_use]
    pub fn debits(&self, key: &str) -> u32 {
        self.office.books().debits(key)
    }

    /// How often each phone was debited, over all its orders.
    #[must_use]
    pub fn debits_by_phone(&self) -> HashMap<String, u32> {
        self.office.books().debits_by_phone()
    }

    /// Switches of notifies that have not been used up.
    #[must_use]
    pub fn notify_faults(&self) -> Vec<(NotifyFault, u32)> {
        self.office.notifier.faults()
    }

    #[must_use]
    pub fn debits_in_all(&self) -> u64 {
        self.office.books().debits_in_all()
    }

    /// Orders made, whatever became of them.
    #[must_use]
    pub fn orders_in_all(&self) -> usize {
        self.office.books().len()
    }

    /// The latest entries, oldest first; the counts are exact.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.office.books().entries()
    }

    /// The latest requests, oldest first, with what createOrder and queryOrder returned as their code.
    #[must_use]
    pub fn requests(&self) -> Vec<(Endpoint, String)> {
        self.office.books().requests()
    }

    /// Entries from now on. A listener that is too slow misses some.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Entry> {
        self.office.books().events()
    }
}

impl Office {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The order's outcome, once; whoever wants to know is told.
    fn decide(&self, key: &str, status: &str) -> bool {
        let decided = self.books().decide(key, status);
        if decided {
            self.tell(key);
        }
        decided
    }

    fn tell(&self, key: &str) {
        let sent = self.books().by_key(key).map(|order| Sent {
            key: order.key.clone(),
            bank: order.bank.clone(),
            status: order.status.clone(),
        });
        if let Some(sent) = sent {
            self.notifier.send(sent);
        }
    }
}

impl Peer for Office {
    type Endpoint = Endpoint;

    fn endpoint(method: &Method, path: &[&str]) -> Option<Endpoint> {
        let post = method == Method::POST;
        match (post, path) {
            (true, ["miservice", "createOrder1"]) => Some(Endpoint::CreateOrder),
            (true, ["miservice", "queryOrder1"]) => Some(Endpoint::QueryOrder),
            (true, ["bank", _]) => Some(Endpoint::BankForm),
            (false, ["bank", _]) if method == Method::GET => Some(Endpoint::BankPage),
            _ => None,
        }
    }

    fn faults(&self) -> &Faults<Endpoint> {
        &self.faults
    }

    fn act(&self, endpoint: Endpoint, call: &Call) -> Reply {
        let reply = match endpoint {
            Endpoint::CreateOrder => self.create_order(call),
            Endpoint::QueryOrder => self.query_order(call),
            Endpoint::BankPage => self.bank_page(call),
            Endpoint::BankForm => self.bank_form(call),
        };
        self.books().note(endpoint, orders::code_of(&reply));
        reply
    }

    /// A failure as 123PAY answers one, `[code, description]`. Its codes come with 200.
    fn refusal(status: u16, code: &str) -> Reply {
        Reply::new(status, serde_json::json!([code, "refused"]).to_string())
    }

    fn held(&self, _: Endpoint, _: &Call, _: bool) {}

    fn with_wrong_amount(&self, reply: Reply) -> Reply {
        self.falsified(reply, |elements| {
            if let [_, _, _, _, paid, ..] = elements {
                *paid = (paid.parse::<i64>().unwrap_or_default() + 1).to_string();
            }
        })
    }

    fn with_others_data(&self, reply: Reply) -> Reply {
        self.falsified(reply, |elements| {
            if let [_, id, ..] = elements {
                *id = "123P0000000000000".to_owned();
            }
        })
    }
}
