//! The octets of a short message to text. Never guesses an encoding from the octets, and never fails on text: what has no
//! character becomes U+FFFD.

mod fold;
mod gsm;
mod segments;
mod shown;

use serde::Deserialize;

pub use fold::fold;
pub use gsm::is_gsm;
pub use segments::{Coding, Segment, Segments, TooLong, encode, segments, split};
pub use shown::{septets, shortened, shown};

/// The alphabet a text is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alphabet {
    /// GSM 7-bit default alphabet with its extension table (3GPP TS 23.038 §6.2.1), one septet an octet.
    #[default]
    Gsm7,
    /// ISO 8859-1.
    Latin1,
    /// IA5: octets above 0x7F have no character.
    Ascii,
    /// UTF-16, big-endian unless a byte order mark says otherwise.
    Ucs2,
}

/// What a message's octets say. The octets themselves stay with whoever keeps the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// `None` for binary data and for codings without a decoder here. Never holds U+0000, which PostgreSQL refuses.
    pub text: Option<String>,
    /// An octet had no character: the text is not all that was sent.
    pub lossy: bool,
}

/// Reads a message by its `data_coding` (SMPP 3.4 §5.2.19). `default` is what this SMSC means by 0, which the standard
/// leaves to each of them.
pub fn decode(data_coding: u8, default: Alphabet, octets: &[u8]) -> Decoded {
    let Some(alphabet) = alphabet(data_coding, default) else { return Decoded { text: None, lossy: false } };
    let characters: String = match alphabet {
        Alphabet::Gsm7 => gsm::decode(without_padding(octets)),
        Alphabet::Latin1 => octets.iter().map(|&octet| char::from(octet)).collect(),
        Alphabet::Ascii => {
            octets.iter().map(|&octet| if octet.is_ascii() { octet.into() } else { '\u{fffd}' }).collect()
        }
        Alphabet::Ucs2 => utf16(octets),
    };
    let text = characters.replace('\0', "");
    Decoded { lossy: text.contains('\u{fffd}'), text: Some(text) }
}

/// The alphabet that a `data_coding` names, `None` for binary data and what has no decoder here (JIS, Cyrillic, Hebrew,
/// Korean, reserved values). From 0x10 on it is the data coding scheme of TS 23.038 §4, whose class bits say where a phone
/// stores the message and nothing about its text.
fn alphabet(data_coding: u8, default: Alphabet) -> Option<Alphabet> {
    match data_coding {
        0x00 => Some(default),
        0x01 => Some(Alphabet::Ascii),
        0x03 => Some(Alphabet::Latin1),
        0x08 => Some(Alphabet::Ucs2),
        // Reserved in SMPP 3.4; on the wire it is the cell broadcast and USSD scheme for the default alphabet.
        0x0f => Some(Alphabet::Gsm7),
        0x02 | 0x04..=0x07 | 0x09..=0x0e => None,
        // General coding, uncompressed, with or without a class or automatic deletion: bits 3 and 2 name the alphabet.
        0x10..=0x1f | 0x40..=0x5f => match data_coding >> 2 & 0b11 {
            0b00 => Some(Alphabet::Gsm7),
            0b10 => Some(Alphabet::Ucs2),
            _ => None,
        },
        // The same, compressed; and the reserved groups.
        0x20..=0x3f | 0x60..=0xbf => None,
        // Message waiting.
        0xc0..=0xdf => Some(Alphabet::Gsm7),
        0xe0..=0xef => Some(Alphabet::Ucs2),
        // Data coding and class: bit 2 names the alphabet.
        0xf0..=0xff => (data_coding & 0b100 == 0).then_some(Alphabet::Gsm7),
    }
}

/// Zeros at the end are padding: a C string's end, or the seven fill bits of a packed text. As a GSM character they would
/// read as `@`, with which no command ends.
fn without_padding(mut octets: &[u8]) -> &[u8] {
    while let [rest @ .., 0] = octets {
        octets = rest;
    }
    octets
}

/// Half a code unit at the end is dropped, as is a byte order mark.
fn utf16(octets: &[u8]) -> String {
    let (pairs, _) = octets.as_chunks::<2>();
    let (pairs, unit): (_, fn([u8; 2]) -> u16) = match pairs {
        [[0xff, 0xfe], rest @ ..] => (rest, u16::from_le_bytes),
        [[0xfe, 0xff], rest @ ..] => (rest, u16::from_be_bytes),
        _ => (pairs, u16::from_be_bytes),
    };
    char::decode_utf16(pairs.iter().map(|&pair| unit(pair)))
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(data_coding: u8, octets: &[u8]) -> Option<String> {
        decode(data_coding, Alphabet::Gsm7, octets).text
    }

    #[test]
    fn data_coding_zero_is_what_the_smsc_means_by_it() {
        for (default, expected) in [
            (Alphabet::Gsm7, "ON ¡\u{394}"),
            (Alphabet::Latin1, "ON @\u{10}"),
            (Alphabet::Ascii, "ON @\u{10}"),
            (Alphabet::Ucs2, "低\u{2040}"),
        ] {
            assert_eq!(decode(0, default, b"ON @\x10").text.as_deref(), Some(expected), "{default:?}");
        }
    }

    #[test]
    fn each_data_coding_has_its_alphabet_or_is_no_text() {
        const GSM: &[u8] = &[0x00, 0x0f, 0x10, 0x13, 0x40, 0x51, 0xc0, 0xd8, 0xf0, 0xf1, 0xf3, 0xf8];
        const UCS2: &[u8] = &[0x08, 0x18, 0x1b, 0x48, 0x59, 0xe0];
        const NO_TEXT: &[u8] =
            &[0x02, 0x04, 0x05, 0x06, 0x07, 0x09, 0x0a, 0x0e, 0x14, 0x1c, 0x20, 0x60, 0x80, 0xb0, 0xf4];
        for (codings, expected) in [(GSM, Some("@A")), (UCS2, Some("A")), (NO_TEXT, None)] {
            for &coding in codings {
                assert_eq!(text(coding, b"\x00A").as_deref(), expected, "{coding:#x}");
            }
        }
    }

    #[test]
    fn utf16_survives_odd_lengths_marks_and_lone_surrogates() {
        for (octets, expected) in [
            (&b"\x01\x10K"[..], "Đ"),
            (b"\xfe\xff\x01\x10", "Đ"),
            (b"\xff\xfe\x10\x01", "Đ"),
            (b"\xd8\x3d\xde\x00", "😀"),
            (b"\xd8\x3d\x00A", "\u{fffd}A"),
            (b"\xde\x00", "\u{fffd}"),
            (b"\x00", ""),
            (b"", ""),
        ] {
            assert_eq!(text(0x08, octets).as_deref(), Some(expected), "{octets:x?}");
        }
    }

    #[test]
    fn what_has_no_character_is_marked_as_lost() {
        for (data_coding, octets, lossy) in
            [(0x00, b"\x80A", true), (0x01, b"\xc0A", true), (0x03, b"\xc0A", false), (0x08, b"\xd8\x00", true)]
        {
            assert_eq!(decode(data_coding, Alphabet::Gsm7, octets).lossy, lossy, "{data_coding:#x}");
        }
    }

    #[test]
    fn no_nul_character_is_left_in_a_text() {
        for (data_coding, octets) in
            [(0x00, &b"ON\x00\x00"[..]), (0x01, b"O\x00N\x00"), (0x03, b"\x00ON"), (0x08, b"\x00O\x00N\x00\x00")]
        {
            assert_eq!(text(data_coding, octets).as_deref(), Some("ON"), "{data_coding:#x}");
        }
    }
}
