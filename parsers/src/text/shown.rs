//! Somebody's words made fit for a phone's screen: within GSM 7-bit, on one line, as short as there is room. For showing only:
//! what is compared or kept stays as it was.

use super::gsm;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What stands at the end of a text that was shortened.
const CUT: &str = "..";

/// Septets a text takes, where an extension character counts two; `None` where it has a character that GSM 7-bit has not.
pub fn septets(text: &str) -> Option<usize> {
    text.chars().map(gsm::width).sum()
}

/// The text on one line of GSM 7-bit, without accents, as messages of this country are written; what has no letter there
/// becomes `?`.
pub fn shown(text: &str) -> String {
    let plain: String = text.nfkd().filter(|&character| !is_combining_mark(character)).map(bare).collect();
    plain.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text in at most so many septets, its middle cut where it is longer: names that begin alike often end in what tells
/// them apart. The text is within GSM 7-bit.
pub fn shortened(text: &str, most: usize) -> String {
    if septets(text).is_some_and(|septets| septets <= most) {
        return text.to_owned();
    }
    let room = most.saturating_sub(CUT.len());
    let tail = tail(text, room / 2);
    let head = head(text.chars(), room - septets(&tail).unwrap_or(0));
    if head.is_empty() { self::head(text.chars(), most) } else { format!("{}{CUT}{tail}", head.trim_end()) }
}

/// The last words that fit; none where not even one does.
fn tail(text: &str, room: usize) -> String {
    let tail: String = head(text.chars().rev(), room).chars().rev().collect();
    tail.split_once(' ').map_or_else(String::new, |(_, words)| words.to_owned())
}

/// As many whole characters as fit.
fn head(text: impl Iterator<Item = char>, room: usize) -> String {
    let mut left = room;
    let fits = |character: &char| match gsm::width(*character).and_then(|width| left.checked_sub(width)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    text.take_while(fits).collect()
}

fn is_gap(character: char) -> bool {
    character.is_whitespace() || character.is_control()
}

fn bare(character: char) -> char {
    match character {
        'đ' | 'ð' => 'd',
        'Đ' | 'Ð' => 'D',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        other if gsm::width(other).is_some() && !is_gap(other) => other,
        other if is_gap(other) => ' ',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn septets_are_counted_as_a_screen_has_them() {
        for (text, expected) in
            [("", Some(0)), ("VIP 30 ngay\n", Some(12)), ("[€]", Some(6)), ("ngày", Some(4)), ("ế", None)]
        {
            assert_eq!(septets(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_name_is_shown_without_what_no_phone_could_show() {
        for (name, expected) in [
            ("VIP 30 ngay", "VIP 30 ngay"),
            ("Gói Đặc Biệt – 30 ngày", "Goi Dac Biet - 30 ngay"),
            ("  VIP\n30\t ngay ", "VIP 30 ngay"),
            ("Phim 😀 hay", "Phim ? hay"),
            ("\u{1b}[2J", "[2J"),
            ("ngày £5", "ngay £5"),
            ("", ""),
        ] {
            assert_eq!(shown(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_last_words() {
        let name = "Xem phim khong gioi han trong 30 ngay";
        for (most, expected) in [
            (40, name),
            (30, "Xem phim khong..trong 30 ngay"),
            (20, "Xem phim kh..30 ngay"),
            (10, "Xem phim.."),
            (3, "X.."),
            (2, "Xe"),
            (0, ""),
        ] {
            assert_eq!(shortened(name, most), expected, "{most}");
        }
        assert_eq!(shortened("[[[[", 7), "[[..", "no character is cut in two");
    }
}
