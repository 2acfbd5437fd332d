//! What a partner asks or tells, read from its JSON: every fault is named at once, and none is guessed away. Never judges
//! whether it may be bought.

use crate::purchase::input::Payment;
use crate::purchase::money::{Currency, Money};
use crate::purchase::record::Micros;
use paygate_parsers::msisdn::{Country, Msisdn};
use paygate_parsers::request::{Account, AccountForm, NAME_MAX};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The values of each call in the order of the interface, which is also the order they are summed in.
pub(super) const CHECK_USER: &[&str] = &["requestId", "msisdn", "account", "service", "package"];
pub(super) const PAYMENTS: &[&str] =
    &["paymentId", "requestId", "msisdn", "account", "service", "package", "amount", "currency", "chargedAt"];

/// Octets an id may have; no partner's are longer.
const ID_OCTETS: usize = 255;
/// Octets an account may have, right or wrong.
const ACCOUNT_OCTETS: usize = 64;
/// A time from here on counts milliseconds: in seconds it would be the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Who is to get what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sale {
    pub(super) msisdn: Msisdn,
    /// As it is handed on; as it was typed where it is none.
    pub(super) account: String,
    /// Why the account is none.
    pub(super) account_fault: Option<String>,
    pub(super) service: String,
    pub(super) package: String,
}

/// A charge that was made, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paid {
    pub(super) sale: Sale,
    pub(super) payment: Payment,
    /// All that was said, in the interface's order: what is kept, and what the fingerprint is of.
    pub(super) body: String,
}

/// What accounts and numbers are here.
pub(super) struct Forms<'f> {
    pub(super) country: &'f Country,
    pub(super) account: AccountForm,
}

pub(super) fn check_user(forms: &Forms<'_>, body: &[u8]) -> Result<Sale, Vec<String>> {
    let mut fields = Fields::read(body)?;
    fields.id("requestId");
    let sale = fields.sale(forms);
    fields.judged(sale)
}

pub(super) fn payment(forms: &Forms<'_>, body: &[u8]) -> Result<Paid, Vec<String>> {
    let mut fields = Fields::read(body)?;
    let payment_id = fields.id("paymentId");
    let request_id = fields.given("requestId").and_then(|_| fields.id("requestId"));
    let typed = fields.given("account");
    let sale = fields.sale(forms);
    let amount = fields.money();
    let charged_at = fields.moment("chargedAt");
    let paid = match (payment_id, sale, amount, charged_at) {
        (Some(payment_id), Some(sale), Some(amount), Some(charged_at)) => {
            Some(paid(payment_id, request_id, typed, sale, amount, charged_at))
        }
        _ => None,
    };
    fields.judged(paid)
}

/// The same words in whatever order, spacing and spelling of a number they came.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Canonical<'p> {
    payment_id: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'p str>,
    msisdn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'p str>,
    service: &'p str,
    package: &'p str,
    amount: i64,
    currency: &'p str,
    charged_at: String,
}

fn paid(
    payment_id: String,
    request_id: Option<String>,
    typed: Option<String>,
    sale: Sale,
    amount: Money,
    charged_at: Micros,
) -> Paid {
    let canonical = Canonical {
        payment_id: &payment_id,
        request_id: request_id.as_deref(),
        msisdn: sale.msisdn.e164(),
        account: typed.is_some().then_some(&sale.account),
        service: &sale.service,
        package: &sale.package,
        amount: amount.amount,
        currency: amount.currency.as_str(),
        charged_at: jiff::Timestamp::from_microsecond(charged_at)
            .map_or_else(|_| charged_at.to_string(), |at| at.to_string()),
    };
    let body = serde_json::to_string(&canonical).expect("text and numbers under text keys are always JSON");
    let hash = Sha256::new_with_prefix("paygate payment\0").chain_update(&body).finalize();
    let fingerprint = hash.iter().map(|octet| format!("{octet:02x}")).collect();
    Paid { sale, payment: Payment { reference: payment_id, amount, charged_at, fingerprint }, body }
}

/// One JSON object being read, with all that is wrong in it so far.
struct Fields {
    object: Map<String, Value>,
    faults: Vec<String>,
}

impl Fields {
    fn read(body: &[u8]) -> Result<Self, Vec<String>> {
        let object =
            serde_json::from_slice(body).map_err(|error| vec![format!("the body is no JSON object ({error})")])?;
        Ok(Self { object, faults: Vec::new() })
    }

    fn judged<T>(self, value: Option<T>) -> Result<T, Vec<String>> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(self.faults),
        }
    }

    fn fault<T>(&mut self, fault: String) -> Option<T> {
        self.faults.push(fault);
        None
    }

    /// The value as text; absent, null and empty are the same.
    fn given(&self, name: &str) -> Option<String> {
        match self.object.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        }
    }

    fn text(&mut self, name: &str, octets: usize) -> Option<String> {
        if let Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) = self.object.get(name) {
            return self.fault(format!("{name:?} is not a text"));
        }
        match self.given(name) {
            None => self.fault(format!("{name:?} is missing")),
            Some(text) if text.len() > octets => self.fault(format!("{name:?} is longer than {octets} octets")),
            Some(text) if text.contains(char::is_control) => {
                self.fault(format!("{name:?} has a control character in it"))
            }
            Some(text) => Some(text),
        }
    }

    fn id(&mut self, name: &str) -> Option<String> {
        self.text(name, ID_OCTETS)
    }

    fn sale(&mut self, forms: &Forms<'_>) -> Option<Sale> {
        let msisdn = self.msisdn(forms.country);
        let account = match self.object.get("account") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(_) => Some(self.text("account", ACCOUNT_OCTETS)),
        };
        let (service, package) = (self.name("service"), self.name("package"));
        let (msisdn, service, package) = (msisdn?, service?, package?);
        let (account, account_fault) = match account {
            None => (Account::of(msisdn, forms.country).into(), None),
            Some(typed) => account_of(forms, typed?),
        };
        Some(Sale { msisdn, account, account_fault, service, package })
    }

    fn msisdn(&mut self, country: &Country) -> Option<Msisdn> {
        let text = self.text("msisdn", ID_OCTETS)?;
        match Msisdn::parse(country, &text) {
            Ok(msisdn) => Some(msisdn),
            Err(error) => self.fault(format!("\"msisdn\" is no phone number: {error}")),
        }
    }

    /// As a subscriber's message would name it.
    fn name(&mut self, name: &str) -> Option<String> {
        let text = self.text(name, NAME_MAX)?;
        if text.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
            return Some(text.to_ascii_uppercase());
        }
        self.fault(format!("{name:?} has something else than letters and digits in it"))
    }

    fn money(&mut self) -> Option<Money> {
        let (amount, currency) = (self.text("amount", ID_OCTETS), self.text("currency", ID_OCTETS));
        let amount = amount.and_then(|text| match text.parse::<i64>() {
            Ok(amount) if amount > 0 => Some(amount),
            _ => self.fault("\"amount\" is no whole number of minor units above 0".to_owned()),
        });
        let currency = currency.and_then(|text| match Currency::try_from(text) {
            Ok(currency) => Some(currency),
            Err(error) => self.fault(format!("\"currency\": {error}")),
        });
        Some(Money::new(amount?, currency?))
    }

    /// RFC 3339, or unix time in seconds or milliseconds.
    fn moment(&mut self, name: &str) -> Option<Micros> {
        let text = self.text(name, ID_OCTETS)?;
        let moment = match text.parse::<i64>() {
            Ok(number) if number >= MILLISECONDS_FROM => jiff::Timestamp::from_millisecond(number).ok(),
            Ok(number) => jiff::Timestamp::from_second(number).ok(),
            Err(_) => text.parse().ok(),
        };
        match moment.filter(|moment| moment.as_second() > 0) {
            Some(moment) => Some(moment.as_microsecond()),
            None => self.fault(format!("{name:?} is no time, such as \"2026-11-25T12:00:00Z\"")),
        }
    }
}

/// A wrong account is no fault of the form: of a payment the money is gone, and a person must see what was typed.
fn account_of(forms: &Forms<'_>, typed: String) -> (String, Option<String>) {
    match Account::parse(forms.account, forms.country, &typed) {
        Ok(account) => (account.into(), None),
        Err(error) => (typed, Some(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    fn read(body: &Value) -> Result<Paid, Vec<String>> {
        let country = Country::new("84").unwrap();
        payment(&Forms { country: &country, account: AccountForm::Number }, body.to_string().as_bytes())
    }

    fn body() -> Value {
        json!({ "paymentId": "p-1", "msisdn": "84854689520", "service": "vip", "package": "NAP1", "amount": 10_000,
            "currency": "VND", "chargedAt": "2026-11-25T12:00:00Z" })
    }

    #[test]
    fn a_payment_is_the_same_however_it_is_spelled_and_another_with_any_other_word() {
        let first = read(&body()).unwrap();
        assert_eq!((first.sale.account.as_str(), first.sale.service.as_str()), ("0854689520", "VIP"));
        let spelled = [
            ("msisdn", json!("+84 854 689 520")),
            ("service", json!("VIP")),
            ("amount", json!("10000")),
            ("account", json!("")),
            ("chargedAt", json!(1_795_608_000)),
            ("chargedAt", json!(1_795_608_000_000_i64)),
            ("chargedAt", json!("2026-11-25T19:00:00+07:00")),
            ("ts", json!(1)),
            ("checksum", json!("abc")),
        ];
        for (name, value) in spelled {
            let mut again = body();
            again[name] = value;
            assert_eq!(read(&again).unwrap().payment, first.payment, "{again}");
        }
        let other = [
            ("paymentId", json!("p-2")),
            ("requestId", json!("r-1")),
            ("msisdn", json!("0854689521")),
            ("account", json!("0854689520")),
            ("package", json!("NAP2")),
            ("amount", json!(10_001)),
            ("currency", json!("USD")),
            ("chargedAt", json!("2026-11-25T12:00:01Z")),
        ];
        for (name, value) in other {
            let mut other = body();
            other[name] = value;
            assert_ne!(read(&other).unwrap().payment.fingerprint, first.payment.fingerprint, "{other}");
        }
    }

    #[test]
    fn every_fault_of_a_payment_is_named_at_once() {
        let wrong = json!({ "paymentId": "", "msisdn": "12", "account": ["x"], "service": "V P", "amount": 0.5,
            "currency": "dong", "chargedAt": "soon" });
        let faults = read(&wrong).unwrap_err();
        for name in ["paymentId", "msisdn", "account", "service", "package", "amount", "currency", "chargedAt"] {
            assert!(faults.iter().any(|fault| fault.contains(name)), "{name} is not among {faults:?}");
        }
        assert_eq!(faults.len(), 8, "{faults:?}");
        for amount in [json!(0), json!(-1), json!("ten"), json!(1e20), json!(10_000.5)] {
            let mut wrong = body();
            wrong["amount"] = amount;
            assert_eq!(read(&wrong).unwrap_err().len(), 1, "{wrong}");
        }
        let country = Country::new("84").unwrap();
        let forms = Forms { country: &country, account: AccountForm::Number };
        assert_eq!(payment(&forms, b"[]").unwrap_err().len(), 1);
        assert_eq!(check_user(&forms, b"{}").unwrap_err().len(), 4);
    }

    #[test]
    fn a_wrong_account_is_kept_as_it_was_typed_with_what_is_wrong() {
        let mut wrong = body();
        wrong["account"] = json!("a085468952");
        let sale = read(&wrong).unwrap().sale;
        assert_eq!(sale.account, "a085468952");
        assert!(sale.account_fault.unwrap().contains("a letter"));
    }
}
