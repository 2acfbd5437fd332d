//! Carries a session over TCP or TLS: connects, reads, writes, passes deliveries to the engine and replies to the SMSC,
//! and connects again for ever. One task; decides nothing that the session can decide.

use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use paygate_parsers::smpp::status;
use paygate_parsers::smpp::ussd::Back;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::acks::AckId;
use super::outbound::Replies;
use super::session::{Ended, Session};
use super::ussd::Screens;
use super::{Health, LinkSettings, tls};
use crate::backoff::{Backoff, jittered};
use crate::engine::door::{Delivery, Submit, Submitted, Verdict};
use crate::telemetry::message_ids;
use crate::ussd::{Dialogues, Screen, Stepping};

/// Octets asked of the socket at once: some hundred short messages.
const READ_OCTETS: usize = 32 * 1024;
/// Ready verdicts or replies taken in one turn before the socket gets its own.
const BATCH: usize = 256;
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
            Self::HungUp => out.write_str("the peer closed the connection"),
            Self::Io(error) => write!(out, "the connection failed: {error}"),
        }
    }
}

/// One link with all it holds through its connections.
pub(super) struct Connection {
    settings: Arc<LinkSettings>,
    intake: mpsc::Sender<Delivery>,
    outbound: mpsc::Receiver<Submit>,
    menus: Option<Dialogues>,
    health: watch::Sender<Health>,
    session: Session,
    replies: Replies,
    screens: Screens,
    backoff: Backoff,
    /// As last reported.
    bound: bool,
}

impl Connection {
    pub(super) fn new(
        settings: LinkSettings,
        intake: mpsc::Sender<Delivery>,
        outbound: mpsc::Receiver<Submit>,
        menus: Option<Dialogues>,
        health: watch::Sender<Health>,
    ) -> Self {
        // Without menus there is nothing to answer a phone with.
        let ussd = settings.ussd.clone().filter(|_| menus.is_some());
        let settings = Arc::new(LinkSettings { ussd, ..settings });
        let session = Session::new(Arc::clone(&settings), Instant::now().into_std());
        let (replies, screens, backoff) = (Replies::default(), Screens::new(&settings), Backoff::default());
        Self { settings, intake, outbound, menus, health, session, replies, screens, backoff, bound: false }
    }

    /// Until `stop`; then every reply still waiting is told that it was not sent.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.health.send_if_modified(begin_binding);
            let settings = Arc::clone(&self.settings);
            let end = match self.refusing(stop.run_until_cancelled(connect(&settings))).await {
                None => break,
                Some(Err(error)) => End::Io(error),
                Some(Ok(Stream::Plain(stream))) => self.drive(stream, &stop).await,
                Some(Ok(Stream::Tls(stream))) => self.drive(stream, &stop).await,
            };
            self.session.closed();
            self.report();
            if !stop.is_cancelled() {
                let wait = self.wait_after(&end);
                self.refusing(stop.run_until_cancelled(sleep(wait))).await;
            }
        }
        self.health.send_replace(Health::Down);
        self.outbound.close();
        while let Some(submit) = self.outbound.recv().await {
            refuse(submit, "the gateway is stopping");
        }
    }

    /// Waits for something while there is no connection; replies are told at once, for their sender plans by time.
    async fn refusing<T>(&mut self, event: impl Future<Output = T>) -> T {
        let mut event = pin!(event);
        loop {
            select! {
                biased;
                done = &mut event => return done,
                Some(submit) = self.outbound.recv() => refuse(submit, "the link is down"),
            }
        }
    }

    /// One connection from bind to end. Each turn: take what came, do what is due, hand on what came out of it, and then
    /// wait for the next thing to happen. Octets are written in one go with all that the turn before put there.
    async fn drive<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: S, stop: &CancellationToken) -> End {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut input = BytesMut::new();
        let (mut verdicts, mut screens) = (FuturesUnordered::new(), FuturesUnordered::new());
        let (mut stopped, mut stopping) = (pin!(stop.cancelled()), false);
        let mut wake = pin!(sleep(NOTHING_DUE));
        let mut unwritten = false;
        self.session.connected(now());
        loop {
            let moment = now();
            self.session.receive(&mut input, moment);
            self.session.advance(moment);
            self.hand_in(&mut verdicts);
            self.step(&screens);
            self.report();
            if let Some(ended) = self.session.ended() {
                self.hang_up(&mut writer).await;
                return End::Session(ended);
            }
            unwritten |= !self.session.out.is_empty();
            set(wake.as_mut(), self.session.wake_at());
            input.reserve(READ_OCTETS);
            select! {
                written = write(&mut writer, &mut self.session.out), if unwritten => match written {
                    Ok(()) => unwritten = false,
                    Err(error) => return End::Io(error),
                },
                read = reader.read_buf(&mut input), if self.session.wants_octets() => match read {
                    Ok(0) => return End::HungUp,
                    Ok(_) => {}
                    Err(error) => return End::Io(error),
                },
                // Full: waits for room. Closed: nothing can be handed in, and `ack_within` answers.
                true = has_room(&self.intake), if self.session.has_deliveries() && self.may_owe_more(&verdicts) => {}
                Some((id, verdict)) = verdicts.next() => {
                    self.session.verdict(id, verdict);
                    self.take_ready_verdicts(&mut verdicts);
                }
                Some((session, screen)) = screens.next() => self.take_screen(&session, screen),
                Some(submit) = self.outbound.recv(), if self.session.wants_replies() => self.take_replies(submit),
                () = &mut wake => {}
                () = &mut stopped, if !stopping => {
                    stopping = true;
                    self.session.shutdown(now());
                }
            }
        }
    }

    /// Hands deliveries to the engine as long as it has room.
    fn hand_in(&mut self, verdicts: &mut FuturesUnordered<PendingVerdict>) {
        while self.session.has_deliveries()
            && self.may_owe_more(verdicts)
            && let Ok(permit) = self.intake.try_reserve()
            && let Some((id, incoming)) = self.session.next_delivery()
        {
            let (done, answer) = oneshot::channel();
            permit.send(Delivery { incoming, done });
            verdicts.push(PendingVerdict { id, answer });
        }
    }

    /// Has the hops answered by the menus.
    fn step(&mut self, screens: &FuturesUnordered<Stepping<Back>>) {
        while let Some(menus) = &self.menus
            && let Some((hop, back)) = self.session.next_hop()
        {
            screens.push(Stepping::begin(menus, hop, back));
        }
    }

    fn take_screen(&mut self, session: &str, screen: Option<(Back, Screen)>) {
        let outgoing = self.settings.ussd.as_ref().zip(screen).map(|(link, (back, screen))| {
            let ticket = self.replies.ticket();
            self.screens.open(link, ticket, &back, &screen, now())
        });
        self.session.screen(session, outgoing);
    }

    /// An engine that takes deliveries and says nothing is handed so many and no more.
    fn may_owe_more(&self, verdicts: &FuturesUnordered<PendingVerdict>) -> bool {
        verdicts.len() < self.settings.unacked_max.max(1)
    }

    fn take_ready_verdicts(&mut self, verdicts: &mut FuturesUnordered<PendingVerdict>) {
        for _ in 0..BATCH {
            let Some(Some((id, verdict))) = verdicts.next().now_or_never() else { break };
            self.session.verdict(id, verdict);
        }
    }

    fn take_replies(&mut self, first: Submit) {
        let mut next = Some(first);
        while let Some(submit) = next {
            if !self.settings.bind.transmits() {
                return refuse(submit, "the link is bound as a receiver");
            }
            let outgoing = self.replies.open(&self.settings, submit, now());
            self.session.submit(outgoing);
            next = if self.session.wants_replies() { self.outbound.try_recv().ok() } else { None };
        }
    }

    /// Tells each reply's sender what became of it, and everybody how the link stands.
    fn report(&mut self) {
        for (ticket, outcome) in self.session.take_outcomes() {
            if !self.screens.settle(ticket, &outcome) {
                self.replies.settle(ticket, outcome);
            }
        }
        if self.session.is_bound() == self.bound {
            return;
        }
        self.bound = !self.bound;
        if self.bound {
            info!(
                message_id = message_ids::SMSC_BOUND,
                smsc = self.settings.name,
                address = self.settings.address,
                "bound to the SMSC"
            );
            self.backoff.reset();
            self.health.send_replace(Health::Bound { since: SystemTime::now() });
        } else {
            self.health.send_replace(Health::Down);
        }
    }

    /// Lets the last octets leave, within bounds, and closes our side.
    async fn hang_up(&mut self, writer: &mut (impl AsyncWrite + Unpin)) {
        let last_words = async {
            write(writer, &mut self.session.out).await?;
            writer.shutdown().await
        };
        // The connection is over either way; a peer that does not listen loses only our farewell.
        let _ = timeout(self.settings.unbind_timeout, last_words).await;
    }

    /// Says why the connection ended, and how long to wait before the next.
    fn wait_after(&mut self, end: &End) -> Duration {
        let refused = match end {
            End::Session(Ended::Refused { status }) => Some(*status),
            End::Session(_) | End::HungUp | End::Io(_) => None,
        };
        self.health.send_replace(refused.map_or(Health::Down, |status| Health::Refused { status }));
        let random = getrandom::u32().unwrap_or(u32::MAX / 2);
        let wait = wait(&mut self.backoff, &self.settings, refused, random);
        let LinkSettings { name, address, .. } = &*self.settings;
        warn!(
            message_id = message_ids::SMSC_LOST,
            smsc = name,
            address,
            ?wait,
            "no link to the SMSC: {end}; it will be tried again"
        );
        wait
    }
}

/// The wait after one more failure; `refused` is the `command_status` of a bind that was answered no.
fn wait(backoff: &mut Backoff, settings: &LinkSettings, refused: Option<u32>, random: u32) -> Duration {
    match refused {
        None => backoff.wait(settings.reconnect_min, settings.reconnect_max, random),
        Some(status::ESME_RALYBND) => jittered(settings.already_bound_pause, random),
        Some(_) => backoff.wait(settings.reconnect_min, settings.refused_max, random),
    }
}

/// A delivery the engine has and did not answer yet. Dropped unanswered means "later".
struct PendingVerdict {
    id: AckId,
    answer: oneshot::Receiver<Verdict>,
}

impl Future for PendingVerdict {
    type Output = (AckId, Verdict);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let id = self.id;
        Pin::new(&mut self.answer).poll(context).map(|answer| (id, answer.unwrap_or(Verdict::Later)))
    }
}

/// A refusal stays to be seen until the SMSC says something else.
fn begin_binding(health: &mut Health) -> bool {
    let begins = !matches!(health, Health::Refused { .. });
    if begins {
        *health = Health::Binding;
    }
    begins
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

async fn connect(settings: &LinkSettings) -> io::Result<Stream> {
    let connecting = async {
        let stream = TcpStream::connect(&settings.address).await?;
        stream.set_nodelay(true)?;
        Ok(match settings.tls {
            true => Stream::Tls(Box::new(tls::handshake(settings, stream).await?)),
            false => Stream::Plain(stream),
        })
    };
    timeout(settings.connect_timeout, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Waits for room in the engine's intake; not true when it is closed.
async fn has_room(intake: &mpsc::Sender<Delivery>) -> bool {
    intake.reserve().await.is_ok()
}

/// Writes all of `out`. Dropped midway, it goes on where it stood when called again.
async fn write(writer: &mut (impl AsyncWrite + Unpin), out: &mut BytesMut) -> io::Result<()> {
    while !out.is_empty() {
        if writer.write_buf(out).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    writer.flush().await
}

/// Points the one sleep at what is due next; leaves it alone where it points there already.
fn set(wake: Pin<&mut Sleep>, at: Option<std::time::Instant>) {
    let at = at.map_or_else(|| Instant::now() + NOTHING_DUE, Instant::from_std);
    if wake.deadline() != at {
        wake.reset(at);
    }
}

fn refuse(submit: Submit, reason: &'static str) {
    // Whoever asked may be gone; then nobody needs the answer.
    let _ = submit.done.send(Submitted::NotSent(reason));
}

/// Tokio's clock, so that a test may stop it.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> LinkSettings {
        LinkSettings::new("test", "127.0.0.1:0", "paygate", "secret".into())
    }

    #[test]
    fn a_refused_bind_waits_up_to_five_minutes() {
        let (settings, mut backoff) = (settings(), Backoff::default());
        let mut waits = |refused| wait(&mut backoff, &settings, refused, u32::MAX).as_secs();
        let after: Vec<u64> = (0..12).map(|_| waits(Some(status::ESME_RINVPASWD))).collect();
        assert_eq!((&after[..7], after.last()), (&[1, 2, 4, 8, 16, 32, 64][..], Some(&300)));
        assert_eq!(waits(None), 60, "and up to a minute when it was not refused");
    }

    #[test]
    fn an_already_bound_link_waits_for_the_smsc_to_notice() {
        let (settings, mut backoff) = (settings(), Backoff::default());
        for _ in 0..5 {
            assert_eq!(wait(&mut backoff, &settings, Some(status::ESME_RALYBND), u32::MAX).as_secs(), 30);
        }
    }
}
