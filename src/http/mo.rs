//! Messages by HTTP: an aggregator's JSON at `/mo`, Kannel's sms-service at `/mo/kannel`. A 2xx means that the message is
//! safe in the journal; until then the peer keeps it and sends it again.

use super::field::checked;
use super::gate::{TokenQuery, unauthorized};
use super::{Doors, State, refuse};
use crate::engine::door::{Door, Incoming, MessageIn, Verdict};
use crate::telemetry::metrics::MESSAGES_RECEIVED;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{self, ConnectInfo, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::net::SocketAddr;
use tokio::time::Instant;

/// What the peer may be told, and as what.
type Refusal = (StatusCode, String);

/// A message as an HTTP peer names its parts.
struct Fields {
    id: Option<String>,
    from: String,
    to: String,
    text: String,
}

#[derive(Deserialize)]
pub(super) struct KannelQuery {
    from: Option<String>,
    to: Option<String>,
    text: Option<String>,
    id: Option<String>,
    token: Option<String>,
}

/// `POST /mo`: 202 for a new message, 200 for one that is here already, 503 to send it again.
pub(super) async fn json(
    extract::State(State(doors)): extract::State<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(query): Query<TokenQuery>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if !doors.gate.admits(peer.ip(), &headers, query.token.as_deref()) {
        return unauthorized();
    }
    let message = body
        .map_err(|rejection| (rejection.status(), rejection.body_text()))
        .and_then(|body| fields(&body))
        .and_then(|fields| doors.message(Door::Http, fields));
    match message {
        Err((status, error)) => refuse(status, &error),
        Ok(message) => match doors.deliver(message).await {
            Verdict::Fresh => StatusCode::ACCEPTED.into_response(),
            Verdict::Again => StatusCode::OK.into_response(),
            Verdict::Later | Verdict::Unknown | Verdict::Review(_) | Verdict::Conflict | Verdict::TooMany => later(),
        },
    }
}

/// `GET /mo/kannel`: 200 with an empty body, so that Kannel texts nothing by itself; 503 to be asked again.
pub(super) async fn kannel(
    extract::State(State(doors)): extract::State<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(query): Query<KannelQuery>,
) -> Response {
    if !doors.gate.admits(peer.ip(), &headers, query.token.as_deref()) {
        return unauthorized();
    }
    let message = kannel_fields(query).and_then(|fields| doors.message(Door::Kannel, fields));
    match message {
        Err((status, error)) => refuse(status, &error),
        Ok(message) => match doors.deliver(message).await {
            Verdict::Fresh | Verdict::Again => StatusCode::OK.into_response(),
            Verdict::Later | Verdict::Unknown | Verdict::Review(_) | Verdict::Conflict | Verdict::TooMany => later(),
        },
    }
}

impl Doors {
    fn message(&self, door: Door, fields: Fields) -> Result<MessageIn, Refusal> {
        let links = &self.links;
        let link = match door {
            Door::Kannel => links.kannel.get(&fields.to).or_else(|| links.any.get(&fields.to)),
            Door::Http | Door::Smpp | Door::App | Door::Ussd => links.any.get(&fields.to),
        };
        let Some(link) = link else {
            let error = format!("no link has short code {:?}", fields.to);
            return Err((StatusCode::UNPROCESSABLE_ENTITY, error));
        };
        Ok(MessageIn {
            door,
            link: link.clone(),
            from: fields.from,
            to: fields.to,
            peer_id: fields.id,
            data_coding: None,
            part: None,
            payload: fields.text.into(),
            unreadable: None,
        })
    }

    /// Where it is "later", the peer still has the message.
    async fn deliver(&self, message: MessageIn) -> Verdict {
        let door = message.door.as_str();
        let end = Instant::now() + self.ack_within;
        let verdict = Incoming::Message(message).hand_in(&self.intake, end).await;
        let word = match verdict {
            Verdict::Fresh => "fresh",
            Verdict::Again => "again",
            // A message hears none of the last four.
            Verdict::Later | Verdict::Unknown | Verdict::Review(_) | Verdict::Conflict | Verdict::TooMany => "later",
        };
        metrics::counter!(MESSAGES_RECEIVED, "door" => door, "verdict" => word).increment(1);
        verdict
    }
}

fn later() -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, "the message cannot be kept safe now; send it again")
}

/// Reads the JSON and names everything that is wrong in it at once.
fn fields(body: &[u8]) -> Result<Fields, Refusal> {
    let object: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("the body is no JSON object ({error})")))?;
    let mut faults = Vec::new();
    let mut field = |name| taken(json_text(&object, name).and_then(|text| checked(name, text)), &mut faults);
    let (id, from, to) = (Some(field("id")), field("from"), field("to"));
    let text = taken(json_text(&object, "text"), &mut faults);
    judged(Fields { id, from, to, text }, &faults)
}

/// Kannel leaves out what a message has not, and gives an empty `id` where the SMSC gave none.
fn kannel_fields(query: KannelQuery) -> Result<Fields, Refusal> {
    let mut faults = Vec::new();
    let given = |name, value: Option<String>| value.ok_or_else(|| format!("{name:?} is missing"));
    let from = taken(given("from", query.from).and_then(|from| checked("from", from)), &mut faults);
    let to = taken(given("to", query.to).and_then(|to| checked("to", to)), &mut faults);
    let text = taken(given("text", query.text), &mut faults);
    let id = query.id.filter(|id| !id.is_empty()).map(|id| taken(checked("id", id), &mut faults));
    judged(Fields { id, from, to, text }, &faults)
}

/// A text, or a number that an aggregator wrote as one.
fn json_text(object: &Map<String, Value>, name: &str) -> Result<String, String> {
    match object.get(name) {
        None | Some(Value::Null) => Err(format!("{name:?} is missing")),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(format!("{name:?} is not a text")),
    }
}

/// The value, or an empty stand-in and a fault that makes [`judged`] refuse the whole.
fn taken(value: Result<String, String>, faults: &mut Vec<String>) -> String {
    value.unwrap_or_else(|fault| {
        faults.push(fault);
        String::new()
    })
}

fn judged(fields: Fields, faults: &[String]) -> Result<Fields, Refusal> {
    if faults.is_empty() { Ok(fields) } else { Err((StatusCode::BAD_REQUEST, faults.join(", "))) }
}
