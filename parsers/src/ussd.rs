//! What was dialled, and what was answered to a menu: `*098*1*2#` to the code and the inputs behind it. Lenient about how it is
//! written; never says what an input means.

use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// Characters a dialled string, or all inputs of a dialogue, may have: no network's are longer (TS 24.090 has 182).
const CHARACTERS: usize = 400;

/// A dialled string: `*098*1*2#` is `098`, `1`, `2`. Never empty. Prints as it is dialled, without what stands behind the code,
/// which may be somebody's number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Dialled(Vec<String>);

impl Dialled {
    /// Reads what begins with `*` or `#`, or the bare digits that a gateway leaves of it.
    ///
    /// # Errors
    /// Where nothing is dialled, or more than a network carries.
    pub fn parse(text: &str) -> Result<Self, NotDialled> {
        let segments = cut(&plain(text)?, &['*', '#']);
        let segments: Vec<String> = segments.into_iter().filter(|segment| !segment.is_empty()).collect();
        let starts_as_a_code = segments.first().is_some_and(|first| first.bytes().all(|octet| octet.is_ascii_digit()));
        if starts_as_a_code { Ok(Self(segments)) } else { Err(NotDialled) }
    }

    /// What was dialled behind this code; `None` where another code was dialled.
    #[must_use]
    pub fn behind(&self, code: &Self) -> Option<&[String]> {
        self.0.strip_prefix(code.0.as_slice())
    }

    /// What was dialled behind the first segment, for gateways with whatever code.
    #[must_use]
    pub fn behind_first(&self) -> &[String] {
        self.0.get(1..).unwrap_or_default()
    }

    /// How many segments it has.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.0.len()
    }
}

/// As a service code is written.
impl fmt::Display for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*{}#", self.0.join("*"))
    }
}

/// Behind the code may stand an account.
impl fmt::Debug for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dialled(*{}, {} more)", self.0.first().map_or("", String::as_str), self.behind_first().len())
    }
}

/// A text that nobody can have dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDialled;

impl fmt::Display for NotDialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a dialled code begins with digits between * and #, as *098#")
    }
}

impl std::error::Error for NotDialled {}

/// All inputs of a text that joins them by `*`: `1*2` is `1`, `2`, and an empty text is none. An input between two `*` that is
/// empty stays one; the `#` that closes what is dialled is not part of any.
///
/// # Errors
/// Where there is more than a network carries.
pub fn inputs(text: &str) -> Result<Vec<String>, NotDialled> {
    let plain = plain(text)?.replace('#', "");
    Ok(if plain.is_empty() { Vec::new() } else { cut(&plain, &['*']) })
}

fn cut(text: &str, at: &[char]) -> Vec<String> {
    text.trim_start_matches(at).split(at).map(str::to_owned).collect()
}

/// Without what no phone dials.
fn plain(text: &str) -> Result<String, NotDialled> {
    // Compatibility forms can be longer than what they stand for.
    let plain: String = text.nfkc().filter(|character| !is_nothing(*character)).take(CHARACTERS + 1).collect();
    if plain.chars().count() > CHARACTERS { Err(NotDialled) } else { Ok(plain) }
}

/// One answer to a menu, as it was typed but for spaces around it and forms of the same characters.
#[must_use]
pub fn input(text: &str) -> String {
    let plain: String = text.nfkc().filter(|character| !is_unseen(*character)).take(CHARACTERS).collect();
    plain.trim().to_owned()
}

/// In a dialled string no character stands for nothing: spaces, controls and joiners are the gateway's.
fn is_nothing(character: char) -> bool {
    character.is_whitespace() || is_unseen(character)
}

fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(text: &str) -> Option<Vec<String>> {
        Dialled::parse(text).ok().map(|dialled| dialled.0)
    }

    #[test]
    fn one_shortcut_in_many_spellings_is_dialled_alike() {
        for text in [
            "*098*1*2#",
            "*098*1*2",
            "098*1*2#",
            " *098 * 1 * 2 # ",
            "*098**1*2##",
            "＊０９８＊１＊２＃",
            "\u{202a}*098*1*2#\u{202c}",
            "#098#1#2#",
            "*098*1*2#\r\n",
            "*098*1*2#\0",
        ] {
            let expected: Vec<String> = ["098", "1", "2"].map(str::to_owned).to_vec();
            assert_eq!(segments(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn a_shortcut_may_name_package_and_account() {
        let dialled = Dialled::parse("*098*NAP1*0854689520#");
        let code = Dialled::parse("*098#");
        let (Ok(dialled), Ok(code)) = (dialled, code) else { unreachable!("both are dialled") };
        assert_eq!(dialled.behind(&code), Some(&["NAP1".to_owned(), "0854689520".to_owned()][..]));
        assert_eq!(code.behind(&dialled), None);
        assert_eq!(code.to_string(), "*098#");
    }

    #[test]
    fn an_account_behind_a_code_is_not_printed() {
        let printed = Dialled::parse("*098*NAP1*0854689520#").map(|dialled| format!("{dialled:?}"));
        assert_eq!(printed.as_deref(), Ok("Dialled(*098, 2 more)"));
    }

    #[test]
    fn what_nobody_can_have_dialled_is_refused() {
        let long = format!("*098*{}#", "1".repeat(CHARACTERS));
        for text in ["", "#", "***", "*VIP#", "ON VIP NAP1", " ", "\u{feff}", &long] {
            assert_eq!(Dialled::parse(text), Err(NotDialled), "{text:?}");
        }
    }

    #[test]
    fn all_inputs_of_a_dialogue_are_cut_at_their_stars() {
        let cut = |text: &str| inputs(text).map(|inputs| inputs.join("|"));
        for (text, expected) in [
            ("", ""),
            ("1", "1"),
            ("1*2*0854689520", "1|2|0854689520"),
            ("1*2#*3", "1|2|3"),
            ("1**2", "1||2"),
            ("1*", "1|"),
        ] {
            assert_eq!(cut(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn an_input_keeps_what_was_typed() {
        for (text, expected) in
            [(" 1 ", "1"), ("１", "1"), ("0854 689 520", "0854 689 520"), ("\u{200b}2\n", "2"), ("", "")]
        {
            assert_eq!(input(text), expected, "{text:?}");
        }
    }
}
