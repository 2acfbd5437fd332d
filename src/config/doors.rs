//! `[http]` and `[[smsc]]`: where messages come in and replies leave.

use super::duration::{HOUR, MINUTE, MS, SECOND};
use super::section::Section;
use super::{Bind, Http, KannelLink, LinkKind, SmppLink, Smsc};
use paygate_parsers::text::Alphabet;
use secrecy::SecretString;
use std::net::{Ipv4Addr, SocketAddr};

impl Http {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Self {
            listen: section
                .parsed("listen", "an address and port, such as \"127.0.0.1:8080\"", |text| text.parse().ok())
                .unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
            mo_token: section.secret("mo_token"),
            mo_allow: section
                .list("mo_allow", "addresses or networks, such as \"10.1.0.0/16\"", |text| text.parse().ok())
                .unwrap_or_default(),
            body_limit: section.integer("body_limit", 1024..=16 << 20).unwrap_or(64 << 10),
            request_timeout: section.duration("request_timeout", 100 * MS..=5 * MINUTE).unwrap_or(10 * SECOND),
            header_timeout: section.duration("header_timeout", 100 * MS..=5 * MINUTE).unwrap_or(10 * SECOND),
            ack_within: section.duration("ack_within", 10 * MS..=MINUTE).unwrap_or(5 * SECOND),
            connections: section.integer("connections", 1..=65_536).unwrap_or(1024),
        }
    }
}

impl Smsc {
    /// `only_channel` is what `charging` means where it is left out.
    pub(super) fn read(section: &mut Section<'_>, only_channel: Option<&str>) -> Self {
        let name = section.required("name", String::new(), "a name for this SMSC", |at| at.text("name", 1..=64));
        let short_codes = section.required("short_codes", Vec::new(), "the short codes this SMSC serves", |at| {
            at.list("short_codes", "short codes of 1 to 20 letters or digits", short_code)
        });
        let charging = match only_channel {
            Some(only) => section.text("charging", 1..=64).unwrap_or_else(|| only.to_owned()),
            None => section.required("charging", String::new(), "the name of a channel, as in [charging.NAME]", |at| {
                at.text("charging", 1..=64)
            }),
        };
        let kannel = section.choice("kind", &[("smpp", false), ("kannel", true)]).unwrap_or(false);
        let kind =
            if kannel { LinkKind::Kannel(KannelLink::read(section)) } else { LinkKind::Smpp(SmppLink::read(section)) };
        Self { name, short_codes, charging, kind }
    }
}

impl SmppLink {
    fn read(section: &mut Section<'_>) -> Self {
        const ADDRESS: &str = "\"host:port\", or \"tls://host:port\" for TLS";
        let (tls, address) =
            section.required("address", Default::default(), ADDRESS, |at| at.parsed("address", ADDRESS, address));
        Self {
            address,
            tls,
            tls_ca: section.text("tls_ca", 1..=4096).map(Into::into),
            bind: section
                .choice(
                    "bind",
                    &[
                        ("transceiver", Bind::Transceiver),
                        ("transmitter", Bind::Transmitter),
                        ("receiver", Bind::Receiver),
                    ],
                )
                .unwrap_or(Bind::Transceiver),
            // SMPP 3.4 §5.2.1 and §5.2.3: 15 characters and 12, without the closing NUL.
            system_id: section.text("system_id", 0..=15).unwrap_or_else(|| "paygate".to_owned()),
            password: password(section),
            system_type: section.text("system_type", 0..=12).unwrap_or_default(),
            interface_version: section.integer("interface_version", 0..=u8::MAX).unwrap_or(0x34),
            window: section.integer("window", 1..=10_000).unwrap_or(64),
            throughput: section.integer("throughput", 0..=100_000).unwrap_or(0),
            enquire_link: section.duration("enquire_link", 100 * MS..=HOUR).unwrap_or(30 * SECOND),
            response_timeout: section.duration("response_timeout", 100 * MS..=5 * MINUTE).unwrap_or(10 * SECOND),
            bind_timeout: section.duration("bind_timeout", 100 * MS..=5 * MINUTE).unwrap_or(10 * SECOND),
            pdu_read_timeout: section.duration("pdu_read_timeout", 100 * MS..=5 * MINUTE).unwrap_or(10 * SECOND),
            ack_within: section.duration("ack_within", 10 * MS..=MINUTE).unwrap_or(5 * SECOND),
            default_alphabet: section
                .choice(
                    "default_alphabet",
                    &[("gsm7", Alphabet::Gsm7), ("latin1", Alphabet::Latin1), ("ascii", Alphabet::Ascii)],
                )
                .unwrap_or(Alphabet::Gsm7),
            // A message_payload may hold 65,535 octets (SMPP 3.4 §5.3.2.32); the rest of a PDU is far below 1 KiB.
            max_pdu: section.integer("max_pdu", 1024..=1 << 20).unwrap_or(66 << 10),
        }
    }
}

impl KannelLink {
    fn read(section: &mut Section<'_>) -> Self {
        const URL: &str = "the address of Kannel's sendsms, such as \"http://127.0.0.1:13013/cgi-bin/sendsms\"";
        let name = |at: &mut Section<'_>| at.text("username", 1..=64);
        Self {
            sendsms_url: section.required("sendsms_url", String::new(), URL, |at| {
                at.parsed("sendsms_url", URL, super::neighbours::base_url)
            }),
            username: section.required("username", String::new(), "the sendsms-user's username", name),
            password: password(section),
            timeout: section.duration("timeout", 100 * MS..=5 * MINUTE).unwrap_or(5 * SECOND),
            window: section.integer("window", 1..=10_000).unwrap_or(16),
        }
    }
}

/// Required, yet possibly empty: leaving it out by mistake is far more common than an SMSC that wants none.
fn password(section: &mut Section<'_>) -> SecretString {
    section.required("password", SecretString::default(), "the password that the SMSC gave, \"\" for none", |at| {
        at.secret_or_empty("password")
    })
}

pub(super) fn short_code(text: &str) -> Option<String> {
    let fits = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| text.to_owned())
}

/// Whether TLS is wanted, and `host:port`.
pub(super) fn address(text: &str) -> Option<(bool, String)> {
    let (tls, address) = text.strip_prefix("tls://").map_or((false, text), |address| (true, address));
    let (host, port) = address.rsplit_once(':')?;
    let port_fits = port.parse::<u16>().is_ok_and(|port| port > 0);
    let host_fits =
        !host.is_empty() && !host.contains(['/', ' ', '@']) && (!host.contains(':') || host.starts_with('['));
    (port_fits && host_fits).then(|| (tls, address.to_owned()))
}
