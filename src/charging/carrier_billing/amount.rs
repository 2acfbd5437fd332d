//! Amounts between our minor units and CAMARA's decimal of the major unit. Never rounds: what does not fit is no amount.

use crate::purchase::money::{Currency, Money};
use serde_json::Number;

/// Ten thousand dong is `10000`, twelve dollars and five cents `12.05`. A JSON number is text, and the shortest text of
/// the nearest double is the decimal we mean (15 digits and more), so no cent is lost on the way.
pub(super) fn to_major(money: Money) -> Number {
    let unit = 10_i64.pow(money.currency.exponent());
    let whole = Number::from(money.amount / unit);
    if money.amount % unit == 0 {
        return whole;
    }
    let width = money.currency.exponent() as usize;
    let sign = if money.amount < 0 { "-" } else { "" };
    let (major, minor) =
        (money.amount.unsigned_abs() / unit.unsigned_abs(), money.amount.unsigned_abs() % unit.unsigned_abs());
    format!("{sign}{major}.{minor:0width$}").parse().ok().and_then(Number::from_f64).unwrap_or(whole)
}

/// `None` for a currency that is none, a power of ten, or more digits than the currency has.
pub(super) fn to_minor(major: &Number, currency: &str) -> Option<Money> {
    let currency = Currency::try_from(currency.to_owned()).ok()?;
    let text = major.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let width = currency.exponent() as usize;
    if fraction.len() > width || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let amount = format!("{whole}{fraction:0<width$}").parse().ok()?;
    Some(Money::new(amount, currency))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_amount_is_written_in_the_major_unit() {
        let dollars = Currency::try_from("USD".to_owned()).unwrap();
        for (money, text) in [
            (Money::new(10_000, Currency::VND), "10000"),
            (Money::new(1205, dollars), "12.05"),
            (Money::new(1200, dollars), "12"),
            (Money::new(-5, dollars), "-0.05"),
        ] {
            assert_eq!(to_major(money).to_string(), text);
        }
    }

    #[test]
    fn what_does_not_fit_the_currency_is_no_amount() {
        for (text, currency) in [("10000.5", "VND"), ("1.234", "USD"), ("1e30", "VND"), ("10000", "vnd"), ("1", "DONG")]
        {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(to_minor(&number, currency), None, "{text} {currency}");
        }
    }

    #[test]
    fn trailing_zeros_change_nothing() {
        let number: Number = serde_json::from_str("10000.00").unwrap();
        assert_eq!(to_minor(&number, "VND"), Some(Money::new(10_000, Currency::VND)));
    }

    proptest! {
        #[test]
        fn an_amount_comes_back_as_it_went(amount in -1_000_000_000_000_i64..1_000_000_000_000, currency in "VND|USD|KWD") {
            let money = Money::new(amount, Currency::try_from(currency.clone()).unwrap());
            prop_assert_eq!(to_minor(&to_major(money), &currency), Some(money));
        }
    }
}
