//! Alphabets and parts: nothing panics, and what is sent is what is read.

use paygate_parsers::concat::strip_udh;
use paygate_parsers::text::{Alphabet, Coding, decode, fold, segments, split};
use proptest::collection::vec;
use proptest::prelude::*;

/// Texts in GSM 7-bit alone: what any septets mean.
fn gsm_text() -> impl Strategy<Value = String> {
    // A letter at the end, since zeros there are padding.
    vec(0u8..128, 0..600)
        .prop_map(|septets| decode(0, Alphabet::Gsm7, &[septets, b"A".to_vec()].concat()).text.unwrap_or_default())
}

/// Any text without NUL, which is never sent, and byte order marks, which are no text where a part begins.
fn any_text() -> impl Strategy<Value = String> {
    let character = any::<char>().prop_filter("not text", |c| !matches!(c, '\0' | '\u{feff}' | '\u{fffe}'));
    vec(character, 0..400).prop_map(String::from_iter)
}

fn sendable_text() -> impl Strategy<Value = String> {
    prop_oneof![gsm_text(), any_text()]
}

/// What a phone shows: each message read by itself, its header off, one behind the other.
fn joined(text: &str) -> Result<String, TestCaseError> {
    let coding = Coding::of(text);
    let parts = split(text, 7).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let mut shown = String::new();
    for (index, part) in parts.iter().enumerate() {
        let octets = [part.udh.map_or_else(Vec::new, Vec::from), part.octets.clone()].concat();
        let payload = match part.udh {
            Some(_) => {
                let (place, payload) = strip_udh(&octets).map_err(|error| TestCaseError::fail(error.to_string()))?;
                let place = place.map(|place| (place.reference, place.total.into(), place.number.into()));
                prop_assert_eq!(place, Some((7, parts.len(), index + 1)));
                payload
            }
            None => &octets,
        };
        let room = if coding == Coding::Gsm7 { 160 } else { 140 };
        prop_assert!(octets.len() <= room);
        // A part may end in `@`, which reads as padding; a letter keeps it.
        let guard: &[u8] = if coding == Coding::Gsm7 { b"A" } else { b"\0A" };
        let decoded = decode(coding.data_coding(), Alphabet::Gsm7, &[payload, guard].concat());
        shown.extend(decoded.text.as_deref().and_then(|text| text.strip_suffix('A')));
    }
    Ok(shown)
}

proptest! {
    #[test]
    fn parts_put_together_are_the_text(text in sendable_text()) {
        prop_assert_eq!(joined(&text)?, text);
    }

    #[test]
    fn what_is_counted_is_what_is_sent(text in sendable_text()) {
        let (counted, parts) = (segments(&text), split(&text, 0).expect("600 characters fit"));
        let octets: usize = parts.iter().map(|part| part.octets.len()).sum();
        prop_assert_eq!(counted.parts, parts.len());
        prop_assert_eq!(counted.units * if counted.coding == Coding::Gsm7 { 1 } else { 2 }, octets);
    }

    #[test]
    fn any_octets_decode_under_any_coding_without_nul(
        data_coding: u8,
        default in prop::sample::select(vec![Alphabet::Gsm7, Alphabet::Latin1, Alphabet::Ascii, Alphabet::Ucs2]),
        octets in vec(any::<u8>(), 0..300),
    ) {
        let text = decode(data_coding, default, &octets).text.unwrap_or_default();
        prop_assert!(!text.contains('\0'));
        prop_assert!(text.chars().count() <= octets.len());
    }

    #[test]
    fn utf16_reads_back_what_was_written(text in any_text()) {
        let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        prop_assert_eq!(decode(0x08, Alphabet::Gsm7, &octets).text, Some(text));
    }

    #[test]
    fn folding_twice_is_folding_once(text in any::<String>()) {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded);
    }

    #[test]
    fn folding_leaves_no_case_and_no_second_space(text in "[ \\tA-Za-zÀ-ỹ0-9.,\u{a0}\u{200b}]{0,80}") {
        let folded = fold(&text);
        prop_assert_eq!(folded.to_uppercase(), folded.as_str());
        let spaced = folded.chars().all(|c| c == ' ' || !c.is_whitespace());
        prop_assert!(spaced && !folded.contains("  ") && folded.trim() == folded, "{folded:?}");
    }
}
