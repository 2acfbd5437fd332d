//! Amounts: integer minor units and a currency, never a float, never added across currencies.

use serde::{Deserialize, Serialize};
use std::fmt;

/// ISO 4217 letters, such as `VND`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// An amount in the currency's minor unit; the dong has none, so 10000 VND is ten thousand dong.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    pub amount: i64,
    pub currency: Currency,
}

impl Money {
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }
}

impl Currency {
    pub const VND: Self = Self(*b"VND");

    /// Digits after the decimal point of the major unit (ISO 4217): the currencies without a minor unit have none.
    #[must_use]
    pub const fn exponent(self) -> u32 {
        match &self.0 {
            b"VND" | b"JPY" | b"KRW" | b"CLP" | b"PYG" | b"UGX" | b"XAF" | b"XOF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            Ok(_) | Err(_) => Err(format!("a currency is three capital letters (ISO 4217), not {text:?}")),
        }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency.as_str())
    }
}

/// As an operator reads it, thousands apart: `10,000 VND`. Minor units stand behind a point where the currency has any.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent();
        let unit = 10_u64.pow(exponent);
        let (major, minor) = (self.amount.unsigned_abs() / unit, self.amount.unsigned_abs() % unit);
        if self.amount < 0 {
            f.write_str("-")?;
        }
        f.write_str(&grouped(major, ","))?;
        if exponent > 0 {
            write!(f, ".{minor:0width$}", width = exponent as usize)?;
        }
        write!(f, " {}", self.currency.as_str())
    }
}

/// Digits in groups of three: `grouped(10000, ".")` is `10.000`.
#[must_use]
pub fn grouped(number: u64, separator: &str) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let mut groups: Vec<&str> = if head.is_empty() { Vec::new() } else { vec![head] };
    groups.extend((0..tail.len()).step_by(3).map(|at| &tail[at..at + 3]));
    groups.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_people_write_it() {
        let usd = Currency(*b"USD");
        for (money, text) in [
            (Money::new(10_000, Currency::VND), "10,000 VND"),
            (Money::new(0, Currency::VND), "0 VND"),
            (Money::new(1_234_567, usd), "12,345.67 USD"),
            (Money::new(-5, usd), "-0.05 USD"),
        ] {
            assert_eq!(money.to_string(), text);
        }
    }
}
