//! Optional parameters (SMPP 3.4 §5.3): tag, length, value. A broken one costs itself, never the PDU it hangs on.

use bytes::{BufMut, Bytes, BytesMut};

use super::field::{Quirks, Reader};

pub const RECEIPTED_MESSAGE_ID: u16 = 0x001E;
pub const USER_MESSAGE_REFERENCE: u16 = 0x0204;
pub const SAR_MSG_REF_NUM: u16 = 0x020C;
pub const SAR_TOTAL_SEGMENTS: u16 = 0x020E;
pub const SAR_SEGMENT_SEQNUM: u16 = 0x020F;
pub const SC_INTERFACE_VERSION: u16 = 0x0210;
pub const NETWORK_ERROR_CODE: u16 = 0x0423;
pub const MESSAGE_PAYLOAD: u16 = 0x0424;
pub const MESSAGE_STATE: u16 = 0x0427;
pub const USSD_SERVICE_OP: u16 = 0x0501;
pub const ITS_SESSION_INFO: u16 = 0x1383;

/// TLVs kept of one PDU; the standard's longest list is far shorter.
const TLVS_MAX: usize = 128;

/// One optional parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlv {
    pub tag: u16,
    /// At most 65,535 octets.
    pub value: Bytes,
}

/// The optional parameters of one PDU, in the order they stand in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tlvs(Vec<Tlv>);

impl Tlvs {
    /// The value of the first TLV with this tag.
    #[must_use]
    pub fn get(&self, tag: u16) -> Option<&Bytes> {
        self.0.iter().find(|tlv| tlv.tag == tag).map(|tlv| &tlv.value)
    }

    /// A value of exactly one octet.
    #[must_use]
    pub fn octet(&self, tag: u16) -> Option<u8> {
        let value = self.get(tag)?;
        <[u8; 1]>::try_from(value.as_ref()).ok().map(|[octet]| octet)
    }

    /// A value of exactly two octets.
    #[must_use]
    pub fn pair(&self, tag: u16) -> Option<u16> {
        let value = self.get(tag)?;
        <[u8; 2]>::try_from(value.as_ref()).ok().map(u16::from_be_bytes)
    }

    /// A C-octet string, with its NUL or (as some SMSCs send it) without.
    #[must_use]
    pub fn c_octets(&self, tag: u16) -> Option<&[u8]> {
        self.get(tag)?.split(|octet| *octet == 0).next()
    }

    pub fn push(&mut self, tag: u16, value: impl Into<Bytes>) {
        self.0.push(Tlv { tag, value: value.into() });
    }

    pub fn iter(&self) -> impl Iterator<Item = &Tlv> {
        self.0.iter()
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        for Tlv { tag, value } in &self.0 {
            write_one(out, *tag, value);
        }
    }
}

/// Reads TLVs to the end of the PDU, or as far as they make sense.
pub(super) fn read(reader: &mut Reader) -> Tlvs {
    let mut tlvs = Vec::new();
    while reader.remaining() >= 4 {
        let (Some(tag), Some(length)) = (reader.pair(), reader.pair()) else { break };
        let Ok(value) = reader.octets("tlv", usize::from(length)) else {
            reader.quirks.add(Quirks::TLV_BEYOND_PDU);
            reader.skip();
            break;
        };
        if tlvs.len() == TLVS_MAX {
            reader.quirks.add(Quirks::MANY_TLVS);
            reader.skip();
            break;
        }
        if fixed_length(tag).is_some_and(|fixed| fixed != value.len()) {
            reader.quirks.add(Quirks::TLV_WRONG_LENGTH);
            continue;
        }
        tlvs.push(Tlv { tag, value });
    }
    Tlvs(tlvs)
}

pub(super) fn write_one(out: &mut BytesMut, tag: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    out.put_u16(tag);
    out.put_u16(length);
    out.put_slice(&value[..usize::from(length)]);
}

/// The one length a tag we act upon may have, in octets (§5.3.2).
fn fixed_length(tag: u16) -> Option<usize> {
    match tag {
        USER_MESSAGE_REFERENCE | SAR_MSG_REF_NUM | ITS_SESSION_INFO => Some(2),
        SAR_TOTAL_SEGMENTS | SAR_SEGMENT_SEQNUM | SC_INTERFACE_VERSION | MESSAGE_STATE | USSD_SERVICE_OP => Some(1),
        _ => None,
    }
}
