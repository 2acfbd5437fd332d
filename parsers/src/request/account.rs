//! Where a package goes. Never asks whether the account exists.

use crate::msisdn::{Country, Msisdn, MsisdnError, mask};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Characters of an account that is a word.
const WORD_MAX: usize = 64;

/// What the package manager's accounts are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountForm {
    /// Phone numbers of the country.
    #[default]
    Number,
    /// One word of printable ASCII, or a phone number. In a message its case and the separators at its ends are lost.
    Word,
}

/// An account: a phone number in national form (`0854689520`), however it was typed, or a word. Prints masked by `{:?}`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Account(String);

impl Account {
    /// Reads an account that a person wrote. A word is kept in the case it comes in; a message's words are upper-case.
    pub fn parse(form: AccountForm, country: &Country, text: &str) -> Result<Self, AccountError> {
        let number = Msisdn::parse(country, text);
        match (number, form) {
            (Ok(msisdn), _) => Ok(Self::of(msisdn, country)),
            (Err(error), AccountForm::Number) => Err(number_error(error, country, text)),
            (Err(_), AccountForm::Word) => word(text),
        }
    }

    /// The account of a subscriber who named none: the own number.
    pub fn of(msisdn: Msisdn, country: &Country) -> Self {
        Self(msisdn.national(country))
    }

    /// In full, as the package manager gets it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.0
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", mask(&self.0))
    }
}

/// Why a text is not an account. The writer's fault always (charging.md R000.6): the same text fails again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountError {
    Number(MsisdnError),
    /// A right number, and more words behind it.
    MoreText,
    Word,
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(MsisdnError::Letter) => {
                f.write_str("there is a letter in the account, which has to be a phone number")
            }
            Self::Number(error) => write!(f, "the account has to be a phone number, but {error}"),
            Self::MoreText => f.write_str("there is more text behind the account"),
            Self::Word => write!(f, "the account has to be one word of at most {WORD_MAX} ASCII characters"),
        }
    }
}

impl std::error::Error for AccountError {}

/// What a phone number is written with.
pub(super) fn is_number_character(character: char) -> bool {
    matches!(character, '0'..='9' | '+' | ' ' | '.' | '-' | '(' | ')')
}

fn number_error(error: MsisdnError, country: &Country, text: &str) -> AccountError {
    let number = text.find(|c: char| !is_number_character(c)).and_then(|end| text.get(..end)).unwrap_or(text);
    let whole = number.ends_with(' ') && Msisdn::parse(country, number).is_ok();
    if whole { AccountError::MoreText } else { AccountError::Number(error) }
}

fn word(text: &str) -> Result<Account, AccountError> {
    let printable = text.chars().all(|c| c.is_ascii_graphic());
    if printable && (1..=WORD_MAX).contains(&text.len()) {
        Ok(Account(text.to_owned()))
    } else {
        Err(AccountError::Word)
    }
}
