//! SMPP 3.4 PDUs: cut by length first, then read leniently, written exactly. Both sides of the wire are here, because
//! the simulated SMSC reads what the gateway writes. Never reads past the length a PDU gives itself, never guesses at
//! what stands in a broken field, and knows nothing of sockets, binds or time.

pub mod bind;
mod field;
pub mod header;
pub mod message;
pub mod receipt;
pub mod status;
pub mod tlv;
pub mod ussd;

use bytes::{BufMut, Bytes, BytesMut};

use bind::{Bind, BindResp, Outbind, Role};
use field::{Fault, Reader};
pub use field::{Quirks, Why};
pub use header::{BadLength, Frame, HEADER_LENGTH, MAX_PDU, frame};
use message::{Address, Message};

/// One PDU, read or to be written (SMPP 3.4 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdu {
    /// `command_status`; 0 in a request. See [`status`].
    pub status: u32,
    /// Echoed verbatim in the response, whatever the peer chose.
    pub sequence: u32,
    pub body: Body,
    /// Where the PDU departed from the standard and was read all the same; not written.
    pub quirks: Quirks,
}

/// What a PDU says. Responses keep the shape of their request's name; an identifier we do not know is kept as a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// §4.1.1, §4.1.3, §4.1.5.
    Bind(Role, Bind),
    /// §4.1.2, §4.1.4, §4.1.6. Match it by sequence: SMSCs answer with another role's identifier.
    BindResp(Role, BindResp),
    /// §4.1.7.
    Outbind(Outbind),
    /// §4.2.1.
    Unbind,
    /// §4.2.2.
    UnbindResp,
    /// §4.3.1.
    GenericNack,
    /// §4.4.1.
    SubmitSm(Message),
    /// §4.4.2; the `message_id`, empty where the SMSC gives none.
    SubmitSmResp(Bytes),
    /// §4.6.1.
    DeliverSm(Message),
    /// §4.6.2; its `message_id` is unused and always written empty by us.
    DeliverSmResp(Bytes),
    /// §4.7.1: only service type, addresses, `esm_class`, `registered_delivery`, `data_coding` and TLVs are on the wire.
    DataSm(Message),
    /// §4.7.2.
    DataSmResp(Bytes),
    /// §4.11.1.
    EnquireLink,
    /// §4.11.2.
    EnquireLinkResp,
    /// §4.12.1: a handset can be reached again. It has no response.
    AlertNotification { source: Address, esme: Address },
    /// Any other `command_id`, its body skipped.
    Unknown { command_id: u32 },
}

/// A PDU whose frame is sound and whose body is not. The session can still answer it, since the header was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub command_id: u32,
    pub sequence: u32,
    /// The standard's name of the field that could not be read.
    pub field: &'static str,
    pub why: Why,
    /// The body as it came, for a person to look at and for knowing it again.
    pub body: Bytes,
}

impl Malformed {
    /// The `command_status` that tells the peer what is wrong (SMPP 3.4 §5.1.3).
    #[must_use]
    pub fn status(&self) -> u32 {
        match self.why {
            Why::LengthBeyondPdu => status::ESME_RINVMSGLEN,
            Why::Missing | Why::Unterminated | Why::TooLong => status::ESME_RINVPARLEN,
        }
    }
}

impl Pdu {
    /// A request, or a response that says ESME_ROK.
    #[must_use]
    pub fn new(sequence: u32, body: Body) -> Self {
        Self::with_status(status::ESME_ROK, sequence, body)
    }

    #[must_use]
    pub fn with_status(status: u32, sequence: u32, body: Body) -> Self {
        Self { status, sequence, body, quirks: Quirks::default() }
    }

    /// Reads the body of a frame. Only requests can be malformed: a response is taken for what it still says, since
    /// nobody could be told, and its status and sequence already decide.
    pub fn read(frame: Frame) -> Result<Self, Malformed> {
        let mut reader = Reader::new(frame.body.clone());
        match read_body(frame.command_id, &mut reader) {
            Ok(body) => {
                reader.finish();
                Ok(Self { status: frame.command_status, sequence: frame.sequence, body, quirks: reader.quirks })
            }
            Err(Fault { field, why }) => {
                let Frame { command_id, sequence, body, .. } = frame;
                Err(Malformed { command_id, sequence, field, why, body })
            }
        }
    }

    /// Appends the PDU to `out`. What cannot stand on the wire ends where the wire ends it: a C-octet string at its
    /// first NUL, a TLV at 65,535 octets; a text over 254 octets travels as `message_payload`.
    pub fn write(&self, out: &mut BytesMut) {
        let start = out.len();
        out.put_u32(0);
        out.put_u32(self.body.command_id());
        out.put_u32(self.status);
        out.put_u32(self.sequence);
        // §4.1.2, §4.4.2: an answer that refuses has no body.
        if self.status == status::ESME_ROK || !self.body.is_response() {
            write_body(&self.body, out);
        }
        let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

impl Body {
    /// The `command_id` this body travels under (SMPP 3.4 §5.1.2.1).
    #[must_use]
    pub fn command_id(&self) -> u32 {
        match self {
            Self::Bind(role, _) => role.request_id(),
            Self::BindResp(role, _) => role.request_id() | header::RESPONSE,
            Self::Outbind(_) => header::OUTBIND,
            Self::Unbind => header::UNBIND,
            Self::UnbindResp => header::UNBIND | header::RESPONSE,
            Self::GenericNack => header::GENERIC_NACK,
            Self::SubmitSm(_) => header::SUBMIT_SM,
            Self::SubmitSmResp(_) => header::SUBMIT_SM | header::RESPONSE,
            Self::DeliverSm(_) => header::DELIVER_SM,
            Self::DeliverSmResp(_) => header::DELIVER_SM | header::RESPONSE,
            Self::DataSm(_) => header::DATA_SM,
            Self::DataSmResp(_) => header::DATA_SM | header::RESPONSE,
            Self::EnquireLink => header::ENQUIRE_LINK,
            Self::EnquireLinkResp => header::ENQUIRE_LINK | header::RESPONSE,
            Self::AlertNotification { .. } => header::ALERT_NOTIFICATION,
            Self::Unknown { command_id } => *command_id,
        }
    }

    /// Whether it answers something, and so must not be answered.
    #[must_use]
    pub fn is_response(&self) -> bool {
        header::is_response(self.command_id())
    }
}

fn read_body(command_id: u32, reader: &mut Reader) -> Result<Body, Fault> {
    if let Some(role) = Role::of_request(command_id & !header::RESPONSE) {
        return Ok(match header::is_response(command_id) {
            true => Body::BindResp(role, BindResp::read(reader)),
            false => Body::Bind(role, Bind::read(reader)?),
        });
    }
    Ok(match command_id {
        header::OUTBIND => Body::Outbind(Outbind::read(reader)?),
        header::UNBIND => Body::Unbind,
        header::UNBIND_RESP => Body::UnbindResp,
        header::GENERIC_NACK => Body::GenericNack,
        header::SUBMIT_SM => Body::SubmitSm(Message::read(reader)?),
        header::SUBMIT_SM_RESP => Body::SubmitSmResp(reader.message_id()),
        header::DELIVER_SM => Body::DeliverSm(Message::read(reader)?),
        header::DELIVER_SM_RESP => Body::DeliverSmResp(reader.message_id()),
        header::DATA_SM => Body::DataSm(Message::read_data_sm(reader)?),
        header::DATA_SM_RESP => Body::DataSmResp(reader.message_id()),
        header::ENQUIRE_LINK => Body::EnquireLink,
        header::ENQUIRE_LINK_RESP => Body::EnquireLinkResp,
        header::ALERT_NOTIFICATION => Body::AlertNotification {
            source: Address::read(reader, "source_addr", 65)?,
            esme: Address::read(reader, "esme_addr", 65)?,
        },
        command_id => {
            reader.skip();
            Body::Unknown { command_id }
        }
    })
}

fn write_body(body: &Body, out: &mut BytesMut) {
    match body {
        Body::Bind(_, bind) => bind.write(out),
        Body::BindResp(_, resp) => resp.write(out),
        Body::Outbind(outbind) => outbind.write(out),
        Body::SubmitSm(message) | Body::DeliverSm(message) => message.write(out),
        Body::DataSm(message) => message.write_data_sm(out),
        Body::SubmitSmResp(id) | Body::DeliverSmResp(id) | Body::DataSmResp(id) => field::put_c_octets(out, id),
        Body::AlertNotification { source, esme } => {
            source.write(out);
            esme.write(out);
        }
        Body::Unbind
        | Body::UnbindResp
        | Body::GenericNack
        | Body::EnquireLink
        | Body::EnquireLinkResp
        | Body::Unknown { .. } => {}
    }
}
