//! Who may ask the page's server, and what every answer of it says. The page moves simulated money only, but it runs on
//! somebody's own machine: no other site that they visit may reach it.

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// Everything the page needs comes from where it came from itself.
const POLICY: &str =
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// A request whose `Host` is a name that anybody could point here (DNS rebinding) is refused, and so is a POST that a form
/// on another site could send.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut response = if !is_ours(host) {
        super::answers::refuse(StatusCode::FORBIDDEN, "ask for this page as localhost, or by the machine's address")
    } else if request.method() == Method::POST && !is_json(&request) {
        super::answers::refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send JSON, with content-type: application/json")
    } else {
        next.run(request).await
    };
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.into_response()
}

/// `localhost`, or an address: rebinding needs a name of the attacker's own.
fn is_ours(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(address, _)| address),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_localhost_and_addresses_are_hosts_of_the_page() {
        for host in ["localhost", "LocalHost:8088", "127.0.0.1:8088", "[::1]:8088", "[::1]", "192.168.1.5:80"] {
            assert!(is_ours(host), "{host}");
        }
        for host in
            ["", "evil.example", "evil.example:8088", "localhost.evil.example", "127.0.0.1.evil.example", "[", "[x]"]
        {
            assert!(!is_ours(host), "{host}");
        }
    }
}
