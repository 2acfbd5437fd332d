//! A simulated SMSC: listens, accepts binds, delivers texts and takes replies, and keeps books of both that a test may
//! hold against the journal. Knows nothing of purchases, and nothing of the gateway beyond SMPP 3.4.

mod bind;
mod books;
mod faults;
mod ussd;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use paygate_parsers::smpp::bind::Role;
use paygate_parsers::smpp::message::{Address, Message, UDHI};
use paygate_parsers::smpp::status::ESME_ROK;
use paygate_parsers::smpp::ussd::Dialect;
use paygate_parsers::text::{Coding, split};
use secrecy::SecretString;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use bind::Command;
use books::{Books, Entry};
pub use books::{MoText, MtText};
pub use faults::{Receipts, SmscFaults};

use super::dialogues::Dialogues;

/// What a simulated SMSC holds to.
#[derive(Clone, Debug)]
pub struct SmscSettings {
    /// `system_id` and password that a bind must show; anybody may bind when there are none.
    pub account: Option<(String, SecretString)>,
    /// How long a `deliver_sm_resp` is waited for. Real ones wait as little as 5 s.
    pub ack_timeout: Duration,
    /// Before a text not acknowledged is sent again.
    pub redeliver_after: Duration,
    /// Times a text is sent, if it is sent again at all.
    pub tries_max: u32,
    /// Between `enquire_link`s of ours; `None` sends none.
    pub enquire_link: Option<Duration>,
    /// Deliveries waiting for one bind's socket.
    pub queue: usize,
    /// New texts that a slow listener to [`Smsc::texts`] may be behind.
    pub backlog: usize,
    /// How it speaks of USSD.
    pub dialect: Dialect,
}

impl Default for SmscSettings {
    fn default() -> Self {
        Self {
            account: None,
            ack_timeout: Duration::from_secs(5),
            redeliver_after: Duration::from_millis(200),
            tries_max: 100,
            enquire_link: None,
            queue: 4096,
            backlog: 16 * 1024,
            dialect: Dialect::STANDARD,
        }
    }
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckStatus {
    /// Answered, with this `command_status`.
    Answered(u32),
    /// Not answered within `ack_timeout`.
    TimedOut,
    /// The connection ended first.
    Lost,
    /// No ESME that receives is bound.
    NotBound,
}

impl AckStatus {
    /// Whether the ESME took the message.
    #[must_use]
    pub fn is_ok(self) -> bool {
        self == Self::Answered(ESME_ROK)
    }
}

/// One `deliver_sm` (or `data_sm`) with every field open to choice.
#[derive(Clone, Debug, Default)]
pub struct Mo {
    pub message: Message,
    /// Chosen by the SMSC when `None`, a new one for each try.
    pub sequence: Option<u32>,
    /// Sent as `data_sm`.
    pub data_sm: bool,
}

impl Mo {
    /// A text of one message; the ESME sees GSM 7-bit or, where it must be, UCS-2.
    #[must_use]
    pub fn text(from: &str, to: &str, text: &str) -> Self {
        Self::parts(from, to, text, 0).into_iter().next().unwrap_or_default()
    }

    /// A text as one message, or as many as it takes with `reference` in their headers; none if no SMS can carry it.
    #[must_use]
    pub fn parts(from: &str, to: &str, text: &str, reference: u8) -> Vec<Self> {
        let segments = split(text, reference).unwrap_or_default();
        let data_coding = Coding::of(text).data_coding();
        let address = |digits: &str, ton| Address::new(ton, 1, digits.as_bytes().to_vec());
        let message = |header: Option<[u8; 6]>, octets: Vec<u8>| Message {
            source: address(from, 1),
            destination: address(to, 0),
            esm_class: if header.is_some() { UDHI } else { 0 },
            data_coding,
            short_message: header.into_iter().flatten().chain(octets).collect(),
            ..Message::default()
        };
        let mo = |message| Self { message, sequence: None, data_sm: false };
        segments.into_iter().map(|segment| mo(message(segment.udh, segment.octets))).collect()
    }
}

/// A running SMSC; dropping it ends all its connections.
#[derive(Debug)]
pub struct Smsc {
    shared: Arc<Shared>,
    address: SocketAddr,
    _running: DropGuard,
}

impl Smsc {
    /// Listens on `address` (port 0: any free one) and serves every ESME that binds.
    pub async fn start(address: impl ToSocketAddrs, settings: SmscSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(settings));
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, Arc::clone(&shared), stop.clone()));
        Ok(Self { shared, address, _running: stop.drop_guard() })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until `count` binds stand at once.
    pub async fn bound(&self, count: usize) {
        let mut binds = self.shared.bind_count.subscribe();
        // The sender lives as long as `self`.
        let _ = binds.wait_for(|now| *now >= count).await;
    }

    #[must_use]
    pub fn bind_count(&self) -> usize {
        *self.shared.bind_count.borrow()
    }

    /// Sends a text, in parts when it is long, and waits for the answers; the first that is no success is returned.
    pub async fn text(&self, from: &str, to: &str, text: &str) -> AckStatus {
        let reference = self.shared.reference.fetch_add(1, Ordering::Relaxed);
        let entry = self.shared.books().open_mo(from, to, text);
        let mut status = AckStatus::Answered(ESME_ROK);
        for part in Mo::parts(from, to, text, reference) {
            status = self.deliver(&part, entry).await;
            if !status.is_ok() {
                break;
            }
        }
        status
    }

    /// Sends one message exactly as given.
    pub async fn send(&self, mo: &Mo) -> AckStatus {
        let from = String::from_utf8_lossy(&mo.message.source.digits);
        let to = String::from_utf8_lossy(&mo.message.destination.digits);
        let text = String::from_utf8_lossy(mo.message.payload());
        let entry = self.shared.books().open_mo(&from, &to, &text);
        self.deliver(mo, entry).await
    }

    /// Whether texts that are not acknowledged are sent again, each time with a new sequence number. Off at first.
    pub fn redeliver(&self, on: bool) {
        self.faults(|faults| faults.redeliver = on);
    }

    /// Turns the switches of its faults.
    pub fn faults(&self, change: impl FnOnce(&mut SmscFaults)) {
        change(&mut self.shared.faults());
    }

    /// Cuts every connection without a word.
    pub fn drop_connections(&self) {
        self.shared.binds().iter().for_each(|bind| bind.cut.cancel());
    }

    /// Sends `unbind` on every connection.
    pub async fn unbind(&self) {
        let binds: Vec<_> = self.shared.binds().iter().map(|bind| bind.commands.clone()).collect();
        for commands in binds {
            // One that is gone has no need to be unbound.
            let _ = commands.send(Command::Unbind).await;
        }
    }

    /// The texts a phone has received, in order, long ones joined.
    #[must_use]
    pub fn texts_to(&self, msisdn: &str) -> Vec<MtText> {
        self.shared.books().texts_to(msisdn)
    }

    /// The first text to this phone that no earlier call has returned; `None` when none comes within `wait`.
    pub async fn next_text_to(&self, msisdn: &str, wait: Duration) -> Option<MtText> {
        let next = async {
            loop {
                let arrival = self.shared.books().arrival(msisdn);
                let mut arrived = std::pin::pin!(arrival.notified());
                // Listening must begin before looking, or a text between the two would be missed.
                arrived.as_mut().enable();
                if let Some(text) = self.shared.books().take_text(msisdn) {
                    return text;
                }
                arrived.await;
            }
        };
        timeout(wait, next).await.ok()
    }

    /// Every new text to any phone.
    #[must_use]
    pub fn texts(&self) -> broadcast::Receiver<MtText> {
        self.shared.new_texts.subscribe()
    }

    /// Every message sent to the gateway, in order, with what became of it.
    #[must_use]
    pub fn messages(&self) -> Vec<MoText> {
        self.shared.books().messages()
    }

    async fn deliver(&self, mo: &Mo, entry: Entry) -> AckStatus {
        for _ in 1..self.shared.settings.tries_max {
            let status = self.deliver_once(mo, entry).await;
            if status.is_ok() || !self.shared.faults().redeliver {
                return status;
            }
            sleep(self.shared.settings.redeliver_after).await;
        }
        self.deliver_once(mo, entry).await
    }

    async fn deliver_once(&self, mo: &Mo, entry: Entry) -> AckStatus {
        let status = self.exchange(mo).await;
        self.shared.books().file_ack(entry, status);
        status
    }

    async fn exchange(&self, mo: &Mo) -> AckStatus {
        let Some(commands) = self.shared.receiver() else { return AckStatus::NotBound };
        let (done, answer) = oneshot::channel();
        if commands.send(Command::Deliver(Box::new(mo.clone()), done)).await.is_err() {
            return AckStatus::Lost;
        }
        match timeout(self.shared.settings.ack_timeout, answer).await {
            Ok(Ok(status)) => AckStatus::Answered(status),
            Ok(Err(_)) => AckStatus::Lost,
            Err(_) => AckStatus::TimedOut,
        }
    }

    /// Sends octets as they are to every ESME: no SMPP is asked of them.
    pub async fn octets(&self, octets: impl Into<Bytes>) {
        let octets = octets.into();
        let binds: Vec<_> = self.shared.binds().iter().map(|bind| bind.commands.clone()).collect();
        for commands in binds {
            let _ = commands.send(Command::Octets(octets.clone())).await;
        }
    }
}

/// One ESME bound to us.
#[derive(Debug)]
struct Bound {
    id: usize,
    role: Role,
    commands: mpsc::Sender<Command>,
    cut: CancellationToken,
}

/// What the connections share. No lock is held across an await.
#[derive(Debug)]
struct Shared {
    settings: SmscSettings,
    books: Mutex<Books>,
    dialogues: Dialogues,
    hops: Mutex<Vec<AckStatus>>,
    faults: Mutex<SmscFaults>,
    binds: Mutex<Vec<Bound>>,
    bind_count: watch::Sender<usize>,
    new_texts: broadcast::Sender<MtText>,
    turn: AtomicUsize,
    reference: AtomicU8,
}

impl Shared {
    fn new(settings: SmscSettings) -> Self {
        Self {
            new_texts: broadcast::Sender::new(settings.backlog.max(1)),
            settings,
            books: Mutex::default(),
            dialogues: Dialogues::default(),
            hops: Mutex::default(),
            faults: Mutex::default(),
            binds: Mutex::default(),
            bind_count: watch::Sender::new(0),
            turn: AtomicUsize::new(0),
            reference: AtomicU8::new(0),
        }
    }

    // A panic elsewhere leaves books that are still worth reading.

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hops(&self) -> MutexGuard<'_, Vec<AckStatus>> {
        self.hops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, SmscFaults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn binds(&self) -> MutexGuard<'_, Vec<Bound>> {
        self.binds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next bind that receives, in turn.
    fn receiver(&self) -> Option<mpsc::Sender<Command>> {
        let binds = self.binds();
        let receivers = || binds.iter().filter(|bind| bind.role.receives());
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let index = turn.checked_rem(receivers().count())?;
        receivers().nth(index).map(|bind| bind.commands.clone())
    }

    fn add(&self, bind: Bound) {
        let mut binds = self.binds();
        binds.push(bind);
        self.bind_count.send_replace(binds.len());
    }

    fn remove(&self, id: usize) {
        let mut binds = self.binds();
        binds.retain(|bind| bind.id != id);
        self.bind_count.send_replace(binds.len());
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    for id in 0.. {
        let Some(Ok((stream, _))) = stop.run_until_cancelled(listener.accept()).await else { return };
        let cut = stop.child_token();
        tokio::spawn(bind::serve(id, stream, Arc::clone(&shared), cut));
    }
}
