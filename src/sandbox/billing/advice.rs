//! Prices that the simulated operator refuses: their last two digits choose the advice, as with seed 001's test amounts
//! (10001 → 1 … 10006 → 6). Each is said by the CAMARA code that stands for it; any other price is charged.

use super::answer::refusal;
use super::request::Milli;
use crate::sandbox::server::Reply;

/// The advice that a charge of this amount ends with; none for an ordinary price.
fn advice(amount: Milli) -> Option<i64> {
    let digits = (amount / 1000) % 100;
    (amount % 1000 == 0 && (1..=6).contains(&digits)).then_some(digits)
}

/// 1, 2, 4 and 6 are said when the payment is opened.
pub(super) fn refused(amount: Milli) -> Result<(), Reply> {
    match advice(amount) {
        Some(1) => Err(refusal(403, "CARRIER_BILLING.PAYMENT_DENIED")),
        Some(2) => Err(refusal(422, "CARRIER_BILLING.USER_AMOUNT_THRESHOLD_OVERPASSED")),
        Some(4) => Err(refusal(404, "IDENTIFIER_NOT_FOUND")),
        Some(6) => Err(refusal(429, "TOO_MANY_REQUESTS")),
        _ => Ok(()),
    }
}

/// 3: taken, and denied when the money should move.
pub(super) fn is_denied(amount: Milli) -> bool {
    advice(amount) == Some(3)
}

/// 5: the subscriber is to open a web page, which no text message can do.
pub(super) fn wants_a_page(amount: Milli) -> bool {
    advice(amount) == Some(5)
}
