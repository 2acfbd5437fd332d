//! An SMSC that follows a script, octet by octet, with no regard for the standard: the cases of the wire that gateways
//! are known to fall over. Each case has its number from the project's list beside its test.

mod binding;
mod commands;
mod framing;
mod messages;
mod replies;

use bytes::{Bytes, BytesMut};
use paygate::smpp::LinkSettings;
use paygate_parsers::smpp::bind::{BindResp, Role};
use paygate_parsers::smpp::message::{Address, Message};
use paygate_parsers::smpp::{Body, MAX_PDU, Pdu, frame, status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Link, PATIENCE, settings};

/// Where the scripted SMSC listens.
pub(super) struct Script {
    listener: TcpListener,
}

impl Script {
    pub(super) async fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(super) fn settings(&self) -> LinkSettings {
        settings(self.listener.local_addr().unwrap())
    }

    /// The next connection, not yet bound.
    pub(super) async fn accept(&self) -> Peer {
        let (stream, _) = timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        Peer { stream, input: BytesMut::new() }
    }

    /// The next connection, its bind accepted.
    pub(super) async fn bound(&self) -> Peer {
        let mut peer = self.accept().await;
        peer.accept_bind().await;
        peer
    }
}

/// One connection of the scripted SMSC.
pub(super) struct Peer {
    stream: TcpStream,
    input: BytesMut,
}

impl Peer {
    pub(super) async fn octets(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
    }

    pub(super) async fn send(&mut self, pdu: &Pdu) {
        self.octets(&octets(pdu)).await;
    }

    pub(super) async fn deliver(&mut self, sequence: u32, message: Message) {
        self.send(&Pdu::new(sequence, Body::DeliverSm(message))).await;
    }

    /// The next PDU of the link; `None` when it hung up.
    pub(super) async fn next(&mut self) -> Option<Pdu> {
        loop {
            if let Some(frame) = frame(&mut self.input, MAX_PDU).unwrap() {
                return Some(Pdu::read(frame).unwrap());
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.input)).await.unwrap();
            if read.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    pub(super) async fn read(&mut self) -> Pdu {
        self.next().await.expect("the link hung up where a PDU was due")
    }

    /// Waits until the link hangs up, whatever it still says.
    pub(super) async fn hung_up(&mut self) {
        while self.next().await.is_some() {}
    }

    pub(super) async fn accept_bind(&mut self) {
        let Pdu { sequence, body: Body::Bind(role, _), .. } = self.read().await else { panic!("no bind came first") };
        self.send(&Pdu::new(sequence, bind_resp(role))).await;
    }

    /// Status and sequence of the answer to a delivery.
    pub(super) async fn ack(&mut self) -> (u32, u32) {
        let pdu = self.read().await;
        assert!(matches!(pdu.body, Body::DeliverSmResp(_)), "{pdu:?} answers no deliver_sm");
        (pdu.status, pdu.sequence)
    }

    /// The next reply submitted, with its sequence.
    pub(super) async fn submitted(&mut self) -> (u32, Message) {
        let pdu = self.read().await;
        let Body::SubmitSm(message) = pdu.body else { panic!("{pdu:?} is no submit_sm") };
        (pdu.sequence, message)
    }

    /// Proves the link still reads and answers at the right octet.
    pub(super) async fn in_step(&mut self) {
        self.send(&Pdu::new(0x5A5A, Body::EnquireLink)).await;
        assert_eq!(self.read().await, Pdu::new(0x5A5A, Body::EnquireLinkResp));
    }
}

pub(super) fn octets(pdu: &Pdu) -> Bytes {
    let mut out = BytesMut::new();
    pdu.write(&mut out);
    out.freeze()
}

/// A PDU of any `command_id` with any body, its length right.
pub(super) fn raw(command_id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = 16 + body.len() as u32;
    let header = [length, command_id, status, sequence].map(u32::to_be_bytes);
    [header.as_flattened(), body].concat()
}

pub(super) fn bind_resp(role: Role) -> Body {
    Body::BindResp(role, BindResp { system_id: "smsc".into(), interface_version: Some(0x34) })
}

/// A text from one phone to our short code.
pub(super) fn mo(text: &'static str) -> Message {
    Message {
        source: Address::new(1, 1, "84912345678"),
        destination: Address::new(0, 1, "9029"),
        short_message: text.into(),
        ..Message::default()
    }
}

/// A bound link and the script's end of its connection.
pub(super) async fn hostile() -> (Script, Peer, Link) {
    hostile_with(|_| {}).await
}

pub(super) async fn hostile_with(change: impl FnOnce(&mut LinkSettings)) -> (Script, Peer, Link) {
    let script = Script::new().await;
    let mut settings = script.settings();
    change(&mut settings);
    let mut link = Link::start(settings);
    let peer = script.bound().await;
    link.bound().await;
    (script, peer, link)
}

const OK: u32 = status::ESME_ROK;
