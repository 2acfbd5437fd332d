//! An order's body: what an app asked for, and whether it can be had so. Names everything that is missing or wrong at once,
//! and asks no neighbour.

use super::answer::{Fault, Refusal};
use crate::config::{Config, Otp};
use crate::purchase::record::Context;
use axum::http::StatusCode;
use paygate_parsers::msisdn::{Country, Msisdn};
use paygate_parsers::request::{Account, AccountForm, NAME_MAX};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What to buy, for whom, and by which channel.
const WANTED: [&str; 4] = ["account", "service", "package", "channel"];
/// The seven parameters of seed 000 (charging.md R000.7).
const CONTEXT: [&str; 7] = ["platform", "dtId", "type", "deviceType", "deviceId", "payType", "payPartner"];
const OPTIONAL: [&str; 2] = ["msisdn", "returnUrl"];

/// Octets of a value.
const VALUE_OCTETS: usize = 255;
/// Octets of an address to return to: no more than 123PAY takes (seed 004).
const URL_OCTETS: usize = 1_000;

/// An order's parameters as they were sent, all that are needed among them.
pub(super) struct Asked(BTreeMap<&'static str, String>);

/// What an order may ask for.
pub(super) struct Terms {
    country: Country,
    account: AccountForm,
    /// Whether customers of this channel pay at a page of its own, by the channel's name.
    paged: BTreeMap<String, bool>,
    /// Any other channel waits for a code or a `Y`, which the customer is asked for by text.
    asks_by_text: bool,
}

/// An order that can be taken.
#[derive(Debug)]
pub(super) struct Agreed {
    pub msisdn: Option<Msisdn>,
    pub account: String,
    pub service: String,
    pub package: String,
    pub channel: String,
    pub return_url: Option<String>,
}

impl Asked {
    /// Reads what it knows and leaves the rest aside.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let object: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
            Refusal::new(StatusCode::BAD_REQUEST, "UNREADABLE", format!("the body is no JSON object ({error})"))
        })?;
        let (mut given, mut faults) = (BTreeMap::new(), Vec::new());
        for name in WANTED.into_iter().chain(CONTEXT).chain(OPTIONAL) {
            match text(&object, name) {
                Ok(Some(value)) => {
                    given.insert(name, value);
                }
                Ok(None) => {}
                Err(fault) => faults.push(Fault::new(name, fault)),
            }
        }
        let absent = |name: &&str| !given.contains_key(*name) && !faults.iter().any(|fault| fault.parameter == *name);
        let missing: Vec<&'static str> = WANTED.into_iter().chain(CONTEXT).filter(absent).collect();
        if missing.is_empty() && faults.is_empty() {
            Ok(Self(given))
        } else {
            Err(Refusal::incomplete(missing, faults))
        }
    }

    /// One spelling of what was sent, whatever the order of its parts: what the journal keeps, and compares.
    pub(super) fn canonical(&self) -> String {
        serde_json::to_string(&self.0).expect("texts under text keys are always JSON")
    }

    pub(super) fn context(&self) -> Context {
        let value = |name: &str| self.get(name).unwrap_or_default().to_owned();
        Context {
            platform: value("platform"),
            dt_id: value("dtId"),
            r#type: value("type"),
            device_type: value("deviceType"),
            device_id: value("deviceId"),
            pay_type: value("payType"),
            pay_partner: value("payPartner"),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Terms {
    pub(super) fn new(config: &Config, country: Country, paged: impl IntoIterator<Item = (String, bool)>) -> Self {
        let purchase = &config.purchase;
        Self {
            country,
            account: config.syntax.account,
            paged: paged.into_iter().collect(),
            asks_by_text: purchase.otp != Otp::None || purchase.confirm_without_code,
        }
    }

    /// `texts` is whether the app's customers can be texted.
    pub(super) fn judge(&self, asked: &Asked, texts: bool) -> Result<Agreed, Refusal> {
        let mut faults = Vec::new();
        let agreed = {
            let mut right = |name, value: Result<String, String>| {
                value.map_err(|fault| faults.push(Fault::new(name, fault))).unwrap_or_default()
            };
            Agreed {
                service: right("service", name(asked, "service")),
                package: right("package", name(asked, "package")),
                account: right("account", self.account(asked)),
                channel: right("channel", self.channel(asked)),
                return_url: asked.get("returnUrl").map(|url| right("returnUrl", return_url(url))),
                msisdn: match asked.get("msisdn").map(|text| Msisdn::parse(&self.country, text)) {
                    Some(Ok(msisdn)) => Some(msisdn),
                    Some(Err(error)) => {
                        right("msisdn", Err(format!("is no phone number of this country: {error}")));
                        None
                    }
                    None => None,
                },
            }
        };
        if faults.is_empty() {
            faults.extend(self.unreachable(&agreed, texts));
        }
        if faults.is_empty() { Ok(agreed) } else { Err(Refusal::wrong(faults)) }
    }

    fn account(&self, asked: &Asked) -> Result<String, String> {
        let typed = asked.get("account").unwrap_or_default();
        Account::parse(self.account, &self.country, typed).map(String::from).map_err(|error| error.to_string())
    }

    fn channel(&self, asked: &Asked) -> Result<String, String> {
        let wanted = asked.get("channel").unwrap_or_default();
        if self.paged.contains_key(wanted) {
            return Ok(wanted.to_owned());
        }
        let known: Vec<&str> = self.paged.keys().map(String::as_str).collect();
        Err(format!("is none that is configured: {}", known.join(", ")))
    }

    /// Who would have to be reached by phone, and cannot be.
    fn unreachable(&self, agreed: &Agreed, texts: bool) -> Option<Fault> {
        let paged = self.paged.get(&agreed.channel).copied().unwrap_or(false);
        let account_is_a_phone = Msisdn::parse(&self.country, &agreed.account).is_ok();
        match agreed.msisdn {
            None if !paged => {
                Some(Fault::new("msisdn", "is needed: this channel has no page to pay at and charges a phone"))
            }
            None if !account_is_a_phone => {
                Some(Fault::new("msisdn", "is needed: the account is no phone number that it could stand for"))
            }
            Some(_) if !paged && self.asks_by_text && !texts => {
                Some(Fault::new("channel", "asks its customers by text, and this app has no link to text them by"))
            }
            None | Some(_) => None,
        }
    }
}

/// A value as a text; `None` where it is absent, null or empty. A number is taken for the text it was meant as.
fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    let value = match object.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => return Err("is not a text".to_owned()),
    };
    let most = if name == "returnUrl" { URL_OCTETS } else { VALUE_OCTETS };
    if value.len() > most {
        return Err(format!("is longer than {most} octets"));
    }
    if value.contains(char::is_control) {
        return Err("has a control character in it".to_owned());
    }
    Ok(Some(value).filter(|value| !value.is_empty()))
}

/// A service or package by the name that subscribers write, too.
fn name(asked: &Asked, what: &str) -> Result<String, String> {
    let typed = asked.get(what).unwrap_or_default();
    let fits = typed.len() <= NAME_MAX && typed.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(typed.to_ascii_uppercase()) } else { Err(format!("is not 1 to {NAME_MAX} letters and digits")) }
}

fn return_url(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.map(|_| text.to_owned()).ok_or_else(|| "is no http:// or https:// address".to_owned())
}
