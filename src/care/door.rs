//! Who may ask, and what every answer says: the guard of all that stands under `/care`. A request that changes anything
//! comes from a page of ours, by its `Origin` and by a token of its session; nothing is changed by a GET.

use super::Care;
use super::session::{self, Visitor};
use crate::config::{self, Network};
use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use subtle::ConstantTimeEq;

/// All that a page needs comes from here; there is no script in it.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";
/// The token of a session in each of its forms.
pub(super) const CSRF: &str = "csrf";

/// Refuses what comes by another name or from another site's page.
pub(super) async fn guard(State(care): State<Care>, request: Request, next: Next) -> Response {
    let refusal = refusal(care.0.settings.origin.as_deref(), request.method(), request.headers());
    let mut response = match refusal {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    };
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer` a browser would send `Origin: null` with our own forms (Fetch, 3.2).
        (HeaderName::from_static("referrer-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Without a configured origin only this machine's own names are answered: a name of somebody else's may point here, too
/// (DNS rebinding).
fn refusal(configured: Option<&str>, method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let host = header(HOST);
    if configured.is_none() && !is_ours(host) {
        return Some("ask for this page as localhost, or by this machine's address; [care] origin names another way\n");
    }
    let own = configured.map_or_else(|| format!("http://{host}"), str::to_owned);
    if method != Method::GET && method != Method::HEAD && header(ORIGIN) != own {
        return Some("this form is not of this page; open the page again and send it from there\n");
    }
    None
}

/// `localhost`, or an address.
fn is_ours(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(address, _)| address),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

/// Where a request comes from: the peer, or whom a proxy of ours names.
#[derive(Clone, Copy, Debug)]
pub(super) struct From(pub(super) IpAddr);

impl FromRequestParts<Care> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, care: &Care) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(Self(behind(&care.0.settings.proxies, peer, &parts.headers)))
    }
}

/// The last address in `X-Forwarded-For` that is no proxy of ours: what stands before it anybody may have written.
fn behind(proxies: &[Network], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.iter().any(|network| network.contains(*address));
    if !is_proxy(&peer) {
        return peer;
    }
    let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut address = peer;
    for name in named.iter().rev() {
        let Ok(named) = name.parse() else { return address };
        address = named;
        if !is_proxy(&address) {
            return address;
        }
    }
    address
}

impl FromRequestParts<Care> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, care: &Care) -> Result<Self, Response> {
        let Ok(From(address)) = From::from_request_parts(parts, care).await;
        match session::visitor(care, &parts.headers, address).await {
            Ok(Some(visitor)) => Ok(visitor),
            Ok(None) => Err(login(parts)),
            Err(error) => Err(care.failed(&error)),
        }
    }
}

/// To the login, and from there back to the page that was asked for. What was to be done is not done.
fn login(parts: &Parts) -> Response {
    let next = parts.uri.path_and_query().map_or("/care", |path| path.as_str());
    let next = if parts.method == Method::GET { next } else { "/care" };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    Redirect::to(&format!("/care/login?{query}")).into_response()
}

/// The fields of a form, by name.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// What was written there, without what stands around it; empty where there is no such field.
    pub(super) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }
}

impl FromRequest<Care> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, care: &Care) -> Result<Self, Response> {
        let body = Bytes::from_request(request, care).await.map_err(IntoResponse::into_response)?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }
}

/// A form of somebody who is logged in, sent from a page of that session.
pub(super) struct Posted {
    pub(super) visitor: Visitor,
    pub(super) fields: Fields,
}

impl FromRequest<Care> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, care: &Care) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, care).await?;
        let fields = Fields::from_request(Request::from_parts(parts, body), care).await?;
        if fields.raw(CSRF).as_bytes().ct_eq(visitor.csrf.as_bytes()).into() {
            return Ok(Self { visitor, fields });
        }
        Err((StatusCode::FORBIDDEN, "this form is of another session; open the page again\n").into_response())
    }
}

/// Whether cookies may travel by TLS alone.
pub(super) fn is_secure(settings: &config::Care) -> bool {
    settings.origin.as_deref().is_some_and(|origin| origin.starts_with("https:"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_form_comes_from_our_own_page() {
        let ours = "https://care.example";
        for (configured, method, pairs, taken) in [
            (None, Method::GET, &[("host", "localhost:8080")][..], true),
            (None, Method::GET, &[("host", "evil.example")], false),
            (None, Method::POST, &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")], true),
            (None, Method::POST, &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:9090")], false),
            (None, Method::POST, &[("host", "127.0.0.1:8080")], false),
            (None, Method::POST, &[("host", "evil.example"), ("origin", "http://evil.example")], false),
            (Some(ours), Method::POST, &[("host", "10.0.0.5"), ("origin", ours)], true),
            (Some(ours), Method::POST, &[("host", "care.example"), ("origin", "https://evil.example")], false),
            (Some(ours), Method::POST, &[("host", "care.example"), ("origin", "null")], false),
            (Some(ours), Method::POST, &[("host", "care.example")], false),
        ] {
            assert_eq!(refusal(configured, &method, &headers(pairs)).is_none(), taken, "{configured:?} {pairs:?}");
        }
    }

    #[test]
    fn only_a_proxy_of_ours_says_who_asks() {
        let (proxies, proxy, other) = (["10.0.0.0/8".parse().unwrap()], "10.1.2.3", "203.0.113.9");
        for (peer, forwarded, asks) in [
            (other, "198.51.100.1", other),
            (proxy, "198.51.100.1", "198.51.100.1"),
            (proxy, "1.2.3.4, 198.51.100.1", "198.51.100.1"),
            (proxy, "1.2.3.4, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
            (proxy, "1.2.3.4, rubbish", proxy),
        ] {
            let found = behind(&proxies, peer.parse().unwrap(), &headers(&[("x-forwarded-for", forwarded)]));
            assert_eq!(found.to_string(), asks, "{peer} {forwarded}");
        }
        assert_eq!(behind(&proxies, proxy.parse().unwrap(), &headers(&[])).to_string(), proxy);
    }
}
