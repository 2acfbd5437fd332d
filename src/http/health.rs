//! `/healthz`, `/readyz` and `/metrics`: what a balancer, systemd and Prometheus ask. Reads states that others keep; never
//! asks a neighbour by itself, so that a probe costs nothing and moves nothing.

use super::State;
use axum::Json;
use axum::extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::collections::BTreeMap;

/// What must stand before traffic is wanted, by name, such as `journal` or `smsc viettel`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness(BTreeMap<String, Part>);

/// One part's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Ready,
    /// Why not, in a word or two: `binding`.
    Missing(String),
}

impl Readiness {
    /// Every part missing: nothing is ready before it said so.
    #[must_use]
    pub fn starting(parts: impl IntoIterator<Item = String>) -> Self {
        Self(parts.into_iter().map(|part| (part, Part::Missing("starting".to_owned()))).collect())
    }

    /// Returns whether that changed anything, for `watch::Sender::send_if_modified`.
    pub fn set(&mut self, part: &str, state: Part) -> bool {
        self.0.insert(part.to_owned(), state.clone()) != Some(state)
    }

    /// `part: why`, for each part that is missing.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let missing = |(name, part): (&String, &Part)| match part {
            Part::Ready => None,
            Part::Missing(why) => Some(format!("{name}: {why}")),
        };
        self.0.iter().filter_map(missing).collect()
    }
}

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

pub(super) async fn ready(extract::State(State(doors)): extract::State<State>) -> Response {
    let missing = doors.readiness.borrow().missing();
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": missing.is_empty(), "missing": missing }))).into_response()
}

pub(super) async fn metrics(extract::State(State(doors)): extract::State<State>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], doors.metrics.render())
}
