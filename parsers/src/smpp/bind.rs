//! Opening a session: bind, its answer, and outbind (SMPP 3.4 §4.1). Never prints a password.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::field::{Fault, Reader, put_c_octets};
use super::{header, tlv};

/// What a bind may do (§2.2). The `command_id` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Messages in only.
    Receiver,
    /// Messages out only.
    Transmitter,
    Transceiver,
}

impl Role {
    #[must_use]
    pub fn request_id(self) -> u32 {
        match self {
            Self::Receiver => header::BIND_RECEIVER,
            Self::Transmitter => header::BIND_TRANSMITTER,
            Self::Transceiver => header::BIND_TRANSCEIVER,
        }
    }

    pub(super) fn of_request(command_id: u32) -> Option<Self> {
        match command_id {
            header::BIND_RECEIVER => Some(Self::Receiver),
            header::BIND_TRANSMITTER => Some(Self::Transmitter),
            header::BIND_TRANSCEIVER => Some(Self::Transceiver),
            _ => None,
        }
    }

    #[must_use]
    pub fn receives(self) -> bool {
        self != Self::Transmitter
    }

    #[must_use]
    pub fn transmits(self) -> bool {
        self != Self::Receiver
    }
}

/// The body of each bind request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Bind {
    /// At most 15 octets.
    pub system_id: Bytes,
    /// At most 8 octets.
    pub password: Bytes,
    /// At most 12 octets.
    pub system_type: Bytes,
    /// 0x34 for SMPP 3.4.
    pub interface_version: u8,
    pub addr_ton: u8,
    pub addr_npi: u8,
    /// At most 40 octets.
    pub address_range: Bytes,
}

impl fmt::Debug for Bind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Bind").field("system_id", &self.system_id).finish_non_exhaustive()
    }
}

impl Bind {
    pub(super) fn read(reader: &mut Reader) -> Result<Self, Fault> {
        Ok(Self {
            system_id: reader.c_octets("system_id", 16)?,
            password: reader.c_octets("password", 9)?,
            system_type: reader.c_octets("system_type", 13)?,
            interface_version: reader.octet("interface_version")?,
            addr_ton: reader.octet("addr_ton")?,
            addr_npi: reader.octet("addr_npi")?,
            address_range: reader.c_octets("address_range", 41)?,
        })
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        put_c_octets(out, &self.system_id);
        put_c_octets(out, &self.password);
        put_c_octets(out, &self.system_type);
        out.put_slice(&[self.interface_version, self.addr_ton, self.addr_npi]);
        put_c_octets(out, &self.address_range);
    }
}

/// The body of each bind answer; SMSCs leave out any of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BindResp {
    /// The SMSC's own name.
    pub system_id: Bytes,
    /// The TLV `sc_interface_version` (§5.3.2.25).
    pub interface_version: Option<u8>,
}

impl BindResp {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let Ok(system_id) = reader.c_octets("system_id", 16) else {
            return Self { system_id: reader.rest(), interface_version: None };
        };
        let interface_version = tlv::read(reader).octet(tlv::SC_INTERFACE_VERSION);
        Self { system_id, interface_version }
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        put_c_octets(out, &self.system_id);
        if let Some(version) = self.interface_version {
            tlv::write_one(out, tlv::SC_INTERFACE_VERSION, &[version]);
        }
    }
}

/// The SMSC asks to be bound to (§4.1.7).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Outbind {
    pub system_id: Bytes,
    pub password: Bytes,
}

impl fmt::Debug for Outbind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Outbind").field("system_id", &self.system_id).finish_non_exhaustive()
    }
}

impl Outbind {
    pub(super) fn read(reader: &mut Reader) -> Result<Self, Fault> {
        Ok(Self { system_id: reader.c_octets("system_id", 16)?, password: reader.c_octets("password", 9)? })
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        put_c_octets(out, &self.system_id);
        put_c_octets(out, &self.password);
    }
}
