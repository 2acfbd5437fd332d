//! `POST /ussd/{gateway}`: a gateway's steps as a form, answered `CON …` or `END …` (smpp.md, "HTTP style"). Translates; what
//! is shown the dialogues say, and whatever is wrong with a step has an answer that a gateway can show or count.

use super::field::{FIELD_OCTETS, checked};
use super::gate::{Gate, TokenQuery, unauthorized};
use super::{guarded, refuse};
use crate::config::{self, Config, UssdHttp, UssdInput, UssdKind};
use crate::ussd::{Dialogues, Hop, HopInput, Screen};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{self, ConnectInfo, Path, Query};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

/// Octets all inputs may have together.
const TEXT_OCTETS: usize = 1024;

/// What an end callback says of a dialogue, and no step does (smpp.md, "HTTP style").
const ENDS: &[&str] = &["durationInMillis", "duration", "hopsCount", "hops"];

/// What all steps share.
#[derive(Clone)]
pub struct State(Arc<Doors>);

struct Doors {
    dialogues: Dialogues,
    gateways: BTreeMap<String, Gateway>,
}

struct Gateway {
    name: String,
    input: UssdInput,
    gate: Gate,
}

impl State {
    #[must_use]
    pub fn new(config: &Config, dialogues: Dialogues) -> Self {
        let http = |(name, gateway): (&String, &config::Ussd)| match &gateway.kind {
            UssdKind::Http(http) => Some((name.clone(), Gateway::new(name, http))),
            UssdKind::Smpp(_) | UssdKind::Line(_) => None,
        };
        Self(Arc::new(Doors { dialogues, gateways: config.ussd.iter().filter_map(http).collect() }))
    }
}

impl Gateway {
    fn new(name: &str, settings: &UssdHttp) -> Self {
        let gate = Gate { token: settings.token.clone(), allow: settings.allow.clone() };
        Self { name: name.to_owned(), input: settings.input, gate }
    }
}

pub fn router(state: State, config: &config::Http) -> Router {
    let routes = Router::new().route("/ussd", post(only)).route("/ussd/{gateway}", post(named)).with_state(state);
    guarded(routes, config.body_limit, config.request_timeout)
}

/// The gateway's name may be left out where there is one alone.
async fn only(
    extract::State(State(doors)): extract::State<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(query): Query<TokenQuery>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let mut gateways = doors.gateways.values();
    let only = gateways.next().filter(|_| gateways.next().is_none());
    doors.answer(only, peer, &headers, query, body).await
}

async fn named(
    extract::State(State(doors)): extract::State<State>,
    Path(name): Path<String>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(query): Query<TokenQuery>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    doors.answer(doors.gateways.get(&name), peer, &headers, query, body).await
}

impl Doors {
    async fn answer(
        &self,
        gateway: Option<&Gateway>,
        peer: SocketAddr,
        headers: &HeaderMap,
        query: TokenQuery,
        body: Result<Bytes, BytesRejection>,
    ) -> Response {
        let Some(gateway) = gateway else {
            return refuse(StatusCode::NOT_FOUND, "no HTTP gateway of this name is configured: POST /ussd/NAME");
        };
        if !gateway.gate.admits(peer.ip(), headers, query.token.as_deref()) {
            return unauthorized();
        }
        let hop = match body {
            Ok(body) => hop(gateway, &body),
            Err(rejection) => return refuse(rejection.status(), &rejection.body_text()),
        };
        match hop {
            Err(faults) => refuse(StatusCode::BAD_REQUEST, &faults.join(", ")),
            Ok(hop) if hop.input == HopInput::Ended => {
                self.dialogues.step(hop).await;
                StatusCode::OK.into_response()
            }
            Ok(hop) => shown(&self.dialogues.step(hop).await),
        }
    }
}

fn shown(screen: &Screen) -> Response {
    let body = match screen {
        Screen::Ask(text) => format!("CON {text}"),
        Screen::End(text) => format!("END {text}"),
    };
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

/// Reads the form and names everything that is wrong in it at once. Fields that are not known are left alone.
fn hop(gateway: &Gateway, body: &[u8]) -> Result<Hop, Vec<String>> {
    let fields: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    let mut faults = Vec::new();
    let mut field = |name: &str| {
        let given = fields.get(name).ok_or_else(|| format!("{name:?} is missing"));
        given.and_then(|value| checked(name, value.trim().to_owned())).unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        })
    };
    let (session, from) = (field("sessionId"), field("phoneNumber"));
    let service_code = fields.get("serviceCode").map(|code| code.trim().to_owned()).unwrap_or_default();
    if service_code.len() > FIELD_OCTETS {
        faults.push(format!("\"serviceCode\" is longer than {FIELD_OCTETS} octets"));
    }
    let text = fields.get("text").map_or("", |text| text.trim());
    if text.len() > TEXT_OCTETS {
        faults.push(format!("\"text\" is longer than {TEXT_OCTETS} octets"));
    }
    let ended = fields.contains_key("status") || ENDS.iter().any(|name| fields.contains_key(*name));
    if !ended && !fields.contains_key("text") {
        faults.push("\"text\" is missing".to_owned());
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let input = match gateway.input {
        _ if ended => HopInput::Ended,
        _ if text.is_empty() => HopInput::Dialled(service_code.clone()),
        UssdInput::Whole => HopInput::Whole(text.to_owned()),
        UssdInput::Last => HopInput::Last(text.to_owned()),
    };
    let begins = matches!(input, HopInput::Dialled(_));
    Ok(Hop { gateway: gateway.name.clone(), session, from, service_code, begins, sequence: None, input })
}
