//! What a subscriber wrote, to what was meant or to the one thing that is wrong with it. Lenient in form, strict in
//! meaning: never acts on a guess, and never lets what was not understood pass for something else.

mod account;
mod example;
mod grammar;
mod syntax;

use crate::msisdn::Country;
use crate::text::fold;
use grammar::Order;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use syntax::Verb;

pub use account::{Account, AccountError, AccountForm};
pub use syntax::{Example, Syntax};

/// Characters of a message that is read at all: three times the longest that a phone sends in one part.
pub const TEXT_MAX: usize = 500;
/// Characters of a service or package name.
pub const NAME_MAX: usize = 20;
/// Digits of a code.
pub const CODE_DIGITS: std::ops::RangeInclusive<usize> = 4..=10;

/// A message that was understood. Serialises as `paygate parse --json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Request {
    /// `ON VIP NAP1 0854689520`. Names are upper-case ASCII letters and digits, at most [`NAME_MAX`].
    Buy {
        service: String,
        package: String,
        /// `None` means the sender's own number.
        #[serde(skip_serializing_if = "Option::is_none")]
        account: Option<Account>,
    },
    /// `123456` or `OTP 123456`.
    Confirm { code: Code },
    /// `OFF`, `OFF NAP1` or `OFF VIP NAP1`.
    Cancel {
        #[serde(skip_serializing_if = "Option::is_none")]
        service: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        package: Option<String>,
    },
    /// `KT`; what follows is not read.
    Status,
    /// `HD`; what follows is not read.
    Help,
    /// `Y` and nothing else, since it may stand for consent.
    Yes,
}

/// A one-time code as typed, without its separators: [`CODE_DIGITS`] ASCII digits. Never printed by `{:?}`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(***)")
    }
}

/// A message that was not understood: the first thing that is wrong with it. The sender's fault; the same text fails again.
/// Serialises as `paygate parse --json` prints it, with `"kind":"invalid"`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "invalid")]
pub struct Invalid {
    pub part: Part,
    /// One plain English sentence without a full stop; holds at most a character of what was typed.
    pub reason: String,
    /// A message that would be understood, built from what was typed where that was right. May hold a number in full.
    pub example: String,
}

/// The part of a message that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Keyword,
    Service,
    Package,
    Account,
    Code,
}

/// Leaves the example out, which may hold a number.
impl fmt::Debug for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invalid").field("part", &self.part).field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Invalid {}

/// Reads a message of at most [`TEXT_MAX`] characters.
pub fn parse(syntax: &Syntax, country: &Country, text: &str) -> Result<Request, Invalid> {
    let reader = Reader { syntax, country };
    if text.chars().nth(TEXT_MAX).is_some() {
        let reason = format!("the message is longer than {TEXT_MAX} characters");
        return Err(Invalid { part: Part::Keyword, reason, example: reader.whole_example() });
    }
    reader.message(grammar::without_separators(&fold(text)))
}

struct Reader<'a> {
    syntax: &'a Syntax,
    country: &'a Country,
}

/// What is wrong, before an example stands beside it.
struct Fault(Part, String);

impl Reader<'_> {
    /// message = code / keyword [separators rest]
    fn message(&self, text: &str) -> Result<Request, Invalid> {
        if text.is_empty() {
            let reason = "the message is empty".to_owned();
            return Err(Invalid { part: Part::Keyword, reason, example: self.whole_example() });
        }
        if grammar::is_spaced_digits(text) {
            return code(text).map_err(|fault| fault.with_example(example::CODE.to_owned()));
        }
        let found = self.syntax.keyword(text).or_else(|| self.confirmation_run_together(text));
        let Some((verb, keyword, rest)) = found else { return Err(self.unknown_keyword(text)) };
        let request = match verb {
            Verb::Buy => self.buy(rest),
            Verb::Cancel => self.cancel(rest),
            Verb::Confirm => code(rest),
            Verb::Status => Ok(Request::Status),
            Verb::Help => Ok(Request::Help),
            Verb::Yes => yes(rest),
        };
        request.map_err(|fault| fault.with_example(self.example(verb, &keyword, rest)))
    }

    fn buy(&self, text: &str) -> Result<Request, Fault> {
        let order = Order::read(self.country, text);
        let service = name(Part::Service, order.service)?;
        let package = name(Part::Package, order.package)?;
        let account = order.account.map(|typed| self.account(typed)).transpose();
        let account = account.map_err(|error| Fault(Part::Account, error.to_string()))?;
        Ok(Request::Buy { service, package, account })
    }

    fn cancel(&self, text: &str) -> Result<Request, Fault> {
        let order = Order::read(self.country, text).with_package_first();
        if order.account.is_some() {
            return Err(Fault(Part::Account, "cancelling takes a package and no account".to_owned()));
        }
        let service = order.service.map(|typed| name(Part::Service, Some(typed))).transpose()?;
        let package = order.package.map(|typed| name(Part::Package, Some(typed))).transpose()?;
        Ok(Request::Cancel { service, package })
    }

    fn account(&self, typed: &str) -> Result<Account, AccountError> {
        Account::parse(self.syntax.account, self.country, typed)
    }

    /// `OTP123456` can mean one thing only. An order run together could be cut in several places, so it is not read.
    fn confirmation_run_together<'a>(&'a self, text: &'a str) -> Option<(Verb, Cow<'a, str>, &'a str)> {
        let found = self.syntax.run_together(text);
        found.filter(|(verb, _, rest)| *verb == Verb::Confirm && grammar::is_spaced_digits(rest))
    }

    fn unknown_keyword(&self, text: &str) -> Invalid {
        let reason = format!("the message does not begin with any of {}", self.syntax.keywords());
        Invalid { part: Part::Keyword, reason, example: self.example_of_unknown(text) }
    }
}

impl Fault {
    fn with_example(self, example: String) -> Invalid {
        Invalid { part: self.0, reason: self.1, example }
    }
}

/// name = 1*20(letter / digit), the same in GSM 7-bit and ASCII
fn name(part: Part, typed: Option<&str>) -> Result<String, Fault> {
    let what = if part == Part::Service { "service" } else { "package" };
    let typed = typed.ok_or_else(|| Fault(part, format!("the {what} is missing")))?;
    if let Some(other) = typed.chars().find(|c| !c.is_ascii_alphanumeric()) {
        return Err(Fault(part, format!("there is {other:?} in the {what}, which has only letters and digits")));
    }
    if typed.len() > NAME_MAX {
        return Err(Fault(part, format!("the {what} is longer than {NAME_MAX} characters")));
    }
    Ok(typed.to_owned())
}

/// code = 4*10digit, with spaces, dots and dashes among them
fn code(typed: &str) -> Result<Request, Fault> {
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    let reason = if typed.is_empty() {
        "the code is missing".to_owned()
    } else if !grammar::is_spaced_digits(typed) {
        "there is something else than digits in the code".to_owned()
    } else if !CODE_DIGITS.contains(&digits.len()) {
        format!("a code has {} to {} digits", CODE_DIGITS.start(), CODE_DIGITS.end())
    } else {
        return Ok(Request::Confirm { code: Code(digits) });
    };
    Err(Fault(Part::Code, reason))
}

fn yes(rest: &str) -> Result<Request, Fault> {
    if rest.is_empty() {
        Ok(Request::Yes)
    } else {
        Err(Fault(Part::Keyword, "a yes stands alone, with nothing behind it".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn read(text: &str) -> Result<Request, Invalid> {
        parse(&Syntax::default(), &Country::new("84").unwrap(), text)
    }

    fn json(text: &str) -> String {
        match read(text) {
            Ok(request) => serde_json::to_string(&request).unwrap(),
            Err(invalid) => serde_json::to_string(&invalid).unwrap(),
        }
    }

    fn refused(text: &str, part: Part, reason: &str, example: &str) {
        let invalid = read(text).unwrap_err();
        assert_eq!(
            (invalid.part, invalid.reason.as_str(), invalid.example.as_str()),
            (part, reason, example),
            "{text:?}"
        );
    }

    const BUY: &str = r#"{"kind":"buy","service":"VIP","package":"NAP1","account":"0854689520"}"#;

    #[test]
    fn an_order_is_understood_in_every_form_people_write_it() {
        for text in [
            "ON VIP NAP1 0854689520",
            "on vip nap1 0854689520",
            "DK VIP NAP1 0854689520",
            "ĐK Víp nạp1 0854689520",
            "  ON\u{a0}VIP\u{200b}NAP1\r\n0854689520\n",
            "ON VIP NAP1 085 468 9520",
            "ON VIP NAP1 0854.689.520",
            "ON VIP NAP1 0854-689-520.",
            "ON VIP NAP1 +84 854 689 520",
            "ON VIP NAP1 84854689520",
            "ON VIP NAP1 0084854689520",
            "ON VIP NAP1 (0854) 689520",
            "ON*VIP*NAP1*0854689520",
            "*ON*VIP*NAP1*0854689520#",
            "_ON_VIP_NAP1_0854689520_",
            "ON-VIP_NAP1 0854689520",
            "ON, VIP, NAP1: 0854689520!",
            "\"ON VIP NAP1 0854689520\"",
            "ＯＮ　ＶＩＰ　ＮＡＰ１　０８５４６８９５２０",
            "ON VIP NAP1 ٠٨٥٤٦٨٩٥٢٠",
        ] {
            assert_eq!(json(text), BUY, "{text:?}");
        }
    }

    #[test]
    fn an_order_without_an_account_names_none() {
        for text in ["ON VIP NAP1", "ON VIP NAP1.", "DK_VIP_NAP1", "ON VIP NAP1 -"] {
            assert_eq!(json(text), r#"{"kind":"buy","service":"VIP","package":"NAP1"}"#, "{text:?}");
        }
    }

    #[test]
    fn every_other_kind_has_its_words() {
        for (text, expected) in [
            ("123456", r#"{"kind":"confirm","code":"123456"}"#),
            ("123 456", r#"{"kind":"confirm","code":"123456"}"#),
            ("12-34.56", r#"{"kind":"confirm","code":"123456"}"#),
            ("１２３４５６", r#"{"kind":"confirm","code":"123456"}"#),
            ("1234", r#"{"kind":"confirm","code":"1234"}"#),
            ("OTP 123456", r#"{"kind":"confirm","code":"123456"}"#),
            ("otp123456", r#"{"kind":"confirm","code":"123456"}"#),
            ("xn: 123 456.", r#"{"kind":"confirm","code":"123456"}"#),
            ("OFF", r#"{"kind":"cancel"}"#),
            ("Hủy", r#"{"kind":"cancel"}"#),
            ("HUY NAP1", r#"{"kind":"cancel","package":"NAP1"}"#),
            ("OFF VIP", r#"{"kind":"cancel","package":"VIP"}"#),
            ("OFF VIP NAP1", r#"{"kind":"cancel","service":"VIP","package":"NAP1"}"#),
            ("KT", r#"{"kind":"status"}"#),
            ("kt NAP1", r#"{"kind":"status"}"#),
            ("Help!", r#"{"kind":"help"}"#),
            ("hd mua goi", r#"{"kind":"help"}"#),
            ("Y", r#"{"kind":"yes"}"#),
            ("có", r#"{"kind":"yes"}"#),
            ("Đồng  ý.", r#"{"kind":"yes"}"#),
        ] {
            assert_eq!(json(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_letter_in_the_account_is_the_senders_error() {
        let reason = "there is a letter in the account, which has to be a phone number";
        assert_eq!(
            json("ON VIP NAP1 a085468952"),
            format!(r#"{{"kind":"invalid","part":"account","reason":"{reason}","example":"ON VIP NAP1 0912345678"}}"#)
        );
        refused("dk vip nap1 a0854689520", Part::Account, reason, "DK VIP NAP1 0854689520");
        refused("ON VIP NAP1 0854689520x", Part::Account, reason, "ON VIP NAP1 0854689520");
        // The digits around the letter would be a stranger's number.
        refused("ON VIP NAP1 08546x89520", Part::Account, reason, "ON VIP NAP1 0912345678");
    }

    #[test]
    fn a_wrong_account_is_named_with_what_is_wrong_about_it() {
        for (text, reason) in [
            (
                "ON VIP NAP1 085468952",
                "the account has to be a phone number, but a phone number has 10 digits and this one has 9",
            ),
            (
                "ON VIP NAP1 08546895200",
                "the account has to be a phone number, but a phone number has 10 digits and this one has 11",
            ),
            (
                "ON VIP NAP1 854689520",
                "the account has to be a phone number, but the phone number does not begin with 0 or the country code",
            ),
            (
                "ON VIP NAP1 +6591234567",
                "the account has to be a phone number, but the phone number belongs to another country",
            ),
            (
                "ON VIP NAP1 0854@689520",
                "the account has to be a phone number, but there is the character '@' in the phone number",
            ),
        ] {
            refused(text, Part::Account, reason, "ON VIP NAP1 0912345678");
        }
        let more = "there is more text behind the account";
        refused("ON VIP NAP1 0854689520 cam on", Part::Account, more, "ON VIP NAP1 0854689520");
    }

    #[test]
    fn digits_that_would_run_into_the_account_are_left_out_of_the_example() {
        let reason = "there is a letter in the account, which has to be a phone number";
        refused("ON GAME 0084 x", Part::Account, reason, "ON VIP NAP1 0912345678");
        refused("ON GAME 0083 x", Part::Account, reason, "ON GAME 0083 0912345678");
    }

    #[test]
    fn a_missing_word_is_named_and_the_typed_ones_are_kept() {
        let (service, package) = ("the service is missing", "the package is missing");
        refused("ON", Part::Service, service, "ON VIP NAP1 0912345678");
        refused("ĐK!", Part::Service, service, "DK VIP NAP1 0912345678");
        refused("DK_NAP5", Part::Service, service, "DK VIP NAP5");
        refused("ON 0854689520", Part::Service, service, "ON VIP NAP1 0854689520");
        refused("ON GAME", Part::Package, package, "ON GAME NAP1");
        refused("ON GAME 085 468 9520", Part::Package, package, "ON GAME NAP1 0854689520");
    }

    #[test]
    fn a_name_has_only_what_every_alphabet_spells_alike() {
        let reason = "there is '@' in the package, which has only letters and digits";
        refused("ON VIP N@P1 0854689520", Part::Package, reason, "ON VIP NAP1 0854689520");
        let reason = "there is 'И' in the service, which has only letters and digits";
        refused(
            "ON ВИП NAP2",
            Part::Service,
            "there is 'В' in the service, which has only letters and digits",
            "ON VIP NAP2",
        );
        refused("ON И5 NAP2", Part::Service, reason, "ON VIP NAP2");
        let long = format!("ON {} NAP1", "A".repeat(NAME_MAX + 1));
        refused(&long, Part::Service, "the service is longer than 20 characters", "ON VIP NAP1");
    }

    #[test]
    fn an_unknown_keyword_is_answered_with_the_nearest_and_never_acted_upon() {
        let reason =
            "the message does not begin with any of ON, DK, OFF, HUY, KT, HD, HELP, OTP, XN, Y, YES, CO, DONG Y";
        for (text, example) in [
            ("NO VIP NAP1 0854689520", "ON VIP NAP1 0854689520"),
            ("OF NAP1", "OFF NAP1"),
            ("OTB 555555", "OTP 123456"),
            ("MUA GAME NAP5 0854689520", "ON GAME NAP5 0854689520"),
            ("GAME NAP5 0854689520", "ON GAME NAP5 0854689520"),
            ("ONVIP NAP5 0854689520", "ON VIP NAP5 0854689520"),
            ("DKNAP5", "DK VIP NAP5"),
            ("HUYNAP5", "HUY NAP5"),
            ("YES1", "ON VIP NAP1 0912345678"),
            ("xin chao cac ban", "ON VIP NAP1 0912345678"),
            ("+84854689520", "ON VIP NAP1 0912345678"),
            ("yea", "ON VIP NAP1 0912345678"),
        ] {
            refused(text, Part::Keyword, reason, example);
        }
    }

    #[test]
    fn a_code_is_four_to_ten_digits_and_never_repeated() {
        refused("123", Part::Code, "a code has 4 to 10 digits", "123456");
        refused("98765432101", Part::Code, "a code has 4 to 10 digits", "123456");
        refused("XN", Part::Code, "the code is missing", "XN 123456");
        refused("OTP 98765a", Part::Code, "there is something else than digits in the code", "OTP 123456");
    }

    #[test]
    fn cancelling_and_agreeing_take_nothing_they_would_ignore() {
        let reason = "cancelling takes a package and no account";
        refused("OFF VIP NAP1 0854689520", Part::Account, reason, "OFF VIP NAP1");
        refused("OFF NAP1 0854689520", Part::Account, reason, "OFF NAP1");
        let reason = "there is '@' in the service, which has only letters and digits";
        refused("OFF @ NAP5", Part::Service, reason, "OFF VIP NAP5");
        refused("OFF @ 0854689520 x", Part::Account, "cancelling takes a package and no account", "OFF NAP1");
        refused("Y NAP1", Part::Keyword, "a yes stands alone, with nothing behind it", "Y");
    }

    #[test]
    fn what_is_empty_or_too_long_is_not_read() {
        refused(" \u{200b}...", Part::Keyword, "the message is empty", "ON VIP NAP1 0912345678");
        let long = format!("ON VIP NAP1{}", " ".repeat(TEXT_MAX));
        refused(&long, Part::Keyword, "the message is longer than 500 characters", "ON VIP NAP1 0912345678");
    }

    #[test]
    fn an_account_may_be_a_word_where_it_is_configured_so() {
        let syntax = Syntax { account: AccountForm::Word, ..Syntax::default() };
        let read = |text| parse(&syntax, &Country::new("84").unwrap(), text);
        for (text, account) in [
            ("ON VIP NAP1 john.doe@x.vn", "JOHN.DOE@X.VN"),
            ("ON VIP NAP1 +84 854 689 520", "0854689520"),
            ("ON VIP NAP1 a085468952", "A085468952"),
        ] {
            let Ok(Request::Buy { account: Some(found), .. }) = read(text) else { panic!("{text}: {:?}", read(text)) };
            assert_eq!(found.as_str(), account);
        }
        assert_eq!(read("ON VIP NAP1 john doe").unwrap_err().part, Part::Account);
    }

    #[test]
    fn what_is_logged_shows_neither_number_nor_code() {
        for text in ["ON VIP NAP1 0854689520", "854689", "ON VIP N@P1 0854689520", "ON VIP NAP1 a0854689520"] {
            let logged = format!("{:?}", read(text));
            assert!(!logged.contains("689"), "{logged}");
        }
    }
}
