//! The words a service listens to. Compared folded, so their case and accents do not matter; never decides what stands
//! behind a keyword.

use super::account::AccountForm;
use super::grammar;
use crate::msisdn::Country;
use crate::text::fold;
use serde::Deserialize;
use std::borrow::Cow;

/// The `[syntax]` section. Words may be phrases (`DONG Y`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Syntax {
    pub buy: Vec<String>,
    pub cancel: Vec<String>,
    pub status: Vec<String>,
    pub help: Vec<String>,
    /// A message of digits alone is a confirmation, too.
    pub confirm: Vec<String>,
    pub yes: Vec<String>,
    pub account: AccountForm,
    pub example: Example,
}

/// What an example says where nothing right was typed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Example {
    pub service: String,
    pub package: String,
    pub account: String,
}

impl Default for Example {
    fn default() -> Self {
        Self { service: "VIP".to_owned(), package: "NAP1".to_owned(), account: "0912345678".to_owned() }
    }
}

impl Default for Syntax {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            buy: words(&["ON", "DK"]),
            cancel: words(&["OFF", "HUY"]),
            status: words(&["KT"]),
            help: words(&["HD", "HELP"]),
            confirm: words(&["OTP", "XN"]),
            yes: words(&["Y", "YES", "CO", "DONG Y"]),
            account: AccountForm::default(),
            example: Example::default(),
        }
    }
}

/// What a keyword asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Buy,
    Cancel,
    Status,
    Help,
    Confirm,
    Yes,
}

impl Syntax {
    /// Everything that is wrong with the words, one sentence each; empty when they can be used. For the configuration's
    /// own check, so that a word that could never match is found before the first subscriber tries it.
    pub fn faults(&self, country: &Country) -> Vec<String> {
        let mut faults = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for (_, word) in self.words() {
            let folded = fold(word);
            if !folded.contains(char::is_alphabetic) {
                faults.push(format!("the word {word:?} has no letter in it"));
            } else if seen.contains(&folded) {
                faults.push(format!("the word {word:?} stands there twice"));
            }
            seen.push(folded);
        }
        if self.buy.is_empty() {
            faults.push("there is no word for buying".to_owned());
        } else if faults.is_empty() {
            faults.extend(self.example_fault(country));
        }
        faults
    }

    fn example_fault(&self, country: &Country) -> Option<String> {
        let Example { service, package, account } = &self.example;
        let line = format!("{} {service} {package} {account}", self.first(Verb::Buy));
        let invalid = super::parse(self, country, &line).err()?;
        Some(format!("the example {line:?} would not be understood: {invalid}"))
    }

    /// The keyword at the beginning of a folded message, and what stands behind it. The longest one that fits.
    pub(super) fn keyword<'a>(&'a self, text: &'a str) -> Option<(Verb, Cow<'a, str>, &'a str)> {
        let fitting = self.words().filter_map(|(verb, word)| {
            let keyword = folded(word);
            let rest = grammar::after_phrase(&keyword, text)?;
            Some((verb, keyword, rest))
        });
        fitting.min_by_key(|(_, _, rest)| rest.len())
    }

    /// A keyword without a space behind it (`OTP123456`, `DKNAP1`), where a digit shows that more than a word was meant.
    pub(super) fn run_together<'a>(&'a self, text: &'a str) -> Option<(Verb, Cow<'a, str>, &'a str)> {
        let fitting = self.words().filter(|(verb, _)| *verb != Verb::Yes).filter_map(|(verb, word)| {
            let keyword = folded(word);
            let rest = text.strip_prefix(&*keyword)?;
            let apart = keyword.len() > 1 && rest.contains(|c: char| c.is_ascii_digit());
            apart.then_some((verb, keyword, rest))
        });
        fitting.min_by_key(|(_, _, rest)| rest.len())
    }

    /// The keyword one typing error away from a folded word, the one with the longest common beginning if there are
    /// several. Never a yes, which nobody should be led to say, and nothing for a single letter, to which all is near.
    pub(super) fn nearest(&self, typed: &str) -> Option<(Verb, Cow<'_, str>)> {
        let typed: Vec<char> = typed.chars().collect();
        let near = self.words().filter(|(verb, _)| *verb != Verb::Yes).filter_map(|(verb, word)| {
            let keyword = folded(word);
            let letters: Vec<char> = keyword.chars().collect();
            let near = typed.len() > 1 && letters.len() > 1 && is_one_edit(&typed, &letters);
            near.then_some((common_length(typed.iter().zip(&letters)), verb, keyword))
        });
        // Of equals the first one configured: max_by_key would give the last.
        near.min_by_key(|(common, _, _)| std::cmp::Reverse(*common)).map(|(_, verb, keyword)| (verb, keyword))
    }

    /// The first keyword of a verb, folded; empty when there is none.
    pub(super) fn first(&self, verb: Verb) -> Cow<'_, str> {
        self.words().find(|(other, _)| *other == verb).map_or(Cow::Borrowed(""), |(_, word)| folded(word))
    }

    /// `ON, DK, OFF`.
    pub(super) fn keywords(&self) -> String {
        self.words().map(|(_, word)| word).collect::<Vec<_>>().join(", ")
    }

    fn words(&self) -> impl Iterator<Item = (Verb, &str)> {
        let lists = [
            (Verb::Buy, &self.buy),
            (Verb::Cancel, &self.cancel),
            (Verb::Status, &self.status),
            (Verb::Help, &self.help),
            (Verb::Confirm, &self.confirm),
            (Verb::Yes, &self.yes),
        ];
        lists.into_iter().flat_map(|(verb, words)| words.iter().map(move |word| (verb, word.as_str())))
    }
}

/// Folds a configured word. Nearly all are folded as they stand, and each message meets all of them.
fn folded(word: &str) -> Cow<'_, str> {
    let plain = word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if plain { Cow::Borrowed(word) } else { Cow::Owned(fold(word)) }
}

/// One letter changed, left out or put in, or two neighbours swapped.
fn is_one_edit(a: &[char], b: &[char]) -> bool {
    let begin = common_length(a.iter().zip(b));
    let (a, b) = (&a[begin..], &b[begin..]);
    let end = common_length(a.iter().rev().zip(b.iter().rev()));
    match (&a[..a.len() - end], &b[..b.len() - end]) {
        ([], [_]) | ([_], [] | [_]) => true,
        ([first, second], other) => *other == [*second, *first],
        (_, _) => false,
    }
}

fn common_length<'a>(mut pairs: impl Iterator<Item = (&'a char, &'a char)>) -> usize {
    let mut length = 0;
    while pairs.next().is_some_and(|(a, b)| a == b) {
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn faults(change: impl FnOnce(&mut Syntax)) -> Vec<String> {
        let mut syntax = Syntax::default();
        change(&mut syntax);
        syntax.faults(&Country::new("84").unwrap())
    }

    #[test]
    fn the_default_words_can_be_used() {
        assert_eq!(faults(|_| {}), [""; 0]);
    }

    #[test]
    fn a_word_that_could_never_match_is_found_at_the_start() {
        assert_eq!(faults(|syntax| syntax.buy.clear()), ["there is no word for buying"]);
        assert_eq!(faults(|syntax| syntax.help.push("đk".to_owned())), ["the word \"đk\" stands there twice"]);
        assert_eq!(
            faults(|syntax| syntax.yes.extend(["?!".to_owned(), "1".to_owned()])),
            ["the word \"?!\" has no letter in it", "the word \"1\" has no letter in it"]
        );
    }

    #[test]
    fn an_example_that_would_be_refused_is_found_at_the_start() {
        let faults = faults(|syntax| syntax.example.account = "091234567".to_owned());
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("the example \"ON VIP NAP1 091234567\" would not be understood: "), "{faults:?}");
    }

    #[test]
    fn one_typing_error_is_near_and_two_are_not() {
        let syntax = Syntax::default();
        for (typed, near) in [
            ("NO", Some("ON")),
            ("ONN", Some("ON")),
            ("DL", Some("DK")),
            ("OF", Some("OFF")),
            ("HUI", Some("HUY")),
            ("HLEP", Some("HELP")),
            ("HEPL", Some("HELP")),
            ("OTB", Some("OTP")),
            ("N", None),
            ("YEA", None),
            ("HUYEN", None),
            ("BUY", Some("HUY")),
            ("", None),
        ] {
            let found = syntax.nearest(typed).map(|(_, keyword)| keyword);
            assert_eq!(found.as_deref(), near, "{typed}");
        }
    }

    #[test]
    fn the_longest_phrase_that_fits_is_the_keyword() {
        let syntax = Syntax { help: vec!["DK HELP".to_owned()], ..Syntax::default() };
        for (text, verb, rest) in [
            ("DK HELP ME", Verb::Help, "ME"),
            ("DK-HELP", Verb::Help, ""),
            ("DK HELPER", Verb::Buy, "HELPER"),
            ("DONG Y", Verb::Yes, ""),
        ] {
            let (found, _, behind) = syntax.keyword(text).unwrap();
            assert_eq!((found, behind), (verb, rest), "{text}");
        }
        assert!(syntax.keyword("DONG").is_none());
        assert!(syntax.keyword("DKNAP1").is_none());
    }

    #[test]
    fn the_words_come_from_toml_like_data_by_name() {
        let syntax: Syntax = serde_json::from_str(r#"{"buy": ["MUA"], "account": "word"}"#).unwrap();
        assert_eq!((syntax.buy, syntax.account), (vec!["MUA".to_owned()], AccountForm::Word));
        assert_eq!(syntax.cancel, Syntax::default().cancel);
        assert!(serde_json::from_str::<Syntax>(r#"{"by": ["MUA"]}"#).is_err());
    }
}
