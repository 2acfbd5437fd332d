//! Carries a session over TCP: connects, reads, writes, has each hop answered by the menus, and connects again for ever. One
//! task, and one for each hop under way; decides nothing that the session can decide.

use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::codes::OTHER_SOCKET;
use super::session::{Ended, Session};
use super::{Health, LineSettings};
use crate::backoff::Backoff;
use crate::telemetry::message_ids;
use crate::ussd::{Dialogues, Stepping};

/// Octets asked of the socket at once: some dozen lines.
const READ_OCTETS: usize = 16 * 1024;
/// Where the sleep points when nothing is due.
const NOTHING_DUE: Duration = Duration::from_secs(3600);

/// Why a connection came to its end.
enum End {
    /// The session closed it.
    Session(Ended),
    /// The peer hung up.
    HungUp,
    Io(io::Error),
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(ended) => ended.fmt(out),
            Self::HungUp => out.write_str("the gateway closed the connection"),
            Self::Io(error) => write!(out, "the connection failed: {error}"),
        }
    }
}

/// One socket with all it holds through its connections.
pub(super) struct Connection {
    settings: Arc<LineSettings>,
    dialogues: Dialogues,
    health: watch::Sender<Health>,
    session: Session,
    backoff: Backoff,
    /// As last reported.
    logged_in: bool,
}

impl Connection {
    pub(super) fn new(settings: LineSettings, dialogues: Dialogues, health: watch::Sender<Health>) -> Self {
        let settings = Arc::new(settings);
        // Milliseconds outrun what one process could send before the next one starts.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let number = u64::try_from(since.as_millis()).unwrap_or_default();
        let session = Session::new(Arc::clone(&settings), number);
        Self { settings, dialogues, health, session, backoff: Backoff::default(), logged_in: false }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.health.send_if_modified(begin_logging_in);
            let end = match stop.run_until_cancelled(connect(&self.settings)).await {
                None => break,
                Some(Err(error)) => End::Io(error),
                Some(Ok(stream)) => self.drive(stream, &stop).await,
            };
            self.session.closed();
            self.report();
            if !stop.is_cancelled() {
                let wait = self.wait_after(&end);
                stop.run_until_cancelled(sleep(wait)).await;
            }
        }
        self.health.send_replace(Health::Down);
    }

    /// One connection from login to end. Each turn: take what came, do what is due, hand on what came out of it, and then
    /// wait for the next thing to happen.
    async fn drive(&mut self, stream: TcpStream, stop: &CancellationToken) -> End {
        let (mut reader, mut writer) = stream.into_split();
        let mut input = BytesMut::new();
        let mut screens = FuturesUnordered::new();
        let (mut stopped, mut stopping) = (pin!(stop.cancelled()), false);
        let mut wake = pin!(sleep(NOTHING_DUE));
        self.session.connected(now());
        loop {
            let moment = now();
            self.session.receive(&mut input, moment);
            self.session.advance(moment);
            self.report();
            while let Some((hop, back)) = self.session.next_hop() {
                screens.push(Stepping::begin(&self.dialogues, hop, back));
            }
            if let Some(ended) = self.session.ended() {
                self.hang_up(&mut writer).await;
                return End::Session(ended);
            }
            set(wake.as_mut(), self.session.wake_at());
            input.reserve(READ_OCTETS);
            select! {
                written = writer.write_buf(&mut self.session.out), if !self.session.out.is_empty() => match written {
                    Ok(0) => return End::Io(io::ErrorKind::WriteZero.into()),
                    Ok(_) => {}
                    Err(error) => return End::Io(error),
                },
                read = reader.read_buf(&mut input), if self.session.wants_octets() => match read {
                    Ok(0) => return End::HungUp,
                    Ok(_) => {}
                    Err(error) => return End::Io(error),
                },
                Some((session, screen)) = screens.next() => self.session.answer(&session, screen),
                () = &mut wake => {}
                () = &mut stopped, if !stopping => {
                    stopping = true;
                    self.session.shutdown(now());
                }
            }
        }
    }

    /// Tells everybody how the socket stands.
    fn report(&mut self) {
        if self.session.is_logged_in() == self.logged_in {
            return;
        }
        self.logged_in = !self.logged_in;
        if self.logged_in {
            let LineSettings { name, address, .. } = &*self.settings;
            info!(message_id = message_ids::USSD_UP, gateway = name, address, "logged in at the USSD gateway");
            self.backoff.reset();
            self.health.send_replace(Health::LoggedIn { since: SystemTime::now() });
        } else {
            self.health.send_replace(Health::Down);
        }
    }

    /// Lets the last screens leave, within bounds, and closes our side.
    async fn hang_up(&mut self, writer: &mut (impl AsyncWrite + Unpin)) {
        let last_words = async {
            writer.write_all_buf(&mut self.session.out).await?;
            writer.shutdown().await
        };
        // The connection is over either way.
        let _ = timeout(self.settings.drain_timeout, last_words).await;
    }

    /// Says why the connection ended, and how long to wait before the next.
    fn wait_after(&mut self, end: &End) -> Duration {
        let refused = match end {
            End::Session(Ended::Refused(meaning)) => Some(*meaning),
            End::Session(_) | End::HungUp | End::Io(_) => None,
        };
        self.health.send_replace(refused.map_or(Health::Down, |meaning| Health::Refused { code: meaning.code }));
        let LineSettings { name, address, reconnect_min, reconnect_max, refused_max, .. } = &*self.settings;
        let longest = if refused.is_some_and(|meaning| meaning.stays) { refused_max } else { reconnect_max };
        let wait = self.backoff.wait(*reconnect_min, *longest, getrandom::u32().unwrap_or(u32::MAX / 2));
        warn!(
            message_id = message_ids::USSD_LOST,
            gateway = name,
            address,
            ?wait,
            "no socket to the USSD gateway: {end}; it will be tried again"
        );
        wait
    }
}

/// One login and its answer, within the time that both may take.
pub(super) async fn log_in_once(settings: LineSettings) -> Result<(), String> {
    let within = settings.connect_timeout + settings.login_timeout;
    let logged_in = timeout(within, logged_in(settings)).await;
    match logged_in.unwrap_or(Err(End::Session(Ended::Silent("answer to the login")))) {
        Err(End::Session(Ended::Refused(meaning))) if meaning.code == OTHER_SOCKET => Ok(()),
        other => other.map_err(|end| end.to_string()),
    }
}

async fn logged_in(settings: LineSettings) -> Result<(), End> {
    let mut stream = connect(&settings).await.map_err(End::Io)?;
    let (mut session, mut input) = (Session::new(Arc::new(settings), 0), BytesMut::new());
    session.connected(now());
    stream.write_all_buf(&mut session.out).await.map_err(End::Io)?;
    while !session.is_logged_in() {
        if let Some(ended) = session.ended() {
            return Err(End::Session(ended));
        }
        if stream.read_buf(&mut input).await.map_err(End::Io)? == 0 {
            return Err(End::HungUp);
        }
        session.receive(&mut input, now());
    }
    Ok(())
}

/// A refusal stays to be seen until the gateway says something else.
fn begin_logging_in(health: &mut Health) -> bool {
    let begins = !matches!(health, Health::Refused { .. });
    if begins {
        *health = Health::LoggingIn;
    }
    begins
}

async fn connect(settings: &LineSettings) -> io::Result<TcpStream> {
    let connecting = async {
        let stream = TcpStream::connect(&settings.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    timeout(settings.connect_timeout, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Points the one sleep at what is due next; leaves it alone where it points there already.
fn set(wake: Pin<&mut Sleep>, at: Option<std::time::Instant>) {
    let at = at.map_or_else(|| Instant::now() + NOTHING_DUE, Instant::from_std);
    if wake.deadline() != at {
        wake.reset(at);
    }
}

/// Tokio's clock, so that a test may stop it.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}
