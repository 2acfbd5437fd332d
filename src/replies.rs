//! What a subscriber reads: a notice or an answer, to words. Never decides that something is said; a code is never put in
//! here, it stands as `{otp}` until the text leaves.

mod words;

use crate::purchase::evidence::{Advice, Decline, Reason};
use crate::purchase::input::Notice;
use crate::purchase::money::{Money, grouped};
use crate::purchase::offer::Asks;
use crate::purchase::record::{Micros, Paid, Purchase, State};
use crate::purchase::subscriber::Answer;
use paygate_parsers::request::Part;
use paygate_parsers::text::segments;
use std::collections::BTreeMap;
use words::{WORDS, Words};

/// SMS that one text may take; a longer one is a mistake in `[replies]`.
const SEGMENTS_AT_MOST: usize = 3;

/// The texts, checked.
#[derive(Clone, Debug)]
pub struct Replies {
    texts: BTreeMap<&'static str, String>,
    hotline: String,
    /// A message that buys, as help shows it.
    example: String,
    cancel: String,
}

impl Replies {
    /// The built-in texts with those of `[replies]` in their place. All that is wrong with them is said at once, one line each.
    pub fn new(
        overrides: &BTreeMap<String, String>,
        hotline: &str,
        buy_word: &str,
        cancel_word: &str,
    ) -> Result<Self, Vec<String>> {
        let mut texts: BTreeMap<&'static str, String> =
            WORDS.iter().map(|words| (words.name, words.text.to_owned())).collect();
        let mut errors = Vec::new();
        for (name, text) in overrides {
            match WORDS.iter().find(|words| words.name == name) {
                Some(words) => {
                    errors.extend(problems(words, text));
                    texts.insert(words.name, text.clone());
                }
                None => errors.push(unknown_text(name)),
            }
        }
        let example = format!("{buy_word} VIP NAP1 0912345678");
        let replies = Self { texts, hotline: hotline.to_owned(), example, cancel: cancel_word.to_owned() };
        if errors.is_empty() { Ok(replies) } else { Err(errors) }
    }

    /// The words of a notice about `purchase`. The code, if there is one, stands as `{otp}`.
    #[must_use]
    pub fn notice(&self, notice: Notice, purchase: &Purchase) -> String {
        let tries = if let Notice::WrongCode { tries_left } = notice { tries_left } else { 0 };
        self.about(notice_name(notice, purchase), purchase, tries)
    }

    /// The words of an answer; `purchase` is the one it speaks of, if any.
    #[must_use]
    pub fn answer(&self, answer: &Answer, purchase: Option<&Purchase>, short_code: &str) -> String {
        match (answer_name(answer, purchase), purchase) {
            (name, Some(purchase)) => self.about(name, purchase, 0),
            (name, None) => {
                let example = if let Answer::Invalid(invalid) = answer { &invalid.example } else { &self.example };
                self.fill(name, |placeholder| match placeholder {
                    "short_code" => Some(short_code.to_owned()),
                    "example" => Some(example.clone()),
                    "hotline" => Some(self.hotline.clone()),
                    _ => None,
                })
            }
        }
    }

    fn about(&self, name: &str, purchase: &Purchase, tries: u8) -> String {
        let offer = purchase.offer.as_ref();
        self.fill(name, |placeholder| match placeholder {
            "package" => Some(purchase.order.package.clone()),
            "name" => offer.map(|offer| offer.package_name.clone()),
            "price" => paid_before(purchase).or(offer.map(|offer| offer.price)).map(price),
            "days" => offer.map(|offer| offer.days.to_string()),
            "account" => Some(purchase.order.account.clone()),
            "short_code" => Some(purchase.order.short_code.clone()),
            "hotline" => Some(self.hotline.clone()),
            "reference" => Some(purchase.id.clone()),
            "minutes" => offer.map(|offer| ((offer.expires_at - offer.last_sent_at) / 60_000_000).max(1).to_string()),
            "cancel" => Some(self.cancel.clone()),
            "pay_url" => offer.and_then(|offer| offer.pay_url.clone()),
            "tries" => Some(tries.to_string()),
            "wait" => purchase.retry.map(|retry| wait(retry.at - purchase.updated_at)),
            _ => None,
        })
    }

    fn fill(&self, name: &str, value: impl Fn(&str) -> Option<String>) -> String {
        let template = self.texts.get(name).map_or("", String::as_str);
        pieces(template)
            .map(|piece| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Placeholder("otp") => "{otp}".to_owned(),
                Piece::Placeholder(placeholder) => value(placeholder).unwrap_or_default(),
            })
            .collect()
    }
}

/// What a partner has charged: the subscriber's price, whatever the package's is.
fn paid_before(purchase: &Purchase) -> Option<Money> {
    purchase.charge.as_ref().filter(|_| purchase.is_prepaid()).map(|charge| charge.amount)
}

/// `10.000d`, as prices are written in a text message; other currencies as `12.34 USD`.
pub(crate) fn price(money: Money) -> String {
    if money.currency == crate::purchase::money::Currency::VND {
        format!("{}d", grouped(money.amount.unsigned_abs(), "."))
    } else {
        money.to_string()
    }
}

fn notice_name(notice: Notice, purchase: &Purchase) -> &'static str {
    match notice {
        Notice::Offer => offer_name(purchase),
        Notice::Refused { decline } => refused_name(decline),
        Notice::Busy => "busy",
        Notice::PayAt if purchase.order.repeat => "pay_at_repeat",
        Notice::PayAt => "pay_at",
        Notice::WrongCode { .. } => "wrong_code",
        Notice::CodesUsedUp => "codes_used_up",
        Notice::CodeAgain => "code_again",
        Notice::Expired => "expired",
        Notice::Cancelled => "cancelled",
        Notice::Declined { decline } => declined_name(decline),
        Notice::PutOff { decline } => match decline.reason {
            Reason::NoMoney => "put_off_no_money",
            Reason::Limit => "put_off_limit",
            _ => "put_off",
        },
        Notice::Checking => "checking",
        // What was given by hand was never named to us.
        Notice::Done if purchase.offer.is_none() => "done_by_hand",
        Notice::Done => "done",
        // Two people have said that the package stays.
        Notice::Refunded if matches!(purchase.granted(), "yes" | "elsewhere") => "refunded_granted",
        Notice::Refunded => "refunded",
    }
}

/// The package manager's refusals, by what is advised.
const fn refused_name(decline: Decline) -> &'static str {
    match (decline.advice, decline.reason) {
        (Advice::ChangeAccount, _) => "refused_no_account",
        (Advice::Stop, Reason::NoPackage) => "refused_no_package",
        (Advice::CallOperator, Reason::Blocked) => "refused_blocked",
        (Advice::Wait | Advice::Technical, _) => "busy",
        (Advice::Stop | Advice::CallOperator | Advice::NewCode, _) => "refused",
    }
}

/// A channel's refusals: what is advised decides, and the reason only how it is said.
const fn declined_name(decline: Decline) -> &'static str {
    match (decline.advice, decline.reason) {
        (Advice::Stop, _) => "declined_stop",
        (Advice::Wait, Reason::NoMoney) => "declined_no_money",
        (Advice::Wait, Reason::Limit) => "declined_limit",
        (Advice::Wait, Reason::Maintenance | Reason::Busy | Reason::Config) => "declined_busy",
        (Advice::Wait, _) => "declined_wait",
        (Advice::CallOperator, _) => "declined",
        (Advice::ChangeAccount, _) => "declined_account",
        (Advice::NewCode, Reason::OtpWrong | Reason::OtpExpired | Reason::OtpLocked | Reason::OtpNone) => {
            "declined_code"
        }
        (Advice::NewCode, _) => "declined_auth",
        (Advice::Technical, _) => "declined_busy",
    }
}

const fn offer_name(purchase: &Purchase) -> &'static str {
    let Some(offer) = &purchase.offer else { return "busy" };
    match (offer.asks, purchase.order.repeat) {
        (Asks::Code, false) => "otp",
        (Asks::Code, true) => "otp_repeat",
        (Asks::ChannelCode, false) => "offer_channel_code",
        (Asks::ChannelCode, true) => "offer_channel_code_repeat",
        (Asks::Yes, false) => "offer_yes",
        (Asks::Yes, true) => "offer_yes_repeat",
        (Asks::Payment, false) => "pay_at",
        (Asks::Payment, true) => "pay_at_repeat",
    }
}

fn answer_name(answer: &Answer, purchase: Option<&Purchase>) -> &'static str {
    match answer {
        Answer::Help => "help",
        Answer::Invalid(invalid) => match invalid.part {
            Part::Keyword => "invalid_keyword",
            Part::Service => "invalid_service",
            Part::Package => "invalid_package",
            Part::Account => "invalid_account",
            Part::Code => "invalid_code",
        },
        Answer::Status { .. } => purchase.map_or("nothing_bought", status_name),
        Answer::NothingBought => "nothing_bought",
        Answer::NoCodeWaiting => "no_code_waiting",
        Answer::LateCode { .. } => "late_code",
        Answer::CodeNeeded { .. } => "code_needed",
        Answer::YesNeeded { .. } => "yes_needed",
        Answer::NothingToCancel => "nothing_to_cancel",
        Answer::CannotCancel { .. } => "cannot_cancel",
        Answer::TooManyCodes => "too_many_codes",
        Answer::Incomplete => "incomplete",
    }
}

fn status_name(purchase: &Purchase) -> &'static str {
    match (purchase.state, purchase.paid()) {
        (State::Requested, Paid::No | Paid::Unknown | Paid::Refunded) => "status_requested",
        (State::Offered, _) => "status_offered",
        (State::AwaitingUser, _) => "status_awaiting_user",
        (State::Done, _) => "status_done",
        (State::Charging, _) if purchase.retry.is_some() => "status_put_off",
        (_, Paid::Refunded) => "status_refunded",
        (_, Paid::Yes) => "status_paid",
        (State::Declined | State::Expired | State::Cancelled | State::Refused, _) => "status_ended",
        (_, Paid::No | Paid::Unknown) => "status_open",
    }
}

/// `4 gio` or `30 phut`, rounded up.
fn wait(pause: Micros) -> String {
    let minutes = (pause.max(0) + 59_999_999) / 60_000_000;
    if minutes > 0 && minutes % 60 == 0 { format!("{} gio", minutes / 60) } else { format!("{} phut", minutes.max(1)) }
}

pub(crate) enum Piece<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

/// Text and `{placeholders}` in turn. A brace without its partner is text.
pub(crate) fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            rest = after;
            return Some(Piece::Placeholder(name));
        }
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(at, _)| at);
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Text(text))
    })
}

/// Long but ordinary values, to count a text's segments with.
const SAMPLE: &[(&str, &str)] = &[
    ("package", "NAP1"),
    ("name", "VIP 30 ngay"),
    ("price", "100.000d"),
    ("days", "30"),
    ("account", "0854689520"),
    ("short_code", "9029"),
    ("hotline", "18001090"),
    ("reference", "abcdefgh01234567"),
    ("minutes", "5"),
    ("cancel", "HUY"),
    ("pay_url", "https://sandbox.123pay.vn/pay/0123456789abcdef0123456789"),
    ("otp", "123456"),
    ("tries", "2"),
    ("wait", "24 gio"),
    ("example", "ON VIP NAP1 0912345678"),
];

fn problems(words: &Words, text: &str) -> Vec<String> {
    let unknown = pieces(text).filter_map(|piece| match piece {
        Piece::Placeholder(name) if !words.placeholders.contains(&name) => Some(format!(
            "replies.{}: there is no {{{name}}} in this text; it may use {{{}}}",
            words.name,
            words.placeholders.join("} {")
        )),
        Piece::Placeholder(_) | Piece::Text(_) => None,
    });
    let mut problems: Vec<String> = unknown.collect();
    let missing_otp = words.placeholders.contains(&"otp") && !text.contains("{otp}");
    if missing_otp {
        problems.push(format!("replies.{}: it must hold {{otp}}, or nobody can confirm", words.name));
    }
    let parts = parts_of(text);
    if parts > SEGMENTS_AT_MOST {
        problems.push(format!(
            "replies.{}: it takes {parts} SMS with ordinary values; shorten it to {SEGMENTS_AT_MOST} or fewer",
            words.name
        ));
    }
    problems
}

fn parts_of(text: &str) -> usize {
    let filled: String = pieces(text)
        .map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Placeholder(name) => SAMPLE.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value),
        })
        .collect();
    segments(&filled).parts
}

fn unknown_text(name: &str) -> String {
    let nearest = WORDS.iter().map(|words| words.name).min_by_key(|known| strsim::damerau_levenshtein(known, name));
    format!("replies.{name}: there is no such text; did you mean {}?", nearest.unwrap_or("otp"))
}

/// The built-in texts, for whoever must know them all.
#[cfg(test)]
pub(crate) fn built_in() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|words| words.text)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn each_built_in_text_fits_one_sms_and_names_only_its_own_placeholders() {
        for words in WORDS {
            assert_eq!(problems(words, words.text), Vec::<String>::new());
            assert_eq!(parts_of(words.text), 1, "{} takes more than one SMS", words.name);
        }
    }

    #[test]
    fn all_that_is_wrong_with_the_texts_is_said_at_once() {
        let overrides = [("otp", "Ma cua ban {opt}"), ("don", "x"), ("done", &"x".repeat(600))];
        let overrides = overrides.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let errors = Replies::new(&overrides, "1", "ON", "HUY").unwrap_err();
        let all = errors.join("\n");
        for part in ["replies.otp: there is no {opt}", "must hold {otp}", "did you mean done?", "takes 4 SMS"] {
            assert!(all.contains(part), "{part} is missing in:\n{all}");
        }
    }
}
