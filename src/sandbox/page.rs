//! The sandbox's page, served: a telephone to write from, the journal as it moves, the neighbours' books beside it, and
//! switches for what may go wrong. Reads the journal and never writes it; what the telephones say goes over the wire.

mod answers;
mod app;
mod books;
mod card;
mod cases;
mod dialler;
mod feed;
mod gloss;
mod guard;
pub(super) mod phones;
mod progress;
mod shop;
mod stage;
mod switches;
mod watch;

pub(super) use stage::{About, Neighbours, Stage};
pub(super) use watch::watch;

use crate::config;
use crate::http;
use axum::routing::{get, post};
use axum::{Router, middleware};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Octets of a request's body: a message and a little around it.
const BODY_LIMIT: usize = 4_096;

/// Serves the page until `stop`, and ends its streams of events then. Besides the page's own files:
///
/// | request | JSON | answer |
/// | --- | --- | --- |
/// | `GET /state` | | all that is shown |
/// | `GET /events` | | the same as server-sent events: `state` once, then `phone`, `purchase`, `switches` |
/// | `POST /send` | `{from, to?, text}` | the message, and what became of it |
/// | `POST /redeliver` | `{from, id}` | the same message, delivered once more |
/// | `POST /dial` | `{from, gateway, code}` | `{}`; screens come with the telephone |
/// | `POST /key` | `{from, text}` | `{}` |
/// | `POST /hang-up` | `{from}` | `{}` |
/// | `POST /shop` | `{from, mishap}`: `none`, `told_again`, `wrong_price` | what the partner was answered |
/// | `POST /order` | `{service, package, account, key}` | what the app was answered, with whether it was `known` |
/// | `POST /case` | `{case}`, see `cases.rs` | `{number, did}`: a customer-care case, really produced |
/// | `POST /faults` | `{switch, setting}`: `off`, `once`, `always` | `{}` |
/// | `POST /faults/off` | `{}` | `{}` |
pub(super) async fn serve(listener: TcpListener, stage: Arc<Stage>, limits: config::Http, stop: CancellationToken) {
    let routes = Router::new()
        .route("/", get(answers::html))
        .route("/page.css", get(answers::css))
        .route("/{script}", get(answers::script))
        .route("/state", get(answers::state))
        .route("/events", get(answers::events))
        .route("/send", post(answers::send))
        .route("/redeliver", post(answers::redeliver))
        .route("/dial", post(answers::dial))
        .route("/key", post(answers::key))
        .route("/hang-up", post(answers::hang_up))
        .route("/shop", post(answers::shop))
        .route("/order", post(answers::order))
        .route("/case", post(answers::case))
        .route("/faults", post(answers::fault))
        .route("/faults/off", post(answers::faults_off))
        .fallback(answers::nothing_here)
        .with_state(answers::Page { stage, stop: stop.clone() })
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(guard::guard));
    http::serve(listener, routes, &limits, stop.cancelled_owned()).await;
}
