//! What each code of 123PAY proves, as one table (seed 004; charging.md §3.4). Holds no logic but the look-up; a code that is
//! not here proves nothing.

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

use Advice::{CallOperator, ChangeAccount, NewCode, Stop, Technical, Wait};
use Place::{CreateOrder, QueryOrder, Status};
use Proof::{Absent, Declined, Exists, NoEvidence, Paid, Undetermined, Waits};

const fn row(place: Place, code: &'static str, proof: Proof, means: &'static str) -> Row {
    Row { place, code, proof, means }
}

pub const ROWS: &[Row] = &[
    row(CreateOrder, "5000", Declined(Reason::Busy, Technical), "system busy"),
    row(CreateOrder, "6000", Declined(Reason::Config, Technical), "partner not authenticated"),
    row(CreateOrder, "6100", Declined(Reason::Config, Technical), "a parameter of the wrong form"),
    row(CreateOrder, "6200", Declined(Reason::NotAllowed, Stop), "against the rules between partner and 123PAY"),
    row(CreateOrder, "6203", Declined(Reason::Maintenance, Wait), "bank in maintenance"),
    row(CreateOrder, "6206", Exists, "transaction id used before"),
    row(CreateOrder, "6212", Declined(Reason::Limit, Wait), "over the limit of a payment"),
    row(CreateOrder, "7200", Declined(Reason::BadInstrument, ChangeAccount), "payment information invalid"),
    row(CreateOrder, "7300", Declined(Reason::Busy, Technical), "bank not reached"),
    row(QueryOrder, "5000", NoEvidence, "system busy"),
    row(QueryOrder, "6000", NoEvidence, "partner not authenticated"),
    row(QueryOrder, "6100", NoEvidence, "a parameter of the wrong form"),
    row(QueryOrder, "7300", NoEvidence, "bank not reached"),
    row(Status, "0", Waits, "new"),
    row(Status, "1", Paid, "paid"),
    row(Status, "10", Waits, "account being checked, nothing debited yet"),
    row(Status, "11", Waits, "waiting for the bank's OTP"),
    row(Status, "20", Undetermined, "the bank's result is undetermined"),
    row(Status, "5000", Undetermined, "system busy"),
    row(Status, "7300", Undetermined, "bank not reached"),
    row(Status, "-10", Absent, "no such transaction"),
    row(Status, "-100", Declined(Reason::Cancelled, Stop), "cancelled"),
    row(Status, "6200", Declined(Reason::NotAllowed, Stop), "against the rules between partner and 123PAY"),
    row(Status, "6212", Declined(Reason::Limit, Wait), "over the limit of a payment"),
    row(Status, "7200", Declined(Reason::BadInstrument, ChangeAccount), "payment information invalid"),
    row(Status, "7201", Declined(Reason::NoMoney, Wait), "not enough money"),
    row(Status, "7202", Declined(Reason::NoMoney, Wait), "below the account's least balance"),
    row(Status, "7203", Declined(Reason::Limit, Wait), "over the bank's amount a day"),
    row(Status, "7204", Declined(Reason::Limit, Wait), "over the bank's number of payments a day"),
    row(Status, "7205", Declined(Reason::Limit, Stop), "over the bank's limit of one payment"),
    row(Status, "7210", Declined(Reason::Cancelled, NewCode), "no payment information entered"),
    row(Status, "7211", Declined(Reason::NotRegistered, CallOperator), "not registered for payment online"),
    row(Status, "7212", Declined(Reason::Blocked, CallOperator), "payment online locked for now"),
    row(Status, "7213", Declined(Reason::Blocked, CallOperator), "account locked"),
    row(Status, "7220", Declined(Reason::OtpNone, NewCode), "no OTP entered"),
    row(Status, "7221", Declined(Reason::Blocked, CallOperator), "card or account wrong more than 3 times"),
    row(Status, "7222", Declined(Reason::OtpWrong, NewCode), "OTP wrong"),
    row(Status, "7223", Declined(Reason::OtpExpired, NewCode), "OTP expired"),
    row(Status, "7224", Declined(Reason::OtpLocked, CallOperator), "OTP wrong more than 3 times"),
    row(Status, "7231", Declined(Reason::BadInstrument, ChangeAccount), "card holder's name wrong"),
    row(Status, "7232", Declined(Reason::BadInstrument, ChangeAccount), "card invalid, or customer not found"),
    row(Status, "7233", Declined(Reason::BadInstrument, ChangeAccount), "card expired"),
    row(Status, "7234", Declined(Reason::Fraud, Stop), "card lost"),
    row(Status, "7235", Declined(Reason::Fraud, Stop), "card stolen"),
    row(Status, "7236", Declined(Reason::BadInstrument, ChangeAccount), "card marked deleted"),
    row(Status, "7241", Declined(Reason::BadInstrument, ChangeAccount), "card's security code wrong"),
    row(Status, "7242", Declined(Reason::BadInstrument, ChangeAccount), "address wrong"),
    row(Status, "7243", Declined(Reason::BadInstrument, ChangeAccount), "address and security code wrong"),
    row(Status, "7244", Declined(Reason::Fraud, Stop), "risk checks not passed"),
    row(Status, "7245", Declined(Reason::Declined, CallOperator), "declined by the bank"),
    row(Status, "7246", Declined(Reason::Blocked, CallOperator), "account held"),
    row(Status, "7247", Declined(Reason::Blocked, Stop), "account closed"),
    row(Status, "7248", Declined(Reason::Blocked, CallOperator), "account frozen"),
    row(Status, "7299", Declined(Reason::Declined, CallOperator), "not successful"),
];

/// `None` for whatever the table does not have: then nothing is proven.
#[must_use]
pub fn row_of(place: Place, code: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.place == place && row.code == code)
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
