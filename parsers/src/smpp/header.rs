//! The 16 octets that open every PDU (SMPP 3.4 §3.2), and cutting a stream of octets by the first four of them. Never
//! looks into a body and never reserves what a length merely claims.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

/// Octets of a PDU header.
pub const HEADER_LENGTH: usize = 16;

/// The longest PDU there can be reason to accept: a `message_payload` of 64 KiB and 1 KiB for all else, in octets.
pub const MAX_PDU: usize = 65 * 1024;

/// The bit that makes a `command_id` a response (§5.1.2).
pub const RESPONSE: u32 = 0x8000_0000;

pub const GENERIC_NACK: u32 = 0x8000_0000;
pub const BIND_RECEIVER: u32 = 0x01;
pub const BIND_TRANSMITTER: u32 = 0x02;
pub const SUBMIT_SM: u32 = 0x04;
pub const SUBMIT_SM_RESP: u32 = SUBMIT_SM | RESPONSE;
pub const DELIVER_SM: u32 = 0x05;
pub const DELIVER_SM_RESP: u32 = DELIVER_SM | RESPONSE;
pub const UNBIND: u32 = 0x06;
pub const UNBIND_RESP: u32 = UNBIND | RESPONSE;
pub const BIND_TRANSCEIVER: u32 = 0x09;
pub const OUTBIND: u32 = 0x0B;
pub const ENQUIRE_LINK: u32 = 0x15;
pub const ENQUIRE_LINK_RESP: u32 = ENQUIRE_LINK | RESPONSE;
pub const ALERT_NOTIFICATION: u32 = 0x102;
pub const DATA_SM: u32 = 0x103;
pub const DATA_SM_RESP: u32 = DATA_SM | RESPONSE;

#[must_use]
pub fn is_response(command_id: u32) -> bool {
    command_id & RESPONSE != 0
}

/// The standard's name of a command, as it appears in metrics and logs; `"unknown"` for all that is not in our list.
#[must_use]
pub fn command_name(command_id: u32) -> &'static str {
    match command_id {
        GENERIC_NACK => "generic_nack",
        SUBMIT_SM => "submit_sm",
        SUBMIT_SM_RESP => "submit_sm_resp",
        DELIVER_SM => "deliver_sm",
        DELIVER_SM_RESP => "deliver_sm_resp",
        UNBIND => "unbind",
        UNBIND_RESP => "unbind_resp",
        BIND_RECEIVER => "bind_receiver",
        BIND_TRANSMITTER => "bind_transmitter",
        BIND_TRANSCEIVER => "bind_transceiver",
        OUTBIND => "outbind",
        ENQUIRE_LINK => "enquire_link",
        ENQUIRE_LINK_RESP => "enquire_link_resp",
        ALERT_NOTIFICATION => "alert_notification",
        DATA_SM => "data_sm",
        DATA_SM_RESP => "data_sm_resp",
        id if id == BIND_RECEIVER | RESPONSE => "bind_receiver_resp",
        id if id == BIND_TRANSMITTER | RESPONSE => "bind_transmitter_resp",
        id if id == BIND_TRANSCEIVER | RESPONSE => "bind_transceiver_resp",
        _ => "unknown",
    }
}

/// One PDU cut out of the stream: header read, body untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub command_id: u32,
    pub command_status: u32,
    pub sequence: u32,
    /// `command_length` − 16 octets, never one more.
    pub body: Bytes,
}

/// A `command_length` that cannot be: under 16 or over the limit. Where the next PDU begins is then unknowable, so this
/// alone ends a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLength {
    /// What the peer wrote, in octets.
    pub command_length: u32,
    /// The longest PDU accepted, in octets.
    pub max: usize,
}

impl fmt::Display for BadLength {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command_length, max } = self;
        write!(out, "the peer gave a command_length of {command_length}, which is not within {HEADER_LENGTH}..={max}")
    }
}

impl std::error::Error for BadLength {}

/// Cuts the first PDU off `input`; `None` until it is all there. A length is judged as soon as its four octets are.
pub fn frame(input: &mut BytesMut, max: usize) -> Result<Option<Frame>, BadLength> {
    let Some(length) = input.first_chunk::<4>() else { return Ok(None) };
    let command_length = u32::from_be_bytes(*length);
    let length = command_length as usize;
    if length < HEADER_LENGTH || length > max {
        return Err(BadLength { command_length, max });
    }
    if input.len() < length {
        return Ok(None);
    }
    let mut pdu = input.split_to(length).freeze();
    pdu.advance(4);
    Ok(Some(Frame { command_id: pdu.get_u32(), command_status: pdu.get_u32(), sequence: pdu.get_u32(), body: pdu }))
}
