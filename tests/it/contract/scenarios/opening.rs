//! createPayment and preparePayment.

use super::alike::{bodies, doors, phones, sinks};
use super::{CORRELATOR, Check, DETAILS, Edit, Op, PHONE, REFERENCE, Scenario, TAX_INCLUDED, TWO_LEGGED, at};
use paygate::sandbox::billing::{Settings, numbers};
use serde_json::json;

const CHARGING: &str = "/amountTransaction/paymentAmount/chargingInformation";
const TAX: &str = "/amountTransaction/paymentAmount/chargingInformation/taxAmount";
const MERCHANT: &str = "/amountTransaction/paymentAmount/chargingMetaData/merchantIdentifier";
const GROSS: &str = "paygate charges the price that was named to the subscriber, tax included";

/// createPayment and preparePayment, which differ in name and outcome only.
pub(super) fn opening(op: Op, prefix: &str) -> Vec<Scenario> {
    let row = |name: &str| at(op, format!("{prefix}_{name}"));
    let details = json!([{"id": "one", "amount": 10_000, "currency": "VND", "description": "VIP"}]);
    let own = vec![
        row("01_generic_success_scenario")
            .check(Check::Present("/paymentId"))
            .check(Check::Present("/paymentCreationDate")),
        row("04_amountTransaction_gross_amount").set(TAX_INCLUDED, true).is(TAX_INCLUDED, true),
        row("05_amountTransaction_net_amount").set(TAX_INCLUDED, false).is(TAX_INCLUDED, false).never(GROSS),
        row("06_amountTransaction_taxAmount").set(TAX, 100.5).echoes(TAX).never(GROSS),
        row("07_amountTransaction_merchantIdentifier").set(MERCHANT, "paygate").echoes(MERCHANT),
        row("08_amountTransaction_paymentDetails")
            .set(DETAILS, details)
            .echoes(DETAILS)
            .never("a purchase is one package, named in the description"),
        row("09_amountTransaction_clientCorrelator").set(CORRELATOR, "c-1").echoes(CORRELATOR),
        row("10_amountTransaction_phoneNumber_three_legged")
            .with(|settings| settings.takes_known_number = true)
            .three_legged()
            .echoes(PHONE)
            .never(TWO_LEGGED),
        row("11_amountTransaction_phoneNumber_two_legged").echoes(PHONE),
        row("400.04_required_input_properties_missing").without(CHARGING).refused(400, "INVALID_ARGUMENT"),
        row("400.05_clientCorrelator_in_use")
            .with(|settings| settings.settle_ms = 3_600_000)
            .after(op, vec![Edit::Set(CORRELATOR, json!("c-1"))])
            .set(CORRELATOR, "c-1")
            .refused(400, "INVALID_ARGUMENT"),
        row("403.02_payment_denied").set(PHONE, numbers::NO_MONEY).refused(403, "CARRIER_BILLING.PAYMENT_DENIED"),
        row("409.01_payment_duplicated")
            .after(op, vec![Edit::Set(REFERENCE, json!("r-1"))])
            .set(REFERENCE, "r-1")
            .refused(409, "ALREADY_EXISTS"),
        row("422.02_unauthorized_amount")
            .with(|settings| settings.amount_limit = 9_999)
            .refused(422, "CARRIER_BILLING.UNAUTHORIZED_AMOUNT"),
        row("422.02_accumulated_threshold_amount_overpassed")
            .with(|settings| settings.spending_limit = 15_000)
            .after(Op::Create, vec![])
            .refused(422, "CARRIER_BILLING.AMOUNT_THRESHOLD_OVERPASSED"),
    ];
    [own, doors(op, prefix, "400.09"), bodies(op, prefix), sinks(op, prefix), phones(op, prefix)].concat()
}

pub(super) fn opened() -> Vec<Scenario> {
    let slow: fn(&mut Settings) = |settings| settings.settle_ms = 3_600_000;
    let texts: fn(&mut Settings) = |settings| settings.texts_codes = true;
    vec![
        at(Op::Create, "create_payment_12_sync_behaviour").is("/paymentStatus", "succeeded"),
        at(Op::Create, "create_payment_13_async_behaviour").with(slow).is("/paymentStatus", "processing"),
        at(Op::Prepare, "prepare_payment_12_sync_behaviour_without_validation_info")
            .is("/paymentStatus", "reserved")
            .check(Check::Absent("/validationInfo")),
        at(Op::Prepare, "prepare_payment_13_sync_behaviour_with_validation_info")
            .with(texts)
            .is("/paymentStatus", "pending_validation")
            .is("/validationInfo/action", "validate")
            .check(Check::Present("/validationInfo/authorizationId")),
        at(Op::Prepare, "prepare_payment_14_async_behaviour").with(slow).is("/paymentStatus", "processing"),
    ]
}
