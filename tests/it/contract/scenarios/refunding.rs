//! createRefund and retrievePaymentRemainingAmount.

use super::alike::{bodies, doors, sinks};
use super::{
    CORRELATOR, Check, DETAILS, Edit, Op, PHONE, REFERENCE, Scenario, Step, TAX_INCLUDED, at, part, partial, plain,
};
use paygate::sandbox::billing::{Settings, numbers};
use serde_json::json;

const PART: &str = "/amountTransaction/refundAmount/chargingInformation/amount";
const PART_TAX: &str = "/amountTransaction/refundAmount/chargingInformation/isTaxIncluded";
const PART_TAX_AMOUNT: &str = "/amountTransaction/refundAmount/chargingInformation/taxAmount";
const PART_MERCHANT: &str = "/amountTransaction/refundAmount/chargingMetaData/merchantIdentifier";
const PART_DETAILS: &str = "/amountTransaction/refundAmount/refundDetails";
const SLOW_REFUNDS: fn(&mut Settings) = |settings| settings.refund_settle_ms = 3_600_000;
const WHOLE: &str = "paygate gives back whole charges only";

pub(super) fn refunding() -> Vec<Scenario> {
    let row = |name: &str| at(Op::Refund, format!("create_refund_{name}"));
    let parts = |name: &str| Scenario { step: partial(), ..row(name) };
    let details = json!([{"paymentItemId": "one", "amount": 100, "currency": "VND", "description": "VIP"}]);
    let item = json!([{"id": "one", "amount": 100, "currency": "VND", "description": "VIP"}]);
    let itemised = Step { op: Op::Create, edits: vec![Edit::Set(DETAILS, item)] };
    let own = vec![
        row("01_generic_success_scenario").check(Check::Present("/refundId")),
        row("04_total_refund").is("/type", "total").is("/amountTransaction/refundAmount", json!({})),
        parts("04_partial_refund_amountTransaction_gross_amount").is(PART_TAX, true).never(WHOLE),
        parts("05_partial_refund_amountTransaction_net_amount")
            .instead(vec![Step { op: Op::Create, edits: vec![Edit::Set(TAX_INCLUDED, json!(false))] }])
            .set(PART_TAX, false)
            .is(PART_TAX, false)
            .never(WHOLE),
        parts("06_partial_refund_amountTransaction_taxAmount")
            .set(PART_TAX_AMOUNT, 10)
            .echoes(PART_TAX_AMOUNT)
            .never(WHOLE),
        row("07_amountTransaction_merchantIdentifier")
            .set(PART_MERCHANT, "paygate")
            .echoes(PART_MERCHANT)
            .never("a refund is found by the payment it belongs to"),
        parts("08_partial_refund_amountTransaction_refundDetails")
            .instead(vec![itemised])
            .set(PART_DETAILS, details)
            .echoes(PART_DETAILS)
            .never(WHOLE),
        row("09_amountTransaction_clientCorrelator").set(CORRELATOR, "c-1").echoes(CORRELATOR),
        row("10_reason").set("/reason", "not delivered").echoes("/reason").never("the reason is in the journal"),
        row("11_sync_behaviour").is("/refundStatus", "succeeded"),
        row("12_async_behaviour").with(SLOW_REFUNDS).is("/refundStatus", "processing"),
    ];
    [
        own,
        doors(Op::Refund, "create_refund", "400.09"),
        bodies(Op::Refund, "create_refund"),
        sinks(Op::Refund, "create_refund"),
    ]
    .concat()
}

pub(super) fn refusing_refunds() -> Vec<Scenario> {
    let row = |name: &str| at(Op::Refund, format!("create_refund_{name}"));
    let parts = |name: &str| Scenario { step: partial(), ..row(name) };
    let of = |msisdn: &str| vec![Step { op: Op::Create, edits: vec![Edit::Set(PHONE, json!(msisdn))] }];
    let details = json!([{"paymentItemId": "another", "amount": 100, "currency": "VND", "description": "VIP"}]);
    vec![
        row("400.04_required_input_properties_missing").without("/type").refused(400, "INVALID_ARGUMENT"),
        row("400.05_clientCorrelator_in_use")
            .with(SLOW_REFUNDS)
            .after(Op::Refund, vec![Edit::Set(CORRELATOR, json!("c-1"))])
            .set(CORRELATOR, "c-1")
            .refused(400, "INVALID_ARGUMENT"),
        row("403.02_refund_denied")
            .instead(of(numbers::REFUND_DENIED))
            .refused(403, "CARRIER_BILLING_REFUND.REFUND_DENIED"),
        row("403.03_payment_not_eligible_for_refund")
            .instead(of(numbers::NOT_REFUNDABLE))
            .refused(403, "CARRIER_BILLING_REFUND.PAYMENT_NOT_ELIGIBLE_FOR_REFUND"),
        row("404.01_payment_not_found").edit(Edit::UnknownId).refused(404, "NOT_FOUND"),
        row("409.01_refund_duplicated")
            .after(Op::Refund, vec![Edit::Set(REFERENCE, json!("r-1"))])
            .set(REFERENCE, "r-1")
            .refused(409, "ALREADY_EXISTS"),
        parts("422.01_unauthorized_amount")
            .set(PART, 10_001)
            .refused(422, "CARRIER_BILLING_REFUND.UNAUTHORIZED_AMOUNT"),
        parts("422.02_accumulated_threshold_amount_overpassed")
            .with(|settings| settings.refund_limit = 99)
            .refused(422, "CARRIER_BILLING_REFUND.AMOUNT_THRESHOLD_OVERPASSED"),
        row("422.03_payment_invalid_status")
            .instead(vec![plain(Op::Prepare)])
            .refused(422, "CARRIER_BILLING_REFUND.INVALID_PAYMENT_STATUS"),
        parts("422.04_inconsistent_tax_management")
            .set(PART_TAX, false)
            .refused(422, "CARRIER_BILLING_REFUND.TAXES_MANAGEMENT_MISMATCH"),
        parts("422.05_inconsistent_refund_details")
            .set(PART_DETAILS, details)
            .refused(422, "CARRIER_BILLING_REFUND.REFUND_DETAILS_MISMATCH"),
    ]
}

pub(super) fn remaining() -> Vec<Scenario> {
    let row = |name: &str| at(Op::Remaining, format!("retrieve_payment_remaining_amount_{name}"));
    let failing = || vec![Step { op: Op::Create, edits: vec![Edit::Set(PHONE, json!(numbers::REFUND_FAILS))] }];
    let own = vec![
        row("01_generic_success_scenario").is("/amount", 10_000).is("/currency", "VND"),
        row("02_total_refund_in_progress").with(SLOW_REFUNDS).after(Op::Refund, vec![]).is("/amount", 0),
        row("03_total_refund_succeeded").after(Op::Refund, vec![]).is("/amount", 0),
        row("04_total_refund_denied").instead(failing()).after(Op::Refund, vec![]).is("/amount", 10_000),
        row("05_partial_refund_in_progress").with(SLOW_REFUNDS).after(Op::Refund, part()).is("/amount", 9_900),
        row("06_partial_refund_succeeded").after(Op::Refund, part()).is("/amount", 9_900),
        row("07_partial_refund_denied").instead(failing()).after(Op::Refund, part()).is("/amount", 10_000),
        row("404.01_payment_not_found").edit(Edit::UnknownId).refused(404, "NOT_FOUND"),
    ];
    [own, doors(Op::Remaining, "retrieve_payment_remaining_amount", "400.01")].concat()
}
