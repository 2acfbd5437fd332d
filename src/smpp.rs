//! The SMPP neighbour: one link is one ESME connection to an SMSC, kept up for ever. Messages and receipts go to the
//! engine, replies come from it; phones that dial are answered by the menus. The link never reads a text's meaning and never
//! decides about money.
//!
//! `session` is the protocol as a pure machine, `connection` carries it over TCP or TLS, `inbound` and `outbound` turn
//! PDUs into the engine's values and back.

mod acks;
mod connection;
mod inbound;
mod meters;
mod outbound;
mod repeats;
mod session;
mod timers;
mod tls;
mod ussd;
mod window;

use std::time::{Duration, SystemTime};

use paygate_parsers::smpp::MAX_PDU;
pub use paygate_parsers::smpp::bind::Role;
use paygate_parsers::text::Alphabet;
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
pub use ussd::UssdLink;

use crate::engine::door::{Delivery, Submit};
use crate::ussd::Dialogues;

/// Everything one link needs to know. Each bound and wait of `crate::smpp` is a field here; a wait is no longer than a
/// year, which whoever fills this in has checked.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// The SMSC's configured name; links of one SMSC share it.
    pub name: String,
    /// `host:port`.
    pub address: String,
    pub tls: bool,
    /// Trusted instead of the public roots, when not empty: for an SMSC with a certificate of its own making.
    pub tls_roots: Vec<CertificateDer<'static>>,
    pub bind: Role,
    pub system_id: String,
    pub password: SecretString,
    pub system_type: String,
    /// 0x34; a few SMSCs stay silent unless given another.
    pub interface_version: u8,
    /// What this SMSC means by `data_coding` 0: replies are written so. Messages are handed on in their octets, and read by
    /// the engine under the same setting.
    pub default_alphabet: Alphabet,
    /// Takes the place of an empty `destination_addr`.
    pub default_short_code: Option<String>,
    /// The TLV in which this SMSC gives each MO an id of its own, where it does. Only for ids that are truly unique: two
    /// messages with one id are one message.
    pub message_id_tlv: Option<u16>,
    /// Takes a text of receipt's form for a receipt although `esm_class` does not say so. For SMSCs that never say so:
    /// with it a subscriber could write a receipt.
    pub receipts_by_text: bool,
    /// Asks for a delivery receipt for each reply.
    pub receipts: bool,
    /// Type of number and numbering plan of our short code in `submit_sm`.
    pub source_ton_npi: (u8, u8),
    /// Type of number and numbering plan of a subscriber in `submit_sm`.
    pub destination_ton_npi: (u8, u8),
    /// For phones that dial over this link; without it such a PDU is taken for the message that it also is.
    pub ussd: Option<UssdLink>,

    /// `submit_sm` unanswered at once, at least 1.
    pub window: usize,
    /// `submit_sm` a second; 0 for no limit but the peer's.
    pub throughput: u32,
    /// Parts one reply may take; a longer text is not sent.
    pub parts_max: usize,
    /// Deliveries unanswered at once; with more the socket is not read.
    pub unacked_max: usize,
    /// Octets of one PDU, header included.
    pub pdu_max: usize,
    /// Octets waiting to be written beyond which nothing more is read or submitted.
    pub write_buffer_max: usize,
    /// Times the same unreadable octets are refused before they are taken in for a person to see, so that one bad PDU
    /// cannot block an SMSC's queue.
    pub malformed_refusals: u32,
    /// Different unreadable PDUs remembered at once.
    pub malformed_remembered: usize,
    /// Times a reply is sent again after a temporary error of its own (not throttling, which only ends with its time).
    pub resubmits_max: u32,

    /// TCP and TLS, together.
    pub connect_timeout: Duration,
    pub bind_timeout: Duration,
    /// A silence of this length is ended by an `enquire_link`.
    pub enquire_link: Duration,
    /// For `submit_sm_resp` and `enquire_link_resp`.
    pub response_timeout: Duration,
    /// From the first octet of a PDU to its last.
    pub pdu_read_timeout: Duration,
    /// A delivery not durable by then is answered ESME_RX_T_APPN. Under a second, since SMSCs give up after a few.
    pub ack_within: Duration,
    /// From the peer's `unbind` to our hanging up, if it does not.
    pub linger: Duration,
    /// For open answers of both sides, when we stop.
    pub drain_timeout: Duration,
    /// For `unbind_resp`, and for the last octets to leave.
    pub unbind_timeout: Duration,
    /// First wait before connecting again; doubles with each failure, with jitter.
    pub reconnect_min: Duration,
    pub reconnect_max: Duration,
    /// The longest wait after a bind was refused.
    pub refused_max: Duration,
    /// Wait after ESME_RALYBND, which lasts until the SMSC notices that our former connection is gone.
    pub already_bound_pause: Duration,
    /// First pause of a throttled link; doubles while throttling goes on.
    pub throttle_min: Duration,
    pub throttle_max: Duration,
}

impl LinkSettings {
    /// A transceiver without TLS under the defaults of the configuration.
    #[must_use]
    pub fn new(name: &str, address: &str, system_id: &str, password: SecretString) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            tls: false,
            tls_roots: Vec::new(),
            bind: Role::Transceiver,
            system_id: system_id.to_owned(),
            password,
            system_type: String::new(),
            interface_version: 0x34,
            default_alphabet: Alphabet::default(),
            default_short_code: None,
            message_id_tlv: None,
            receipts_by_text: false,
            receipts: true,
            source_ton_npi: (0, 0),
            destination_ton_npi: (1, 1),
            ussd: None,
            window: 64,
            throughput: 0,
            parts_max: 10,
            unacked_max: 1024,
            pdu_max: MAX_PDU,
            write_buffer_max: 64 * 1024,
            malformed_refusals: 3,
            malformed_remembered: 64,
            resubmits_max: 5,
            connect_timeout: Duration::from_secs(10),
            bind_timeout: Duration::from_secs(10),
            enquire_link: Duration::from_secs(30),
            response_timeout: Duration::from_secs(10),
            pdu_read_timeout: Duration::from_secs(10),
            ack_within: Duration::from_millis(900),
            linger: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(10),
            unbind_timeout: Duration::from_secs(2),
            reconnect_min: Duration::from_secs(1),
            reconnect_max: Duration::from_secs(60),
            refused_max: Duration::from_secs(300),
            already_bound_pause: Duration::from_secs(30),
            throttle_min: Duration::from_secs(1),
            throttle_max: Duration::from_secs(30),
        }
    }
}

/// How a link stands, for `/readyz`, the care page and whoever waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// No connection; another attempt is coming.
    Down,
    /// Connected, or connecting.
    Binding,
    Bound {
        since: SystemTime,
    },
    /// The SMSC said no, with this `command_status`. Further attempts are made, later each time; until one ends otherwise
    /// this stands.
    Refused {
        status: u32,
    },
}

/// Keeps one link up until `stop`, then drains it and unbinds. Deliveries go into `intake`, which may be full: then the
/// socket is not read. Replies are taken from `outbound`, whose closing only means that there will be none (a receiver's
/// link is given a closed one). `menus` answer phones that dial. `health` follows each change.
pub async fn run(
    settings: LinkSettings,
    intake: mpsc::Sender<Delivery>,
    outbound: mpsc::Receiver<Submit>,
    menus: Option<Dialogues>,
    health: watch::Sender<Health>,
    stop: CancellationToken,
) {
    connection::Connection::new(settings, intake, outbound, menus, health).run(stop).await;
}
