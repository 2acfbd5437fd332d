//! A short message on the wire: `submit_sm`, `deliver_sm` and `data_sm` (SMPP 3.4 §4.4.1, §4.6.1, §4.7.1). Addresses and
//! text stay octets: what they mean depends on the SMSC and is decided elsewhere.

use bytes::{BufMut, Bytes, BytesMut};

use super::field::{Fault, Quirks, Reader, put_c_octets};
use super::tlv::{self, Tlvs};

/// `esm_class`: a user data header opens the text (§5.2.12).
pub const UDHI: u8 = 0x40;
/// `esm_class` bits 5-2: not zero for receipts and acknowledgements of every kind (§5.2.12).
pub const MESSAGE_TYPE: u8 = 0x3C;
/// `esm_class` of an SMSC delivery receipt.
pub const DELIVERY_RECEIPT: u8 = 0x04;
/// `registered_delivery`: a receipt for success and failure alike (§5.2.17).
pub const RECEIPT_WANTED: u8 = 0x01;

/// The longest text `sm_length` should count, in octets (§5.2.21).
const SHORT_MESSAGE_MAX: usize = 254;

/// A party of a message (§5.2.5-9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Type of number: 0 unknown, 1 international, 2 national, 5 alphanumeric.
    pub ton: u8,
    /// Numbering plan: 0 unknown, 1 ISDN.
    pub npi: u8,
    /// As written; not always digits, not always ASCII.
    pub digits: Bytes,
}

impl Address {
    #[must_use]
    pub fn new(ton: u8, npi: u8, digits: impl Into<Bytes>) -> Self {
        Self { ton, npi, digits: digits.into() }
    }

    pub(super) fn read(reader: &mut Reader, field: &'static str, size: usize) -> Result<Self, Fault> {
        Ok(Self { ton: reader.octet(field)?, npi: reader.octet(field)?, digits: reader.c_octets(field, size)? })
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        out.put_slice(&[self.ton, self.npi]);
        put_c_octets(out, &self.digits);
    }
}

/// One message in either direction, in the order of the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// At most 5 octets.
    pub service_type: Bytes,
    pub source: Address,
    pub destination: Address,
    /// See [`UDHI`] and [`MESSAGE_TYPE`].
    pub esm_class: u8,
    pub protocol_id: u8,
    pub priority_flag: u8,
    /// Empty or 16 octets; kept as it came.
    pub schedule_delivery_time: Bytes,
    /// Empty or 16 octets; kept as it came.
    pub validity_period: Bytes,
    pub registered_delivery: u8,
    pub replace_if_present_flag: u8,
    pub data_coding: u8,
    pub sm_default_msg_id: u8,
    /// `sm_length` octets, with the user data header if [`UDHI`] says so.
    pub short_message: Bytes,
    pub tlvs: Tlvs,
}

impl Message {
    pub(super) fn read(reader: &mut Reader) -> Result<Self, Fault> {
        let mut message = Self {
            service_type: reader.c_octets("service_type", 6)?,
            source: Address::read(reader, "source_addr", 21)?,
            destination: Address::read(reader, "destination_addr", 21)?,
            esm_class: reader.octet("esm_class")?,
            protocol_id: reader.octet("protocol_id")?,
            priority_flag: reader.octet("priority_flag")?,
            schedule_delivery_time: reader.c_octets("schedule_delivery_time", 17)?,
            validity_period: reader.c_octets("validity_period", 17)?,
            registered_delivery: reader.octet("registered_delivery")?,
            replace_if_present_flag: reader.octet("replace_if_present_flag")?,
            data_coding: reader.octet("data_coding")?,
            sm_default_msg_id: reader.octet("sm_default_msg_id")?,
            ..Self::default()
        };
        let length = usize::from(reader.octet("sm_length")?);
        message.short_message = reader.octets("short_message", length)?;
        message.tlvs = tlv::read(reader);
        if !message.short_message.is_empty() && message.message_payload().is_some() {
            reader.quirks.add(Quirks::TWO_TEXTS);
        }
        Ok(message)
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        put_c_octets(out, &self.service_type);
        self.source.write(out);
        self.destination.write(out);
        out.put_slice(&[self.esm_class, self.protocol_id, self.priority_flag]);
        put_c_octets(out, &self.schedule_delivery_time);
        put_c_octets(out, &self.validity_period);
        out.put_slice(&[self.registered_delivery, self.replace_if_present_flag]);
        out.put_slice(&[self.data_coding, self.sm_default_msg_id]);
        match u8::try_from(self.short_message.len()) {
            Ok(length) if usize::from(length) <= SHORT_MESSAGE_MAX => {
                out.put_u8(length);
                out.put_slice(&self.short_message);
            }
            _ => {
                out.put_u8(0);
                tlv::write_one(out, tlv::MESSAGE_PAYLOAD, &self.short_message);
            }
        }
        self.tlvs.write(out);
    }

    pub(super) fn read_data_sm(reader: &mut Reader) -> Result<Self, Fault> {
        Ok(Self {
            service_type: reader.c_octets("service_type", 6)?,
            source: Address::read(reader, "source_addr", 65)?,
            destination: Address::read(reader, "destination_addr", 65)?,
            esm_class: reader.octet("esm_class")?,
            registered_delivery: reader.octet("registered_delivery")?,
            data_coding: reader.octet("data_coding")?,
            tlvs: tlv::read(reader),
            ..Self::default()
        })
    }

    pub(super) fn write_data_sm(&self, out: &mut BytesMut) {
        put_c_octets(out, &self.service_type);
        self.source.write(out);
        self.destination.write(out);
        out.put_slice(&[self.esm_class, self.registered_delivery, self.data_coding]);
        if !self.short_message.is_empty() {
            tlv::write_one(out, tlv::MESSAGE_PAYLOAD, &self.short_message);
        }
        self.tlvs.write(out);
    }

    /// The text's octets: `message_payload` where it holds any, else `short_message`. Never both joined.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        self.message_payload().unwrap_or(&self.short_message)
    }

    fn message_payload(&self) -> Option<&Bytes> {
        self.tlvs.get(tlv::MESSAGE_PAYLOAD).filter(|payload| !payload.is_empty())
    }

    /// Whether a user data header opens the text.
    #[must_use]
    pub fn has_udh(&self) -> bool {
        self.esm_class & UDHI != 0
    }

    /// Whether it acknowledges or reports on another message and is not one of its own.
    #[must_use]
    pub fn is_report(&self) -> bool {
        self.esm_class & MESSAGE_TYPE != 0
    }

    /// The place in a longer message as the three `sar_*` TLVs give it: reference, total, number (§5.3.2.22-24), unjudged.
    #[must_use]
    pub fn sar(&self) -> Option<(u16, u8, u8)> {
        let reference = self.tlvs.pair(tlv::SAR_MSG_REF_NUM)?;
        Some((reference, self.tlvs.octet(tlv::SAR_TOTAL_SEGMENTS)?, self.tlvs.octet(tlv::SAR_SEGMENT_SEQNUM)?))
    }
}
