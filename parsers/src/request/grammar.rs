//! The grammar of a folded message. Only cuts it into its parts; what may stand in each part is decided elsewhere.

use crate::msisdn::{Country, Msisdn};
use nom::bytes::complete::{take_while, take_while1};
use nom::character::complete::digit1;
use nom::combinator::{all_consuming, not, opt, rest, verify};
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// separator = " " / "*" / "#" / "-" / "_" / "." / "," / ";" / ":" / "/". None of them can be part of a name.
fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '*' | '#' | '-' | '_' | '.' | ',' | ';' | ':' | '/')
}

/// separators = *separator
fn separators(input: &str) -> IResult<&str, &str> {
    take_while(is_separator).parse(input)
}

/// word = 1*(any character but a separator)
fn word(input: &str) -> IResult<&str, &str> {
    take_while1(|character| !is_separator(character)).parse(input)
}

/// spaced-digits = digit *(digit / " " / "." / "-")
pub(super) fn is_spaced_digits(text: &str) -> bool {
    let more = take_while(|character: char| character.is_ascii_digit() || matches!(character, ' ' | '.' | '-'));
    let parsed: IResult<&str, &str> = all_consuming(preceded(digit1, more)).parse(text);
    parsed.is_ok()
}

/// A text without the separators at both its ends.
pub(super) fn without_separators(text: &str) -> &str {
    text.trim_matches(is_separator)
}

/// Empty when there is none.
pub(super) fn first_word(text: &str) -> &str {
    word(text).map_or("", |(_, word)| word)
}

/// What stands behind the first word and its separators.
pub(super) fn after_word(text: &str) -> &str {
    word(text).map_or("", |(rest, _)| without_separators(rest))
}

/// phrase = word *(separators word), as the configuration spells it, behind which the message goes on with separators or
/// ends. Gives the rest of the message, or `None` where the phrase does not stand at its beginning.
pub(super) fn after_phrase<'a>(phrase: &str, text: &'a str) -> Option<&'a str> {
    let mut expected_words = phrase.split(is_separator).filter(|expected| !expected.is_empty()).peekable();
    expected_words.peek()?;
    let mut input = text;
    for expected in expected_words {
        let next: IResult<&str, &str> = preceded(separators, verify(word, |word: &str| word == expected)).parse(input);
        (input, _) = next.ok()?;
    }
    Some(without_separators(input))
}

/// The words of an order where they stand, none of them checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Order<'a> {
    pub(super) service: Option<&'a str>,
    pub(super) package: Option<&'a str>,
    pub(super) account: Option<&'a str>,
}

impl<'a> Order<'a> {
    /// order = \[name\] \[name\] \[account\]
    ///
    /// A phone number where a name should be is the account, and the name is missing. A single name with a digit in it is a
    /// package (`DK NAP1`), whose service is missing.
    pub(super) fn read(country: &Country, text: &'a str) -> Self {
        let name = || preceded(separators, opt(|input| name(country, input)));
        let parsed = (name(), name(), preceded(separators, rest)).parse(text);
        let Ok((_, (first, second, account))) = parsed else { return Self::default() };
        let lone_package = first.is_some_and(|first| second.is_none() && first.contains(|c: char| c.is_ascii_digit()));
        let (service, package) = if lone_package { (None, first) } else { (first, second) };
        Self { service, package, account: Some(account).filter(|account| !account.is_empty()) }
    }

    /// The same where a service may be left out: a single name is the package.
    pub(super) fn with_package_first(self) -> Self {
        match self {
            Self { service, package: None, account } => Self { service: None, package: service, account },
            both => both,
        }
    }
}

/// name = word, where what is left is not a phone number as a whole
fn name<'a>(country: &Country, input: &'a str) -> IResult<&'a str, &'a str> {
    let number = verify(rest, |rest: &str| Msisdn::parse(country, rest).is_ok());
    preceded(not(number), word).parse(input)
}
