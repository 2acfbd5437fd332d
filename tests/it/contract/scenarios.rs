//! CAMARA's own scenarios (Carrier Billing 0.5, Refund 0.3), each played raw against the simulator: it must answer as the
//! Gherkin says, or nothing that is proven with it would mean anything. What paygate's driver makes of each refusal is in
//! `refusals`; how each scenario is covered is in tests/golden/camara_scenarios.txt.

use super::operator::{SUBSCRIBER, anywhere, golden};
use futures_util::future::join_all;
use paygate::sandbox::billing::{Billing, Settings, numbers};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Every scenario's id, as the feature files of CAMARA's release r3.2 have them.
const IDS: &str = include_str!("scenario_ids.txt");

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Op {
    Create,
    Prepare,
    Validate,
    Confirm,
    Cancel,
    Get,
    List,
    Refund,
    GetRefund,
    ListRefunds,
    Remaining,
}

/// How paygate's own side of it is covered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ours {
    /// A refusal: the driver's finding is in tests/golden/camara_refusals.txt.
    Refusal,
    /// The driver does this in `billing_flow`.
    Flow,
    /// Not ours, and why.
    Never(&'static str),
}

#[derive(Clone, Debug)]
enum Edit {
    Set(&'static str, Value),
    Without(&'static str),
    Body(&'static str),
    Token(Option<&'static str>),
    Correlator(&'static str),
    Query(String),
    UnknownId,
}

#[derive(Clone)]
enum Check {
    Is(&'static str, Value),
    Echoes(&'static str),
    Absent(&'static str),
    Present(&'static str),
    Length(usize),
    Each(&'static str, Value),
    Ascending(bool),
}

#[derive(Clone)]
struct Step {
    op: Op,
    edits: Vec<Edit>,
}

const fn plain(op: Op) -> Step {
    Step { op, edits: Vec::new() }
}

/// What stands where a scenario says nothing else.
fn standing(op: Op) -> Vec<Step> {
    match op {
        Op::Create | Op::Prepare => vec![],
        Op::Validate | Op::Confirm | Op::Cancel | Op::Get => vec![plain(Op::Prepare)],
        Op::List => vec![plain(Op::Create); 7],
        Op::Refund | Op::Remaining => vec![plain(Op::Create)],
        Op::GetRefund => vec![plain(Op::Create), plain(Op::Refund)],
        Op::ListRefunds => [vec![plain(Op::Create)], vec![partial(); 7]].concat(),
    }
}

/// A refund of a part.
fn partial() -> Step {
    Step { op: Op::Refund, edits: part() }
}

fn part() -> Vec<Edit> {
    let charging = json!({"amount": 100, "currency": "VND", "description": "a part", "isTaxIncluded": true});
    vec![
        Edit::Set("/type", json!("partial")),
        Edit::Set("/amountTransaction/refundAmount/chargingInformation", charging),
    ]
}

#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) id: String,
    settings: fn(&mut Settings),
    /// What stands before the step.
    standing: Vec<Step>,
    step: Step,
    pub(super) status: u16,
    pub(super) code: &'static str,
    checks: Vec<Check>,
    pub(super) ours: Ours,
}

const PHONE: &str = "/amountTransaction/phoneNumber";
const CORRELATOR: &str = "/amountTransaction/clientCorrelator";
const REFERENCE: &str = "/amountTransaction/referenceCode";
const CHARGING: &str = "/amountTransaction/paymentAmount/chargingInformation";
const TAX_INCLUDED: &str = "/amountTransaction/paymentAmount/chargingInformation/isTaxIncluded";
const TAX: &str = "/amountTransaction/paymentAmount/chargingInformation/taxAmount";
const MERCHANT: &str = "/amountTransaction/paymentAmount/chargingMetaData/merchantIdentifier";
const DETAILS: &str = "/amountTransaction/paymentAmount/paymentDetails";
const PART: &str = "/amountTransaction/refundAmount/chargingInformation/amount";
const PART_TAX: &str = "/amountTransaction/refundAmount/chargingInformation/isTaxIncluded";
const PART_TAX_AMOUNT: &str = "/amountTransaction/refundAmount/chargingInformation/taxAmount";
const PART_MERCHANT: &str = "/amountTransaction/refundAmount/chargingMetaData/merchantIdentifier";
const PART_DETAILS: &str = "/amountTransaction/refundAmount/refundDetails";
const SLOW_REFUNDS: fn(&mut Settings) = |settings| settings.refund_settle_ms = 3_600_000;
const THREE_LEGGED: &str = "subscribers-token";

fn at(op: Op, id: impl Into<String>) -> Scenario {
    let status = match op {
        Op::Create | Op::Prepare | Op::Refund => 201,
        Op::Validate => 204,
        Op::Confirm | Op::Cancel => 202,
        Op::Get | Op::List | Op::GetRefund | Op::ListRefunds | Op::Remaining => 200,
    };
    let step = Step { op, edits: Vec::new() };
    let ours = if op == Op::Remaining { NO_PARTS } else { Ours::Flow };
    Scenario {
        id: id.into(),
        settings: |_| {},
        standing: standing(op),
        step,
        status,
        code: "",
        checks: Vec::new(),
        ours,
    }
}

impl Scenario {
    fn edit(mut self, edit: Edit) -> Self {
        self.step.edits.push(edit);
        self
    }

    fn set(self, pointer: &'static str, value: impl Into<Value>) -> Self {
        self.edit(Edit::Set(pointer, value.into()))
    }

    fn without(self, pointer: &'static str) -> Self {
        self.edit(Edit::Without(pointer))
    }

    fn query(self, query: impl Into<String>) -> Self {
        self.edit(Edit::Query(query.into()))
    }

    fn after(mut self, op: Op, edits: Vec<Edit>) -> Self {
        self.standing.push(Step { op, edits });
        self
    }

    fn with(mut self, settings: fn(&mut Settings)) -> Self {
        self.settings = settings;
        self
    }

    fn instead(mut self, standing: Vec<Step>) -> Self {
        self.standing = standing;
        self
    }

    fn three_legged(self) -> Self {
        self.edit(Edit::Token(Some(THREE_LEGGED)))
    }

    fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    fn is(self, pointer: &'static str, value: impl Into<Value>) -> Self {
        self.check(Check::Is(pointer, value.into()))
    }

    fn echoes(self, pointer: &'static str) -> Self {
        self.check(Check::Echoes(pointer))
    }

    fn never(mut self, why: &'static str) -> Self {
        self.ours = Ours::Never(why);
        self
    }

    fn refused(mut self, status: u16, code: &'static str) -> Self {
        (self.status, self.code) = (status, code);
        self.ours = if self.step.op == Op::Remaining { NO_PARTS } else { Ours::Refusal };
        self
    }

    pub(super) const fn op(&self) -> Op {
        self.step.op
    }
}

const NO_PARTS: Ours = Ours::Never("paygate gives back whole charges only, so it asks for no remainder");
const NO_SINK: &str = "paygate asks and takes no events, so it sends no sink";
const GROSS: &str = "paygate charges the price that was named to the subscriber, tax included";
const TWO_LEGGED: &str = "paygate's token names no subscriber";
const WHOLE: &str = "paygate gives back whole charges only";
const UNFILTERED: &str =
    "paygate filters by time alone: a filter that the operator reads otherwise would hide a charge";

/// Every scenario of the eleven files.
pub(super) fn all() -> Vec<Scenario> {
    let groups = [
        opening(Op::Create, "create_payment"),
        opening(Op::Prepare, "prepare_payment"),
        opened(),
        validating(),
        deciding(Op::Confirm, "confirm_payment"),
        deciding(Op::Cancel, "cancel_payment"),
        reading(),
        listing(Op::List, "retrieve_payments", "paymentCreationDate", "CARRIER_BILLING"),
        listing(Op::ListRefunds, "retrieve_refunds", "refundCreationDate", "CARRIER_BILLING_REFUND"),
        statuses(),
        refunding(),
        refusing_refunds(),
        remaining(),
    ];
    groups.into_iter().flatten().collect()
}

/// What every endpoint refuses alike: x-correlator, no token, an expired one, a wrong one, no scope, too many.
fn doors(op: Op, prefix: &str, correlator: &str) -> Vec<Scenario> {
    let missing = match op {
        Op::Validate => "validate_payment_01_generic_success_scenario_payment_401.01".to_owned(),
        _ => format!("{prefix}_401.01"),
    };
    vec![
        at(op, format!("{prefix}_{correlator}_invalid_x-correlator"))
            .edit(Edit::Correlator("not allowed!"))
            .refused(400, "INVALID_ARGUMENT"),
        at(op, format!("{missing}_no_authorization_header")).edit(Edit::Token(None)).refused(401, "UNAUTHENTICATED"),
        at(op, format!("{prefix}_401.02_expired_access_token"))
            .edit(Edit::Token(Some("expired")))
            .refused(401, "UNAUTHENTICATED"),
        at(op, format!("{prefix}_401.03_invalid_access_token"))
            .edit(Edit::Token(Some("invalid")))
            .refused(401, "UNAUTHENTICATED"),
        at(op, format!("{prefix}_403.01_invalid_token_permissions"))
            .edit(Edit::Token(Some("unscoped")))
            .refused(403, "PERMISSION_DENIED"),
        at(op, format!("{prefix}_429.01_Too_Many_Requests"))
            .with(|settings| settings.rate = 1)
            .instead(vec![])
            .refused(429, "TOO_MANY_REQUESTS"),
    ]
}

fn bodies(op: Op, prefix: &str) -> Vec<Scenario> {
    vec![
        at(op, format!("{prefix}_400.01_no_request_body")).edit(Edit::Body("")).refused(400, "INVALID_ARGUMENT"),
        at(op, format!("{prefix}_400.02_empty_request_body")).edit(Edit::Body("{}")).refused(400, "INVALID_ARGUMENT"),
    ]
}

fn credential(kind: &str, token: &str) -> Value {
    json!({"credentialType": kind, "accessToken": "t", "accessTokenType": token, "accessTokenExpiresUtc": "2030-01-01T00:00:00Z"})
}

/// `sink` and `sinkCredential`, good and bad.
fn sinks(op: Op, prefix: &str) -> Vec<Scenario> {
    let success = format!("{prefix}_03_generic_success_scenario_with_sink_and_sinkCredential_information");
    let sink =
        || at(op, format!("{prefix}_02_generic_success_scenario_with_sink_information")).set("/sink", "https://us/");
    vec![
        sink().echoes("/sink").never(NO_SINK),
        Scenario { id: success, ..sink() }.set("/sinkCredential", credential("ACCESSTOKEN", "bearer")).never(NO_SINK),
        at(op, format!("{prefix}_400.03_other_input_properties_schema_not_compliant"))
            .set("/sinkCredential", "none")
            .refused(400, "INVALID_ARGUMENT"),
        at(op, format!("{prefix}_400.06_invalid_sink")).set("/sink", "http://us/").refused(400, "INVALID_SINK"),
        at(op, format!("{prefix}_400.07_invalid_sinkCredential"))
            .set("/sinkCredential", credential("PLAIN", "bearer"))
            .refused(400, "INVALID_CREDENTIAL"),
        at(op, format!("{prefix}_400.08_invalid_sinkCredential_Acccestoken"))
            .set("/sinkCredential", credential("ACCESSTOKEN", "mac"))
            .refused(400, "INVALID_TOKEN"),
    ]
}

/// Whose phone it is.
fn phones(op: Op, prefix: &str) -> Vec<Scenario> {
    let phone = if matches!(op, Op::Confirm | Op::Cancel) { "/phoneNumber" } else { PHONE };
    let row = |name: &str| at(op, format!("{prefix}_{name}"));
    vec![
        row("C02.01_phone_number_not_schema_compliant").set(phone, "0854689520").refused(400, "INVALID_ARGUMENT"),
        row("C02.02_phone_number_not_found").set(phone, numbers::NOBODY).refused(404, "IDENTIFIER_NOT_FOUND"),
        row("C02.03_unnecessary_phone_number").three_legged().refused(422, "UNNECESSARY_IDENTIFIER"),
        row("C02.04_missing_phone_number").without(phone).set("/other", true).refused(422, "MISSING_IDENTIFIER"),
        row("C02.05_phone_number_not_supported")
            .set(phone, numbers::NOT_APPLICABLE)
            .refused(422, "SERVICE_NOT_APPLICABLE"),
        row("422.01_phoneNumber_required")
            .with(|settings| settings.missing_number_code = "CARRIER_BILLING.PHONE_NUMBER_REQUIRED".to_owned())
            .without(phone)
            .set("/other", true)
            .refused(422, "CARRIER_BILLING.PHONE_NUMBER_REQUIRED"),
    ]
}

/// createPayment and preparePayment, which differ in name and outcome only.
fn opening(op: Op, prefix: &str) -> Vec<Scenario> {
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

fn opened() -> Vec<Scenario> {
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

fn validating() -> Vec<Scenario> {
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
fn deciding(op: Op, prefix: &str) -> Vec<Scenario> {
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

fn reading() -> Vec<Scenario> {
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
fn listing(op: Op, prefix: &str, date: &str, error: &'static str) -> Vec<Scenario> {
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

fn statuses() -> Vec<Scenario> {
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

fn refunding() -> Vec<Scenario> {
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

fn refusing_refunds() -> Vec<Scenario> {
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

fn remaining() -> Vec<Scenario> {
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

/// A simulator, and what the last answers said of it.
struct Stage {
    billing: Billing,
    client: Client,
    payment: String,
    refund: String,
    sent: usize,
}

struct Played {
    status: u16,
    correlator: Option<String>,
    kind: String,
    request: Value,
    answer: Value,
}

impl Stage {
    async fn set_up(scenario: &Scenario, client: Client) -> Self {
        let mut settings =
            Settings { fixed_code: Some("123456".to_owned()), balance: 1_000_000, ..Settings::default() };
        settings.texts_codes = scenario.step.op == Op::Validate;
        settings.subscriber_tokens.insert(THREE_LEGGED.to_owned(), SUBSCRIBER.to_owned());
        (scenario.settings)(&mut settings);
        let billing = Billing::start(anywhere(), settings).await.unwrap();
        Self { billing, client, payment: "P999999999999".to_owned(), refund: "R999999999999".to_owned(), sent: 0 }
    }

    async fn play(&mut self, step: &Step) -> Played {
        self.sent += 1;
        let (method, mut path, mut request) = self.template(step.op);
        let (mut token, mut correlator, mut raw) = (Some("secret"), "x-1", None);
        for edit in &step.edits {
            match edit {
                Edit::Set(pointer, value) => place(&mut request, pointer, value.clone()),
                Edit::Without(pointer) => drop(remove(&mut request, pointer)),
                Edit::Body(text) => raw = Some((*text).to_owned()),
                Edit::Token(other) => token = *other,
                Edit::Correlator(other) => correlator = other,
                Edit::Query(query) => path = format!("{path}?{query}"),
                Edit::UnknownId => path = path.replace(&self.payment, "P888888888888"),
            }
        }
        let mut sending = self.client.request(method.clone(), path).header("x-correlator", correlator);
        if let Some(token) = token {
            sending = sending.bearer_auth(token);
        }
        if method == Method::POST {
            sending = sending.body(raw.unwrap_or_else(|| request.to_string()));
        }
        self.hear(sending.send().await.unwrap(), request).await
    }

    async fn hear(&mut self, response: reqwest::Response, request: Value) -> Played {
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, correlator) = (response.status().as_u16(), header("x-correlator"));
        let kind = header("content-type").unwrap_or_default();
        let answer = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
        for (name, kept) in [("paymentId", &mut self.payment), ("refundId", &mut self.refund)] {
            if let Some(id) = Value::as_str(&answer[name]) {
                id.clone_into(kept);
            }
        }
        Played { status, correlator, kind, request, answer }
    }

    /// A request with what is required and no more.
    fn template(&self, op: Op) -> (Method, String, Value) {
        let (base, refunds) = (self.billing.base_url(), self.billing.refund_url());
        let (payment, refund, number) = (&self.payment, &self.refund, self.sent);
        let charging = json!({"amount": 10_000, "currency": "VND", "description": "VIP", "isTaxIncluded": true});
        let opening = json!({"amountTransaction": {
            "phoneNumber": SUBSCRIBER, "referenceCode": format!("ref-{number}"),
            "paymentAmount": {"chargingInformation": charging, "chargingMetaData": {"channel": "SMS"}},
        }});
        let refunding = json!({"type": "total", "amountTransaction": {
            "referenceCode": format!("ref-{number}"), "refundAmount": {},
        }});
        let authorization = payment.replace('P', "A");
        match op {
            Op::Create => (Method::POST, format!("{base}/payments"), opening),
            Op::Prepare => (Method::POST, format!("{base}/payments/prepare"), opening),
            Op::Validate => {
                let body = json!({"authorizationId": authorization, "code": "123456"});
                (Method::POST, format!("{base}/payments/{payment}/validate"), body)
            }
            Op::Confirm => {
                (Method::POST, format!("{base}/payments/{payment}/confirm"), json!({"phoneNumber": SUBSCRIBER}))
            }
            Op::Cancel => {
                (Method::POST, format!("{base}/payments/{payment}/cancel"), json!({"phoneNumber": SUBSCRIBER}))
            }
            Op::Get => (Method::GET, format!("{base}/payments/{payment}"), Value::Null),
            Op::List => (Method::GET, format!("{base}/payments"), Value::Null),
            Op::Refund => (Method::POST, format!("{refunds}/payments/{payment}/refunds"), refunding),
            Op::GetRefund => (Method::GET, format!("{refunds}/payments/{payment}/refunds/{refund}"), Value::Null),
            Op::ListRefunds => (Method::GET, format!("{refunds}/payments/{payment}/refunds"), Value::Null),
            Op::Remaining => {
                (Method::GET, format!("{refunds}/payments/{payment}/refunds/remaining-amount"), Value::Null)
            }
        }
    }
}

/// Sets a value, making the objects on the way to it.
fn place(request: &mut Value, pointer: &str, value: Value) {
    let mut at = request;
    for name in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[name];
    }
    *at = value;
}

fn remove(request: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    request.pointer_mut(parent)?.as_object_mut()?.remove(name)
}

fn check(scenario: &Scenario, played: &Played) {
    let (id, answer) = (&scenario.id, &played.answer);
    for check in &scenario.checks {
        match check {
            Check::Is(pointer, value) => assert_eq!(answer.pointer(pointer), Some(value), "{id}: {pointer}"),
            Check::Echoes(pointer) => {
                assert_eq!(answer.pointer(pointer), played.request.pointer(pointer), "{id}: {pointer}")
            }
            Check::Absent(pointer) => assert_eq!(answer.pointer(pointer), None, "{id}: {pointer}"),
            Check::Present(pointer) => assert!(answer.pointer(pointer).is_some(), "{id}: {pointer}"),
            Check::Length(length) => assert_eq!(answer.as_array().map(Vec::len), Some(*length), "{id}"),
            Check::Each(pointer, value) => {
                assert!(answer.as_array().unwrap().iter().all(|item| item.pointer(pointer) == Some(value)), "{id}");
            }
            Check::Ascending(ascending) => {
                let dates = answer.as_array().unwrap().iter();
                let dates: Vec<&str> = dates.map(|item| date(item).unwrap()).collect();
                assert_eq!(dates.is_sorted(), *ascending, "{id}: {dates:?}");
            }
        }
    }
}

fn date(item: &Value) -> Option<&str> {
    item["paymentCreationDate"].as_str().or(item["refundCreationDate"].as_str())
}

async fn play(scenario: Scenario, client: Client) {
    let mut stage = Stage::set_up(&scenario, client).await;
    for step in &scenario.standing {
        stage.play(step).await;
    }
    let mut played = stage.play(&scenario.step).await;
    // How many requests fall into one second is not ours to say: the limit of one is met by the second or a later one.
    for _ in 0..100 {
        if scenario.status != 429 || played.status == 429 {
            break;
        }
        played = stage.play(&scenario.step).await;
    }
    let id = &scenario.id;
    assert_eq!((played.status, played.kind.as_str()), (scenario.status, "application/json"), "{id}: {}", played.answer);
    let correlated = if id.ends_with("invalid_x-correlator") { None } else { Some("x-1") };
    assert_eq!(played.correlator.as_deref(), correlated, "{id}");
    if !scenario.code.is_empty() {
        assert_eq!(played.answer["code"], scenario.code, "{id}");
        assert_eq!(played.answer["status"], scenario.status, "{id}");
        assert!(played.answer["message"].as_str().is_some_and(|message| !message.is_empty()), "{id}");
    }
    check(&scenario, &played);
}

#[tokio::test]
async fn the_simulated_operator_plays_every_scenario_of_camara() {
    let client = Client::builder().no_proxy().build().unwrap();
    let playing = all().into_iter().map(|scenario| tokio::spawn(play(scenario, client.clone())));
    let failed = join_all(playing).await.into_iter().filter(Result::is_err).count();
    assert_eq!(failed, 0, "each has said above what was wrong");
}

#[test]
fn no_scenario_of_camara_is_left_out() {
    let mut played: Vec<String> = all().into_iter().map(|scenario| scenario.id).collect();
    played.sort_unstable();
    let mut ids: Vec<&str> = IDS.lines().collect();
    ids.sort_unstable();
    assert_eq!(ids.len(), 237);
    let missing: Vec<_> = ids.iter().filter(|id| !played.iter().any(|one| one == *id)).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
    assert_eq!(played, ids, "a row that CAMARA does not have, or has once");
}

#[test]
fn how_each_scenario_is_covered_stands_in_one_table() {
    let mut lines: Vec<String> = all().iter().map(covered).collect();
    lines.sort_unstable();
    golden("camara_scenarios.txt", &(lines.join("\n") + "\n"));
}

fn covered(scenario: &Scenario) -> String {
    let ours = match scenario.ours {
        Ours::Refusal => "driver: its finding is in camara_refusals.txt".to_owned(),
        Ours::Flow => "driver: billing_flow.rs".to_owned(),
        Ours::Never(why) => format!("not ours: {why}"),
    };
    format!("{:<90} simulator | {ours}", scenario.id)
}
