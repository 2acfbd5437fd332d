//! What createOrder and queryOrder are asked with: seed 004's fields in the order in which they are hashed, each held to its
//! length. Pure; passcode and checksum come last, so that what the journal keeps has neither.

use super::checksum::checksum;
use crate::charging::ChargeOrder;
use crate::config;
use crate::purchase::money::Currency;
use form_urlencoded::Serializer;
use paygate_parsers::text::fold;
use secrecy::{ExposeSecret, SecretString};

/// Signs of a description besides letters, digits and spaces.
const SIGNS: &str = ".:,-_";
const DESCRIPTION: usize = 255;

/// Who we are to 123PAY, and what is the same in all our orders.
pub(super) struct Shop {
    pub merchant_code: String,
    pub passcode: SecretString,
    pub secret_key: SecretString,
    pub bank_code: String,
    pub client_ip: String,
    pub return_url: String,
}

/// A form that is being filled in.
#[derive(Clone, Default)]
pub(super) struct Form {
    /// In the order of the checksum; what is absent is empty, and hashed as that.
    signed: Vec<(&'static str, String)>,
    unsigned: Vec<(&'static str, String)>,
}

/// Why something cannot be asked of 123PAY at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("{name} has more than {most} characters")]
    TooLong { name: &'static str, most: usize },
    #[error("123PAY takes dong alone, not {0:?}")]
    Currency(Currency),
}

impl From<&config::Pay123> for Shop {
    fn from(settings: &config::Pay123) -> Self {
        Self {
            merchant_code: settings.merchant_code.clone(),
            passcode: settings.passcode.clone(),
            secret_key: settings.secret_key.clone(),
            bank_code: settings.bank_code.clone(),
            client_ip: settings.client_ip.to_string(),
            return_url: settings.return_url.clone(),
        }
    }
}

impl Shop {
    /// createOrder. Of the customer only the phone is known, and that is all that is said.
    pub(super) fn create_order(&self, order: &ChargeOrder) -> Result<Form, Unfit> {
        if order.amount.currency != Currency::VND {
            return Err(Unfit::Currency(order.amount.currency));
        }
        let mut form = Form::default();
        form.signed("mTransactionID", 50, &order.key)?;
        form.signed("merchantCode", 20, &self.merchant_code)?;
        form.signed("bankCode", 20, &self.bank_code)?;
        form.signed("totalAmount", 20, &order.amount.amount.to_string())?;
        form.signed("clientIP", 15, &self.client_ip)?;
        form.signed("custName", 64, "")?;
        form.signed("custAddress", 255, "")?;
        // No information; M and F are the others.
        form.signed("custGender", 1, "U")?;
        form.signed("custDOB", 10, "")?;
        let phone = order.msisdn.map(|msisdn| msisdn.digits()).unwrap_or_default();
        form.signed("custPhone", 20, &phone)?;
        form.signed("custMail", 64, "")?;
        // The same three times: after each of them 123PAY is asked how it stands (seed 004, FAQ 4).
        let return_url = order.return_url.as_deref().unwrap_or(&self.return_url);
        form.signed("cancelURL", 1000, return_url)?;
        form.signed("redirectURL", 1000, return_url)?;
        form.signed("errorURL", 1000, return_url)?;
        form.unsigned.push(("description", plain(&order.description)));
        Ok(form)
    }

    pub(super) fn query_order(&self, key: &str) -> Result<Form, Unfit> {
        let mut form = Form::default();
        form.signed("mTransactionID", 50, key)?;
        form.signed("merchantCode", 20, &self.merchant_code)?;
        // Seed 004 says 10 here and 15 above; an address needs 15.
        form.signed("clientIP", 15, &self.client_ip)?;
        Ok(form)
    }

    /// The body as it is sent: with passcode and checksum.
    pub(super) fn sealed(&self, mut form: Form) -> String {
        form.signed.push(("passcode", self.passcode.expose_secret().to_owned()));
        let sum = checksum(form.signed.iter().map(|(_, value)| value.as_str()), self.secret_key.expose_secret());
        form.unsigned.push(("checksum", sum));
        form.text()
    }
}

impl Form {
    fn signed(&mut self, name: &'static str, most: usize, value: &str) -> Result<(), Unfit> {
        if value.chars().count() > most {
            return Err(Unfit::TooLong { name, most });
        }
        self.signed.push((name, value.to_owned()));
        Ok(())
    }

    /// `application/x-www-form-urlencoded`; what is absent is left out.
    pub(super) fn text(&self) -> String {
        let given = self.signed.iter().chain(&self.unsigned).filter(|(_, value)| !value.is_empty());
        Serializer::new(String::new()).extend_pairs(given).finish()
    }
}

/// A description as 123PAY takes it: without accents, and with no signs but its five.
fn plain(text: &str) -> String {
    let allowed = |char: char| char.is_ascii_alphanumeric() || SIGNS.contains(char);
    let kept: String = fold(text).chars().map(|char| if allowed(char) { char } else { ' ' }).collect();
    let words = kept.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(DESCRIPTION).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::purchase::money::Money;
    use paygate_parsers::msisdn::{Country, Msisdn};
    use std::time::Duration;
    use tokio::time::Instant;

    fn shop() -> Shop {
        Shop {
            merchant_code: "MICODE".to_owned(),
            passcode: "MIPASSCODE".into(),
            secret_key: "MIKEY".into(),
            bank_code: "123PVTB".to_owned(),
            client_ip: "127.0.0.1".to_owned(),
            return_url: "https://www.google.com.vn/".to_owned(),
        }
    }

    fn order() -> ChargeOrder {
        ChargeOrder {
            key: "V20170711001".to_owned(),
            msisdn: Some(Msisdn::parse(&Country::new("84").unwrap(), "0854689520").unwrap()),
            amount: Money::new(100_000, Currency::VND),
            service: "VIP".to_owned(),
            package: "NAP1".to_owned(),
            description: "Gói VIP (30 ngày)".to_owned(),
            return_url: None,
            handle: None,
            code: None,
            sends: 1,
            intended_at: 0,
            lost_since: None,
            in_flight_until: 0,
            send_by: Instant::now() + Duration::from_secs(60),
        }
    }

    #[test]
    fn query_order_is_asked_as_seed_004_prints_it() {
        let shop = shop();
        let body = shop.sealed(shop.query_order("V20170711001").unwrap());
        assert_eq!(
            body,
            "mTransactionID=V20170711001&merchantCode=MICODE&clientIP=127.0.0.1&passcode=MIPASSCODE\
             &checksum=a297d98f538840bac33a666d4d54ced219cebca1"
        );
    }

    #[test]
    fn create_order_is_hashed_in_the_fields_order_and_without_its_description() {
        let shop = shop();
        let mut form = shop.create_order(&order()).unwrap();
        // The sample's customer is a man who gave no phone.
        for (name, value) in &mut form.signed {
            match *name {
                "custGender" => *value = "M".to_owned(),
                "custPhone" => value.clear(),
                _ => {}
            }
        }
        let body = shop.sealed(form);
        assert!(body.ends_with("&checksum=50a98e764eb6ab1a00d80735fd37dcf582c6b217"), "{body}");
        assert!(body.contains("description=GOI+VIP+30+NGAY&"), "{body}");
        assert!(!body.contains("custName"), "what is absent is left out: {body}");
    }

    #[test]
    fn what_the_journal_keeps_has_neither_passcode_nor_checksum() {
        let kept = shop().create_order(&order()).unwrap().text();
        assert!(
            kept.starts_with("mTransactionID=V20170711001&merchantCode=MICODE&bankCode=123PVTB&totalAmount=100000&")
        );
        assert!(!kept.contains("MIPASSCODE") && !kept.contains("checksum") && !kept.contains("MIKEY"), "{kept}");
    }

    #[test]
    fn what_does_not_fit_a_field_is_not_cut_but_refused() {
        let long = ChargeOrder { key: "k".repeat(51), ..order() };
        assert_eq!(shop().create_order(&long).err(), Some(Unfit::TooLong { name: "mTransactionID", most: 50 }));
        let dollars = Currency::try_from("USD".to_owned()).unwrap();
        let foreign = ChargeOrder { amount: Money::new(500, dollars), ..order() };
        assert_eq!(shop().create_order(&foreign).err(), Some(Unfit::Currency(dollars)));
    }

    #[test]
    fn a_description_has_no_accents_and_five_signs() {
        for (text, expected) in [
            ("Gói VIP, đặc biệt: 1-2_3.", "GOI VIP, DAC BIET: 1-2_3"),
            ("<b>VIP</b> & 50% «NAP1»", "B VIP B 50 NAP1"),
            ("Ưu đãi 😀", "UU DAI"),
            ("", ""),
        ] {
            assert_eq!(plain(text), expected);
        }
        assert_eq!(plain(&"a ".repeat(300)).len(), 255);
    }
}
