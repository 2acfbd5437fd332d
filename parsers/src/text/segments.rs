//! A text into the short messages that carry it (3GPP TS 23.040 §9.2.3.24.1). Never cuts a character in two: neither an
//! escaped GSM character nor a surrogate pair.

use super::gsm;
use crate::concat::udh;
use std::fmt;

/// How a text is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// One octet a septet; 160 in a message, 153 in a part.
    Gsm7,
    /// UTF-16, big-endian; 70 units in a message, 67 in a part.
    Ucs2,
}

impl Coding {
    /// GSM 7-bit where every character of the text has a place in it.
    pub fn of(text: &str) -> Self {
        if gsm::is_gsm(text) { Self::Gsm7 } else { Self::Ucs2 }
    }

    /// SMPP 3.4 §5.2.19.
    pub fn data_coding(self) -> u8 {
        match self {
            Self::Gsm7 => 0x00,
            Self::Ucs2 => 0x08,
        }
    }

    fn unit_octets(self) -> usize {
        match self {
            Self::Gsm7 => 1,
            Self::Ucs2 => 2,
        }
    }

    /// Octets of text in a message that stands alone.
    fn whole_octets(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 140,
        }
    }

    /// Octets of text beside a header of six octets.
    fn part_octets(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 134,
        }
    }

    fn encode(self, character: char) -> Vec<u8> {
        match self {
            Self::Gsm7 => gsm::encode(character).unwrap_or_default(),
            Self::Ucs2 => character.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        }
    }
}

/// What sending a text takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    pub coding: Coding,
    /// Septets of GSM 7-bit, where an extension character counts two, or 16-bit units of UCS-2.
    pub units: usize,
    /// Messages, 1 for an empty text. More than 255 cannot be sent.
    pub parts: usize,
}

/// Counts what sending a text takes, as [`split`] does it.
pub fn segments(text: &str) -> Segments {
    let coding = Coding::of(text);
    let parts = cut(coding, text);
    let octets: usize = parts.iter().map(Vec::len).sum();
    Segments { coding, units: octets / coding.unit_octets(), parts: parts.len() }
}

/// A text's octets in one piece, whatever its length, for a carrier that has no parts: USSD.
pub fn encode(text: &str) -> (Coding, Vec<u8>) {
    let coding = Coding::of(text);
    (coding, text.chars().flat_map(|character| coding.encode(character)).collect())
}

/// One short message of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The header that stands before the text when there are several parts; esm_class then says UDHI (0x40).
    pub udh: Option<[u8; 6]>,
    /// Unpacked GSM septets or UTF-16, big-endian, as [`Coding::of`] the whole text says.
    pub octets: Vec<u8>,
}

/// A text of more than 255 parts, which no header can number. Sending it again changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    pub parts: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text can be sent in 255 messages at most and this one takes {}", self.parts)
    }
}

impl std::error::Error for TooLong {}

/// Splits a text for sending. `reference` ties its parts together; two long texts to one phone within minutes should not
/// share one.
pub fn split(text: &str, reference: u8) -> Result<Vec<Segment>, TooLong> {
    let parts = cut(Coding::of(text), text);
    let total = u8::try_from(parts.len()).map_err(|_| TooLong { parts: parts.len() })?;
    let header = |number| (total > 1).then(|| udh(reference, total, number));
    Ok((1..=total).zip(parts).map(|(number, octets)| Segment { udh: header(number), octets }).collect())
}

/// The octets of each message, at least one.
fn cut(coding: Coding, text: &str) -> Vec<Vec<u8>> {
    let characters = || text.chars().map(|character| coding.encode(character));
    let total: usize = characters().map(|octets| octets.len()).sum();
    if total <= coding.whole_octets() {
        return vec![characters().flatten().collect()];
    }
    let mut parts = Vec::new();
    let mut part = Vec::with_capacity(coding.part_octets());
    for octets in characters() {
        if part.len() + octets.len() > coding.part_octets() {
            parts.push(std::mem::take(&mut part));
        }
        part.extend(octets);
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn parts_are_counted_as_an_operator_bills_them() {
        use Coding::{Gsm7, Ucs2};
        for (text, coding, units, parts) in [
            (String::new(), Gsm7, 0, 1),
            ("a".repeat(160), Gsm7, 160, 1),
            ("a".repeat(161), Gsm7, 161, 2),
            ("a".repeat(306), Gsm7, 306, 2),
            ("a".repeat(307), Gsm7, 307, 3),
            ("€".repeat(80), Gsm7, 160, 1),
            ("€".repeat(81), Gsm7, 162, 2),
            // 153 is odd: a part takes 76 of them and leaves a septet free.
            ("€".repeat(153), Gsm7, 306, 3),
            ("ế".repeat(70), Ucs2, 70, 1),
            ("ế".repeat(71), Ucs2, 71, 2),
            ("ế".repeat(134), Ucs2, 134, 2),
            ("ế".repeat(135), Ucs2, 135, 3),
            ("😀".repeat(35), Ucs2, 70, 1),
            // 67 is odd as well: a part takes 33 pairs.
            ("😀".repeat(67), Ucs2, 134, 3),
        ] {
            assert_eq!(segments(&text), Segments { coding, units, parts }, "{text}");
        }
    }

    #[test]
    fn a_short_text_has_no_header_and_a_long_one_numbers_its_parts() {
        assert_eq!(split("OK", 7).unwrap(), [Segment { udh: None, octets: b"OK".to_vec() }]);
        let parts = split(&"a".repeat(200), 7).unwrap();
        let headers: Vec<_> = parts.iter().map(|part| part.udh).collect();
        assert_eq!(headers, [Some([5, 0, 3, 7, 2, 1]), Some([5, 0, 3, 7, 2, 2])]);
        assert_eq!(parts.iter().map(|part| part.octets.len()).collect::<Vec<_>>(), [153, 47]);
    }

    #[test]
    fn an_escaped_character_moves_whole_into_the_next_part() {
        let parts = split(&format!("{}€{}", "a".repeat(152), "b".repeat(20)), 7).unwrap();
        assert_eq!(parts[0].octets, "a".repeat(152).into_bytes());
        assert!(parts[1].octets.starts_with(b"\x1b\x65b"));
    }

    #[test]
    fn a_text_that_no_header_can_number_is_refused() {
        assert_eq!(split(&"a".repeat(255 * 153), 7).map(|parts| parts.len()), Ok(255));
        assert_eq!(split(&"a".repeat(255 * 153 + 1), 7), Err(TooLong { parts: 256 }));
    }
}
