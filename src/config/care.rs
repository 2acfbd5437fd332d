//! `[care]`: the page for care agents, the operator on call and the accountant. Left out, there is no page.

use super::Care;
use super::duration::{DAY, HOUR, MINUTE, MS, SECOND};
use super::section::Section;
use std::net::IpAddr;
use std::path::PathBuf;

impl Care {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            origin: section.parsed(
                "origin",
                "how browsers reach the page: \"https://HOST\", or \"http://localhost:PORT\" on one machine",
                origin,
            ),
            proxies: section
                .list("proxies", "addresses or networks, such as \"127.0.0.1\"", |text| text.parse().ok())
                .unwrap_or_default(),
            session_idle: section.duration("session_idle", MINUTE..=DAY).unwrap_or(15 * MINUTE),
            session_max: section.duration("session_max", MINUTE..=7 * DAY).unwrap_or(8 * HOUR),
            password_min: section.integer("password_min", 8..=128).unwrap_or(12),
            hashes: section.integer("hashes", 1..=64).unwrap_or(2),
            hash_wait: section.duration("hash_wait", 100 * MS..=MINUTE).unwrap_or(5 * SECOND),
            login_tries: section.integer("login_tries", 1..=1000).unwrap_or(10),
            address_tries: section.integer("address_tries", 1..=100_000).unwrap_or(200),
            login_window: section.duration("login_window", SECOND..=DAY).unwrap_or(15 * MINUTE),
            page: section.integer("page", 1..=500).unwrap_or(50),
            act_wait: section.duration("act_wait", 10 * MS..=MINUTE).unwrap_or(2 * SECOND),
            upload_limit: section.integer("upload_limit", 1024..=16 << 30).unwrap_or(256 << 20),
            upload_timeout: section.duration("upload_timeout", SECOND..=DAY).unwrap_or(10 * MINUTE),
            upload_folder: section.text("upload_folder", 1..=4096).map(PathBuf::from),
        }
    }
}

/// Scheme and authority, as a browser sends them in `Origin`. Without TLS passwords would cross a network in the clear, so
/// plain HTTP is for one machine only.
fn origin(text: &str) -> Option<String> {
    let (scheme, authority) = text.split_once("://")?;
    let url = reqwest::Url::parse(text).ok()?;
    let bare = !authority.is_empty() && !authority.contains(['/', '?', '#', '@']) && url.username().is_empty();
    let safe = scheme == "https" || (scheme == "http" && is_loopback(url.host_str()?));
    (bare && safe).then(|| url.origin().ascii_serialization())
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn an_origin_is_bare_and_safe() {
        for (text, read) in [
            ("https://care.example", Some("https://care.example")),
            ("https://Care.Example:8443", Some("https://care.example:8443")),
            ("https://care.example:443", Some("https://care.example")),
            ("http://localhost:8080", Some("http://localhost:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("http://care.example", None),
            ("http://10.0.0.5:8080", None),
            ("https://care.example/care", None),
            ("https://user@care.example", None),
            ("care.example", None),
            ("ftp://care.example", None),
        ] {
            assert_eq!(origin(text).as_deref(), read, "{text}");
        }
    }
}
