//! Purchases that wait for a person, as a person or a program reads them. Numbers are masked: the list is for many eyes.

use crate::cli::table::{Cell, RED, Table};
use crate::purchase::Purchase;
use crate::purchase::record::{Micros, ReviewReason};
use serde::Serialize;

/// One entry of `review list --json`. The keys are a promise; new ones may come, none changes.
#[derive(Serialize)]
pub(super) struct Waiting<'p> {
    id: &'p str,
    /// Since it was asked for.
    age_seconds: i64,
    reason: &'static str,
    channel: &'p str,
    amount: Option<i64>,
    currency: Option<String>,
    /// Masked.
    msisdn: String,
    service: &'p str,
    package: &'p str,
    paid: &'static str,
    granted: &'p str,
    #[serde(skip)]
    price: String,
}

impl<'p> Waiting<'p> {
    pub(super) fn of(purchase: &'p Purchase, now: Micros) -> Self {
        let (order, price) = (&purchase.order, purchase.price());
        Self {
            id: &purchase.id,
            age_seconds: (now - purchase.created_at).max(0) / 1_000_000,
            reason: purchase.review.map_or("", ReviewReason::as_str),
            channel: &order.channel,
            amount: price.map(|price| price.amount),
            currency: price.map(|price| price.currency.as_str().to_owned()),
            msisdn: order.msisdn.map(|msisdn| msisdn.to_string()).unwrap_or_default(),
            service: &order.service,
            package: &order.package,
            paid: purchase.paid().as_str(),
            granted: purchase.granted(),
            price: price.map(|price| price.to_string()).unwrap_or_default(),
        }
    }
}

pub(super) fn table(waiting: &[Waiting<'_>], colour: bool) -> String {
    if waiting.is_empty() {
        return "nothing waits for a person\n".to_owned();
    }
    let mut table = Table::default();
    table.heading(&["ID", "AGE", "REASON", "CHANNEL", "PRICE", "NUMBER", "PACKAGE", "PAID", "GRANTED"]);
    for one in waiting {
        table.row([
            Cell::new(one.id),
            Cell::new(&age(one.age_seconds)),
            Cell::painted(one.reason, Some(RED)),
            Cell::new(one.channel),
            Cell::new(&one.price),
            Cell::new(&one.msisdn),
            Cell::new(&format!("{} {}", one.service, one.package)),
            Cell::new(one.paid),
            Cell::new(one.granted),
        ]);
    }
    table.render(colour)
}

/// `3d 4h`, `2h 10m`, `5m`, `40s`.
fn age(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn an_age_is_told_in_the_two_largest_units_that_matter() {
        for (seconds, told) in
            [(0, "0s"), (59, "59s"), (61, "1m"), (7_800, "2h 10m"), (3_600, "1h 0m"), (273_700, "3d 4h")]
        {
            assert_eq!(age(seconds), told);
        }
    }
}
