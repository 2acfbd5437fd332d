//! What each code of 123PAY proves, as one table (seed 004; charging.md §3.4). Holds no logic but the look-up; a code that is
//! not here proves nothing.

use crate::config::GivesBack;
use crate::purchase::evidence::{Advice, Reason};

/// Where a code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A failure of createOrder, which nobody signs: nothing can have been debited before the customer has a link.
    CreateOrder,
    /// A failure of queryOrder: the question failed, and nothing is learnt about the order.
    QueryOrder,
    /// `transactionStatus` of an order, signed.
    Status,
}

/// What it proves about the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The bank has paid.
    Paid,
    /// The customer can still pay and has not; nothing is debited.
    Waits,
    /// The customer is at it; nothing is debited yet, and may be in the next moment.
    Begun,
    /// The bank has no last word yet: money may have moved.
    Undetermined,
    /// No such order stands there now.
    Absent,
    /// Something stands under our id already: ask what.
    Exists,
    /// The question was not answered.
    NoEvidence,
    /// Nothing was debited, nor will be.
    Declined(Reason, Advice),
}

#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub place: Place,
    pub code: &'static str,
    pub proof: Proof,
    /// For a person.
    pub means: &'static str,
}

use Advice::{NewCode, Stop};
use Place::{CreateOrder, QueryOrder, Status};
use Proof::{Absent, Begun, Declined, Exists, NoEvidence, Paid, Undetermined, Waits};

const fn row(place: Place, code: &'static str, proof: Proof, means: &'static str) -> Row {
    Row { place, code, proof, means }
}

/// Refused with the advice that every channel gives for this reason; a row that says otherwise follows charging.md §3.4.
const fn declined(reason: Reason) -> Proof {
    Declined(reason, reason.advice())
}

pub const ROWS: &[Row] = &[
    row(CreateOrder, "5000", declined(Reason::Busy), "system busy"),
    row(CreateOrder, "6000", declined(Reason::Config), "partner not authenticated"),
    row(CreateOrder, "6100", declined(Reason::Config), "a parameter of the wrong form"),
    row(CreateOrder, "6200", declined(Reason::NotAllowed), "against the rules between partner and 123PAY"),
    row(CreateOrder, "6203", declined(Reason::Maintenance), "bank in maintenance"),
    row(CreateOrder, "6206", Exists, "transaction id used before"),
    row(CreateOrder, "6212", declined(Reason::Limit), "over the limit of a payment"),
    row(CreateOrder, "7200", declined(Reason::BadInstrument), "payment information invalid"),
    row(CreateOrder, "7300", declined(Reason::Busy), "bank not reached"),
    row(QueryOrder, "5000", NoEvidence, "system busy"),
    row(QueryOrder, "6000", NoEvidence, "partner not authenticated"),
    row(QueryOrder, "6100", NoEvidence, "a parameter of the wrong form"),
    row(QueryOrder, "7300", NoEvidence, "bank not reached"),
    row(Status, "0", Waits, "new"),
    row(Status, "1", Paid, "paid"),
    row(Status, "10", Begun, "account being checked, nothing debited yet"),
    row(Status, "11", Begun, "waiting for the bank's OTP"),
    row(Status, "20", Undetermined, "the bank's result is undetermined"),
    row(Status, "5000", Undetermined, "system busy"),
    row(Status, "7300", Undetermined, "bank not reached"),
    row(Status, "-10", Absent, "no such transaction"),
    row(Status, "-100", declined(Reason::Cancelled), "cancelled"),
    row(Status, "6200", declined(Reason::NotAllowed), "against the rules between partner and 123PAY"),
    row(Status, "6212", declined(Reason::Limit), "over the limit of a payment"),
    row(Status, "7200", declined(Reason::BadInstrument), "payment information invalid"),
    row(Status, "7201", declined(Reason::NoMoney), "not enough money"),
    row(Status, "7202", declined(Reason::NoMoney), "below the account's least balance"),
    row(Status, "7203", declined(Reason::Limit), "over the bank's amount a day"),
    row(Status, "7204", declined(Reason::Limit), "over the bank's number of payments a day"),
    row(Status, "7205", Declined(Reason::Limit, Stop), "over the bank's limit of one payment"),
    row(Status, "7210", Declined(Reason::Cancelled, NewCode), "no payment information entered"),
    row(Status, "7211", declined(Reason::NotRegistered), "not registered for payment online"),
    row(Status, "7212", declined(Reason::Blocked), "payment online locked for now"),
    row(Status, "7213", declined(Reason::Blocked), "account locked"),
    row(Status, "7220", declined(Reason::OtpNone), "no OTP entered"),
    row(Status, "7221", declined(Reason::Blocked), "card or account wrong more than 3 times"),
    row(Status, "7222", declined(Reason::OtpWrong), "OTP wrong"),
    row(Status, "7223", declined(Reason::OtpExpired), "OTP expired"),
    row(Status, "7224", declined(Reason::OtpLocked), "OTP wrong more than 3 times"),
    row(Status, "7231", declined(Reason::BadInstrument), "card holder's name wrong"),
    row(Status, "7232", declined(Reason::BadInstrument), "card invalid, or customer not found"),
    row(Status, "7233", declined(Reason::BadInstrument), "card expired"),
    row(Status, "7234", declined(Reason::Fraud), "card lost"),
    row(Status, "7235", declined(Reason::Fraud), "card stolen"),
    row(Status, "7236", declined(Reason::BadInstrument), "card marked deleted"),
    row(Status, "7241", declined(Reason::BadInstrument), "card's security code wrong"),
    row(Status, "7242", declined(Reason::BadInstrument), "address wrong"),
    row(Status, "7243", declined(Reason::BadInstrument), "address and security code wrong"),
    row(Status, "7244", declined(Reason::Fraud), "risk checks not passed"),
    row(Status, "7245", declined(Reason::Declined), "declined by the bank"),
    row(Status, "7246", declined(Reason::Blocked), "account held"),
    row(Status, "7247", Declined(Reason::Blocked, Stop), "account closed"),
    row(Status, "7248", declined(Reason::Blocked), "account frozen"),
    row(Status, "7299", declined(Reason::Declined), "not successful"),
];

/// `None` for whatever the table does not have: then nothing is proven.
#[must_use]
pub fn row_of(place: Place, code: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.place == place && row.code == code)
}

/// Whether the bank gives back by itself after such a refusal: what it took and could not pass on is back in a day or two
/// (R000.18). Of an order without a refusal nothing comes back but by the merchant's hand: 123PAY has no refund.
#[must_use]
pub const fn gives_back(refusal: Option<Reason>) -> GivesBack {
    match refusal {
        Some(_) => GivesBack::InDays,
        None => GivesBack::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_code_has_two_meanings() {
        let mut seen = HashSet::new();
        for row in ROWS {
            assert!(seen.insert((row.place, row.code)), "{:?} {}", row.place, row.code);
        }
    }

    #[test]
    fn a_refused_question_says_nothing_about_the_money() {
        for row in ROWS.iter().filter(|row| row.place == QueryOrder) {
            assert_eq!(row.proof, NoEvidence, "{}", row.code);
        }
    }

    #[test]
    fn only_a_signed_status_can_say_that_money_moved_or_may_have() {
        for row in ROWS.iter().filter(|row| row.place != Status) {
            assert!(!matches!(row.proof, Paid | Undetermined), "{:?} {}", row.place, row.code);
        }
    }
}
