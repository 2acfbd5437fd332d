//! The simulated SMSC's own record of what it sent and what it was given: the second opinion on what the gateway says it
//! did. Never corrected by anything the gateway says.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use paygate_parsers::concat::{Part, strip_udh};
use paygate_parsers::smpp::message::Message;
use paygate_parsers::text::{Alphabet, decode};
use tokio::sync::Notify;

use super::AckStatus;

/// A message sent to the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoText {
    pub from: String,
    pub to: String,
    pub text: String,
    /// Every answer, one for each part and each try, in order.
    pub answers: Vec<AckStatus>,
}

impl MoText {
    /// Whether the gateway said that it is safe.
    #[must_use]
    pub fn acknowledged(&self) -> bool {
        self.answers.last().copied().is_some_and(AckStatus::is_ok)
    }
}

/// A text that reached a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MtText {
    /// The short code.
    pub from: String,
    /// The phone, as the gateway wrote it.
    pub to: String,
    pub text: String,
    /// The id given to its last part.
    pub message_id: String,
    /// Messages it took.
    pub parts: u8,
}

/// Which message an answer belongs to.
pub(super) type Entry = usize;

#[derive(Debug, Default)]
pub(super) struct Books {
    mo: Vec<MoText>,
    phones: HashMap<String, Phone>,
    last_id: u64,
}

/// One phone's inbox.
#[derive(Debug, Default)]
struct Phone {
    texts: Vec<MtText>,
    taken: usize,
    arrival: Arc<Notify>,
    /// Parts of long texts still incomplete, by sender and reference.
    parts: HashMap<(Bytes, u16), Vec<Option<Bytes>>>,
}

impl Books {
    pub(super) fn open_mo(&mut self, from: &str, to: &str, text: &str) -> Entry {
        let (from, to, text) = (from.to_owned(), to.to_owned(), text.to_owned());
        self.mo.push(MoText { from, to, text, answers: Vec::new() });
        self.mo.len() - 1
    }

    pub(super) fn file_ack(&mut self, entry: Entry, status: AckStatus) {
        self.mo[entry].answers.push(status);
    }

    pub(super) fn messages(&self) -> Vec<MoText> {
        self.mo.clone()
    }

    /// A new message id, in the hexadecimal that half of all SMSCs use.
    pub(super) fn next_id(&mut self) -> String {
        self.last_id += 1;
        format!("{:08x}", self.last_id)
    }

    /// Takes a submitted message; the text is returned when it is whole.
    pub(super) fn file_mt(&mut self, message: &Message, message_id: &str) -> Option<MtText> {
        let to = String::from_utf8_lossy(&message.destination.digits).into_owned();
        let phone = self.phones.entry(to.clone()).or_default();
        let (octets, parts) = phone.join(message)?;
        let text = MtText {
            from: String::from_utf8_lossy(&message.source.digits).into_owned(),
            to,
            text: decode(message.data_coding, Alphabet::Gsm7, &octets).text.unwrap_or_default(),
            message_id: message_id.to_owned(),
            parts,
        };
        phone.texts.push(text.clone());
        phone.arrival.notify_waiters();
        Some(text)
    }

    pub(super) fn texts_to(&self, msisdn: &str) -> Vec<MtText> {
        self.phones.get(digits(msisdn)).map(|phone| phone.texts.clone()).unwrap_or_default()
    }

    pub(super) fn take_text(&mut self, msisdn: &str) -> Option<MtText> {
        let phone = self.phones.get_mut(digits(msisdn))?;
        let text = phone.texts.get(phone.taken)?.clone();
        phone.taken += 1;
        Some(text)
    }

    /// Told of each new text to this phone.
    pub(super) fn arrival(&mut self, msisdn: &str) -> Arc<Notify> {
        Arc::clone(&self.phones.entry(digits(msisdn).to_owned()).or_default().arrival)
    }
}

impl Phone {
    /// The octets of a whole text and the messages it took, once the last part is there.
    fn join(&mut self, message: &Message) -> Option<(Bytes, u8)> {
        let payload = message.payload();
        let stripped = if message.has_udh() { strip_udh(payload) } else { Ok((None, payload.as_ref())) };
        // A phone shows what it cannot make sense of, header and all.
        let (part, octets) = stripped.unwrap_or((None, payload.as_ref()));
        let octets = Bytes::copy_from_slice(octets);
        let Some(Part { reference, total, number }) = part else { return Some((octets, 1)) };
        let key = (message.source.digits.clone(), reference);
        let parts = self.parts.entry(key.clone()).or_insert_with(|| vec![None; usize::from(total)]);
        *parts.get_mut(usize::from(number) - 1)? = Some(octets);
        let whole: Vec<&[u8]> = parts.iter().map(Option::as_deref).collect::<Option<_>>()?;
        let whole = Bytes::from(whole.concat());
        self.parts.remove(&key);
        Some((whole, total))
    }
}

/// Phones are kept as the wire has them: without `+`.
fn digits(msisdn: &str) -> &str {
    msisdn.strip_prefix('+').unwrap_or(msisdn)
}
