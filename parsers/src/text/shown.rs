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

/// The text on one line of GSM 7-bit: accents go where the alphabet has no place for them, and what has no letter at all
/// becomes `?`.
pub fn shown(text: &str) -> String {
    let line: String = text.chars().map(|character| if is_gap(character) { ' ' } else { character }).collect();
    let line = line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if gsm::is_gsm(&line) { line } else { line.nfkd().filter(|&c| !is_combining_mark(c)).map(bare).collect() }
}

/// The text in at most so many septets, its end cut where it is longer. The text is within GSM 7-bit.
pub fn shortened(text: &str, most: usize) -> String {
    if septets(text).is_some_and(|septets| septets <= most) {
        return text.to_owned();
    }
    let room = most.saturating_sub(CUT.len());
    let head = head(text, room);
    if head.is_empty() { self::head(text, most) } else { format!("{}{CUT}", head.trim_end()) }
}

/// As many whole characters as fit.
fn head(text: &str, room: usize) -> String {
    let mut left = room;
    let fits = |character: &char| match gsm::width(*character).and_then(|width| left.checked_sub(width)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    text.chars().take_while(fits).collect()
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
            ("", ""),
        ] {
            assert_eq!(shown(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_ends_where_there_is_no_more_room() {
        for (most, expected) in [(11, "VIP 30 ngay"), (10, "VIP 30 n.."), (6, "VIP.."), (3, "V.."), (2, "VI"), (0, "")]
        {
            assert_eq!(shortened("VIP 30 ngay", most), expected, "{most}");
        }
        assert_eq!(shortened("[[[[", 7), "[[..", "no character is cut in two");
    }
}
