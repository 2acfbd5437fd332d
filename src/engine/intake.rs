//! From a message as it stood on the wire to what it is for the engine: its key, its sender, its words. Pure; never
//! decides whether it is new, and never drops one.

use super::door::{DialledIn, Door, MessageIn, OrderIn};
use crate::journal::rows::{MessageRow, PartRow};
use crate::law::{Rule, holds};
use crate::purchase::offer::Terms;
use crate::purchase::record::{Micros, Order};
use paygate_parsers::msisdn::{Country, Msisdn};
use paygate_parsers::request::{Invalid, Part, Request, Syntax, parse};
use paygate_parsers::text::{Alphabet, decode};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How messages are read: the country's numbers, the words of `[syntax]`, each link's alphabet.
#[derive(Clone, Debug)]
pub struct Reader {
    pub country: Country,
    pub syntax: Syntax,
    /// What data_coding 0 means, by link.
    pub alphabets: BTreeMap<String, Alphabet>,
}

/// A message, read.
#[derive(Clone, Debug)]
pub struct Reading {
    pub key: String,
    /// A peer's own id never lapses; bytes are a redelivery only inside the window.
    pub keyed_by_peer: bool,
    pub message: MessageIn,
    pub meaning: Meaning,
}

/// What a message turned out to be.
#[derive(Clone, Debug)]
pub enum Meaning {
    Request {
        sender: Msisdn,
        request: Request,
    },
    /// Not understood; the sender can be told what is wrong.
    Invalid {
        sender: Msisdn,
        invalid: Invalid,
    },
    /// An app's order, whole.
    Order(Box<Order>),
    /// Agreed to on a menu's screen, at these terms.
    Agreed {
        sender: Msisdn,
        order: Box<Order>,
        terms: Terms,
        screen: String,
    },
    /// Nothing that could be answered or acted on: kept for a person under this verdict.
    Kept(&'static str),
}

/// What an ingest key is the key of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Message,
    Order,
}

impl Family {
    /// How the shared key store names such a key.
    pub fn named(self, key: &str) -> String {
        match self {
            Self::Message => format!("mo:{key}"),
            Self::Order => format!("order:{key}"),
        }
    }
}

impl Reader {
    pub fn read(&self, message: MessageIn) -> Reading {
        let peer_id = message.peer_id.as_deref().filter(|id| !id.is_empty());
        let key = match peer_id {
            Some(id) => hashed("peer", &[self.sender(&message).as_bytes(), message.to.as_bytes(), id.as_bytes()]),
            None => content_key(&message),
        };
        Reading { key, keyed_by_peer: peer_id.is_some(), meaning: self.meaning(&message), message }
    }

    /// One subscriber under one name, whichever door spells it `+84…`, `84…` or `0…`.
    fn sender(&self, message: &MessageIn) -> String {
        Msisdn::parse_sender(&self.country, &message.from).map_or_else(|_| message.from.clone(), |sender| sender.e164())
    }

    fn meaning(&self, message: &MessageIn) -> Meaning {
        if message.unreadable.is_some() {
            return Meaning::Kept("unreadable");
        }
        let Some(text) = self.text(message) else { return Meaning::Kept("coding") };
        if text.trim().is_empty() {
            return Meaning::Kept("empty");
        }
        let Ok(sender) = Msisdn::parse_sender(&self.country, &message.from) else { return Meaning::Kept("sender") };
        match parse(&self.syntax, &self.country, &text) {
            Ok(request) => Meaning::Request { sender, request },
            Err(invalid) => Meaning::Invalid { sender, invalid },
        }
    }

    fn text(&self, message: &MessageIn) -> Option<String> {
        match message.data_coding {
            // A door that hands over Unicode: what is not UTF-8 was not text. PostgreSQL refuses U+0000.
            None => String::from_utf8(message.payload.to_vec()).ok().map(|text| text.replace('\0', "")),
            Some(data_coding) => {
                let alphabet = self.alphabets.get(&message.link).copied().unwrap_or(Alphabet::Gsm7);
                decode(data_coding, alphabet, &message.payload).text
            }
        }
    }
}

impl Meaning {
    /// The word under which the journal keeps the message.
    pub fn verdict(&self) -> String {
        match self {
            Self::Request { request, .. } => match request {
                Request::Buy { .. } => "buy",
                Request::Confirm { .. } => "confirm",
                Request::Cancel { .. } => "cancel",
                Request::Status => "status",
                Request::Help => "help",
                Request::Yes => "yes",
            }
            .to_owned(),
            Self::Invalid { invalid, .. } => format!("invalid:{}", part_name(invalid.part)),
            Self::Order(_) => "order".to_owned(),
            Self::Agreed { .. } => "agreed".to_owned(),
            Self::Kept(verdict) => (*verdict).to_owned(),
        }
    }

    pub const fn sender(&self) -> Option<&Msisdn> {
        match self {
            Self::Request { sender, .. } | Self::Invalid { sender, .. } | Self::Agreed { sender, .. } => Some(sender),
            Self::Order(order) => order.msisdn.as_ref(),
            Self::Kept(_) => None,
        }
    }
}

const fn part_name(part: Part) -> &'static str {
    match part {
        Part::Keyword => "keyword",
        Part::Service => "service",
        Part::Package => "package",
        Part::Account => "account",
        Part::Code => "code",
    }
}

impl Reading {
    /// An order, as a message that says nothing but itself.
    pub fn of(order: OrderIn) -> Self {
        let message = MessageIn {
            door: Door::App,
            link: order.app,
            from: order.order.number(),
            to: order.order.short_code.clone(),
            peer_id: None,
            data_coding: None,
            part: None,
            payload: order.body,
            unreadable: None,
        };
        Self { key: order.key, keyed_by_peer: true, message, meaning: Meaning::Order(Box::new(order.order)) }
    }

    /// What was agreed to on a screen, as a message that names the same.
    pub fn dialled(dialled: DialledIn) -> Self {
        let DialledIn { dialogue, gateway, from, service, package, account, terms, screen, .. } = dialled;
        let named = hashed("dialogue", &[gateway.as_bytes(), dialogue.as_bytes()]);
        let message = MessageIn {
            door: Door::Ussd,
            link: dialled.link.clone(),
            from: from.e164(),
            to: dialled.short_code.clone(),
            peer_id: None,
            data_coding: None,
            part: None,
            payload: format!("{service} {package} {account}").into(),
            unreadable: None,
        };
        let by_name = holds(Rule::OneDialogueBuysOnce);
        let key = if by_name { named } else { content_key(&message) };
        let order = Order {
            msisdn: Some(from),
            account,
            service,
            package,
            channel: dialled.channel,
            door: Door::Ussd.as_str().to_owned(),
            link: dialled.link,
            short_code: dialled.short_code,
            repeat: false,
            app: None,
        };
        let meaning = Meaning::Agreed { sender: from, order: Box::new(order), terms, screen };
        Self { key, keyed_by_peer: by_name, message, meaning }
    }

    /// The family of its key in the shared key store (design.md, "Idempotency keys").
    pub const fn family(&self) -> Family {
        match self.meaning {
            Meaning::Order(_) => Family::Order,
            Meaning::Request { .. } | Meaning::Invalid { .. } | Meaning::Agreed { .. } | Meaning::Kept(_) => {
                Family::Message
            }
        }
    }

    /// The same message, to be kept for a person and to start nothing; `None` if it is that already, and for an order,
    /// whose app keeps it.
    pub fn kept_as_refused(&self) -> Option<Self> {
        match self.meaning {
            Meaning::Kept(_) | Meaning::Order(_) => None,
            Meaning::Request { .. } | Meaning::Invalid { .. } | Meaning::Agreed { .. } => {
                Some(Self { meaning: Meaning::Kept("refused"), ..self.clone() })
            }
        }
    }

    pub fn row(&self, generation: i64, now: Micros, purchase_id: Option<String>) -> MessageRow {
        MessageRow {
            key: self.key.clone(),
            generation,
            at: now,
            door: self.message.door.as_str().to_owned(),
            link: self.message.link.clone(),
            from: self.meaning.sender().map_or_else(|| printable(&self.message.from), Msisdn::e164),
            to: printable(&self.message.to),
            data_coding: self.message.data_coding.map(i64::from),
            raw: self.message.payload.to_vec(),
            verdict: self.meaning.verdict(),
            purchase_id,
        }
    }
}

/// The set of parts a message belongs to, as the journal names it.
pub fn set_key(message: &MessageIn, part: paygate_parsers::concat::Part) -> String {
    let reference = part.reference.to_be_bytes();
    hashed(
        "parts",
        &[message.link.as_bytes(), message.from.as_bytes(), message.to.as_bytes(), &reference, &[part.total]],
    )
}

pub fn part_row(message: &MessageIn, part: paygate_parsers::concat::Part, generation: i64, now: Micros) -> PartRow {
    PartRow {
        set: set_key(message, part),
        generation,
        number: part.number,
        total: part.total,
        at: now,
        data_coding: message.data_coding.map(i64::from),
        raw: message.payload.to_vec(),
        door: message.door.as_str().to_owned(),
        link: message.link.clone(),
        from: printable(&message.from),
        to: printable(&message.to),
    }
}

/// The ingest key of an app's order: two apps may use one Idempotency-Key.
#[must_use]
pub fn order_key(app: &str, idempotency_key: &str) -> String {
    hashed("order", &[app.as_bytes(), idempotency_key.as_bytes()])
}

/// The ingest key of a partner's payment: two partners may use one id.
#[must_use]
pub fn payment_key(partner: &str, reference: &str) -> String {
    hashed("payment", &[partner.as_bytes(), reference.as_bytes()])
}

/// A purchase's id, from the message, order or payment that began it: the same one journalled anew gives the same id, and
/// with it the same keys.
#[must_use]
pub fn purchase_id(key: &str, generation: i64) -> String {
    let hash =
        Sha256::new_with_prefix("paygate purchase").chain_update(key).chain_update(generation.to_be_bytes()).finalize();
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    hash.iter().take(16).map(|byte| char::from(DIGITS[usize::from(byte & 31)])).collect()
}

fn content_key(message: &MessageIn) -> String {
    let coding = [message.data_coding.unwrap_or(255)];
    hashed(
        "content",
        &[message.link.as_bytes(), message.from.as_bytes(), message.to.as_bytes(), &coding, &message.payload],
    )
}

/// SHA-256 over the fields, each with its length before it, cut to 128 bits in lower-case hex.
fn hashed(family: &str, fields: &[&[u8]]) -> String {
    let mut hash = Sha256::new_with_prefix(family);
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// An address that a database keeps whatever the peer wrote: no U+0000, at most 64 characters.
fn printable(address: &str) -> String {
    address.chars().filter(|c| *c != '\0').take(64).collect()
}

/// 16 bytes of the OS generator, lower-case hex.
#[must_use]
pub fn random_hex() -> String {
    let mut bytes = [0_u8; 16];
    // Without a random source there is no code that cannot be guessed: better to stop than to go on.
    getrandom::fill(&mut bytes).expect("the operating system's random generator answers");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
