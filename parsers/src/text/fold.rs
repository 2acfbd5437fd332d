//! Text brought to one form for comparing: no case, accents, or invisible characters. Never changes what letters or digits
//! were meant, and is not for showing.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds a text: compatibility forms and accents go (`Ｏ` to `O`, `ế` to `E`, `Đ` to `D`), digits of other scripts become
/// 0–9, letters upper-case, every run of spaces, line ends and controls one space; what is invisible goes, as do quotation
/// marks around the text and punctuation at its end. Folding twice changes nothing.
pub fn fold(text: &str) -> String {
    let letters = text.nfkd().filter(|&character| !is_combining_mark(character) && !is_invisible(character));
    let mut folded = String::with_capacity(text.len());
    for character in letters.map(plain).flat_map(char::to_uppercase) {
        if character != ' ' || !folded.ends_with(' ') {
            folded.push(character);
        }
    }
    let closed = folded.trim_end_matches(|character| is_closing(character) || character == ' ');
    closed.trim_start_matches(|character| is_quote(character) || character == ' ').to_owned()
}

/// The plain twin of what NFKD leaves alone.
fn plain(character: char) -> char {
    match character {
        // The stroke of đ is part of the letter. Eth is how Windows-1258 octets of Đ look when read as Latin-1.
        'đ' | 'Đ' | 'ð' | 'Ð' | 'ɖ' | 'Ɖ' => 'D',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{0660}'..='\u{0669}' => digit(character, '\u{0660}'),
        '\u{06f0}'..='\u{06f9}' => digit(character, '\u{06f0}'),
        // Browsers copy a zero-width space where a line may break, which is between words.
        '\u{200b}' => ' ',
        space if space.is_whitespace() || space.is_control() => ' ',
        other => other,
    }
}

/// `zero` is the script's own zero, at most nine places before the digit.
fn digit(character: char, zero: char) -> char {
    char::from_digit(u32::from(character) - u32::from(zero), 10).unwrap_or(character)
}

/// NUL, soft hyphen, joiners, direction marks and the byte order mark: they stand inside words without being seen.
fn is_invisible(character: char) -> bool {
    matches!(character, '\0' | '\u{ad}' | '\u{180e}' | '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\'' | '`' | '‘' | '’' | '‚' | '“' | '”' | '„' | '«' | '»')
}

fn is_closing(character: char) -> bool {
    is_quote(character) || matches!(character, '.' | ',' | ';' | ':' | '!' | '?' | '。')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_in_many_spellings_folds_to_one_text() {
        for text in [
            "ON VIP NAP1",
            "on vip nap1",
            "  On\tViP \r\n nap1  ",
            "ON\u{a0}VIP\u{3000}NAP1",
            "ON\u{200b}VIP \u{200b} NAP1",
            "\u{feff}O\u{ad}N VI\u{200d}P NAP1\u{200f}",
            "\u{202a}ON VIP NAP1\u{202c}",
            "ＯＮ　ＶＩＰ　ＮＡＰ１",
            "Ôn víp nạp1",
            "ON VIP NAP1.",
            "“ON VIP NAP1”!?",
            "'ON VIP NAP1 ...'",
            "ON VIP NAP1\0\0",
            "ON VIP NAP١",
            "ON VIP NAP۱",
        ] {
            assert_eq!(fold(text), "ON VIP NAP1", "{text:?}");
        }
    }

    #[test]
    fn vietnamese_folds_to_its_bare_letters() {
        for (text, folded) in [
            ("ĐK", "DK"),
            ("đồng ý", "DONG Y"),
            ("Hủy", "HUY"),
            ("Ðăng ký", "DANG KY"),
            ("ƯỚC MƠ ÂĂÊÔƠƯ", "UOC MO AAEOOU"),
            ("d\u{323}\u{302}", "D"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn a_text_of_marks_alone_folds_to_nothing() {
        for text in ["", " \n", "...", "\"\"", "\u{301}", "\u{200b}\u{feff}", "?!. \u{a0}"] {
            assert_eq!(fold(text), "", "{text:?}");
        }
    }

    #[test]
    fn punctuation_stays_where_it_is_not_the_end() {
        assert_eq!(fold("ON.VIP,NAP1 0854.689–520"), "ON.VIP,NAP1 0854.689-520");
        assert_eq!(fold("*on*vip"), "*ON*VIP");
    }

    #[test]
    fn folding_twice_changes_no_character_of_unicode() {
        // Beyond these stand only tags, variation selectors and private use.
        for character in '\0'..='\u{323af}' {
            let folded = fold(&format!("A{character}A"));
            assert_eq!(fold(&folded), folded, "{character:?}");
        }
    }
}
