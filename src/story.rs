//! The journal's rows and states in plain words, for somebody who has not read the design. Says what the row says and no
//! more; the row itself stands beside it.

pub(crate) mod moment;
pub(crate) mod timeline;

use crate::journal::rows::{Deed, EventRow};
use crate::purchase::evidence::{Cause, ChannelAnswer, CheckAnswer, Finding, GrantAnswer, Reason};
use crate::purchase::input::{ChannelCall, GrantCall, Input, Payment, Person, Remedy};
use crate::purchase::offer::Asks;
use crate::purchase::record::{Order, Purchase, Retry, ReviewReason, State, Verdict};

/// Who moved the purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Subscriber,
    Packages,
    Channel,
    /// paygate's own clock.
    Gateway,
    /// A person at the command line.
    Operator,
}

impl Who {
    /// The word for it; a channel is called by its configured name.
    pub(crate) fn word(self, purchase: &Purchase) -> &str {
        match self {
            Self::Subscriber => "subscriber",
            Self::Packages => "packages",
            Self::Channel => &purchase.order.channel,
            Self::Gateway => "paygate",
            Self::Operator => "operator",
        }
    }
}

/// Where a purchase stands.
pub(crate) fn state(purchase: &Purchase) -> String {
    match purchase.state {
        State::Requested if purchase.is_prepaid() => "Paid at the partner; asking the package manager".to_owned(),
        State::Requested => "Asking the package manager for the price".to_owned(),
        State::Offered => "Offer sent; waiting for the code".to_owned(),
        State::Charging => purchase.retry.map_or_else(|| "Charging".to_owned(), |retry| put_off(&retry)),
        State::ChargeUnknown => "Charged or not? Asking".to_owned(),
        State::AwaitingUser => "Waiting for the payment".to_owned(),
        State::Granting => "Paid; adding the package".to_owned(),
        State::GrantUnknown => "Paid. Granted or not? Asking".to_owned(),
        State::Refunding => "Giving the money back".to_owned(),
        State::RefundUnknown => "Given back or not? Asking".to_owned(),
        State::Review => format!("A person must look: {}", purchase.review.map_or("", review)),
        State::Done => "Done".to_owned(),
        State::Declined => ended("Declined", purchase),
        State::Expired => "Expired: not answered in time".to_owned(),
        State::Cancelled => "Cancelled by the subscriber".to_owned(),
        State::Refunded => "Money given back".to_owned(),
        State::Refused => ended("Not offered", purchase),
    }
}

fn put_off(retry: &Retry) -> String {
    format!("Not charged: {}; attempt {} waits for its time", reason(retry.decline.reason), retry.attempt)
}

fn ended(how: &str, purchase: &Purchase) -> String {
    purchase.declined_for().map_or_else(|| how.to_owned(), |why| format!("{how}: {}", reason(why)))
}

const fn review(reason: ReviewReason) -> &'static str {
    match reason {
        ReviewReason::ChargeUnknown => "charged or not?",
        ReviewReason::GrantUnknown => "granted or not?",
        ReviewReason::RefundUnknown => "given back or not?",
        ReviewReason::Mismatch => "amount or subscriber differ",
        ReviewReason::Contradiction => "the answers contradict each other",
        ReviewReason::CannotRefund => "the channel cannot give it back",
        ReviewReason::RefundRefused => "the refund was refused",
        ReviewReason::LateCharge => "charged after the end",
        ReviewReason::CheckUnknown => "paid; sold or not?",
        ReviewReason::NotSold => "paid, and not sold to this account",
    }
}

/// Who moved it, and how.
pub(crate) fn event(input: &Input, row: &EventRow, purchase: &Purchase) -> (Who, String) {
    let package = &purchase.order.package;
    match input {
        Input::Asked => {
            let by = purchase.order.app.as_ref().map_or(String::new(), |app| format!(" in the app {}", app.name));
            (Who::Subscriber, format!("Asks for {package} on account {}{by}", purchase.order.account))
        }
        Input::Paid { payment, answer } => (Who::Channel, paid(payment, answer, purchase)),
        Input::Agreed { screen, .. } => (Who::Subscriber, format!("Agrees on the menu's screen: {}", line(screen))),
        Input::Checked { answer, .. } if purchase.is_prepaid() => (Who::Packages, of_prepaid(answer)),
        Input::Checked { answer, .. } => (Who::Packages, checked(answer, purchase)),
        Input::AskedAgain => {
            (Who::Subscriber, "Asks again while the offer is open: the same offer, nothing new".to_owned())
        }
        Input::CodeRight => {
            (Who::Subscriber, "Answers the right code. The intent to charge is written, then sent".to_owned())
        }
        Input::CodeWrong => (Who::Subscriber, "Answers a wrong code".to_owned()),
        Input::ChannelCode { .. } => (Who::Subscriber, "Answers a code for the channel to judge".to_owned()),
        Input::Yes => (Who::Subscriber, "Answers Y. The intent to charge is written, then sent".to_owned()),
        Input::Cancel => (Who::Subscriber, "Takes it back".to_owned()),
        Input::Channel { call, answer, .. } => (Who::Channel, channel(*call, answer, row)),
        Input::Notified { paid: true, .. } => (Who::Channel, "Says by itself that money moved: it is asked".to_owned()),
        Input::Notified { paid: false, .. } => {
            (Who::Channel, "Says by itself that something happened: it is asked".to_owned())
        }
        Input::Grant { call, answer, .. } => (Who::Packages, grant(*call, answer)),
        Input::Timer => (Who::Gateway, timer(row).to_owned()),
        Input::Inquire { by } => (Who::Operator, format!("{} has the peers asked now: {}", by.operator, by.reason)),
        Input::Remedy { remedy, overrides, by, .. } => (Who::Operator, remedied(*remedy, *overrides, by)),
        Input::Resolve { verdict, by } => (Who::Operator, resolved(*verdict, by, row)),
    }
}

/// What an act is to do, to the amount: whoever confirms it must see all of it.
pub(crate) fn ordered(deed: &Deed) -> String {
    match deed {
        Deed::Remedy { remedy: Remedy::Refund { amount }, overrides: false, .. } => format!("refund {amount}"),
        Deed::Remedy { remedy: Remedy::Refund { amount }, overrides: true, .. } => {
            format!("refund {amount} beside the package")
        }
        Deed::Remedy { overrides: true, .. } => "grant beside the refund".to_owned(),
        Deed::Remedy { .. } | Deed::Inquire { .. } | Deed::Resolve { .. } | Deed::Freeze { .. } | Deed::Thaw { .. } => {
            deed.verb().replace('_', " ")
        }
    }
}

fn remedied(remedy: Remedy, overrides: bool, by: &Person) -> String {
    let what = match remedy {
        Remedy::Grant => "has it granted".to_owned(),
        Remedy::MarkPaid => "marks it as paid".to_owned(),
        Remedy::MarkGranted => "marks it as granted elsewhere".to_owned(),
        Remedy::Refund { amount } => format!("has {amount} given back"),
    };
    let Person { operator, reason, evidence, second, .. } = by;
    let second = second.as_ref().map_or_else(String::new, |second| format!(", confirmed by {second}"));
    let both = match remedy {
        Remedy::Refund { .. } if overrides => " beside its package",
        Remedy::Grant if overrides => " beside its refund",
        Remedy::Grant | Remedy::MarkPaid | Remedy::MarkGranted | Remedy::Refund { .. } => "",
    };
    let evidence = evidence.as_ref().map_or_else(String::new, |evidence| format!(" (evidence: {evidence})"));
    format!("{operator} {what}{both}{second}: {reason}{evidence}")
}

fn resolved(verdict: Verdict, by: &Person, row: &EventRow) -> String {
    let Person { operator, reason, evidence, .. } = by;
    let evidence = evidence.as_ref().map_or_else(String::new, |evidence| format!(" (evidence: {evidence})"));
    let taken = if row.state_from == row.state_to { ", which could not be taken" } else { "" };
    format!("{operator} resolves it as {}{taken}: {reason}{evidence}", verdict.as_str())
}

/// What the peer said, as the driver noted it.
pub(crate) fn heard(input: &Input) -> Option<&str> {
    let heard = match input {
        Input::Channel { answer, .. } => &answer.heard,
        Input::Notified { heard, .. } => heard,
        Input::Checked { answer: CheckAnswer::Refused { heard, .. } | CheckAnswer::Unavailable { heard }, .. }
        | Input::Paid { answer: CheckAnswer::Refused { heard, .. } | CheckAnswer::Unavailable { heard }, .. } => heard,
        Input::Grant { answer, .. } => match answer {
            GrantAnswer::Granted { heard, .. }
            | GrantAnswer::Refused { heard, .. }
            | GrantAnswer::Unknown { heard, .. } => heard,
            GrantAnswer::NotSent { why } => why,
            GrantAnswer::Revoked { .. } | GrantAnswer::NotFound | GrantAnswer::InProgress => return None,
        },
        Input::Checked { answer: CheckAnswer::Allowed { .. }, .. }
        | Input::Paid { answer: CheckAnswer::Allowed { .. }, .. }
        | Input::Asked
        | Input::Agreed { .. }
        | Input::AskedAgain
        | Input::CodeRight
        | Input::CodeWrong
        | Input::ChannelCode { .. }
        | Input::Yes
        | Input::Cancel
        | Input::Timer
        | Input::Inquire { .. }
        | Input::Remedy { .. }
        | Input::Resolve { .. } => return None,
    };
    (!heard.is_empty()).then_some(heard)
}

/// A screen's words on one line.
fn line(screen: &str) -> String {
    screen.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ")
}

fn paid(payment: &Payment, answer: &CheckAnswer, purchase: &Purchase) -> String {
    let Order { package, account, .. } = &purchase.order;
    let Payment { reference, amount, .. } = payment;
    format!("Has charged {amount} for {package} on account {account}, its payment {reference}. {}", of_prepaid(answer))
}

/// The same answers, where the money is gone already.
fn of_prepaid(answer: &CheckAnswer) -> String {
    match answer {
        CheckAnswer::Allowed { package_name, price, days } => {
            format!("The package manager sells {package_name} for {price}, {days} days")
        }
        CheckAnswer::Refused { reason: why, .. } => format!("The package manager will not sell it: {}", reason(*why)),
        CheckAnswer::Unavailable { .. } => "The package manager cannot say now and is asked again".to_owned(),
    }
}

fn checked(answer: &CheckAnswer, purchase: &Purchase) -> String {
    let paid_by_link = purchase.offer.as_ref().is_some_and(|offer| offer.asks == Asks::Payment);
    let next =
        if paid_by_link { "The channel is asked for a page to pay at" } else { "The offer is texted with a code" };
    match answer {
        CheckAnswer::Allowed { package_name, price, days } => {
            format!("May be sold: {package_name}, {price}, {days} days. {next}")
        }
        CheckAnswer::Refused { reason: why, .. } => format!("Will not sell it: {}. Nothing is offered", reason(*why)),
        CheckAnswer::Unavailable { .. } => "Cannot say now; it changes nothing to ask again".to_owned(),
    }
}

fn channel(call: ChannelCall, answer: &ChannelAnswer, row: &EventRow) -> String {
    let asked = match call {
        ChannelCall::Prepare | ChannelCall::Charge | ChannelCall::CancelCharge | ChannelCall::Refund => "",
        ChannelCall::InquireCharge | ChannelCall::InquireRefund => "Asked what happened: ",
    };
    let settled = row.state_from != row.state_to;
    let found = match &answer.finding {
        Finding::Charged { amount, .. } => format!("charged {amount}"),
        Finding::NotCharged(decline) => format!("not charged — {}", reason(decline.reason)),
        Finding::CodeSent => "texted a code of its own and waits for it".to_owned(),
        Finding::Reserved if settled => "set aside and never taken: proven not charged".to_owned(),
        Finding::Reserved => "set aside, not taken yet; a request may still be on its way".to_owned(),
        Finding::AwaitsPayment { url: Some(_), .. } => "opens its page: the subscriber is told where to pay".to_owned(),
        Finding::AwaitsPayment { begun: true, .. } => "the subscriber is paying, and nothing has moved yet".to_owned(),
        Finding::AwaitsPayment { url: None, .. } if settled => "not paid, and the link has ended".to_owned(),
        Finding::AwaitsPayment { url: None, .. } => "not paid yet; the link is still good".to_owned(),
        Finding::WrongCode(_) => "says that the code is wrong".to_owned(),
        Finding::NotFound if settled => "nothing there, and nothing can be on its way: proven not charged".to_owned(),
        Finding::NotFound => "nothing there yet; a request may still be on its way".to_owned(),
        Finding::NotSent { .. } => "not a byte left for it: certainly not charged".to_owned(),
        Finding::Unknown { cause } => format!("{}. Nothing is concluded from that", unknown(*cause)),
        Finding::Refunded { amount } => format!("gave {amount} back"),
        Finding::NotRefunded(decline) => format!("refuses to give it back — {}", reason(decline.reason)),
    };
    sentence(asked, &found)
}

fn grant(call: GrantCall, answer: &GrantAnswer) -> String {
    let asked = match call {
        GrantCall::Grant => "",
        GrantCall::InquireGrant => "Asked what stands: ",
    };
    let found = match answer {
        GrantAnswer::Granted { .. } => "the package is granted".to_owned(),
        GrantAnswer::Revoked { .. } => "granted, and taken back again".to_owned(),
        GrantAnswer::Refused { reason: why, .. } => format!("refuses to grant it — {}", reason(*why)),
        GrantAnswer::NotFound => "no grant stands under this purchase".to_owned(),
        GrantAnswer::InProgress => "still at work on it".to_owned(),
        GrantAnswer::NotSent { .. } => "nothing was done; the same grant may be sent again".to_owned(),
        GrantAnswer::Unknown { cause, .. } => format!("{}. Nothing is concluded from that", unknown(*cause)),
    };
    sentence(asked, &found)
}

fn sentence(asked: &str, found: &str) -> String {
    if !asked.is_empty() {
        return format!("{asked}{found}");
    }
    let mut letters = found.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The clock's turn is told by where it found the purchase and where it left it.
fn timer(row: &EventRow) -> &'static str {
    match (row.state_from.as_str(), row.state_to.as_str()) {
        ("offered", "expired") => "No answer in time: the offer is over",
        ("requested", "requested") => "Asks the package manager once more",
        ("requested", "review") => "Asked often enough: a person is called. It is still asked about",
        ("requested", _) => "The package manager cannot be reached: nothing is offered",
        ("charging", "charging") if row.body.contains("\"send\":1,") => "Makes the charge anew, under a new key",
        ("charging", "charging") if !row.body.contains("intends_charge") => "Holds the next attempt off",
        ("charging", "declined") => "No further attempt: it ends as not charged",
        ("charging", "charging") => "Sends the charge once more, under the same key",
        ("charging", "charge_unknown") => "No answer in time: from here it only asks",
        ("charge_unknown", "charge_unknown") => "Asks what became of the charge",
        ("awaiting_user", "awaiting_user") => "Asks whether it was paid",
        ("awaiting_user", "charge_unknown") => "The link has ended: asks for the last time whether it was paid",
        ("granting", "granting") => "Sends the grant once more, under the same key",
        ("granting", "grant_unknown") => "No answer in time: from here it only asks",
        ("grant_unknown", "grant_unknown") => "Asks the package manager what became of the grant",
        ("refunding", "refund_unknown") => "No answer in time: from here it only asks",
        ("refund_unknown", "refund_unknown") => "Asks what became of the refund",
        ("review", "review") => "Still asks, while a person looks",
        (_, "review") => "Asked often enough: a person is called. It is still asked about",
        _ => "Looks again",
    }
}

const fn unknown(cause: Cause) -> &'static str {
    match cause {
        Cause::NoAnswer => "no answer came",
        Cause::BadAnswer => "the answer cannot be trusted",
        Cause::UnknownCode => "the answer has a code that nobody agreed on",
        Cause::Pending => "no verdict there yet",
        Cause::Witness => "it was sent before, by someone else",
    }
}

const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::NoPackage => "there is no such package",
        Reason::NoAccount => "there is no such account",
        Reason::AlreadyActive => "it is active already",
        Reason::NoMoney => "not enough money",
        Reason::Limit => "a limit is reached",
        Reason::NotAllowed => "not allowed for this subscriber",
        Reason::Blocked => "the account is locked",
        Reason::NotRegistered => "not registered",
        Reason::OtpWrong => "wrong code",
        Reason::OtpExpired => "the code is too old",
        Reason::OtpLocked => "too many wrong codes",
        Reason::OtpNone => "no code was waiting",
        Reason::NeedAuth => "the subscriber must prove who they are",
        Reason::BadInstrument => "the means of payment does not work",
        Reason::CardUsed => "the card is used up",
        Reason::Cancelled => "cancelled",
        Reason::Declined => "the payment is refused",
        Reason::Fraud => "suspected fraud",
        Reason::Maintenance => "maintenance",
        Reason::Busy => "busy, nothing was charged",
        Reason::Config => "our own configuration is wrong there",
    }
}
