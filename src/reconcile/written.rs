//! A settlement written out for a spreadsheet, and sums as people read them. Pure.

use super::settlement::Settlement;
use crate::purchase::money::{Currency, Money};

const COLUMNS: [&str; 12] = [
    "day",
    "channel",
    "short_code",
    "service",
    "package",
    "currency",
    "charges",
    "charged",
    "refunds",
    "refunded",
    "granted",
    "owed_grants",
];

/// The groups of all days as CSV.
pub fn csv_of(all: &[Settlement]) -> Result<String, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS)?;
    for settlement in all {
        for one in &settlement.groups {
            let (group, owed) = (&one.group, one.owed());
            let words =
                [&settlement.channel, &group.short_code, &group.service, &group.package].map(|word| harmless(word));
            let figures = [one.charges, one.charged, one.refunds, one.refunded, one.granted, owed]
                .map(|figure| figure.to_string());
            let day = [settlement.day.to_string()];
            let currency = [group.currency.as_str().to_owned()];
            out.write_record(day.iter().chain(&words).chain(&currency).chain(&figures))?;
        }
    }
    let octets = out.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// A spreadsheet must not take a name for a formula.
#[must_use]
pub fn harmless(word: &str) -> String {
    if word.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{word}") } else { word.to_owned() }
}

/// `10,000 VND`; nothing where no amount is named.
#[must_use]
pub fn money(amount: i64, currency: Option<Currency>) -> String {
    currency.map(|currency| Money::new(amount, currency).to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_name_is_no_formula_to_a_spreadsheet() {
        for (word, written) in [("=1+1", "'=1+1"), ("@x", "'@x"), ("-5", "'-5"), ("NAP1", "NAP1"), ("", "")] {
            assert_eq!(harmless(word), written);
        }
    }
}
