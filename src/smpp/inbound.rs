//! A message as the SMSC wrote it into what the engine takes: a text, a part of one, or a receipt. Reads the form only;
//! what cannot be read is handed on as unreadable, for a refusal would make the SMSC send it again for ever.

use bytes::Bytes;
use paygate_parsers::concat::{Part, UdhError, strip_udh};
use paygate_parsers::smpp::Malformed;
use paygate_parsers::smpp::message::Message;
use paygate_parsers::smpp::receipt::Receipt;
use paygate_parsers::smpp::tlv;

use super::LinkSettings;
use crate::engine::door::{Door, Incoming, MessageIn, ReceiptIn};

/// Reads a `deliver_sm` or `data_sm`.
pub(super) fn read(settings: &LinkSettings, message: &Message) -> Incoming {
    if let Some(receipt) = receipt(settings, message) {
        return receipt;
    }
    let (part, payload, unreadable) = match place(message) {
        Ok((part, payload)) => (part, payload, None),
        Err(error) => (None, message.payload().as_ref(), Some(reason(error))),
    };
    let payload = Bytes::copy_from_slice(payload);
    Incoming::Message(MessageIn { part, payload, unreadable, ..envelope(settings, message) })
}

/// Wraps octets that no field could be found in, for a person.
pub(super) fn unreadable(settings: &LinkSettings, malformed: &Malformed) -> Incoming {
    let payload = Bytes::copy_from_slice(&malformed.body);
    let unreadable = Some(malformed.field);
    Incoming::Message(MessageIn { payload, unreadable, ..envelope(settings, &Message::default()) })
}

/// `None` for a message of its own. What `esm_class` calls a report is never one, even when it names no message.
fn receipt(settings: &LinkSettings, message: &Message) -> Option<Incoming> {
    let by_tlvs =
        message.tlvs.get(tlv::RECEIPTED_MESSAGE_ID).is_some() && message.tlvs.get(tlv::MESSAGE_STATE).is_some();
    if !message.is_report() && !by_tlvs && !settings.receipts_by_text {
        return None;
    }
    match Receipt::of_message(message) {
        Some(Receipt { message_id, state, error }) => {
            Some(Incoming::Receipt(ReceiptIn { link: settings.name.clone(), message_id, state, error }))
        }
        None if message.is_report() => {
            let payload = Bytes::copy_from_slice(message.payload());
            let unreadable = Some("a receipt that names no message or no state");
            Some(Incoming::Message(MessageIn { payload, unreadable, ..envelope(settings, message) }))
        }
        None => None,
    }
}

/// The place in a longer message and the text's octets. A header's place is preferred to that of the `sar_*` TLVs.
fn place(message: &Message) -> Result<(Option<Part>, &[u8]), UdhError> {
    let (part, payload) = match message.has_udh() {
        true => strip_udh(message.payload())?,
        false => (None, message.payload().as_ref()),
    };
    let part = match (part, message.sar()) {
        (None, Some((reference, total, number))) => Part::new(reference, total, number)?,
        (part, _) => part,
    };
    Ok((part, payload))
}

fn reason(error: UdhError) -> &'static str {
    match error {
        UdhError::Missing => "a user data header is announced and none is there",
        UdhError::Overrun { .. } => "the user data header is longer than the text",
        UdhError::Element => "an element of the user data header is cut off",
        UdhError::Length => "the concatenation element has a wrong length",
        UdhError::Place { .. } => "the part's number is zero or beyond the total",
    }
}

/// All but the text.
fn envelope(settings: &LinkSettings, message: &Message) -> MessageIn {
    let to = match &settings.default_short_code {
        Some(short_code) if message.destination.digits.is_empty() => short_code.clone(),
        _ => characters(&message.destination.digits),
    };
    let id = settings.message_id_tlv.and_then(|tag| message.tlvs.c_octets(tag));
    MessageIn {
        door: Door::Smpp,
        link: settings.name.clone(),
        from: characters(&message.source.digits),
        to,
        peer_id: id.filter(|id| !id.is_empty()).map(characters),
        data_coding: Some(message.data_coding),
        part: None,
        payload: Bytes::new(),
        unreadable: None,
    }
}

/// An address's octets as characters, never two addresses as one: what is not UTF-8 is read as Latin-1.
fn characters(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().map(|octet| char::from(*octet)).collect(),
    }
}
