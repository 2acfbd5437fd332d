//! The USSD socket of a telco that lets applications connect to it (charging.md §1.4, "USSD GW"): paygate is the client, one
//! socket for each spid, kept up for ever. Hops go to the menus, screens come from them; the socket knows no menu, and
//! keeps nothing: a dialogue that it loses begins anew.
//!
//! `session` is the protocol as a pure machine, `connection` carries it over TCP, `codes` says what each error means.

mod codes;
mod connection;
mod meters;
mod session;

use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Dialogues;

/// Everything one socket needs to know. Each bound and wait of this module is a field here.
#[derive(Clone, Debug)]
pub struct LineSettings {
    /// The gateway's configured name.
    pub name: String,
    /// `host:port`.
    pub address: String,
    pub spid: String,
    pub password: SecretString,
    /// Between two signs of life of ours.
    pub keep_alive: Duration,
    /// A silence of this length ends the connection.
    pub silence_max: Duration,
    pub connect_timeout: Duration,
    pub login_timeout: Duration,
    /// Hops under way at once; with more the socket is not read.
    pub concurrency: usize,
    /// Octets of one line.
    pub line_max: usize,
    /// Octets waiting to be written beyond which nothing more is read.
    pub write_buffer_max: usize,
    /// For screens that are owed, when we stop.
    pub drain_timeout: Duration,
    /// First wait before connecting again; doubles with each failure, with jitter.
    pub reconnect_min: Duration,
    pub reconnect_max: Duration,
    /// The longest wait after an error that somebody must mend first (203 to 206).
    pub refused_max: Duration,
}

impl LineSettings {
    /// Under the defaults of the configuration.
    #[must_use]
    pub fn new(name: &str, address: &str, spid: &str, password: SecretString) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            spid: spid.to_owned(),
            password,
            keep_alive: Duration::from_secs(30),
            silence_max: Duration::from_secs(90),
            connect_timeout: Duration::from_secs(10),
            login_timeout: Duration::from_secs(10),
            concurrency: 1000,
            line_max: 8 * 1024,
            write_buffer_max: 256 * 1024,
            drain_timeout: Duration::from_secs(5),
            reconnect_min: Duration::from_secs(1),
            reconnect_max: Duration::from_secs(60),
            refused_max: Duration::from_secs(300),
        }
    }
}

/// How a socket stands, for `/readyz` and whoever waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// No connection; another attempt is coming.
    Down,
    /// Connected, or connecting.
    LoggingIn,
    LoggedIn {
        since: SystemTime,
    },
    /// The gateway said no, with this error code. Further attempts are made; until one ends otherwise this stands.
    Refused {
        code: u16,
    },
}

/// Keeps one socket up until `stop`, then lets the screens that are owed out and closes it. `health` follows each change.
pub async fn run(settings: LineSettings, dialogues: Dialogues, health: watch::Sender<Health>, stop: CancellationToken) {
    connection::Connection::new(settings, dialogues, health).run(stop).await;
}

/// Logs in as [`run`] would, and out again: for `paygate check`. That another socket holds the spid is no fault: it is most
/// likely the daemon's.
///
/// # Errors
/// What is wrong, and whose turn it is.
pub async fn log_in_once(settings: LineSettings) -> Result<(), String> {
    connection::log_in_once(settings).await
}
