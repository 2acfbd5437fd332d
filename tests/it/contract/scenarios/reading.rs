//! retrievePayment and retrievePayments, and the two operations that read refunds alike.

use super::alike::doors;
use super::{Check, Edit, Op, Scenario, TWO_LEGGED, at, plain};
use serde_json::json;

const UNFILTERED: &str =
    "paygate filters by time alone: a filter that the operator reads otherwise would hide a charge";

pub(super) fn reading() -> Vec<Scenario> {
    let own = vec![
        at(Op::Get, "retrieve_payment_01_generic_success_scenario")
            .check(Check::Present("/amountTransaction/referenceCode")),
        at(Op::Get, "retrieve_payment_404.01_payment_not_found").edit(Edit::UnknownId).refused(404, "NOT_FOUND"),
        at(Op::GetRefund, "retrieve_refund_01_generic_success_scenario").check(Check::Present("/refundId")),
        at(Op::GetRefund, "retrieve_refund_404.01_payment_not_found").edit(Edit::UnknownId).refused(404, "NOT_FOUND"),
        at(Op::GetRefund, "retrieve_refund_404.02_refund_not_found")
            .instead(vec![plain(Op::Create)])
            .refused(404, "NOT_FOUND"),
    ];
    [own, doors(Op::Get, "retrieve_payment", "400.01"), doors(Op::GetRefund, "retrieve_refund", "400.01")].concat()
}

/// retrievePayments and retrieveRefunds.
pub(super) fn listing(op: Op, prefix: &str, date: &str, error: &'static str) -> Vec<Scenario> {
    let row = |name: &str| at(op, format!("{prefix}_{name}"));
    let (past, future) = ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
    let none = if op == Op::List { row("02_no_payments") } else { row("02_no_refunds") };
    let nothing = if op == Op::List { vec![] } else { vec![plain(Op::Create)] };
    let code = |tail: &str| -> &'static str {
        match (error, tail) {
            ("CARRIER_BILLING", "range") => "CARRIER_BILLING.INVALID_DATE_RANGE",
            ("CARRIER_BILLING", "page") => "CARRIER_BILLING.OUT_OF_RANGE",
            ("CARRIER_BILLING", _) => "CARRIER_BILLING.TOO_MANY_MATCHING_RECORDS",
            (_, "range") => "CARRIER_BILLING_REFUND.INVALID_DATE_RANGE",
            (_, "page") => "CARRIER_BILLING_REFUND.OUT_OF_RANGE",
            (_, _) => "CARRIER_BILLING_REFUND.TOO_MANY_MATCHING_RECORDS",
        }
    };
    let own = vec![
        row("01_generic_success_scenario").check(Check::Length(7)),
        none.instead(nothing).check(Check::Length(0)),
        row("03_for_phoneNumber").three_legged().check(Check::Length(7)).never(TWO_LEGGED),
        row("04_for_application").check(Check::Length(7)),
        row("05_start_creationDate").query(format!("{date}.gte={future}")).check(Check::Length(0)),
        row("06_end_creationDate").query(format!("{date}.lte={past}")).check(Check::Length(0)),
        row("07_date_range").query(format!("{date}.gte={past}&{date}.lte={future}")).check(Check::Length(7)),
        row("08_ordering").query("order=asc").check(Check::Ascending(true)),
        row("10_merchantIdentifier").query("merchantIdentifier=nobody").check(Check::Length(0)).never(UNFILTERED),
        row("11_pagination").query("page=1&perPage=5").check(Check::Length(5)),
        row("400.01_invalid_date_range")
            .query(format!("{date}.gte={future}&{date}.lte={past}"))
            .refused(400, code("range")),
        row("400.02_out_of_range").query("page=1000&perPage=1000").refused(400, code("page")),
        row("400.03_too_many_matching_records")
            .with(|settings| settings.match_limit = 5)
            .query("page=1&perPage=1000")
            .refused(400, code("many")),
    ];
    [own, doors(op, prefix, "400.04")].concat()
}

pub(super) fn statuses() -> Vec<Scenario> {
    vec![
        at(Op::List, "retrieve_payments_09_payment_status")
            .after(Op::Prepare, vec![])
            .query("paymentStatus=succeeded")
            .check(Check::Length(7))
            .check(Check::Each("/paymentStatus", json!("succeeded")))
            .never(UNFILTERED),
        at(Op::ListRefunds, "retrieve_refunds_09_refund_status")
            .query("refundStatus=succeeded")
            .check(Check::Length(7))
            .check(Check::Each("/refundStatus", json!("succeeded")))
            .never(UNFILTERED),
    ]
}
