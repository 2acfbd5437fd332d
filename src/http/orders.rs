//! Orders from the content service's own apps (seed 000, flow A1): `/v1/orders`. An order is answered when it is durable and
//! its app can go on; what it is answered is the journal's, so that the same key hears the same from every instance. Decides
//! nothing about a purchase: it asks the engine for one and tells how it stands.

mod answer;
mod asked;
mod hearing;
mod key;
mod qr;
mod stream;

pub use hearing::Hearing;

use super::gate::bearer_token;
use super::guarded;
use crate::config;
use crate::engine::door::{Delivery, Door, Incoming, OrderIn, Verdict};
use crate::engine::intake::{order_key, purchase_id};
use crate::engine::order::Answered;
use crate::journal::{Journal, JournalError};
use crate::purchase::record::{AppOrder, Order, Purchase};
use crate::telemetry::metrics::MESSAGES_RECEIVED;
use answer::{Refusal, Told};
use asked::{Asked, Terms};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use hearing::Listening;
use paygate_parsers::msisdn::Country;
use secrecy::{ExposeSecret, SecretString};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

/// What all orders share.
#[derive(Clone)]
pub struct Orders(Arc<Counter>);

/// Where orders are taken and asked about.
struct Counter {
    intake: mpsc::Sender<Delivery>,
    journal: Journal,
    hearing: Hearing,
    apps: Vec<App>,
    terms: Terms,
}

/// One app that may order.
struct App {
    name: String,
    token: SecretString,
    /// The link and short code by which its customers are told.
    texts: Option<(String, String)>,
    wait: Duration,
    poll: Duration,
    keep_alive: Duration,
    streams: Arc<Semaphore>,
    rate: DefaultDirectRateLimiter,
}

impl Orders {
    /// `paged` says of each channel whether its customers pay at a page of its own.
    #[must_use]
    pub fn new(
        config: &config::Config,
        country: Country,
        paged: impl IntoIterator<Item = (String, bool)>,
        intake: mpsc::Sender<Delivery>,
        journal: Journal,
        hearing: Hearing,
    ) -> Self {
        let apps = config.app.iter().map(|(name, app)| App::new(name, app, &config.smsc)).collect();
        let terms = Terms::new(config, country, paged);
        Self(Arc::new(Counter { intake, journal, hearing, apps, terms }))
    }

    /// The routes, each request bounded like any other.
    pub fn routes(self, http: &config::Http) -> Router {
        let routes = Router::new()
            .route("/v1/orders", post(create))
            .route("/v1/orders/{id}", get(show))
            .route("/v1/orders/{id}/events", get(stream::follow))
            .with_state(self);
        guarded(routes, http.body_limit, http.request_timeout)
    }
}

impl App {
    fn new(name: &str, settings: &config::App, smsc: &[config::Smsc]) -> Self {
        let link = settings.link.as_ref().and_then(|link| smsc.iter().find(|smsc| smsc.name == *link));
        let short_code = settings.short_code.clone().or_else(|| link?.short_codes.first().cloned());
        let rate = NonZeroU32::new(settings.rate).unwrap_or(NonZeroU32::MIN);
        Self {
            name: name.to_owned(),
            token: settings.token.clone(),
            texts: link.map(|link| link.name.clone()).zip(short_code),
            wait: settings.wait,
            poll: settings.poll,
            keep_alive: settings.keep_alive,
            streams: Arc::new(Semaphore::new(settings.events_max)),
            rate: RateLimiter::direct(Quota::per_second(rate)),
        }
    }
}

/// `POST /v1/orders`: 201 once the app can go on, 200 with the same body for the same key again.
async fn create(
    State(Orders(counter)): State<Orders>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    counter.order(&headers, body).await.unwrap_or_else(IntoResponse::into_response)
}

/// `GET /v1/orders/{id}`: how it stands now, for the app that made it.
async fn show(State(Orders(counter)): State<Orders>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    counter.stands(&id, &headers).await.unwrap_or_else(IntoResponse::into_response)
}

impl Counter {
    async fn order(&self, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Response, Refusal> {
        let app = self.app(headers)?;
        let end = Instant::now() + app.wait;
        let key = order_key(&app.name, &key::read(headers).map_err(Refusal::key)?);
        let body = body.map_err(|rejection| Refusal::new(rejection.status(), "UNREADABLE", rejection.body_text()))?;
        let asked = Asked::read(&body)?;
        let canonical = asked.canonical();
        let order = match self.agreed(app, &asked) {
            Ok(order) => order,
            // What was taken once is told again, whatever the configuration has become since.
            Err(refusal) => return self.told_before(&key, &canonical).await?.ok_or(refusal),
        };
        let id = purchase_id(&key, 0);
        // Listened to before it is handed in, so that no step is missed.
        let mut listening = self.hearing.listen(&id);
        let order = OrderIn { key: key.clone(), app: app.name.clone(), order, body: canonical.clone().into() };
        match self.hand_in(order, end).await {
            Verdict::Fresh => {
                let answered = self.awaited(app, &id, &mut listening, end).await?;
                answered.map(|answer| Told::new(&id, &answer).created()).ok_or_else(|| Refusal::not_yet(&id))
            }
            Verdict::Again => self.told_before(&key, &canonical).await?.ok_or_else(Refusal::later),
            Verdict::TooMany => Err(Refusal::too_many_codes()),
            // An order hears none of the last three.
            Verdict::Later | Verdict::Unknown | Verdict::Review(_) | Verdict::Conflict => Err(Refusal::later()),
        }
    }

    /// The app whose token this is. All tokens are compared, whichever fits, so that the time taken tells nothing.
    fn app(&self, headers: &HeaderMap) -> Result<&App, Refusal> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer_token);
        let given = given.unwrap_or_default().as_bytes();
        let fits = |app: &&App| bool::from(app.token.expose_secret().as_bytes().ct_eq(given));
        let app = self.apps.iter().filter(fits).last().ok_or_else(Refusal::unauthorized)?;
        app.rate.check().map_err(|_| Refusal::too_fast())?;
        Ok(app)
    }

    fn agreed(&self, app: &App, asked: &Asked) -> Result<Order, Refusal> {
        let agreed = self.terms.judge(asked, app.texts.is_some())?;
        let (link, short_code) = app.texts.clone().filter(|_| agreed.msisdn.is_some()).unwrap_or_default();
        Ok(Order {
            msisdn: agreed.msisdn,
            account: agreed.account,
            service: agreed.service,
            package: agreed.package,
            channel: agreed.channel,
            door: Door::App.as_str().to_owned(),
            link,
            short_code,
            // An app that orders twice says so by a second key.
            repeat: false,
            app: Some(Box::new(AppOrder {
                name: app.name.clone(),
                context: asked.context(),
                return_url: agreed.return_url,
            })),
        })
    }

    /// Where it is "later", it can be sent again under the same key.
    async fn hand_in(&self, order: OrderIn, end: Instant) -> Verdict {
        let verdict = Incoming::Order(order).hand_in(&self.intake, end).await;
        let word = match verdict {
            Verdict::Fresh => "fresh",
            Verdict::Again => "again",
            Verdict::Later | Verdict::TooMany | Verdict::Unknown | Verdict::Review(_) | Verdict::Conflict => "later",
        };
        metrics::counter!(MESSAGES_RECEIVED, "door" => Door::App.as_str(), "verdict" => word).increment(1);
        verdict
    }

    /// Waits until the app can be answered, or the end comes first.
    async fn awaited(
        &self,
        app: &App,
        id: &str,
        listening: &mut Listening,
        end: Instant,
    ) -> Result<Option<Answered>, JournalError> {
        loop {
            if let Some(answered) = Answered::first(&self.journal.events(id, 0).await?) {
                return Ok(Some(answered));
            }
            if Instant::now() >= end || !listening.changed(end.min(Instant::now() + app.poll)).await {
                return Ok(None);
            }
        }
    }

    /// What an order under this key was answered: `None` where there is no such order.
    async fn told_before(&self, key: &str, canonical: &str) -> Result<Option<Response>, Refusal> {
        let Some(row) = self.journal.message(key).await? else { return Ok(None) };
        if row.raw != canonical.as_bytes() {
            return Err(Refusal::key_reused());
        }
        let id = purchase_id(key, 0);
        match Answered::first(&self.journal.events(&id, 0).await?) {
            Some(answered) => Ok(Some(Told::new(&id, &answered).again())),
            None => Err(Refusal::under_way(&id)),
        }
    }

    async fn stands(&self, id: &str, headers: &HeaderMap) -> Result<Response, Refusal> {
        let app = self.app(headers)?;
        let purchase = self.ordered(app, id).await?;
        Ok(answer::standing(&purchase))
    }

    /// The purchase that this app ordered. Another's is as unknown to it as one that never was.
    async fn ordered(&self, app: &App, id: &str) -> Result<Purchase, Refusal> {
        let found = self.journal.purchases(&[id.to_owned()]).await?.pop();
        let own = |purchase: &Purchase| purchase.order.app.as_ref().is_some_and(|by| by.name == app.name);
        found.filter(own).ok_or_else(Refusal::unknown)
    }
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Self {
        tracing::error!(%error, "an order cannot be looked up now");
        Self::later()
    }
}

/// A body that is kept for nobody: it tells of a customer.
fn private(status: StatusCode, json: String) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, kind, json).into_response()
}
