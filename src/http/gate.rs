//! Who may send: whoever has the token, or, where none is configured, near addresses alone. Says the same whatever was wrong.

use super::refuse;
use crate::config::Network;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// One door's.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) token: Option<SecretString>,
    /// Addresses that need no token where none is configured, besides loopback.
    pub(super) allow: Vec<Network>,
}

/// The token of a peer that cannot set headers.
#[derive(Deserialize)]
pub(super) struct TokenQuery {
    pub(super) token: Option<String>,
}

impl Gate {
    /// A token that is configured is asked of everybody; without one, only near addresses are believed.
    pub(super) fn admits(&self, peer: IpAddr, headers: &HeaderMap, query_token: Option<&str>) -> bool {
        let Some(token) = &self.token else {
            return peer.to_canonical().is_loopback() || self.allow.iter().any(|network| network.contains(peer));
        };
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer_token);
        let given = bearer.or(query_token).unwrap_or_default();
        token.expose_secret().as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// Says the same whatever was wrong, so that nothing can be learnt by trying.
pub(super) fn unauthorized() -> Response {
    let mut response = refuse(StatusCode::UNAUTHORIZED, "the token is missing or wrong");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// The scheme's case does not matter (RFC 9110 §11.1).
pub(super) fn bearer_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    /// Believes `allow`, and whoever has `token`.
    fn gate(token: Option<&str>, allow: &[&str]) -> Gate {
        let allow = allow.iter().map(|network| network.parse().unwrap()).collect();
        Gate { token: token.map(Into::into), allow }
    }

    #[test]
    fn without_a_token_only_near_addresses_may_send() {
        for (peer, allow, admitted) in [
            ("127.0.0.1", &[] as &[&str], true),
            ("::1", &[], true),
            ("::ffff:127.0.0.1", &[], true),
            ("10.0.0.5", &[], false),
            ("10.0.0.5", &["10.0.0.0/24"], true),
            ("::ffff:10.0.0.5", &["10.0.0.0/24"], true),
            ("10.0.1.5", &["10.0.0.0/24"], false),
        ] {
            let peer = peer.parse().unwrap();
            assert_eq!(gate(None, allow).admits(peer, &HeaderMap::new(), Some("x")), admitted, "{peer} {allow:?}");
            assert!(
                !gate(Some("hush"), allow).admits(peer, &HeaderMap::new(), Some("x")),
                "a token is asked of {peer}"
            );
        }
    }
}
