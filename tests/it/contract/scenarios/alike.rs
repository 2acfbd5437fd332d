//! What several operations refuse and accept alike: headers, tokens, empty bodies, sinks, and whose phone it is.

use super::{Edit, Op, PHONE, Scenario, at};
use paygate::sandbox::billing::numbers;
use serde_json::{Value, json};

const NO_SINK: &str = "paygate asks and takes no events, so it sends no sink";

/// What every endpoint refuses alike: x-correlator, no token, an expired one, a wrong one, no scope, too many.
pub(super) fn doors(op: Op, prefix: &str, correlator: &str) -> Vec<Scenario> {
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

pub(super) fn bodies(op: Op, prefix: &str) -> Vec<Scenario> {
    vec![
        at(op, format!("{prefix}_400.01_no_request_body")).edit(Edit::Body("")).refused(400, "INVALID_ARGUMENT"),
        at(op, format!("{prefix}_400.02_empty_request_body")).edit(Edit::Body("{}")).refused(400, "INVALID_ARGUMENT"),
    ]
}

fn credential(kind: &str, token: &str) -> Value {
    json!({"credentialType": kind, "accessToken": "t", "accessTokenType": token, "accessTokenExpiresUtc": "2030-01-01T00:00:00Z"})
}

/// `sink` and `sinkCredential`, good and bad.
pub(super) fn sinks(op: Op, prefix: &str) -> Vec<Scenario> {
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
pub(super) fn phones(op: Op, prefix: &str) -> Vec<Scenario> {
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
