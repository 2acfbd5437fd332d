//! What becomes of a prepared payment: validatePayment, confirmPayment and cancelPayment.

use super::alike::{bodies, doors, phones};
use super::{Edit, Op, PHONE, Scenario, Step, TWO_LEGGED, at};
use paygate::sandbox::billing::numbers;
use serde_json::json;

pub(super) fn validating() -> Vec<Scenario> {
    let row = |name: &str| at(Op::Validate, format!("validate_payment_{name}"));
    let wrong = || vec![Edit::Set("/code", json!("000000"))];
    let own = vec![
        row("01_generic_success_scenario"),
        row("400.03_required_input_properties_missing").without("/code").refused(400, "INVALID_ARGUMENT"),
        row("400.04_invalid_authorizationId")
            .set("/authorizationId", "nobodys")
            .refused(400, "CARRIER_BILLING.INVALID_AUTHORIZATION_ID"),
        row("400.05_invalid_code").set("/code", "000000").refused(400, "CARRIER_BILLING.INVALID_CODE"),
        row("400.06_exceeding_validation_attempts")
            .after(Op::Validate, wrong())
            .after(Op::Validate, wrong())
            .after(Op::Validate, wrong())
            .set("/code", "000000")
            .refused(400, "CARRIER_BILLING.VALIDATION_FAILED"),
        row("404.01_payment_not_found").edit(Edit::UnknownId).refused(404, "NOT_FOUND"),
    ];
    [own, doors(Op::Validate, "validate_payment", "400.07"), bodies(Op::Validate, "validate_payment")].concat()
}

/// confirmPayment and cancelPayment.
pub(super) fn deciding(op: Op, prefix: &str) -> Vec<Scenario> {
    let row = |name: &str| at(op, format!("{prefix}_{name}"));
    let mut own = vec![
        row("01_generic_success_scenario"),
        row("02_phoneNumber_three_legged")
            .with(|settings| settings.takes_known_number = true)
            .three_legged()
            .never(TWO_LEGGED),
        row("03_phoneNumber_two_legged"),
        row("404.01_payment_not_found").edit(Edit::UnknownId).refused(404, "NOT_FOUND"),
        row("409.01_payment_confirmed").after(Op::Confirm, vec![]).refused(409, "CARRIER_BILLING.PAYMENT_CONFIRMED"),
        row("409.02_payment_cancelled").after(Op::Cancel, vec![]).refused(409, "CARRIER_BILLING.PAYMENT_CANCELLED"),
    ];
    if op == Op::Confirm {
        let refused = Step { op: Op::Prepare, edits: vec![Edit::Set(PHONE, json!(numbers::CONFIRM_REFUSED))] };
        own.push(
            row("403.02_payment_denied")
                .instead(vec![refused])
                .set("/phoneNumber", numbers::CONFIRM_REFUSED)
                .refused(403, "CARRIER_BILLING.PAYMENT_DENIED"),
        );
    }
    [own, doors(op, prefix, "400.03"), bodies(op, prefix), phones(op, prefix)].concat()
}
