//! `POST /notify/{channel}`: what a channel tells us by itself, such as 123PAY's Notify (seed 004). The channel's own listener
//! says whether to believe it, the engine whether it is new; a notify never grants anything, it is a reason to ask.

use super::{guarded, refuse};
use crate::alarm::Notifies;
use crate::charging::{Ack, Channels, Listener, Notified, Refusal};
use crate::config;
use crate::engine::door::{Delivery, Incoming, NotifyIn, Verdict};
use crate::telemetry::metrics::NOTIFIES;
use crate::telemetry::sparing::Sparing;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{self, Path};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What all notifies share.
#[derive(Clone)]
pub struct State {
    channels: Arc<Channels>,
    intake: mpsc::Sender<Delivery>,
    ack_within: Duration,
    /// Whoever is on call is told when a channel falls silent.
    notifies: Arc<Notifies>,
    /// For what is not believed, which anybody may send.
    sparing: Arc<Sparing>,
}

impl State {
    /// `intake` is the engine's bounded queue.
    #[must_use]
    pub fn new(
        config: &config::Http,
        channels: Arc<Channels>,
        intake: mpsc::Sender<Delivery>,
        notifies: Arc<Notifies>,
    ) -> Self {
        Self { channels, intake, ack_within: config.ack_within, notifies, sparing: Arc::default() }
    }
}

pub fn router(state: State, config: &config::Http) -> Router {
    let routes = Router::new().route("/notify/{channel}", post(notify)).with_state(state);
    guarded(routes, config.body_limit, config.request_timeout)
}

/// 200 with the channel's own answer, whatever that says; 404 where no such channel listens.
async fn notify(
    extract::State(state): extract::State<State>,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Some(listener) = state.channels.get(&name).and_then(|channel| channel.listener()) else {
        return refuse(StatusCode::NOT_FOUND, "no channel of this name listens to notifies");
    };
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return refuse(rejection.status(), &rejection.body_text()),
    };
    match listener.notified(&body, Timestamp::now()) {
        Err(refusal) => refused(&state, &name, refusal),
        Ok(notified) => believed(&state, name, listener, notified).await,
    }
}

async fn believed(state: &State, channel: String, listener: &dyn Listener, notified: Notified) -> Response {
    let Notified { key, paid, digest, heard } = notified;
    state.notifies.heard(&channel);
    let notify = NotifyIn { channel: channel.clone(), key: key.clone(), paid, digest, heard };
    let (ack, word) = match Incoming::Notify(notify).hand_in(&state.intake, Instant::now() + state.ack_within).await {
        Verdict::Fresh => (Ack::Taken, "fresh"),
        Verdict::Again => (Ack::Again, "again"),
        // A notify hears none of the others.
        Verdict::Later | Verdict::Review(_) | Verdict::Conflict | Verdict::TooMany => (Ack::Failed, "later"),
        Verdict::Unknown => {
            tracing::warn!(channel, charge = key, paid, "a notify names a charge that is not in the journal");
            (Ack::Failed, "unknown")
        }
    };
    count(&channel, word);
    answered(listener.answer(&key, ack, Timestamp::now()))
}

fn refused(state: &State, channel: &str, refusal: Refusal) -> Response {
    let Refusal { why, key, answer } = refusal;
    let hint = why.hint();
    if let Some(left_out) = state.sparing.may_say() {
        tracing::warn!(channel, charge = key, why = why.as_str(), left_out, "a notify is not believed: {hint}");
    }
    count(channel, why.as_str());
    answered(answer)
}

fn count(channel: &str, verdict: &'static str) {
    metrics::counter!(NOTIFIES, "channel" => channel.to_owned(), "verdict" => verdict).increment(1);
}

fn answered(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
