//! The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038 §6.2.1), one septet an octet, as SMPP carries
//! it. Never packs septets, and knows no national language table.

const ESCAPE: u8 = 0x1b;

/// The default alphabet by septet. 0x1B leads into [`EXTENSION`].
#[rustfmt::skip]
const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\x1b', 'Æ', 'æ', 'ß', 'É',
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// What a septet means after an escape.
const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\x0c'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// Reads unpacked septets. An octet above 0x7F becomes U+FFFD. An unknown escape reads as the septet's own character, a
/// doubled one or one at the end as a space, as TS 23.038 asks of a phone.
pub(super) fn decode(octets: &[u8]) -> String {
    let mut octets = octets.iter().copied();
    let mut text = String::new();
    while let Some(octet) = octets.next() {
        text.push(if octet == ESCAPE { octets.next().map_or(' ', escaped) } else { plain(octet) });
    }
    text
}

fn plain(octet: u8) -> char {
    DEFAULT.get(usize::from(octet)).copied().unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn escaped(octet: u8) -> char {
    let extended = EXTENSION.iter().find(|(septet, _)| *septet == octet);
    match extended {
        Some((_, character)) => *character,
        None if octet == ESCAPE => ' ',
        None => plain(octet),
    }
}

/// The octets of one character: one, or two with an escape. `None` outside the alphabet.
pub(super) fn encode(character: char) -> Option<Vec<u8>> {
    if let Some(septet) = septet(character) {
        return Some(vec![septet]);
    }
    let extended = EXTENSION.iter().find(|(_, other)| *other == character);
    extended.map(|(septet, _)| vec![ESCAPE, *septet])
}

/// Septets of one character; `None` outside the alphabet.
pub(super) fn width(character: char) -> Option<usize> {
    let extended = || EXTENSION.iter().any(|(_, other)| *other == character).then_some(2);
    septet(character).map(|_| 1).or_else(extended)
}

fn septet(character: char) -> Option<u8> {
    let code = u8::try_from(character).ok();
    // Letters, digits and most marks stand where ASCII has them, which spares the search through the table.
    if let Some(code) = code.filter(|&code| code != ESCAPE && plain(code) == character) {
        return Some(code);
    }
    let place = DEFAULT.iter().position(|&other| other == character && other != char::from(ESCAPE))?;
    u8::try_from(place).ok()
}

/// Whether a text can be sent in the GSM 7-bit alphabet.
pub fn is_gsm(text: &str) -> bool {
    text.chars().all(|character| encode(character).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_septet_reads_and_is_written_back_the_same() {
        for septet in (0..128).filter(|&septet| septet != ESCAPE) {
            assert_eq!(encode(plain(septet)), Some(vec![septet]), "{septet:#x}");
        }
        for (septet, character) in EXTENSION {
            assert_eq!(decode(&[ESCAPE, septet]), character.to_string());
            assert_eq!(encode(character), Some(vec![ESCAPE, septet]));
        }
    }

    #[test]
    fn known_texts_have_their_known_octets() {
        for (octets, text) in [
            (&b"ON VIP NAP1"[..], "ON VIP NAP1"),
            (b"\x00\x02\x11", "@$_"),
            (b"1\x1be", "1€"),
            (b"\x1b\x28\x1b\x29", "{}"),
            (b"\x05\x0d\x0a", "é\r\n"),
        ] {
            assert_eq!(decode(octets), text);
            assert_eq!(text.chars().filter_map(encode).collect::<Vec<_>>().concat(), octets);
        }
    }

    #[test]
    fn a_broken_escape_reads_as_a_phone_would_show_it() {
        for (octets, text) in [(&b"A\x1b"[..], "A "), (b"\x1b\x1bA", " A"), (b"\x1bA", "A"), (b"\x1b\xff", "\u{fffd}")]
        {
            assert_eq!(decode(octets), text, "{octets:x?}");
        }
    }

    #[test]
    fn only_the_alphabet_is_gsm() {
        for (text, gsm) in [
            ("", true),
            ("Ma OTP: {123} €", true),
            ("é", true),
            ("ê", false),
            ("Đ", false),
            ("\x1b", false),
            ("ç", false),
        ] {
            assert_eq!(is_gsm(text), gsm, "{text}");
        }
    }
}
