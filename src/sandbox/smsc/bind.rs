//! One ESME's connection to the simulated SMSC, in one task. Answers from the books and the fault switches; reads by the
//! same codec as the gateway, which the oracle tests hold against two others.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use paygate_parsers::smpp::bind::{Bind, BindResp, Role};
use paygate_parsers::smpp::message::{DELIVERY_RECEIPT, Message, RECEIPT_WANTED};
use paygate_parsers::smpp::receipt::{Receipt, State};
use paygate_parsers::smpp::tlv::{self, Tlvs};
use paygate_parsers::smpp::{Body, MAX_PDU, Pdu, frame, header, status};
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Bound, Mo, Receipts, Shared};

/// Octets asked of the socket at once.
const READ_OCTETS: usize = 32 * 1024;
/// Octets waiting to be written beyond which no more deliveries are taken.
const WRITE_MAX: usize = 64 * 1024;
/// ESME_RSUBMITFAIL: what a screen without a dialogue is answered.
const NO_DIALOGUE: u32 = 0x45;
/// Commands taken in one turn.
const BATCH: usize = 256;

/// What the rest of the SMSC asks of a connection.
#[derive(Debug)]
pub(super) enum Command {
    /// Sends a message; its answer's `command_status` is told.
    Deliver(Box<Mo>, oneshot::Sender<u32>),
    Octets(Bytes),
    Unbind,
}

/// Serves one connection to its end.
pub(super) async fn serve(id: usize, stream: TcpStream, shared: Arc<Shared>, cut: CancellationToken) {
    let (commands, inbox) = mpsc::channel(shared.settings.queue.max(1));
    let mut esme = Esme {
        id,
        shared: Arc::clone(&shared),
        commands,
        cut: cut.clone(),
        role: None,
        sequence: 0,
        waiting: HashMap::new(),
        later: BTreeMap::new(),
        held: 0,
        out: BytesMut::new(),
        closing: false,
    };
    // Every end is alike: the ESME is gone, and the answers still awaited are lost with it.
    let _ = cut.run_until_cancelled(esme.drive(stream, inbox)).await;
    shared.remove(id);
}

/// One connection: the ESME at its other end, as far as we know it.
struct Esme {
    id: usize,
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    cut: CancellationToken,
    /// What it is bound as.
    role: Option<Role>,
    /// The last sequence number given.
    sequence: u32,
    /// Deliveries without an answer.
    waiting: HashMap<u32, oneshot::Sender<u32>>,
    /// PDUs held back, by when they are to go and the order they were made in.
    later: BTreeMap<(Instant, u64), Pdu>,
    /// PDUs ever held back.
    held: u64,
    out: BytesMut,
    /// To be hung up once all is written.
    closing: bool,
}

impl Esme {
    async fn drive(&mut self, mut stream: TcpStream, mut inbox: mpsc::Receiver<Command>) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (mut reader, mut writer) = stream.split();
        let mut input = BytesMut::new();
        let mut asks = self.shared.settings.enquire_link.map(tokio::time::interval);
        loop {
            self.take(&mut input)?;
            self.send_due();
            if self.closing && self.out.is_empty() {
                return writer.shutdown().await;
            }
            input.reserve(READ_OCTETS);
            let due = self.later.first_key_value().map(|((at, _), _)| *at);
            select! {
                written = writer.write_buf(&mut self.out), if !self.out.is_empty() => drop(written?),
                read = reader.read_buf(&mut input), if self.out.len() < WRITE_MAX => if read? == 0 { return Ok(()) },
                Some(command) = inbox.recv(), if self.out.len() < WRITE_MAX => {
                    self.obey(command);
                    for _ in 0..BATCH {
                        let Ok(command) = inbox.try_recv() else { break };
                        self.obey(command);
                    }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
                () = tick(&mut asks) => {
                    let ask = self.request(Body::EnquireLink);
                    ask.write(&mut self.out);
                }
            }
        }
    }

    fn take(&mut self, input: &mut BytesMut) -> io::Result<()> {
        while let Some(frame) = frame(input, MAX_PDU).map_err(io::Error::other)? {
            let (command_id, sequence) = (frame.command_id, frame.sequence);
            match Pdu::read(frame) {
                Ok(pdu) => self.pdu(pdu),
                Err(malformed) => self.answer(malformed.status(), sequence, malformed_response(command_id)),
            }
        }
        Ok(())
    }

    fn send_due(&mut self) {
        let now = Instant::now();
        while let Some(first) = self.later.first_entry().filter(|first| first.key().0 <= now) {
            first.remove().write(&mut self.out);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Deliver(mo, done) => self.deliver(*mo, done),
            Command::Octets(octets) => self.out.extend_from_slice(&octets),
            Command::Unbind => {
                let unbind = self.request(Body::Unbind);
                unbind.write(&mut self.out);
            }
        }
    }

    fn deliver(&mut self, mo: Mo, done: oneshot::Sender<u32>) {
        let body = if mo.data_sm { Body::DataSm(mo.message) } else { Body::DeliverSm(mo.message) };
        let mut pdu = self.request(body);
        pdu.sequence = mo.sequence.unwrap_or(pdu.sequence);
        self.waiting.insert(pdu.sequence, done);
        pdu.write(&mut self.out);
    }

    fn pdu(&mut self, pdu: Pdu) {
        let Pdu { status, sequence, body, .. } = pdu;
        match body {
            Body::Bind(role, bind) => self.bind(sequence, role, &bind),
            Body::SubmitSm(message) if self.role.is_some_and(Role::transmits) => self.submit(sequence, &message),
            Body::SubmitSm(_) => self.answer(status::ESME_RINVBNDSTS, sequence, Body::SubmitSmResp(Bytes::new())),
            Body::DeliverSmResp(_) | Body::DataSmResp(_) | Body::GenericNack => {
                if let Some(done) = self.waiting.remove(&sequence) {
                    // Whoever sent it may have stopped waiting.
                    let _ = done.send(status);
                }
            }
            Body::EnquireLink if self.shared.faults().silent => {}
            Body::EnquireLink => self.answer(status::ESME_ROK, sequence, Body::EnquireLinkResp),
            Body::Unbind => {
                self.answer(status::ESME_ROK, sequence, Body::UnbindResp);
                self.closing = true;
            }
            Body::UnbindResp => self.closing = true,
            Body::DeliverSm(_) | Body::DataSm(_) | Body::Outbind(_) | Body::AlertNotification { .. } => {
                self.answer(status::ESME_RINVCMDID, sequence, Body::GenericNack);
            }
            Body::Unknown { .. } if !body.is_response() => {
                self.answer(status::ESME_RINVCMDID, sequence, Body::GenericNack);
            }
            Body::BindResp(..) | Body::SubmitSmResp(_) | Body::EnquireLinkResp | Body::Unknown { .. } => {}
        }
    }

    fn bind(&mut self, sequence: u32, role: Role, bind: &Bind) {
        let status = self.judge(bind);
        let resp = BindResp { system_id: "simulated".into(), interface_version: Some(0x34) };
        self.answer(status, sequence, Body::BindResp(role, resp));
        if status != status::ESME_ROK {
            self.closing = true;
            return;
        }
        self.role = Some(role);
        let (commands, cut) = (self.commands.clone(), self.cut.clone());
        self.shared.add(Bound { id: self.id, role, commands, cut });
    }

    fn judge(&self, bind: &Bind) -> u32 {
        if let Some(status) = self.shared.faults().take_bind_refusal() {
            return status;
        }
        match &self.shared.settings.account {
            _ if self.role.is_some() => status::ESME_RALYBND,
            Some((system_id, _)) if bind.system_id != system_id.as_bytes() => status::ESME_RINVSYSID,
            Some((_, password)) if bind.password != password.expose_secret().as_bytes() => status::ESME_RINVPASWD,
            Some(_) | None => status::ESME_ROK,
        }
    }

    fn submit(&mut self, sequence: u32, message: &Message) {
        let (refusal, swallowed, delay, receipts) = {
            let mut faults = self.shared.faults();
            let refusal = faults.take_submit_refusal();
            let swallowed = refusal.is_none() && faults.take_swallowed();
            (refusal, swallowed, faults.delay_responses, faults.receipts)
        };
        if let Some(status) = refusal {
            return self.answer_after(delay, Pdu::with_status(status, sequence, Body::SubmitSmResp(Bytes::new())));
        }
        let id = match self.shared.show(message) {
            None => self.file(message),
            Some(true) => self.shared.books().next_id(),
            Some(false) => {
                let refused = Pdu::with_status(NO_DIALOGUE, sequence, Body::SubmitSmResp(Bytes::new()));
                return self.answer_after(delay, refused);
            }
        };
        let receipt = (message.registered_delivery & RECEIPT_WANTED != 0).then(|| receipt_for(message, &id));
        let response = Pdu::new(sequence, Body::SubmitSmResp(id.into()));
        if receipts == Receipts::Early {
            self.report(receipt.clone(), Duration::ZERO);
        }
        if !swallowed {
            self.answer_after(delay, response);
        }
        match receipts {
            Receipts::On => self.report(receipt, delay),
            Receipts::Late(wait) => self.report(receipt, delay + wait),
            Receipts::Off | Receipts::Early => {}
        }
    }

    fn file(&self, message: &Message) -> String {
        let mut books = self.shared.books();
        let id = books.next_id();
        if let Some(text) = books.file_mt(message, &id) {
            // Nobody needs to be listening.
            let _ = self.shared.new_texts.send(text);
        }
        id
    }

    /// Sends a receipt on this connection or, where it does not receive, on another of the same account.
    fn report(&mut self, receipt: Option<Message>, delay: Duration) {
        let Some(message) = receipt else { return };
        if self.role.is_some_and(Role::receives) {
            let pdu = self.request(Body::DeliverSm(message));
            self.answer_after(delay, pdu);
        } else if let Some(commands) = self.shared.receiver() {
            let (unwatched, _) = oneshot::channel();
            let mo = Mo { message, ..Mo::default() };
            // A receipt lost for want of room is what receipts are known for.
            let _ = commands.try_send(Command::Deliver(Box::new(mo), unwatched));
        }
    }

    fn answer(&mut self, status: u32, sequence: u32, body: Body) {
        Pdu::with_status(status, sequence, body).write(&mut self.out);
    }

    fn answer_after(&mut self, delay: Duration, pdu: Pdu) {
        if delay.is_zero() {
            return pdu.write(&mut self.out);
        }
        self.held += 1;
        self.later.insert((Instant::now() + delay, self.held), pdu);
    }

    fn request(&mut self, body: Body) -> Pdu {
        self.sequence = self.sequence % 0x7FFF_FFFF + 1;
        Pdu::new(self.sequence, body)
    }
}

/// What answers a request that could not be read.
fn malformed_response(command_id: u32) -> Body {
    match command_id {
        header::SUBMIT_SM => Body::SubmitSmResp(Bytes::new()),
        _ => Body::GenericNack,
    }
}

/// The receipt of a text that was delivered at once, in both forms.
fn receipt_for(message: &Message, id: &str) -> Message {
    let receipt = Receipt { message_id: id.to_owned(), state: State::Delivered, error: None };
    let mut tlvs = Tlvs::default();
    tlvs.push(tlv::RECEIPTED_MESSAGE_ID, format!("{id}\0"));
    tlvs.push(tlv::MESSAGE_STATE, vec![State::Delivered.octet()]);
    Message {
        source: message.destination.clone(),
        destination: message.source.clone(),
        esm_class: DELIVERY_RECEIPT,
        short_message: receipt.text().into(),
        tlvs,
        ..Message::default()
    }
}

/// The next time to ask whether anybody is there; never, where we do not ask.
async fn tick(asks: &mut Option<Interval>) {
    match asks {
        Some(asks) => drop(asks.tick().await),
        None => std::future::pending().await,
    }
}
