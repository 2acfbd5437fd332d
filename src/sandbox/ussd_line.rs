//! A simulated USSD gateway of the kind that applications connect to (charging.md §1.4, "USSD GW"): one XML line a message,
//! one socket for each spid. Its phones dial, see screens, answer and hang up; it keeps books of them. Knows nothing of
//! menus.

mod socket;

use super::dialogues::{Dialogue, DialogueId, Dialogues, Shown};
use paygate_parsers::ussd_line::{Kind, Line, OK, Ussd};
use secrecy::SecretString;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a simulated gateway holds to.
#[derive(Clone, Debug)]
pub struct LineGatewaySettings {
    /// The one spid that may log in.
    pub spid: String,
    pub password: SecretString,
    /// Between two signs of life of its own.
    pub keep_alive: Duration,
    /// Lines waiting for its socket.
    pub queue: usize,
}

impl Default for LineGatewaySettings {
    fn default() -> Self {
        let (spid, password) = ("2001".to_owned(), "secret".into());
        Self { spid, password, keep_alive: Duration::from_secs(30), queue: 1024 }
    }
}

/// What it can be told to do wrong. Counts run down by themselves; the rest stays until switched back.
#[derive(Clone, Debug, Default)]
pub struct LineFaults {
    /// Refuses the next so many logins with this code.
    pub refuse_logins: (u32, u16),
    /// Refuses the next so many screens with this code, and does not show them.
    pub refuse_screens: (u32, u16),
    /// Sends the next so many hops twice.
    pub double_hops: u32,
    /// Sends no sign of life, and answers none.
    pub silent: bool,
}

/// A running gateway; dropping it ends its connections.
#[derive(Debug)]
pub struct LineGateway {
    shared: Arc<Shared>,
    address: SocketAddr,
    _running: DropGuard,
}

impl LineGateway {
    /// Listens on `address` (port 0: any free one).
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(address: impl ToSocketAddrs, settings: LineGatewaySettings) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            settings,
            dialogues: Dialogues::default(),
            faults: Mutex::default(),
            holder: watch::Sender::new(None),
            logins: watch::Sender::new(0),
            last: AtomicU64::new(0),
        });
        let stop = CancellationToken::new();
        tokio::spawn(accept(listener, Arc::clone(&shared), stop.clone()));
        Ok(Self { shared, address, _running: stop.drop_guard() })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until somebody is logged in.
    pub async fn logged_in(&self) {
        // The sender lives as long as `self`.
        let _ = self.shared.holder.subscribe().wait_for(Option::is_some).await;
    }

    /// Logins ever asked for, those refused included.
    #[must_use]
    pub fn logins(&self) -> usize {
        *self.shared.logins.borrow()
    }

    /// Waits until so many logins were asked for.
    pub async fn asked_for(&self, logins: usize) {
        let _ = self.shared.logins.subscribe().wait_for(|asked| *asked >= logins).await;
    }

    /// Dials; what the application shows comes with [`LineGateway::next_screen`].
    pub async fn dial(&self, msisdn: &str, dialled: &str) -> DialogueId {
        let id = self.shared.dialogues.open(msisdn, dialled);
        self.hop(&self.dialogue(id), Kind::PULL_INIT_REQ, dialled).await;
        id
    }

    /// Keys in an answer; false when nobody is logged in to take it.
    pub async fn answer(&self, id: DialogueId, text: &str) -> bool {
        let dialogue = self.shared.dialogues.key(id, text);
        self.hop(&dialogue, Kind::PULL_REQ, text).await
    }

    /// Hangs up; false when nobody is logged in to be told.
    pub async fn abort(&self, id: DialogueId) -> bool {
        let dialogue = self.shared.dialogues.abort(id);
        self.hop(&dialogue, Kind::PULL_NTF, "").await
    }

    /// The first screen that no earlier call has returned; `None` when none comes within `wait`.
    pub async fn next_screen(&self, id: DialogueId, wait: Duration) -> Option<Shown> {
        self.shared.dialogues.next_screen(id, wait).await
    }

    #[must_use]
    pub fn dialogue(&self, id: DialogueId) -> Dialogue {
        self.shared.dialogues.get(id)
    }

    #[must_use]
    pub fn dialogues(&self) -> Vec<Dialogue> {
        self.shared.dialogues.all()
    }

    /// Screens for dialogues that were over, or never were.
    #[must_use]
    pub fn stray_screens(&self) -> usize {
        self.shared.dialogues.strays()
    }

    /// Turns the switches of its faults.
    pub fn faults(&self, change: impl FnOnce(&mut LineFaults)) {
        change(&mut self.shared.faults());
    }

    /// Cuts the connection without a word.
    pub fn drop_connection(&self) {
        if let Some(holder) = self.shared.holder.borrow().as_ref() {
            holder.cut.cancel();
        }
    }

    /// Sends octets as they are: no line is asked of them.
    pub async fn octets(&self, octets: &[u8]) {
        let Some(lines) = self.shared.lines() else { return };
        // One that is gone has no need to be told.
        let _ = lines.send(octets.to_vec()).await;
    }

    async fn hop(&self, dialogue: &Dialogue, kind: Kind, text: &str) -> bool {
        let number = self.shared.last.fetch_add(1, Ordering::Relaxed);
        let times = if self.shared.faults().take_doubled_hop() { 2 } else { 1 };
        let mut taken = false;
        for _ in 0..times {
            let line = Line::Ussd(message(dialogue, number, kind, text));
            taken = match self.shared.lines() {
                Some(lines) => lines.send(socket::octets(&line)).await.is_ok(),
                None => false,
            };
        }
        taken
    }
}

fn message(dialogue: &Dialogue, number: u64, kind: Kind, text: &str) -> Ussd {
    Ussd {
        msg_id: format!("gw{number}"),
        trans_id: dialogue.number.to_string(),
        otid: format!("o{}", dialogue.number),
        dtid: format!("d{}", dialogue.number),
        msisdn: dialogue.msisdn.clone(),
        text: text.to_owned(),
        data_coding: Some(paygate_parsers::ussd_line::GSM_7BIT),
        kind: Some(kind),
        error: Some(OK),
        spid: String::new(),
        short_code: dialogue.service_code(),
    }
}

/// Who is logged in.
#[derive(Clone, Debug)]
struct Holder {
    connection: usize,
    lines: mpsc::Sender<Vec<u8>>,
    cut: CancellationToken,
}

/// What the connections share. No lock is held across an await.
#[derive(Debug)]
struct Shared {
    settings: LineGatewaySettings,
    dialogues: Dialogues,
    faults: Mutex<LineFaults>,
    holder: watch::Sender<Option<Holder>>,
    logins: watch::Sender<usize>,
    last: AtomicU64,
}

impl Shared {
    fn lines(&self) -> Option<mpsc::Sender<Vec<u8>>> {
        self.holder.borrow().as_ref().map(|holder| holder.lines.clone())
    }

    // A panic elsewhere leaves switches that are still worth reading.

    fn faults(&self) -> MutexGuard<'_, LineFaults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a screen: whether there was a dialogue to show it.
    fn show(&self, ussd: &Ussd, ends: bool) -> bool {
        let fits = |dialogue: &Dialogue| dialogue.msisdn == ussd.msisdn && dialogue.number.to_string() == ussd.trans_id;
        self.dialogues.show(fits, Shown { text: ussd.text.clone(), ends })
    }
}

impl LineFaults {
    fn take_login_refusal(&mut self) -> Option<u16> {
        count_down(&mut self.refuse_logins.0).then_some(self.refuse_logins.1)
    }

    fn take_screen_refusal(&mut self) -> Option<u16> {
        count_down(&mut self.refuse_screens.0).then_some(self.refuse_screens.1)
    }

    fn take_doubled_hop(&mut self) -> bool {
        count_down(&mut self.double_hops)
    }
}

/// Whether one was left.
fn count_down(left: &mut u32) -> bool {
    let one = *left > 0;
    *left = left.saturating_sub(1);
    one
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    for connection in 0.. {
        let Some(Ok((stream, _))) = stop.run_until_cancelled(listener.accept()).await else { return };
        tokio::spawn(socket::serve(connection, stream, Arc::clone(&shared), stop.child_token()));
    }
}
