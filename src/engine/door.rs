//! What passes between the engine and its doors: messages and receipts in, replies out. Plain values over bounded
//! channels, so that a door can be driven by a test and the engine never learns which wire a message came by.

use crate::purchase::evidence::CheckAnswer;
use crate::purchase::input::Payment;
use crate::purchase::offer::Terms;
use crate::purchase::record::{Order, ReviewReason};
use bytes::Bytes;
use paygate_parsers::concat::Part;
use paygate_parsers::msisdn::Msisdn;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// Which door a message came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// An SMPP link (`deliver_sm`, `data_sm`).
    Smpp,
    /// `POST /mo`, an aggregator.
    Http,
    /// `GET /mo/kannel`.
    Kannel,
    /// `POST /v1/orders`.
    App,
    /// A menu's dialogue, by whichever gateway.
    Ussd,
}

impl Door {
    /// The word for it in the journal, in metrics and in `--json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smpp => "smpp",
            Self::Http => "http",
            Self::Kannel => "kannel",
            Self::App => "app",
            Self::Ussd => "ussd",
        }
    }

    /// The door of a journalled word. Any other word is read as SMPP, the one door that parts come by.
    pub(super) fn named(word: &str) -> Self {
        [Self::Http, Self::Kannel].into_iter().find(|door| door.as_str() == word).unwrap_or(Self::Smpp)
    }
}

/// The word for the door of the partners that charge by themselves, in the journal and in `--json`.
pub const PARTNER: &str = "partner";

/// A message, a payment or a receipt on its way in, with the place to say when it is durable.
#[derive(Debug)]
pub struct Delivery {
    pub incoming: Incoming,
    /// Answered once: when the journal holds the delivery, or when it cannot now. Dropped means "later".
    pub done: oneshot::Sender<Verdict>,
}

#[derive(Debug)]
pub enum Incoming {
    Message(MessageIn),
    Receipt(ReceiptIn),
    Payment(PaymentIn),
    Order(OrderIn),
    Dialled(DialledIn),
    Notify(NotifyIn),
}

impl Incoming {
    /// Hands it to the engine and waits until it is durable, not longer than `end`. A full queue, a stopped engine and a slow
    /// journal are all "later": whoever it came from sends it again.
    pub async fn hand_in(self, intake: &mpsc::Sender<Delivery>, end: Instant) -> Verdict {
        let (done, verdict) = oneshot::channel();
        let answer = async {
            intake.send(Delivery { incoming: self, done }).await.ok()?;
            verdict.await.ok()
        };
        timeout_at(end, answer).await.ok().flatten().unwrap_or(Verdict::Later)
    }
}

/// What the door may tell its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Durable now, and never seen before.
    Fresh,
    /// Durable already: a redelivery, which starts nothing.
    Again,
    /// Not durable; the peer must send it again (SMPP `ESME_RX_T_APPN`, HTTP 503).
    Later,
    /// A payment that is durable now, and that a person must look at.
    Review(ReviewReason),
    /// A payment under an id that stands for another one already; nothing was taken.
    Conflict,
    /// An order that would text one subscriber more codes than an hour allows; nothing was taken.
    TooMany,
    /// A notify about a charge that the journal does not have.
    Unknown,
}

/// One short message as it stood on the wire, before anything is read into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageIn {
    pub door: Door,
    /// The configured name of the SMSC; every connection and bind of one SMSC shares it.
    pub link: String,
    /// The sender as the peer wrote it, not yet normalised.
    pub from: String,
    /// The short code it was sent to.
    pub to: String,
    /// The peer's own message id where it has one: a stronger key than the bytes.
    pub peer_id: Option<String>,
    /// SMPP 3.4 §5.2.19; `None` where the door already delivers Unicode text (UTF-8 in `payload`).
    pub data_coding: Option<u8>,
    /// The place of this message in a longer one; `None` for a whole message.
    pub part: Option<Part>,
    /// The text's octets, without any user data header.
    pub payload: Bytes,
    /// Why the wire form could not be read, when it could not: such a message is kept for a person and starts nothing.
    pub unreadable: Option<&'static str>,
}

/// A payment that a partner has made by itself and tells us of, with all that is known when it comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentIn {
    /// The ingest key, of the partner and its id: see [`super::intake::payment_key`].
    pub key: String,
    /// What was paid for; its channel is the partner.
    pub order: Order,
    pub payment: Payment,
    /// What the package manager has just said to check-user.
    pub check: CheckAnswer,
    /// The payment as it is kept: what the partner said, without what it was signed with.
    pub body: Bytes,
}

/// An app's order, read and checked by its door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderIn {
    /// The ingest key, of the app and its Idempotency-Key: see [`super::intake::order_key`].
    pub key: String,
    /// The app's configured name.
    pub app: String,
    pub order: Order,
    /// What the app sent, in one spelling: under the same key it must be the same.
    pub body: Bytes,
}

/// What a subscriber agreed to on a menu's screen. The dialogue may be over by now: what follows is texted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialledIn {
    /// The dialogue's own random name, made at its beginning: one dialogue buys once, however often its last step comes.
    pub dialogue: String,
    /// The gateway's configured name.
    pub gateway: String,
    /// The SMSC whose link the texts leave by.
    pub link: String,
    /// The channel that charges.
    pub channel: String,
    pub from: Msisdn,
    /// Where the texts leave from.
    pub short_code: String,
    pub service: String,
    pub package: String,
    /// National form where it is a number.
    pub account: String,
    /// What check-user said before the screen was shown.
    pub terms: Terms,
    /// The words that were agreed to.
    pub screen: String,
}

/// A delivery receipt for a reply (SMPP 3.4 Appendix B, or the receipt TLVs).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptIn {
    pub link: String,
    /// The id the SMSC gave in `submit_sm_resp`, as the receipt spells it.
    pub message_id: String,
    pub state: paygate_parsers::smpp::receipt::State,
    /// The receipt's `err:` field, at most 8 characters.
    pub error: Option<String>,
}

/// What a channel says by itself about a charge; its signature was checked by the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyIn {
    /// The channel's configured name.
    pub channel: String,
    /// The charge's key, as we gave it to the channel.
    pub key: String,
    /// It says that money moved, or may have.
    pub paid: bool,
    /// Tells one notify from the next.
    pub digest: String,
    /// For a person, without secrets.
    pub heard: String,
}

impl NotifyIn {
    /// The purchase whose charge has this key: its key begins with the purchase's id.
    #[must_use]
    pub fn purchase_id(&self) -> &str {
        self.key.rsplit_once('-').map_or(self.key.as_str(), |(id, _)| id)
    }
}

/// A reply to be sent by a link.
#[derive(Debug)]
pub struct Submit {
    /// The short code the subscriber wrote to.
    pub from: String,
    /// E.164 digits without `+`.
    pub to: String,
    pub text: String,
    /// From then on the text is worth nothing (a code that expired) and is not sent.
    pub not_after: Instant,
    pub done: oneshot::Sender<Submitted>,
}

/// What became of a reply at the SMSC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// Accepted; the id is what a receipt will name, empty where the SMSC gives none.
    Accepted { message_id: String },
    /// Refused for good, with the SMPP command_status.
    Refused { status: u32 },
    /// Not a byte of it left: too late, or the link is down or draining.
    NotSent(&'static str),
    /// It left and no answer came: it may or may not reach the phone.
    Unknown(&'static str),
}
