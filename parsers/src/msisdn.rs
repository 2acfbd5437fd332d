//! Phone numbers: whatever a person or an SMSC writes, to E.164 and to the national form. Never asks which network a
//! number belongs to, and never prints one in full unless asked by name.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// ITU-T E.164 §6.2.1: country code and national number together.
const E164_DIGITS: RangeInclusive<usize> = 4..=15;

/// How numbers are written in one country.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Country {
    /// 1 to 3 digits.
    code: String,
    /// What is dialled before a national number inside the country.
    trunk: &'static str,
    /// Digits of a national number without its trunk prefix.
    subscriber_digits: RangeInclusive<usize>,
}

impl Country {
    /// The country with this calling code, as `84` or `+84`. Exact for 84, where a mobile number has ten digits with its
    /// trunk `0`; any other code gets the trunk `0` and every length that E.164 leaves room for.
    pub fn new(code: &str) -> Result<Self, CountryError> {
        let code = code.strip_prefix('+').unwrap_or(code);
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || code.starts_with('0') || !(1..=3).contains(&code.len()) {
            return Err(CountryError);
        }
        let subscriber_digits = if code == "84" { 9..=9 } else { 4..=E164_DIGITS.end() - code.len() };
        Ok(Self { code: code.to_owned(), trunk: "0", subscriber_digits })
    }

    /// Digits of a number as it is dialled inside the country.
    fn national_digits(&self) -> RangeInclusive<usize> {
        self.subscriber_digits.start() + self.trunk.len()..=self.subscriber_digits.end() + self.trunk.len()
    }

    fn msisdn(&self, subscriber: &str) -> Result<Msisdn, MsisdnError> {
        if !self.subscriber_digits.contains(&subscriber.len()) || subscriber.starts_with(self.trunk) {
            let found = subscriber.len() + self.trunk.len();
            return Err(MsisdnError::Length { found, expected: self.national_digits() });
        }
        Msisdn::from_digits(&format!("{}{subscriber}", self.code))
    }
}

impl TryFrom<String> for Country {
    type Error = CountryError;

    fn try_from(code: String) -> Result<Self, CountryError> {
        Self::new(&code)
    }
}

/// A calling code that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountryError;

impl fmt::Display for CountryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a country code is 1 to 3 digits and does not begin with 0, as 84")
    }
}

impl std::error::Error for CountryError {}

/// A phone number in E.164. Prints masked (`+84854***520`) under both `{}` and `{:?}`, so that a log line cannot leak it;
/// [`Msisdn::e164`] and its neighbours give it in full. Serialised in full, as `+84854689520`.
///
/// Held as an integer: E.164 has at most 15 digits and never begins with 0, so no digit is lost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Msisdn(NonZeroU64);

impl Msisdn {
    /// Reads a number that a person wrote: `0854689520`, `84854689520`, `+84 854 689 520`, `0084…`, `+84 (0)854…`, with
    /// spaces, dots, dashes and parentheses anywhere. Only numbers of this country are accepted, and only with a trunk
    /// prefix or the country code, since what is short of a digit must not become somebody else's number.
    pub fn parse(country: &Country, text: &str) -> Result<Self, MsisdnError> {
        Written::read(text)?.complete(country)
    }

    /// Reads a sender's address from an SMSC, which may also lack the trunk prefix (`854689520`; SMPP 3.4 §5.2.5 leaves
    /// the form to the type of number, which few SMSCs set rightly).
    pub fn parse_sender(country: &Country, text: &str) -> Result<Self, MsisdnError> {
        let written = Written::read(text)?;
        let bare = !written.international && country.subscriber_digits.contains(&written.digits.len());
        let complete = written.complete(country);
        if complete.is_err() && bare { country.msisdn(&written.digits).or(complete) } else { complete }
    }

    /// `+84854689520`.
    pub fn e164(&self) -> String {
        format!("+{}", self.0)
    }

    /// `84854689520`, the form SMPP addresses with TON 1 use.
    pub fn digits(&self) -> String {
        self.0.to_string()
    }

    /// `0854689520`, as dialled inside the country. A number of another country stays in E.164.
    pub fn national(&self, country: &Country) -> String {
        match self.digits().strip_prefix(&country.code) {
            Some(subscriber) => format!("{}{subscriber}", country.trunk),
            None => self.e164(),
        }
    }

    /// `digits` holds ASCII digits only.
    fn from_digits(digits: &str) -> Result<Self, MsisdnError> {
        let length = MsisdnError::Length { found: digits.len(), expected: E164_DIGITS };
        if digits.starts_with('0') {
            return Err(MsisdnError::Start);
        }
        let number = if E164_DIGITS.contains(&digits.len()) { digits.parse().ok() } else { None };
        number.map(Self).ok_or(length)
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        write!(f, "+{}", mask(&digits))
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads `+84854689520` exactly: the form in which a number is kept.
impl FromStr for Msisdn {
    type Err = MsisdnError;

    fn from_str(text: &str) -> Result<Self, MsisdnError> {
        let digits = text.strip_prefix('+').ok_or(MsisdnError::Start)?;
        match digits.chars().find(|c| !c.is_ascii_digit()) {
            Some(other) => Err(MsisdnError::of_character(other)),
            None => Self::from_digits(digits),
        }
    }
}

impl TryFrom<String> for Msisdn {
    type Error = MsisdnError;

    fn try_from(text: String) -> Result<Self, MsisdnError> {
        text.parse()
    }
}

impl From<Msisdn> for String {
    fn from(msisdn: Msisdn) -> Self {
        msisdn.e164()
    }
}

/// Hides three characters before the last three (`84854***520`), and all but the last ones of a shorter text.
pub(crate) fn mask(text: &str) -> String {
    let length = text.chars().count();
    let shown = length.saturating_sub(6);
    let tail = length.saturating_sub(3).min(3);
    let head: String = text.chars().take(shown).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{head}***{end}")
}

/// A number as written, its separators gone.
struct Written {
    /// It began with `+` or `00`, which are gone, too.
    international: bool,
    digits: String,
}

impl Written {
    fn read(text: &str) -> Result<Self, MsisdnError> {
        let mut digits = String::new();
        let mut plus = false;
        for character in text.trim().chars() {
            match character {
                '0'..='9' => digits.push(character),
                ' ' | '.' | '-' | '(' | ')' => {}
                '+' if digits.is_empty() && !plus => plus = true,
                other => return Err(MsisdnError::of_character(other)),
            }
        }
        match digits.strip_prefix("00") {
            _ if digits.is_empty() => Err(MsisdnError::Empty),
            Some(rest) if !plus => Ok(Self { international: true, digits: rest.to_owned() }),
            Some(_) | None => Ok(Self { international: plus, digits }),
        }
    }

    fn complete(&self, country: &Country) -> Result<Msisdn, MsisdnError> {
        let after_code = self.digits.strip_prefix(&country.code);
        if self.international {
            let subscriber = after_code.ok_or(MsisdnError::Foreign)?;
            return country.msisdn(without_trunk(subscriber, country));
        }
        match (self.digits.strip_prefix(country.trunk), after_code) {
            (Some(subscriber), _) => country.msisdn(subscriber),
            (None, Some(subscriber)) => country.msisdn(without_trunk(subscriber, country)),
            (None, None) => Err(MsisdnError::Start),
        }
    }
}

/// `+84 (0)854…` is how many cards print a number; a mobile number itself never begins with the trunk prefix.
fn without_trunk<'a>(subscriber: &'a str, country: &Country) -> &'a str {
    subscriber.strip_prefix(country.trunk).unwrap_or(subscriber)
}

/// Why a text is not a phone number. The writer's fault always: the same text fails again. Prints without the number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MsisdnError {
    /// No digit in it.
    Empty,
    Letter,
    /// A character that is neither digit, letter nor separator.
    Symbol(char),
    /// Neither the trunk prefix nor the country code stands first.
    Start,
    /// Another country's number.
    Foreign,
    /// Digits in the national form, with its trunk prefix.
    Length {
        found: usize,
        expected: RangeInclusive<usize>,
    },
}

impl MsisdnError {
    fn of_character(character: char) -> Self {
        if character.is_alphabetic() { Self::Letter } else { Self::Symbol(character) }
    }
}

impl fmt::Display for MsisdnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no digit in the phone number"),
            Self::Letter => f.write_str("there is a letter in the phone number"),
            Self::Symbol(symbol) => write!(f, "there is the character {symbol:?} in the phone number"),
            Self::Start => f.write_str("the phone number does not begin with 0 or the country code"),
            Self::Foreign => f.write_str("the phone number belongs to another country"),
            Self::Length { found, expected } if expected.start() == expected.end() => {
                write!(f, "a phone number has {} digits and this one has {found}", expected.start())
            }
            Self::Length { found, expected } => {
                write!(
                    f,
                    "a phone number has {} to {} digits and this one has {found}",
                    expected.start(),
                    expected.end()
                )
            }
        }
    }
}

impl std::error::Error for MsisdnError {}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn vietnam() -> Country {
        Country::new("84").unwrap()
    }

    #[test]
    fn every_spelling_of_one_number_is_that_number() {
        for text in [
            "0854689520",
            "84854689520",
            "+84854689520",
            "0084854689520",
            "085 468 9520",
            "0854.689.520",
            "+84 854 689 520",
            "(+84) 854-689-520",
            "+84 (0)854 689 520",
            " 0854689520 ",
        ] {
            assert_eq!(Msisdn::parse(&vietnam(), text).unwrap().e164(), "+84854689520", "{text}");
        }
    }

    #[test]
    fn what_is_no_number_of_the_country_says_why() {
        let length = |found| MsisdnError::Length { found, expected: 10..=10 };
        for (text, error) in [
            ("", MsisdnError::Empty),
            ("+", MsisdnError::Empty),
            ("- -", MsisdnError::Empty),
            ("a085468952", MsisdnError::Letter),
            ("085468952O", MsisdnError::Letter),
            ("0854689520#", MsisdnError::Symbol('#')),
            ("08546+89520", MsisdnError::Symbol('+')),
            ("++84854689520", MsisdnError::Symbol('+')),
            ("085468952", length(9)),
            ("08546895201", length(11)),
            ("8485468952", length(9)),
            ("848546895201", length(11)),
            ("+84085468952", length(9)),
            ("00854689520", MsisdnError::Foreign),
            ("854689520", MsisdnError::Start),
            ("1854689520", MsisdnError::Start),
            ("+6591234567", MsisdnError::Foreign),
            ("006591234567", MsisdnError::Foreign),
        ] {
            assert_eq!(Msisdn::parse(&vietnam(), text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_sender_may_lack_the_trunk_prefix_and_an_account_may_not() {
        for (text, e164) in [
            ("854689520", "+84854689520"),
            ("845689520", "+84845689520"),
            ("0854689520", "+84854689520"),
            ("84854689520", "+84854689520"),
        ] {
            assert_eq!(Msisdn::parse_sender(&vietnam(), text).unwrap().e164(), e164, "{text}");
        }
        for text in ["VIETTEL", "191", "054689520", "+854689520", ""] {
            assert!(Msisdn::parse_sender(&vietnam(), text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_prints_masked_and_is_kept_in_full() {
        let msisdn = Msisdn::parse(&vietnam(), "0854689520").unwrap();
        assert_eq!(format!("{msisdn} {msisdn:?}"), "+84854***520 +84854***520");
        assert_eq!(serde_json::to_string(&msisdn).unwrap(), r#""+84854689520""#);
        assert_eq!(serde_json::from_str::<Msisdn>(r#""+84854689520""#).unwrap(), msisdn);
        assert!(serde_json::from_str::<Msisdn>(r#""0854689520""#).is_err());
    }

    #[test]
    fn masking_shows_at_most_what_stands_around_three_hidden_characters() {
        for (text, masked) in
            [("84854689520", "84854***520"), ("1234567", "1***567"), ("12345", "***45"), ("123", "***"), ("", "***")]
        {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    fn a_number_is_dialled_nationally_only_in_its_own_country() {
        let vietnamese: Msisdn = "+84854689520".parse().unwrap();
        assert_eq!(vietnamese.national(&vietnam()), "0854689520");
        let singaporean: Msisdn = "+6591234567".parse().unwrap();
        assert_eq!(singaporean.national(&vietnam()), "+6591234567");
    }

    #[test]
    fn any_other_country_takes_every_length_of_e164() {
        let thailand = Country::new("+66").unwrap();
        assert_eq!(Msisdn::parse(&thailand, "081 234 5678").unwrap().e164(), "+66812345678");
        assert!(Msisdn::parse(&thailand, "081").is_err());
        assert!(Msisdn::parse(&thailand, "0123456789012345").is_err());
        for code in ["", "0", "084", "8444", "8a", "+"] {
            assert_eq!(Country::new(code), Err(CountryError), "{code}");
        }
    }
}
