//! Login and logout. A wrong name, a wrong password and a closed account are answered alike, and after the same work;
//! tries are counted by name and by address before any password is looked at.

use super::door::{Fields, From};
use super::frame::{self, field, hidden};
use super::html::{Html, el};
use super::password::LONGEST;
use super::session::{self, Visitor};
use super::{Care, door::Posted};
use crate::idempotency::Keys;
use crate::journal::JournalError;
use crate::journal::rows::{NewAudit, OperatorRow};
use crate::people;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::net::IpAddr;

const WRONG: &str = "Name or password is wrong.";
const TOO_MANY: &str = "Too many tries. Wait a while, or ask an administrator.";
const CROWDED: &str = "Too many people are logging in at this moment. Try again.";

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
}

pub(super) async fn page(Query(asked): Query<Asked>) -> Response {
    form(&asked.next, None).document().into_response()
}

pub(super) async fn login(State(care): State<Care>, From(address): From, fields: Fields) -> Response {
    let next = fields.get("next").to_owned();
    match tried(&care, address, &fields).await {
        Ok(Ok(cookie)) => ([(SET_COOKIE, cookie)], Redirect::to(own(&next))).into_response(),
        Ok(Err((status, why))) => (status, form(&next, Some(why)).document()).into_response(),
        Err(error) => care.failed(&error),
    }
}

type Refusal = (StatusCode, &'static str);

/// The cookie of a new session, or why there is none.
async fn tried(
    care: &Care,
    address: IpAddr,
    fields: &Fields,
) -> Result<Result<axum::http::HeaderValue, Refusal>, JournalError> {
    let name = people::name(fields.get("name"));
    let operator = match &name {
        Some(name) => care.0.journal.operator(name).await?,
        None => None,
    };
    // What nobody is called may be a password that slipped into the wrong field: it is not written down.
    let known = operator.as_ref().map_or("", |operator| operator.name.as_str()).to_owned();
    if too_many(care, address, name.as_deref().unwrap_or_default(), &known).await? {
        return Ok(Err((StatusCode::TOO_MANY_REQUESTS, TOO_MANY)));
    }
    let open = operator.filter(|operator| operator.disabled_at.is_none());
    let hashed = open.map(|OperatorRow { password, .. }| password);
    let password = fields.raw("password").chars().take(LONGEST + 1).collect::<String>();
    let Ok(right) = care.0.hashing.is_right(password.into(), hashed).await else {
        return Ok(Err((StatusCode::SERVICE_UNAVAILABLE, CROWDED)));
    };
    let cookie = if right { session::open(care, &known).await? } else { None };
    let what = if cookie.is_some() { "login" } else { "login_failed" };
    audit(care, address, &known, what).await?;
    Ok(cookie.ok_or((StatusCode::FORBIDDEN, WRONG)))
}

/// Counts this try. The first one too many is written down; the others are only more of it.
async fn too_many(care: &Care, address: IpAddr, name: &str, known: &str) -> Result<bool, JournalError> {
    let settings = &care.0.settings;
    let mut refused = false;
    for (key, most) in [
        (format!("login: name {name}"), settings.login_tries),
        (format!("login: address {address}"), settings.address_tries),
    ] {
        let count = counted(&care.0.keys, &care.0.own_keys, &key, settings.login_window).await;
        refused |= count > most;
        if count == most + 1 {
            audit(care, address, known, "login_refused").await?;
        }
    }
    Ok(refused)
}

/// Where the shared store cannot say, this process counts for itself.
async fn counted(keys: &Keys, own: &Keys, key: &str, life: std::time::Duration) -> u64 {
    match keys.count(key, life).await {
        Some(count) => count,
        None => own.count(key, life).await.unwrap_or(1),
    }
}

async fn audit(care: &Care, address: IpAddr, operator: &str, what: &str) -> Result<(), JournalError> {
    metrics::counter!(super::LOGINS, "outcome" => what.to_owned()).increment(1);
    let address = address.to_string();
    care.0.journal.audit(&NewAudit { operator, address: &address, what, detail: "" }).await
}

pub(super) async fn logout(State(care): State<Care>, Posted { visitor, .. }: Posted) -> Response {
    match ended(&care, &visitor).await {
        Ok(cookie) => ([(SET_COOKIE, cookie)], Redirect::to("/care/login")).into_response(),
        Err(error) => care.failed(&error),
    }
}

async fn ended(care: &Care, visitor: &Visitor) -> Result<axum::http::HeaderValue, JournalError> {
    audit(care, visitor.address, &visitor.name, "logout").await?;
    session::close(care, visitor).await
}

/// A page of ours to go on to, whatever the address said.
fn own(next: &str) -> &str {
    let ours = next == "/care" || next.starts_with("/care/") || next.starts_with("/care?");
    if ours && !next.starts_with("/care/login") && !next.contains(char::is_control) { next } else { "/care" }
}

fn form(next: &str, fault: Option<&str>) -> Html {
    let name = el("input").attr("name", "name").attr("autocomplete", "username").attr("autocapitalize", "none");
    let password =
        el("input").attr("name", "password").attr("type", "password").attr("autocomplete", "current-password");
    let form = el("form")
        .attr("method", "post")
        .attr("action", "/care/login")
        .class("card login")
        .add(el("h1").text("paygate").add(el("span").text(" care")))
        .add(fault.map(|fault| el("p").class("fault").attr("role", "alert").text(fault)))
        .add(field("Name", name.flag("required", true).flag("autofocus", true)))
        .add(field("Password", password.flag("required", true)))
        .add(hidden("next", next))
        .add(el("button").text("Log in"));
    frame::bare("Log in", form)
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn a_login_leads_to_pages_of_ours_alone() {
        assert_eq!(own("/care/purchases?q=0854689520"), "/care/purchases?q=0854689520");
        for elsewhere in
            ["", "https://evil.example", "//evil.example", "/metrics", "/care/login", "/career", "/care/\r\nX: y"]
        {
            assert_eq!(own(elsewhere), "/care", "{elsewhere}");
        }
    }
}
