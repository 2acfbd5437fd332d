//! The page for the people who answer for the money, and what it shares with the command line: what a search means, what
//! went wrong, and acts. Server-rendered; works without a script. Moves no money: an act is written into the journal, and
//! the engine carries it out.

pub(crate) mod acts;
mod audit;
mod channels;
pub(crate) mod discrepancies;
mod door;
mod frame;
mod home;
mod html;
mod ledger;
mod list;
mod login;
mod mask;
pub(crate) mod password;
mod press;
mod purchase;
mod session;
mod settlement;
mod statements;

use crate::alarm::Alarm;
use crate::charging::gives_back;
use crate::config::{self, Charging, Config};
use crate::engine::desk::Desk;
use crate::http::{Readiness, guarded};
use crate::idempotency::Keys;
use crate::journal::rows::{NewAudit, Search};
use crate::journal::{Journal, JournalError};
use crate::purchase::Purchase;
use crate::purchase::fault::{Fault, fault, refusal};
use crate::purchase::rules::Rules;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use html::el;
use password::Hashing;
use paygate_parsers::msisdn::{Country, Msisdn};
use session::Visitor;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Counted by outcome.
const LOGINS: &str = "paygate_care_logins_total";
/// Characters of a reason or an evidence at most.
const WORDS: usize = 1_000;
/// Names and addresses that are counted here while the shared store cannot say.
const COUNTED_HERE: usize = 10_000;

/// What the daemon tells the page.
#[derive(Clone, Debug)]
pub struct Told {
    /// What `/readyz` tells,
    pub readiness: watch::Receiver<Readiness>,
    /// and what `/metrics` does.
    pub alarms: watch::Receiver<Vec<Alarm>>,
    /// The doors are closing: nothing is waited for that may take minutes.
    pub stopping: CancellationToken,
}

impl Told {
    #[must_use]
    pub fn new(
        readiness: &watch::Receiver<Readiness>,
        alarms: &watch::Receiver<Vec<Alarm>>,
        stopping: &CancellationToken,
    ) -> Self {
        Self { readiness: readiness.clone(), alarms: alarms.clone(), stopping: stopping.clone() }
    }
}

/// What all requests share.
#[derive(Clone)]
pub struct Care(Arc<Shared>);

struct Shared {
    settings: config::Care,
    journal: Journal,
    keys: Keys,
    /// For counts while the shared store cannot say.
    own_keys: Keys,
    hashing: Hashing,
    country: Country,
    rules: Rules,
    charging: BTreeMap<String, Charging>,
    /// How statements are read.
    statements: BTreeMap<String, config::Statement>,
    /// Where an import, which takes its time, opens a door of its own.
    journal_at: config::Journal,
    job: Arc<statements::Job>,
    /// Whatever charges, by itself or for us: what may be frozen.
    channels: Vec<String>,
    told: Told,
    /// An unknown that is older is an alarm.
    unknown_too_long: Duration,
}

impl Care {
    /// `desk` has what the engine knows of rules and numbers.
    #[must_use]
    pub fn new(
        config: &Config,
        settings: &config::Care,
        desk: &Desk,
        journal: Journal,
        keys: Keys,
        told: Told,
    ) -> Self {
        Self(Arc::new(Shared {
            hashing: Hashing::new(settings.hashes, settings.hash_wait),
            settings: settings.clone(),
            journal,
            keys,
            own_keys: Keys::process(COUNTED_HERE),
            country: desk.reader.country.clone(),
            rules: desk.rules.clone(),
            charging: config.charging.clone(),
            statements: config.statement.clone(),
            journal_at: config.journal.clone(),
            job: Arc::default(),
            channels: acts::channels(config).map(str::to_owned).collect(),
            told,
            unknown_too_long: config.alarms.oldest_unknown,
        }))
    }

    /// All that stands under `/care`.
    pub fn routes(self, limits: &config::Http) -> Router {
        let (upload, patience) = (self.0.settings.upload_limit, self.0.settings.upload_timeout);
        let given = Router::new().route("/care/statements/import", get(statements::progress).post(statements::given));
        let given = guarded(given, upload, patience + limits.request_timeout);
        let routes = Router::new()
            .route("/care", get(home::page))
            .route("/care/care.css", get(style))
            .route("/care/login", get(login::page).post(login::login))
            .route("/care/logout", post(login::logout))
            .route("/care/purchases", get(list::page))
            .route("/care/purchases/{id}", get(purchase::page))
            .route("/care/purchases/{id}/{verb}", post(purchase::act))
            .route("/care/acts/{number}/{word}", post(purchase::second))
            .route("/care/channels", get(channels::page))
            .route("/care/channels/{name}/freeze", post(channels::freeze))
            .route("/care/channels/{name}/thaw", post(channels::thaw))
            .route("/care/statements", get(statements::page))
            .route("/care/discrepancies.csv", get(statements::csv))
            .route("/care/discrepancies/{number}", get(statements::one))
            .route("/care/discrepancies/{number}/{verb}", post(statements::act))
            .route("/care/settlement", get(settlement::page))
            .route("/care/settlement.csv", get(settlement::csv))
            .route("/care/audit", get(audit::page));
        guarded(routes, limits.body_limit, limits.request_timeout)
            .merge(given)
            .layer(middleware::from_fn_with_state(self.clone(), door::guard))
            .with_state(self)
    }

    /// The journal did not answer to the end, so that what a form asked for may stand there all the same. What exactly was
    /// not answered, the log says.
    fn failed(&self, error: &JournalError) -> Response {
        tracing::warn!(%error, "the care page could not do what was asked");
        let says = "The journal does not answer. If you have just sent a form, it may have been written down all the same: look \
                    in a moment, before you send it again.";
        let page =
            frame::bare("Not now", el("div").class("card").add(el("h1").text("Not now")).add(el("p").text(says)));
        (StatusCode::SERVICE_UNAVAILABLE, page.document()).into_response()
    }

    /// Writes down what a visitor is about to do, before it is done or shown.
    async fn note(&self, visitor: &Visitor, what: &str, detail: &str) -> Result<(), JournalError> {
        let address = visitor.address.to_string();
        self.0.journal.audit(&NewAudit { operator: &visitor.name, address: &address, what, detail }).await
    }
}

async fn style() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=300")];
    (headers, include_str!("care/care.css"))
}

/// What somebody typed, as whatever it may be: a number in any spelling is searched for as the journal has it.
pub(crate) fn sought(country: &Country, words: &str) -> Search {
    let words = words.trim();
    let number = Msisdn::parse_sender(country, words).ok();
    Search {
        words: words.to_owned(),
        msisdn: number.map(|number| number.e164()),
        account: number.map(|number| number.national(country)),
    }
}

/// What went wrong, with what the purchase's channel is configured to give back by itself.
pub(crate) fn fault_of(charging: &BTreeMap<String, Charging>, purchase: &Purchase) -> Option<Fault> {
    fault(purchase, gives_back(charging.get(&purchase.order.channel), refusal(purchase)))
}
