//! What the simulated billing demands of a request's body (the YAML's schemas and the Gherkin's refusals). Changes
//! nothing; every refusal is CAMARA's own.

use super::answer::refusal;
use crate::sandbox::server::{Call, Reply};
use serde_json::{Map, Value};

/// A sum in thousandths of the currency's unit, as fine as CAMARA allows.
pub(super) type Milli = i64;

pub(super) struct Charging {
    pub amount: Milli,
    pub currency: String,
    pub tax_included: bool,
}

pub(super) fn invalid() -> Reply {
    refusal(400, "INVALID_ARGUMENT")
}

/// The body, a JSON object that is not empty.
pub(super) fn object(call: &Call) -> Result<Map<String, Value>, Reply> {
    match serde_json::from_slice(&call.body) {
        Ok(Value::Object(fields)) if !fields.is_empty() => Ok(fields),
        Ok(_) | Err(_) => Err(invalid()),
    }
}

pub(super) fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a Map<String, Value>, Reply> {
    fields.get(name).and_then(Value::as_object).ok_or_else(invalid)
}

pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, Reply> {
    fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or_else(invalid)
}

/// Absent or a text that is not empty.
pub(super) fn optional_text(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Reply> {
    fields.get(name).map(|_| text(fields, name).map(str::to_owned)).transpose()
}

/// `sink` and `sinkCredential`: not of their type is INVALID_ARGUMENT, of a forbidden kind has its own code.
pub(super) fn sink(fields: &Map<String, Value>) -> Result<Option<String>, Reply> {
    let sink = optional_text(fields, "sink")?;
    if sink.as_deref().is_some_and(|sink| !sink.starts_with("https://") || sink.len() == "https://".len()) {
        return Err(refusal(400, "INVALID_SINK"));
    }
    if fields.contains_key("sinkCredential") {
        let credential = field(fields, "sinkCredential")?;
        if text(credential, "credentialType")? != "ACCESSTOKEN" {
            return Err(refusal(400, "INVALID_CREDENTIAL"));
        }
        if text(credential, "accessTokenType")? != "bearer" {
            return Err(refusal(400, "INVALID_TOKEN"));
        }
    }
    Ok(sink)
}

/// `chargingInformation`, all of it.
pub(super) fn charging(fields: &Map<String, Value>) -> Result<Charging, Reply> {
    let charging = field(fields, "chargingInformation")?;
    let amount = charging.get("amount").and_then(milli).filter(|amount| *amount > 0).ok_or_else(invalid)?;
    let currency = text(charging, "currency")?.to_owned();
    text(charging, "description")?;
    let tax_included = match charging.get("isTaxIncluded") {
        None => false,
        Some(value) => value.as_bool().ok_or_else(invalid)?,
    };
    if charging.get("taxAmount").is_some_and(|tax| milli(tax).is_none_or(|tax| tax < 0)) {
        return Err(invalid());
    }
    Ok(Charging { amount, currency, tax_included })
}

/// A JSON number of at most three decimals.
fn milli(value: &Value) -> Option<Milli> {
    let number = value.as_number()?.to_string();
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 3 { None } else { format!("{whole}{fraction:0<3}").parse().ok() }
}

/// `^\+[1-9][0-9]{4,14}$`.
pub(super) fn is_phone_number(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else { return false };
    (5..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// The identifiers of `paymentDetails` or `refundDetails`, each item being whole.
pub(super) fn details(fields: &Map<String, Value>, name: &str, id: &str) -> Result<Vec<String>, Reply> {
    let Some(value) = fields.get(name) else { return Ok(Vec::new()) };
    let items = value.as_array().filter(|items| !items.is_empty()).ok_or_else(invalid)?;
    items
        .iter()
        .map(|item| {
            let item = item.as_object().ok_or_else(invalid)?;
            let amount = item.get("amount").and_then(milli).filter(|amount| *amount > 0);
            text(item, "currency").and(text(item, "description"))?;
            amount.ok_or_else(invalid)?;
            text(item, id).map(str::to_owned)
        })
        .collect()
}
