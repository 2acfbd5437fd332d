//! The doors that speak HTTP: messages, dialogues, the app's orders, channels' notifies, partners, health, metrics. Translates
//! and waits; what a message means, and whether it is new, the engine says.

mod field;
mod gate;
mod health;
mod mo;
pub mod notify;
mod openapi;
mod orders;
pub mod partner;
mod serve;
pub mod ussd;

pub use health::{Part, Readiness};
pub use orders::{Hearing, Orders};
pub use serve::serve;

use crate::config::{self, LinkKind, Smsc};
use crate::engine::door::Delivery;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use gate::Gate;
use metrics_exporter_prometheus::PrometheusHandle;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

/// What all requests share.
#[derive(Clone, Debug)]
pub struct State(Arc<Doors>);

#[derive(Debug)]
struct Doors {
    intake: mpsc::Sender<Delivery>,
    /// Which link serves a short code, for an aggregator's message and for Kannel's.
    links: Links,
    gate: Gate,
    ack_within: Duration,
    body_limit: usize,
    request_timeout: Duration,
    readiness: watch::Receiver<Readiness>,
    metrics: PrometheusHandle,
}

/// Short code → link name. Where several links serve one code, Kannel's door prefers Kannel's link, and any other door the
/// first that is configured.
#[derive(Debug, Default)]
struct Links {
    any: BTreeMap<String, String>,
    kannel: BTreeMap<String, String>,
}

impl State {
    /// `intake` is the engine's bounded queue; `readiness` is what `/readyz` reads.
    #[must_use]
    pub fn new(
        config: &config::Http,
        smsc: &[Smsc],
        intake: mpsc::Sender<Delivery>,
        readiness: watch::Receiver<Readiness>,
        metrics: PrometheusHandle,
    ) -> Self {
        Self(Arc::new(Doors {
            intake,
            links: Links::new(smsc),
            gate: Gate { token: config.mo_token.clone(), allow: config.mo_allow.clone() },
            ack_within: config.ack_within,
            body_limit: config.body_limit,
            request_timeout: config.request_timeout,
            readiness,
            metrics,
        }))
    }
}

impl Links {
    fn new(smsc: &[Smsc]) -> Self {
        let mut links = Self::default();
        for (link, code) in smsc.iter().flat_map(|link| link.short_codes.iter().map(move |code| (link, code))) {
            links.any.entry(code.clone()).or_insert_with(|| link.name.clone());
            match link.kind {
                LinkKind::Kannel(_) => {
                    links.kannel.entry(code.clone()).or_insert_with(|| link.name.clone());
                }
                LinkKind::Smpp(_) => {}
            }
        }
        links
    }
}

/// All routes.
pub fn router(state: State) -> Router {
    let (body_limit, timeout) = (state.0.body_limit, state.0.request_timeout);
    let routes = Router::new()
        .route("/mo", post(mo::json))
        .route("/mo/kannel", get(mo::kannel))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::document))
        .with_state(state);
    guarded(routes, body_limit, timeout)
}

/// Each request is bounded in size and time, and a panic in one is that one's 500.
pub(crate) fn guarded<S>(routes: Router<S>, body_limit: usize, timeout: Duration) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout))
        .layer(CatchPanicLayer::custom(panicked))
}

/// The peer learns that it is our fault; what went wrong stands in the log alone.
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    metrics::counter!("paygate_http_panics_total").increment(1);
    tracing::error!(cause = text.unwrap_or("unknown"), "a request panicked");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "this is our fault; the same request may be sent again")
}

/// An error as a peer reads it.
fn refuse(status: StatusCode, error: &str) -> Response {
    metrics::counter!("paygate_http_refused_total", "status" => status.as_u16().to_string()).increment(1);
    (status, axum::Json(serde_json::json!({ "error": error }))).into_response()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;

    async fn status(routes: Router, timeout: Duration) -> StatusCode {
        let routes = TowerToHyperService::new(guarded(routes, 1024, timeout));
        routes.call(Request::get("/").body(Body::empty()).unwrap()).await.unwrap().status()
    }

    async fn broken() -> StatusCode {
        let empty: [u8; 0] = [];
        // An index that only running it can know to be wrong.
        StatusCode::from_u16(u16::from(empty[std::hint::black_box(0)])).unwrap()
    }

    #[tokio::test]
    async fn a_panic_in_one_request_is_that_ones_500() {
        let routes = Router::new().route("/", get(broken));
        assert_eq!(status(routes, Duration::from_secs(5)).await, StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_answered_later() {
        let routes = Router::new().route("/", get(std::future::pending::<StatusCode>));
        assert_eq!(status(routes, Duration::from_secs(5)).await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
