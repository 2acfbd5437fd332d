//! A package manager, simulated as its contract (package-manager.yaml) describes it, idempotent or not. Holds all in
//! memory, and knows nothing of paygate's journal.

mod books;

use super::faults::{FaultRule, Faults};
use super::server::{Call, Peer, Reply, Serving, serve};
use axum::http::Method;
use books::Books;
pub use books::{Entry, EntryKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Accounts that are not like the others; any other number of ten digits that begins with 0 is a good account.
pub mod accounts {
    pub const NOT_ELIGIBLE: &str = "0850000403";
    pub const NOBODY: &str = "0850000404";
    pub const LOCKED: &str = "0850000423";
}

/// The parameters without which a check or a grant is refused (seed 000).
const CONTEXT: [&str; 7] = ["platform", "dtId", "type", "deviceType", "deviceId", "payType", "payPartner"];

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub token: String,
    /// A repeated POST under the same key is the same grant. Without it each POST adds the package again.
    pub idempotent: bool,
    pub packages: Vec<Package>,
    /// Grants held; more are answered 503.
    pub capacity: usize,
}

/// A package on sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    pub service: String,
    pub code: String,
    pub name: String,
    /// In the currency's minor unit.
    pub price: i64,
    pub currency: String,
    pub days: i64,
}

impl Default for Settings {
    fn default() -> Self {
        let package = |service: &str, code: &str, name: &str, price, days| Package {
            service: service.to_owned(),
            code: code.to_owned(),
            name: name.to_owned(),
            price,
            currency: "VND".to_owned(),
            days,
        };
        Self {
            token: "secret".to_owned(),
            idempotent: true,
            packages: vec![
                package("VIP", "NAP1", "VIP 30 ngay", 10_000, 30),
                package("VIP", "NAP7", "VIP 7 ngay", 3_000, 7),
                package("FILM", "NGAY", "Phim 1 ngay", 2_000, 1),
                package("FILM", "TUAN", "Phim 7 ngay", 7_000, 7),
                package("FILM", "THANG", "Phim 30 ngay", 20_000, 30),
                // The simulated billing refuses these prices, each with its last digit's advice (seed 001).
                package("THU", "LOI1", "Thu loi 1", 10_001, 1),
                package("THU", "LOI2", "Thu loi 2", 10_002, 1),
                package("THU", "LOI3", "Thu loi 3", 10_003, 1),
                package("THU", "LOI4", "Thu loi 4", 10_004, 1),
                package("THU", "LOI5", "Thu loi 5", 10_005, 1),
                package("THU", "LOI6", "Thu loi 6", 10_006, 1),
            ],
            capacity: 5_000_000,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    ListPackages,
    CheckUser,
    Grant,
    InquireGrant,
    RevokeGrant,
}

/// The simulator, running. Dropped, it is gone from the network.
pub struct Packages {
    office: Arc<Office>,
    serving: Serving,
}

struct Office {
    settings: Settings,
    books: Mutex<Books>,
    faults: Faults<Endpoint>,
    /// Accounts whose next grant is for one day, whatever was sold.
    shortened: Mutex<HashSet<String>>,
}

impl Packages {
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let office = Arc::new(Office {
            settings,
            books: Mutex::new(Books::new()),
            faults: Faults::default(),
            shortened: Mutex::default(),
        });
        let serving = serve(address, Arc::clone(&office)).await?;
        Ok(Self { office, serving })
    }

    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.serving.address
    }

    /// `base_url` for the configuration.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Switches a fault on; false when too many are on.
    #[must_use]
    pub fn fault(&self, rule: FaultRule<Endpoint>) -> bool {
        self.office.faults.set(rule)
    }

    /// For one account alone, by its last digits; false when too many are on.
    #[must_use]
    pub fn fault_for(&self, who: &str, rule: FaultRule<Endpoint>) -> bool {
        self.office.faults.set_for(who, rule)
    }

    pub(super) fn clear_faults_for(&self, who: &str) {
        self.office.faults.clear_for(who);
    }

    #[must_use]
    pub fn faults(&self) -> Vec<FaultRule<Endpoint>> {
        self.office.faults.list()
    }

    pub fn clear_faults(&self) {
        self.office.faults.clear();
    }

    /// Adds the next package of this account for one day only.
    pub(super) fn shortens(&self, account: &str) {
        self.office.shortened().insert(account.to_owned());
    }

    /// How often a package was added for a purchase, whether it was taken back or not.
    #[must_use]
    pub fn grants_of(&self, purchase_id: &str) -> u32 {
        self.office.books().grants_of(purchase_id)
    }

    /// How often any package was added to an account, under whichever purchase.
    #[must_use]
    pub fn grants_to(&self, account: &str) -> u32 {
        self.office.books().grants_to(account)
    }

    /// Whether one stands now.
    #[must_use]
    pub fn stands(&self, purchase_id: &str) -> bool {
        self.office.books().grant(purchase_id).is_some_and(|grant| !grant.revoked)
    }

    /// All packages ever added.
    #[must_use]
    pub fn grants_in_all(&self) -> u64 {
        self.office.books().grants_in_all()
    }

    /// The latest entries, oldest first; the books keep a bounded number of them, the counts are exact.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.office.books().entries()
    }

    /// The latest requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<(Endpoint, u16)> {
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

    fn shortened(&self) -> MutexGuard<'_, HashSet<String>> {
        self.shortened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dispatch(&self, endpoint: Endpoint, call: &Call) -> Result<Reply, Reply> {
        if call.bearer() != Some(self.settings.token.as_str()) {
            return Err(refusal(401, "UNAUTHORIZED"));
        }
        match endpoint {
            Endpoint::ListPackages => Ok(self.list(call)),
            Endpoint::CheckUser => self.check(call),
            Endpoint::Grant => self.grant(call),
            Endpoint::InquireGrant => self.inquire(call),
            Endpoint::RevokeGrant => self.revoke(call),
        }
    }

    fn list(&self, call: &Call) -> Reply {
        let service = call.query("service").pop();
        let listed = |package: &&Package| service.as_ref().is_none_or(|service| package.service == *service);
        let packages: Vec<&Package> = self.settings.packages.iter().filter(listed).collect();
        Reply::new(200, json!(packages).to_string())
    }

    fn check(&self, call: &Call) -> Result<Reply, Reply> {
        let fields = complete(call, &["account", "service", "package", "msisdn"])?;
        let package = self.sellable(&fields)?;
        let account = json!({"id": fields["account"], "name": "Khach hang"});
        Ok(Reply::new(200, json!({"account": account, "package": package}).to_string()))
    }

    fn sellable(&self, fields: &Map<String, Value>) -> Result<&Package, Reply> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let account = text("account");
        let number =
            account.len() == 10 && account.starts_with('0') && account.bytes().all(|byte| byte.is_ascii_digit());
        match account {
            accounts::NOBODY => Err(refusal(404, "ACCOUNT_NOT_FOUND")),
            accounts::LOCKED => Err(refusal(403, "ACCOUNT_LOCKED")),
            accounts::NOT_ELIGIBLE => Err(refusal(403, "NOT_ELIGIBLE")),
            _ if !number => Err(refusal(404, "ACCOUNT_NOT_FOUND")),
            _ => {
                let wanted = |package: &&Package| package.service == text("service") && package.code == text("package");
                self.settings.packages.iter().find(wanted).ok_or_else(|| refusal(404, "PACKAGE_NOT_FOUND"))
            }
        }
    }

    fn grant(&self, call: &Call) -> Result<Reply, Reply> {
        let names = ["purchaseId", "account", "service", "package", "amount", "currency", "chargeReference"];
        let fields = complete(call, &names)?;
        let key = call.header("idempotency-key").filter(|key| !key.is_empty() && key.len() <= 64);
        let key = key.ok_or_else(|| missing(&["Idempotency-Key"]))?;
        let package = self.sellable(&fields)?;
        let mut books = self.books();
        if self.settings.idempotent {
            if books.is_held(key) {
                return Err(refusal(409, "IN_PROGRESS"));
            }
            if let Some(first) = books.grant(key) {
                let same = first.request == fields;
                return if same { Ok(Reply::new(200, first.json())) } else { Err(refusal(422, "KEY_REUSED")) };
            }
        }
        if books.is_full(self.settings.capacity) {
            return Err(refusal(503, "INTERNAL"));
        }
        let short = self.shortened().remove(fields["account"].as_str().unwrap_or_default());
        let days = if short { 1 } else { package.days };
        Ok(Reply::new(201, books.add(key, fields, days).json()))
    }

    fn inquire(&self, call: &Call) -> Result<Reply, Reply> {
        let (books, segments) = (self.books(), call.segments());
        let purchase = segments.get(2).copied().unwrap_or_default();
        if books.is_held(purchase) {
            return Err(refusal(409, "IN_PROGRESS"));
        }
        let grant = books.grant(purchase).ok_or_else(|| refusal(404, "NOT_GRANTED"))?;
        Ok(Reply::new(200, grant.json()))
    }

    fn revoke(&self, call: &Call) -> Result<Reply, Reply> {
        let segments = call.segments();
        let purchase = segments.get(2).copied().unwrap_or_default();
        let mut books = self.books();
        let grant = books.revoke(purchase).ok_or_else(|| refusal(404, "NOT_GRANTED"))?;
        Ok(Reply::new(200, grant.json()))
    }
}

impl Peer for Office {
    type Endpoint = Endpoint;

    fn endpoint(method: &Method, path: &[&str]) -> Option<Endpoint> {
        match (method.as_str(), path) {
            ("GET", ["v1", "packages"]) => Some(Endpoint::ListPackages),
            ("POST", ["v1", "check-user"]) => Some(Endpoint::CheckUser),
            ("POST", ["v1", "grants"]) => Some(Endpoint::Grant),
            ("GET", ["v1", "grants", _]) => Some(Endpoint::InquireGrant),
            ("DELETE", ["v1", "grants", _]) => Some(Endpoint::RevokeGrant),
            _ => None,
        }
    }

    fn faults(&self) -> &Faults<Endpoint> {
        &self.faults
    }

    fn act(&self, endpoint: Endpoint, call: &Call) -> Reply {
        let reply = self.dispatch(endpoint, call).unwrap_or_else(|refused| refused);
        self.books().note(endpoint, reply.status);
        reply
    }

    fn refusal(status: u16, code: &str) -> Reply {
        refusal(status, code)
    }

    fn held(&self, endpoint: Endpoint, call: &Call, held: bool) {
        if let (Endpoint::Grant, Some(key)) = (endpoint, call.header("idempotency-key")) {
            self.books().hold(key, held);
        }
    }
}

/// The body, with everything in it that must be.
fn complete(call: &Call, names: &[&str]) -> Result<Map<String, Value>, Reply> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(&call.body) else { return Err(missing(&CONTEXT)) };
    let absent = |name: &&str| fields.get(*name).is_none_or(|value| value.is_null() || *value == "");
    let absent: Vec<&str> = CONTEXT.iter().chain(names).copied().filter(absent).collect();
    if absent.is_empty() { Ok(fields) } else { Err(missing(&absent)) }
}

fn missing(names: &[&str]) -> Reply {
    let body = json!({"code": "MISSING_PARAMETER", "message": "Parameters are missing.", "missing": names});
    Reply::new(400, body.to_string())
}

fn refusal(status: u16, code: &str) -> Reply {
    let message = format!("The request was refused: {}.", code.to_lowercase().replace('_', " "));
    Reply::new(status, json!({"code": code, "message": message}).to_string())
}
