//! Reading the fixed fields of a body one after another, within the PDU's own octets, and writing them. Departures that
//! leave the meaning plain are noted as quirks; only a field whose end cannot be known is a fault.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The longest C-octet string taken, in octets before its NUL; every one of the standard's is shorter.
const C_OCTETS_MAX: usize = 64;
/// The longest `message_id` taken: SMSCs write UUIDs, and longer.
const MESSAGE_ID_MAX: usize = 255;

/// A set of the departures met while reading one PDU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks(u8);

impl Quirks {
    /// A C-octet string longer than the standard allows it.
    pub const LONG_STRING: Self = Self(1);
    /// One to three octets, or a whole body, where nothing should stand.
    pub const TRAILING_OCTETS: Self = Self(1 << 1);
    /// A TLV said to be longer than the rest of the PDU; it and all after it were left out.
    pub const TLV_BEYOND_PDU: Self = Self(1 << 2);
    /// A TLV of a known tag with an impossible length, left out.
    pub const TLV_WRONG_LENGTH: Self = Self(1 << 3);
    /// Both `short_message` and `message_payload`; the payload is the text.
    pub const TWO_TEXTS: Self = Self(1 << 4);
    /// More TLVs than are kept.
    pub const MANY_TLVS: Self = Self(1 << 5);

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn add(&mut self, quirk: Self) {
        self.0 |= quirk.0;
    }
}

/// Why a field could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The PDU ends before the field begins.
    Missing,
    /// A C-octet string without its NUL.
    Unterminated,
    /// A C-octet string beyond any sane length.
    TooLong,
    /// A length field that points beyond the PDU.
    LengthBeyondPdu,
}

#[derive(Debug)]
pub(super) struct Fault {
    pub(super) field: &'static str,
    pub(super) why: Why,
}

/// The octets of one body not yet read.
pub(super) struct Reader {
    rest: Bytes,
    pub(super) quirks: Quirks,
}

impl Reader {
    pub(super) fn new(body: Bytes) -> Self {
        Self { rest: body, quirks: Quirks::default() }
    }

    pub(super) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn octet(&mut self, field: &'static str) -> Result<u8, Fault> {
        self.rest.try_get_u8().map_err(|_| Fault { field, why: Why::Missing })
    }

    /// Two octets, most significant first; `None` when fewer are left.
    pub(super) fn pair(&mut self) -> Option<u16> {
        self.rest.try_get_u16().ok()
    }

    /// Exactly `length` octets.
    pub(super) fn octets(&mut self, field: &'static str, length: usize) -> Result<Bytes, Fault> {
        if length > self.rest.len() {
            return Err(Fault { field, why: Why::LengthBeyondPdu });
        }
        Ok(self.rest.split_to(length))
    }

    /// A C-octet string (§3.1) without its NUL. `size` is the standard's, NUL included; longer ones are taken up to a
    /// sane length, since what an SMSC writes too long is still what it means.
    pub(super) fn c_octets(&mut self, field: &'static str, size: usize) -> Result<Bytes, Fault> {
        if self.rest.is_empty() {
            return Err(Fault { field, why: Why::Missing });
        }
        let nul = self.rest.iter().take(C_OCTETS_MAX + 1).position(|octet| *octet == 0);
        let Some(end) = nul else {
            let why = if self.rest.len() > C_OCTETS_MAX { Why::TooLong } else { Why::Unterminated };
            return Err(Fault { field, why });
        };
        if end >= size {
            self.quirks.add(Quirks::LONG_STRING);
        }
        let value = self.rest.split_to(end);
        self.rest.advance(1);
        Ok(value)
    }

    /// The string that opens a response: nothing, NUL-ended or simply the rest (all three are sent).
    pub(super) fn message_id(&mut self) -> Bytes {
        let end = self.rest.iter().take(MESSAGE_ID_MAX).position(|octet| *octet == 0);
        let id = self.rest.split_to(end.unwrap_or(self.rest.len().min(MESSAGE_ID_MAX)));
        self.skip();
        id
    }

    /// Takes all that is left.
    pub(super) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.rest)
    }

    /// Leaves out all that is left, which is of no use to us.
    pub(super) fn skip(&mut self) {
        self.rest.clear();
    }

    /// Notes what nobody read.
    pub(super) fn finish(&mut self) {
        if !self.rest.is_empty() {
            self.quirks.add(Quirks::TRAILING_OCTETS);
        }
    }
}

/// Writes a C-octet string, which by its nature ends at the first NUL.
pub(super) fn put_c_octets(out: &mut BytesMut, value: &[u8]) {
    let end = value.iter().position(|octet| *octet == 0).unwrap_or(value.len());
    out.put_slice(&value[..end]);
    out.put_u8(0);
}
