//! What each refusal of CAMARA Carrier Billing 0.5 and Carrier Billing Refund 0.3 proves, as one table (charging.md §3.4).
//! Holds no logic but the look-up; a code that is not here proves nothing.

use crate::config::GivesBack;
use crate::purchase::evidence::{Advice, Reason};

/// An endpoint, by its operationId.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    CreatePayment,
    PreparePayment,
    ValidatePayment,
    ConfirmPayment,
    CancelPayment,
    RetrievePayment,
    RetrievePayments,
    CreateRefund,
    RetrieveRefund,
    RetrieveRefunds,
}

/// What a refusal proves about the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was moved by it, nor will be.
    Declined(Reason, Advice),
    /// The code was wrong and another may be tried.
    WrongCode,
    /// Something stands under our key already: look for it.
    Exists,
    /// Either something stands under our key, or the request was wrong: look, to tell one from the other.
    ExistsOrWrong,
    /// It was done by an earlier request: go on.
    AlreadyDone,
    /// The payment's own status decides: ask for it.
    AskPayment,
    /// Nothing is there under this id.
    NotFound,
    /// Nothing was done; the same key may be sent again.
    TryLater,
    /// The list has no such page: it ends before.
    EndOfList,
}

/// One row: at these endpoints, this status with this code means that.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub operations: &'static [Operation],
    pub status: u16,
    /// Without the `CARRIER_BILLING.` or `CARRIER_BILLING_REFUND.` before it, which not every operator writes.
    pub code: &'static str,
    pub verdict: Verdict,
}

use Operation::{CancelPayment, ConfirmPayment, CreatePayment, CreateRefund, PreparePayment};
use Operation::{RetrievePayment, RetrievePayments, RetrieveRefund, RetrieveRefunds, ValidatePayment};
use Verdict::{AlreadyDone, AskPayment, Declined, EndOfList, Exists, ExistsOrWrong, NotFound, TryLater, WrongCode};

const OPENS: &[Operation] = &[CreatePayment, PreparePayment];
const VALIDATES: &[Operation] = &[ValidatePayment];
const CONFIRMS: &[Operation] = &[ConfirmPayment];
const CANCELS: &[Operation] = &[CancelPayment];
const REFUNDS: &[Operation] = &[CreateRefund];
const CODE_OR_CONFIRM: &[Operation] = &[ValidatePayment, ConfirmPayment];
const OPENS_OR_CONFIRMS: &[Operation] = &[CreatePayment, PreparePayment, ConfirmPayment];
const CHARGES: &[Operation] = &[CreatePayment, PreparePayment, ValidatePayment, ConfirmPayment];
const LISTS: &[Operation] = &[RetrievePayments, RetrieveRefunds];
const READS_ONE: &[Operation] = &[RetrievePayment, RetrieveRefund];

const CONFIG: Verdict = declined(Reason::Config);

/// Refused with the advice that every channel gives for this reason; a row that says otherwise follows charging.md §3.4.
const fn declined(reason: Reason) -> Verdict {
    Declined(reason, reason.advice())
}

const fn rule(operations: &'static [Operation], status: u16, code: &'static str, verdict: Verdict) -> Rule {
    Rule { operations, status, code, verdict }
}

/// Inquiries and `cancel` have few rows on purpose: a refused question is no answer about the money.
pub const RULES: &[Rule] = &[
    rule(OPENS, 400, "INVALID_ARGUMENT", ExistsOrWrong),
    rule(OPENS, 400, "INVALID_CREDENTIAL", CONFIG),
    rule(OPENS, 400, "INVALID_TOKEN", CONFIG),
    rule(OPENS, 400, "INVALID_SINK", CONFIG),
    rule(OPENS, 400, "OUT_OF_RANGE", CONFIG),
    rule(CODE_OR_CONFIRM, 400, "INVALID_ARGUMENT", CONFIG),
    rule(VALIDATES, 400, "INVALID_CODE", WrongCode),
    rule(VALIDATES, 400, "INVALID_AUTHORIZATION_ID", declined(Reason::OtpExpired)),
    rule(VALIDATES, 400, "VALIDATION_FAILED", declined(Reason::OtpLocked)),
    rule(CHARGES, 401, "UNAUTHENTICATED", CONFIG),
    rule(CHARGES, 403, "PERMISSION_DENIED", CONFIG),
    rule(OPENS_OR_CONFIRMS, 403, "PAYMENT_DENIED", Declined(Reason::Declined, Advice::Stop)),
    rule(OPENS_OR_CONFIRMS, 404, "IDENTIFIER_NOT_FOUND", declined(Reason::NoAccount)),
    rule(CODE_OR_CONFIRM, 404, "NOT_FOUND", AskPayment),
    rule(OPENS, 409, "ALREADY_EXISTS", Exists),
    rule(VALIDATES, 409, "ALREADY_EXISTS", AlreadyDone),
    rule(CONFIRMS, 409, "ALREADY_EXISTS", AskPayment),
    rule(CONFIRMS, 409, "PAYMENT_CONFIRMED", AskPayment),
    rule(CONFIRMS, 409, "PAYMENT_CANCELLED", declined(Reason::Cancelled)),
    rule(OPENS_OR_CONFIRMS, 422, "SERVICE_NOT_APPLICABLE", declined(Reason::NotAllowed)),
    rule(OPENS_OR_CONFIRMS, 422, "MISSING_IDENTIFIER", CONFIG),
    rule(OPENS_OR_CONFIRMS, 422, "UNNECESSARY_IDENTIFIER", CONFIG),
    rule(OPENS_OR_CONFIRMS, 422, "PHONE_NUMBER_REQUIRED", CONFIG),
    rule(OPENS_OR_CONFIRMS, 422, "UNAUTHORIZED_AMOUNT", Declined(Reason::Limit, Advice::Stop)),
    rule(OPENS_OR_CONFIRMS, 422, "AMOUNT_THRESHOLD_OVERPASSED", declined(Reason::Limit)),
    rule(OPENS_OR_CONFIRMS, 422, "USER_AMOUNT_THRESHOLD_OVERPASSED", declined(Reason::Limit)),
    rule(CHARGES, 429, "TOO_MANY_REQUESTS", declined(Reason::Busy)),
    rule(CANCELS, 404, "NOT_FOUND", NotFound),
    rule(CANCELS, 409, "PAYMENT_CANCELLED", declined(Reason::Cancelled)),
    rule(CANCELS, 409, "PAYMENT_CONFIRMED", AskPayment),
    rule(CANCELS, 409, "ALREADY_EXISTS", AskPayment),
    rule(READS_ONE, 404, "NOT_FOUND", NotFound),
    rule(LISTS, 404, "NOT_FOUND", NotFound),
    rule(LISTS, 400, "OUT_OF_RANGE", EndOfList),
    rule(REFUNDS, 400, "INVALID_ARGUMENT", ExistsOrWrong),
    rule(REFUNDS, 400, "INVALID_CREDENTIAL", CONFIG),
    rule(REFUNDS, 400, "INVALID_TOKEN", CONFIG),
    rule(REFUNDS, 400, "INVALID_SINK", CONFIG),
    rule(REFUNDS, 401, "UNAUTHENTICATED", CONFIG),
    rule(REFUNDS, 403, "PERMISSION_DENIED", CONFIG),
    rule(REFUNDS, 403, "REFUND_DENIED", declined(Reason::Declined)),
    rule(REFUNDS, 403, "PAYMENT_NOT_ELIGIBLE_FOR_REFUND", declined(Reason::Declined)),
    rule(REFUNDS, 404, "NOT_FOUND", CONFIG),
    rule(REFUNDS, 409, "ALREADY_EXISTS", Exists),
    rule(REFUNDS, 422, "INVALID_PAYMENT_STATUS", AskPayment),
    rule(REFUNDS, 422, "UNAUTHORIZED_AMOUNT", CONFIG),
    rule(REFUNDS, 422, "AMOUNT_THRESHOLD_OVERPASSED", Declined(Reason::Limit, Advice::CallOperator)),
    rule(REFUNDS, 422, "USER_AMOUNT_THRESHOLD_OVERPASSED", Declined(Reason::Limit, Advice::CallOperator)),
    rule(REFUNDS, 422, "TAXES_MANAGEMENT_MISMATCH", CONFIG),
    rule(REFUNDS, 422, "REFUND_DETAILS_MISMATCH", CONFIG),
    rule(REFUNDS, 429, "TOO_MANY_REQUESTS", TryLater),
];

/// `None` for whatever the table does not have: then nothing is proven.
#[must_use]
pub fn verdict(operation: Operation, status: u16, code: &str) -> Option<Verdict> {
    let bare = code.rsplit('.').next().unwrap_or(code);
    RULES
        .iter()
        .find(|rule| rule.status == status && rule.code == bare && rule.operations.contains(&operation))
        .map(|rule| rule.verdict)
}

/// Whether the operator gives back by itself after such a refusal: what was set aside is free again at once, since nothing
/// is debited before confirmPayment. Without a refusal there is only createRefund.
#[must_use]
pub const fn gives_back(refusal: Option<Reason>) -> GivesBack {
    match refusal {
        Some(_) => GivesBack::Now,
        None => GivesBack::Never,
    }
}

impl Operation {
    /// CAMARA's operationId.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            CreatePayment => "createPayment",
            PreparePayment => "preparePayment",
            ValidatePayment => "validatePayment",
            ConfirmPayment => "confirmPayment",
            CancelPayment => "cancelPayment",
            RetrievePayment => "retrievePayment",
            RetrievePayments => "retrievePayments",
            CreateRefund => "createRefund",
            RetrieveRefund => "retrieveRefund",
            RetrieveRefunds => "retrieveRefunds",
        }
    }

    /// Whether it only reads.
    #[must_use]
    pub const fn reads(self) -> bool {
        match self {
            RetrievePayment | RetrievePayments | RetrieveRefund | RetrieveRefunds => true,
            CreatePayment | PreparePayment | ValidatePayment | ConfirmPayment | CancelPayment | CreateRefund => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_refusal_has_two_meanings() {
        let mut seen = HashSet::new();
        for rule in RULES {
            for operation in rule.operations {
                assert!(
                    seen.insert((operation, rule.status, rule.code)),
                    "{operation:?} {} {}",
                    rule.status,
                    rule.code
                );
            }
        }
    }

    #[test]
    fn both_spellings_of_a_code_mean_the_same() {
        for (long, short) in [
            ("CARRIER_BILLING.USER_AMOUNT_THRESHOLD_OVERPASSED", "CARRIER_BILLING.AMOUNT_THRESHOLD_OVERPASSED"),
            ("CARRIER_BILLING.PAYMENT_DENIED", "PAYMENT_DENIED"),
        ] {
            for status in [403, 422] {
                assert_eq!(verdict(PreparePayment, status, long), verdict(PreparePayment, status, short));
            }
        }
    }

    #[test]
    fn a_refused_question_says_nothing_about_the_money() {
        for rule in RULES {
            for operation in rule.operations.iter().filter(|operation| operation.reads()) {
                assert!(matches!(rule.verdict, NotFound | EndOfList), "{operation:?} {}", rule.code);
            }
        }
    }
}
