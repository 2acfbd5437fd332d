//! Who is logged in: a random token in the browser's cookie, its hash in the journal's database. A token is made at each
//! login and ends with the logout, with disuse, with age, with the account and with its password.

use super::Care;
use super::door::is_secure;
use crate::config;
use crate::engine::random_hex;
use crate::journal::JournalError;
use crate::people::Role;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::time::Duration;

/// Where TLS carries it the browser itself holds the cookie to this host (RFC 6265bis, 4.1.3.2).
const SECURE: &str = "__Host-paygate-care";
const PLAIN: &str = "paygate-care";
/// A use is written down when the last one is older than this part of the idle time.
const NOTED: i64 = 16;

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) name: String,
    pub(super) role: Role,
    /// What each form of this session carries. Follows from the cookie's token and does not tell it.
    pub(super) csrf: String,
    pub(super) address: IpAddr,
    token: String,
}

/// Who asks; `None` where no session of theirs counts.
pub(super) async fn visitor(
    care: &Care,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<Option<Visitor>, JournalError> {
    let settings = &care.0.settings;
    let Some(secret) = cookie(headers, name(settings)) else { return Ok(None) };
    let (journal, token) = (&care.0.journal, hashed("session", secret));
    let Some(session) = journal.session(&token).await? else { return Ok(None) };
    let now = journal.now().await?;
    let idle = micros(settings.session_idle);
    if now - session.used_at >= idle || now - session.opened_at >= micros(settings.session_max) {
        return Ok(None);
    }
    if now - session.used_at > idle / NOTED {
        journal.use_session(&token, now).await?;
    }
    let csrf = hashed("csrf", secret);
    Ok(Some(Visitor { name: session.operator, role: session.role, csrf, address, token }))
}

/// Opens a session and returns the cookie that carries it; `None` where the account was closed meanwhile.
pub(super) async fn open(care: &Care, operator: &str) -> Result<Option<HeaderValue>, JournalError> {
    let secret = random_hex() + &random_hex();
    let opened = care.0.journal.open_session(&hashed("session", &secret), operator).await?;
    Ok(opened.then(|| set_cookie(&care.0.settings, &secret, care.0.settings.session_max)))
}

/// Ends it, here and in the browser.
pub(super) async fn close(care: &Care, visitor: &Visitor) -> Result<HeaderValue, JournalError> {
    care.0.journal.end_session(&visitor.token).await?;
    Ok(set_cookie(&care.0.settings, "", Duration::ZERO))
}

fn set_cookie(settings: &config::Care, secret: &str, life: Duration) -> HeaderValue {
    let (name, secure) = (name(settings), if is_secure(settings) { "; Secure" } else { "" });
    let life = life.as_secs();
    let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={life}{secure}");
    HeaderValue::from_str(&cookie).expect("hex and words of ours fit into a header")
}

fn name(settings: &config::Care) -> &'static str {
    if is_secure(settings) { SECURE } else { PLAIN }
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// SHA-256 in lower-case hex, each purpose apart from the others. A token has 256 random bits: it needs no salt.
fn hashed(purpose: &str, secret: &str) -> String {
    let hash = Sha256::new_with_prefix(format!("paygate care {purpose}\0")).chain_update(secret).finalize();
    hash.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
