//! Where a short message stands in a longer one. Only reads the place; putting the parts together is done by whoever keeps
//! them.

use std::fmt;

/// One part's place in a long message (3GPP TS 23.040 §9.2.3.24.1 and .8, SMPP 3.4 §5.3.2.22-24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub reference: u16,
    /// 2..=255.
    pub total: u8,
    /// 1..=total.
    pub number: u8,
}

impl Part {
    /// The place these three numbers name, from a header or from the SAR parameters of SMPP: `None` for a message of one
    /// part, which is whole, and an error for a place that cannot be.
    pub fn new(reference: u16, total: u8, number: u8) -> Result<Option<Self>, UdhError> {
        if number == 0 || number > total {
            return Err(UdhError::Place { number, total });
        }
        Ok((total > 1).then_some(Self { reference, total, number }))
    }
}

/// Why a user data header cannot be read. Reading it again changes nothing; TS 23.040 would have a phone ignore a wrong
/// element, but here the fragment it stands on could then pass for a whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdhError {
    /// No octet at all, where a header was announced.
    Missing,
    /// The header is longer than the text that carries it.
    Overrun { header: usize, present: usize },
    /// An element is cut off by the end of the header.
    Element,
    /// A concatenation element of another length than its kind has.
    Length,
    /// Part 0, or a part beyond the last.
    Place { number: u8, total: u8 },
}

impl fmt::Display for UdhError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("a user data header is announced and there is no octet"),
            Self::Overrun { header, present } => {
                write!(f, "the user data header says {header} octets and {present} are there")
            }
            Self::Element => f.write_str("an element of the user data header is cut off"),
            Self::Length => f.write_str("the concatenation element has a wrong length"),
            Self::Place { number, total } => write!(f, "part {number} of {total} cannot be"),
        }
    }
}

impl std::error::Error for UdhError {}

/// Parts the user data header from the octets of a message whose esm_class announces one (UDHI, SMPP 3.4 §5.2.12), and
/// gives the payload behind it. Ports, language tables and every other element are passed over. Of two concatenation
/// elements the last one counts (TS 23.040 §9.2.3.24).
///
/// The payload begins at a whole octet: in SMPP 7-bit text is unpacked, so no fill bits follow the header.
pub fn strip_udh(octets: &[u8]) -> Result<(Option<Part>, &[u8]), UdhError> {
    let (&length, rest) = octets.split_first().ok_or(UdhError::Missing)?;
    let header = usize::from(length);
    let (mut elements, payload) =
        rest.split_at_checked(header).ok_or(UdhError::Overrun { header, present: rest.len() })?;
    let mut part = None;
    while !elements.is_empty() {
        let (identifier, data, behind) = element(elements)?;
        part = match (identifier, data) {
            (0x00, &[reference, total, number]) => Part::new(reference.into(), total, number)?,
            (0x08, &[high, low, total, number]) => Part::new(u16::from_be_bytes([high, low]), total, number)?,
            (0x00 | 0x08, _) => return Err(UdhError::Length),
            (_, _) => part,
        };
        elements = behind;
    }
    Ok((part, payload))
}

/// One information element: its identifier, its data, and what stands behind it.
fn element(octets: &[u8]) -> Result<(u8, &[u8], &[u8]), UdhError> {
    let [identifier, length, rest @ ..] = octets else { return Err(UdhError::Element) };
    let (data, behind) = rest.split_at_checked(usize::from(*length)).ok_or(UdhError::Element)?;
    Ok((*identifier, data, behind))
}

/// The header of one part with an 8-bit reference (TS 23.040 §9.2.3.24.1), as [`strip_udh`] reads it.
pub fn udh(reference: u8, total: u8, number: u8) -> [u8; 6] {
    [5, 0x00, 3, reference, total, number]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_OF_THREE: Option<Part> = Some(Part { reference: 0x2a, total: 3, number: 2 });

    #[test]
    fn the_place_is_found_among_other_elements() {
        for (octets, part) in [
            (&b"\x05\x00\x03\x2a\x03\x02text"[..], SECOND_OF_THREE),
            (b"\x06\x08\x04\x00\x2a\x03\x02text", SECOND_OF_THREE),
            (b"\x0b\x05\x04\x0b\x84\x0b\x84\x00\x03\x2a\x03\x02text", SECOND_OF_THREE),
            (b"\x0b\x24\x01\x01\x25\x01\x01\x00\x03\x2a\x03\x02text", SECOND_OF_THREE),
            (b"\x08\x00\x03\x2a\x03\x02\x70\x01\xfftext", SECOND_OF_THREE),
            (b"\x06\x05\x04\x0b\x84\x0b\x84text", None),
            (b"\x00text", None),
        ] {
            assert_eq!(strip_udh(octets), Ok((part, &b"text"[..])), "{octets:x?}");
        }
    }

    #[test]
    fn a_sixteen_bit_reference_keeps_both_octets() {
        let part = Some(Part { reference: 0x1234, total: 2, number: 1 });
        assert_eq!(strip_udh(b"\x06\x08\x04\x12\x34\x02\x01"), Ok((part, &[][..])));
    }

    #[test]
    fn a_message_of_one_part_is_whole() {
        assert_eq!(strip_udh(b"\x05\x00\x03\x2a\x01\x01text"), Ok((None, &b"text"[..])));
    }

    #[test]
    fn of_two_places_the_last_one_counts() {
        let octets = b"\x0b\x00\x03\x01\x02\x01\x08\x04\x00\x2a\x03\x02text";
        assert_eq!(strip_udh(octets), Ok((SECOND_OF_THREE, &b"text"[..])));
    }

    #[test]
    fn a_header_that_cannot_be_is_never_taken_for_a_whole_message() {
        for (octets, error) in [
            (&b""[..], UdhError::Missing),
            (b"\x05\x00\x03\x2a", UdhError::Overrun { header: 5, present: 3 }),
            (b"\xfftext", UdhError::Overrun { header: 255, present: 4 }),
            (b"\x01\x00text", UdhError::Element),
            (b"\x03\x00\x03\x2atext", UdhError::Element),
            (b"\x04\x00\x02\x2a\x03text", UdhError::Length),
            (b"\x05\x08\x03\x2a\x03\x02text", UdhError::Length),
            (b"\x05\x00\x03\x2a\x03\x00text", UdhError::Place { number: 0, total: 3 }),
            (b"\x05\x00\x03\x2a\x03\x04text", UdhError::Place { number: 4, total: 3 }),
            (b"\x05\x00\x03\x2a\x00\x01text", UdhError::Place { number: 1, total: 0 }),
            (b"\x05\x00\x03\x2a\x00\x00text", UdhError::Place { number: 0, total: 0 }),
        ] {
            assert_eq!(strip_udh(octets), Err(error), "{octets:x?}");
        }
    }

    #[test]
    fn a_header_written_is_read_back() {
        let mut octets = udh(0x2a, 3, 2).to_vec();
        octets.extend_from_slice(b"text");
        assert_eq!(strip_udh(&octets), Ok((SECOND_OF_THREE, &b"text"[..])));
    }
}
