//! The page's requests, each to its answer. Checks what a browser sends and hands it to the stage; decides nothing.

use super::app::Wanted;
use super::cases::Case;
use super::feed::Update;
use super::shop::Mishap;
use super::stage::{Refusal, Stage};
use super::switches::{Setting, Switch};
use crate::sandbox::configuration::SHORT_CODE;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

/// A page that hears nothing for some of these knows that it is cut off.
const ALIVE_EVERY: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(super) struct Page {
    pub stage: Arc<Stage>,
    /// Ends the streams of events, which would never end by themselves.
    pub stop: CancellationToken,
}

pub(super) async fn html() -> Html<&'static str> {
    Html(include_str!("index.html"))
}

pub(super) async fn css() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("page.css"))
}

/// The page's own scripts, by their names.
const SCRIPTS: [(&str, &str); 5] = [
    ("page.js", include_str!("page.js")),
    ("drawing.js", include_str!("drawing.js")),
    ("dial.js", include_str!("dial.js")),
    ("cases.js", include_str!("cases.js")),
    ("ways.js", include_str!("ways.js")),
];

pub(super) async fn script(Path(name): Path<String>) -> Response {
    match SCRIPTS.into_iter().find(|(known, _)| *known == name) {
        Some((_, script)) => ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], script).into_response(),
        None => nothing_here().await,
    }
}

pub(super) async fn nothing_here() -> Response {
    refuse(StatusCode::NOT_FOUND, "there is nothing here; the page is at /")
}

pub(super) async fn state(State(page): State<Page>) -> Json<Value> {
    Json(page.stage.feed.whole())
}

/// Server-sent events: what was missed since `Last-Event-ID`, or everything as one `state`, then every change.
pub(super) async fn events(State(page): State<Page>, headers: HeaderMap) -> impl IntoResponse {
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let alive = KeepAlive::new().interval(ALIVE_EVERY).event(Event::default().event("alive").data("1"));
    Sse::new(updates(page, seen)).keep_alive(alive)
}

fn updates(page: Page, seen: Option<&str>) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
    let (missed, changes) = page.stage.feed.follow(seen);
    let stage = page.stage;
    let changes = BroadcastStream::new(changes).map(move |change| match change {
        Ok(update) => update,
        Err(_too_slow) => stage.feed.anew(),
    });
    let event = |update: Arc<Update>| Ok(Event::default().id(&update.id).event(update.event).data(&update.data));
    futures_util::stream::iter(missed).chain(changes).map(event).take_until(page.stop.cancelled_owned())
}

/// A message that a telephone sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    /// The telephone's number, in national form.
    from: String,
    /// The short code; the telco's own where it is not said.
    #[serde(default = "short_code")]
    to: String,
    text: String,
}

fn short_code() -> String {
    SHORT_CODE.to_owned()
}

pub(super) async fn send(State(page): State<Page>, Body(text): Body<Text>) -> Result<Json<Value>, Refusal> {
    let bubble = page.stage.send(&text.from, &text.to, &text.text).await?;
    Ok(Json(json!(bubble)))
}

/// A message of a telephone that the SMSC delivers once more, as it does when an answer was lost.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    from: String,
    id: u64,
}

pub(super) async fn redeliver(State(page): State<Page>, Body(again): Body<Again>) -> Result<Json<Value>, Refusal> {
    let bubble = page.stage.redeliver(&again.from, again.id).await?;
    Ok(Json(json!(bubble)))
}

/// A telephone that dials.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dialled {
    from: String,
    gateway: String,
    code: String,
}

pub(super) async fn dial(State(page): State<Page>, Body(dialled): Body<Dialled>) -> Result<Json<Value>, Refusal> {
    page.stage.dial(&dialled.from, &dialled.gateway, &dialled.code).await?;
    Ok(Json(json!({})))
}

/// What is keyed in on a telephone's screen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keyed {
    from: String,
    text: String,
}

pub(super) async fn key(State(page): State<Page>, Body(keyed): Body<Keyed>) -> Result<Json<Value>, Refusal> {
    page.stage.key(&keyed.from, &keyed.text).await?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HungUp {
    from: String,
}

pub(super) async fn hang_up(State(page): State<Page>, Body(hung): Body<HungUp>) -> Result<Json<Value>, Refusal> {
    page.stage.hang_up(&hung.from).await?;
    Ok(Json(json!({})))
}

/// A telephone that buys in the partner's own shop.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bought {
    from: String,
    mishap: Mishap,
}

pub(super) async fn shop(State(page): State<Page>, Body(bought): Body<Bought>) -> Result<Json<Value>, Refusal> {
    Ok(Json(page.stage.shop(&bought.from, bought.mishap).await?))
}

pub(super) async fn order(State(page): State<Page>, Body(wanted): Body<Wanted>) -> Result<Json<Value>, Refusal> {
    Ok(Json(page.stage.order(wanted).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Produced {
    case: Case,
}

pub(super) async fn case(State(page): State<Page>, Body(wanted): Body<Produced>) -> Result<Json<Value>, Refusal> {
    Ok(Json(page.stage.case(wanted.case).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    switch: Switch,
    setting: Setting,
}

pub(super) async fn fault(State(page): State<Page>, Body(turn): Body<Turn>) -> Json<Value> {
    page.stage.turn(turn.switch, turn.setting);
    Json(json!({}))
}

pub(super) async fn faults_off(State(page): State<Page>) -> Json<Value> {
    page.stage.turn_all_off();
    Json(json!({}))
}

/// A JSON body; what is wrong with another is said in JSON.
pub(super) struct Body<T>(T);

impl<T, S> FromRequest<S> for Body<T>
where
    Json<T>: FromRequest<S, Rejection = JsonRejection>,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Response> {
        let read = Json::<T>::from_request(request, state).await;
        read.map(|Json(body)| Self(body)).map_err(|wrong| refuse(wrong.status(), &wrong.body_text()))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        refuse(StatusCode::UNPROCESSABLE_ENTITY, &self.to_string())
    }
}

pub(super) fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
