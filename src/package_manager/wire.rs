//! The package manager's JSON (package-manager.yaml) and what each of its codes means. Draws nothing from an answer that
//! it cannot read whole.

use super::{Context, GrantOrder};
use crate::purchase::evidence::{Cause, CheckAnswer, GrantAnswer, Reason};
use crate::purchase::money::{Currency, Money};
use crate::purchase::record::Micros;
use paygate_parsers::msisdn::Msisdn;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(super) struct CheckRequest<'a> {
    #[serde(flatten)]
    pub context: &'a Context,
    pub account: &'a str,
    pub service: &'a str,
    pub package: &'a str,
    pub msisdn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GrantRequest<'a> {
    #[serde(flatten)]
    context: &'a Context,
    purchase_id: &'a str,
    account: &'a str,
    service: &'a str,
    package: &'a str,
    amount: i64,
    currency: &'a str,
    charge_reference: &'a str,
}

#[derive(Deserialize)]
struct Checked {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    service: String,
    code: String,
    name: String,
    price: i64,
    currency: String,
    days: i64,
}

/// A package on sale, as the list has it. Its price is for showing: what is paid is asked for at the purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnSale {
    pub service: String,
    pub code: String,
    pub name: String,
    pub price: Money,
    pub days: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grant {
    grant_id: String,
    purchase_id: String,
    state: GrantState,
    /// Of any kind: one that cannot be read takes nothing from the grant.
    #[serde(default)]
    expires_at: serde_json::Value,
}

impl Grant {
    fn runs_until(&self) -> Option<Micros> {
        self.expires_at.as_str()?.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum GrantState {
    Granted,
    Revoked,
}

#[derive(Deserialize)]
pub(super) struct Refusal {
    pub code: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub missing: Vec<String>,
}

impl<'a> CheckRequest<'a> {
    pub(super) fn new(
        context: &'a Context,
        account: &'a str,
        service: &'a str,
        package: &'a str,
        msisdn: &Msisdn,
    ) -> Self {
        Self { context, account, service, package, msisdn: msisdn.e164() }
    }
}

pub(super) fn grant_request(order: &GrantOrder) -> String {
    let GrantOrder { purchase_id, context, account, service, package, amount, charge_reference, send_by: _ } = order;
    let currency = amount.currency.as_str();
    let amount = amount.amount;
    let request = GrantRequest { context, purchase_id, account, service, package, amount, currency, charge_reference };
    serde_json::to_string(&request).expect("text and numbers under text keys are always JSON")
}

/// An offer is only made of an answer about the package that was asked for, at a price that is one.
pub(super) fn checked(body: &[u8], service: &str, package: &str, heard: String) -> CheckAnswer {
    let unavailable = |why: &str| CheckAnswer::Unavailable { heard: format!("{heard}, {why}") };
    let Ok(Checked { package: found }) = serde_json::from_slice(body) else { return unavailable("not a package") };
    let Ok(currency) = Currency::try_from(found.currency) else { return unavailable("not a currency") };
    if found.price <= 0 {
        return unavailable("a price that is none");
    }
    if !found.service.eq_ignore_ascii_case(service) || !found.code.eq_ignore_ascii_case(package) {
        return unavailable("another package");
    }
    CheckAnswer::Allowed { package_name: found.name, price: Money::new(found.price, currency), days: found.days }
}

/// What of a list can be sold. An entry that is none hides no other.
pub(super) fn on_sale(body: &[u8]) -> Result<Vec<OnSale>, String> {
    let list: Vec<serde_json::Value> = serde_json::from_slice(body).map_err(|error| format!("no list ({error})"))?;
    let sold = list.into_iter().filter_map(|entry| {
        let Package { service, code, name, price, currency, days } = serde_json::from_value(entry).ok()?;
        let currency = Currency::try_from(currency).ok()?;
        let sold = price > 0 && !service.is_empty() && !code.is_empty();
        sold.then(|| OnSale { service, code, name, price: Money::new(price, currency), days })
    });
    Ok(sold.collect())
}

/// A grant is only believed of an answer that names our purchase.
pub(super) fn granted(body: &[u8], purchase_id: &str, heard: String) -> GrantAnswer {
    match serde_json::from_slice::<Grant>(body) {
        Ok(grant) if grant.purchase_id == purchase_id => match grant.state {
            GrantState::Granted => {
                let runs_until = grant.runs_until();
                GrantAnswer::Granted { grant_id: grant.grant_id, heard, runs_until }
            }
            GrantState::Revoked => GrantAnswer::Revoked { grant_id: grant.grant_id },
        },
        Ok(_) => GrantAnswer::Unknown { cause: Cause::BadAnswer, heard: format!("{heard}, another purchase's") },
        Err(_) => GrantAnswer::Unknown { cause: Cause::BadAnswer, heard: format!("{heard}, not a grant") },
    }
}

/// The codes that are final refusals of a check or a grant.
pub(super) fn reason(status: u16, code: &str) -> Option<Reason> {
    match (status, code) {
        (400..=499, "ACCOUNT_NOT_FOUND") => Some(Reason::NoAccount),
        (400..=499, "ACCOUNT_LOCKED") => Some(Reason::Blocked),
        (400..=499, "PACKAGE_NOT_FOUND") => Some(Reason::NoPackage),
        (400..=499, "NOT_ELIGIBLE") => Some(Reason::NotAllowed),
        (400..=499, "MISSING_PARAMETER" | "UNAUTHORIZED") => Some(Reason::Config),
        _ => None,
    }
}
