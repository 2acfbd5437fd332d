//! What was charged and given back on a channel in a time, as the journal has it, by short code, service and package. Reads
//! step by step, so that no look takes longer than a statement may.

use super::super::columns::{self, Columns};
use super::super::error::Cause;
use super::super::statement::Statement;
use super::super::{Journal, JournalError};
use super::rows::{Group, Settled};
use crate::purchase::money::Currency;
use crate::purchase::record::Micros;
use std::collections::BTreeMap;
use std::ops::Range;

/// So much of a day at once.
const SLICE: Micros = 30 * 60 * 1_000_000;

const GROUP: &str = "purchase.short_code, purchase.service, purchase.package, ";
const GRANTED: &str = "purchase.granted IN ('yes', 'elsewhere')";

impl Journal {
    /// What was taken and given back in that time.
    pub async fn settled(&self, channel: &str, time: Range<Micros>) -> Result<Vec<Settled>, JournalError> {
        let mut groups: BTreeMap<Group, Settled> = BTreeMap::new();
        let mut from = time.start;
        while from < time.end {
            let slice = from..(from + SLICE).min(time.end);
            for found in self.charged(channel, slice.clone()).await? {
                let sum = groups.entry(found.group.clone()).or_insert_with(|| Settled::of(found.group.clone()));
                sum.add(&found);
            }
            for found in self.given_back(channel, slice.clone()).await? {
                let sum = groups.entry(found.group.clone()).or_insert_with(|| Settled::of(found.group.clone()));
                sum.add(&found);
            }
            from = slice.end;
        }
        Ok(groups.into_values().collect())
    }

    async fn charged(&self, channel: &str, slice: Range<Micros>) -> Result<Vec<Settled>, JournalError> {
        let sum = |what: &str| format!("CAST(COALESCE(SUM({what}), 0) AS BIGINT)");
        let mut select = Statement::new("SELECT ");
        select.push(GROUP).push("charge.currency, COUNT(*), ").push(&sum("charge.amount")).push(", ");
        select.push(&sum(&format!("CASE WHEN {GRANTED} THEN charge.amount ELSE 0 END"))).push(", ");
        select.push(&sum(&format!(
            "CASE WHEN NOT ({GRANTED}) AND purchase.paid = 'refunded' THEN charge.amount ELSE 0 END"
        )));
        select.push(
            " FROM charge JOIN purchase ON purchase.number = charge.purchase_number WHERE charge.status = 'succeeded'",
        );
        select.push(" AND charge.channel = ").text(channel).push(" AND charge.intended_at >= ").int(slice.start);
        select.push(" AND charge.intended_at < ").int(slice.end).push(" GROUP BY ").push(GROUP).push("charge.currency");
        let take = |columns: &mut Columns<'_>| {
            let group = group(columns)?;
            Ok(Settled {
                charges: columns.take()?,
                charged: columns.take()?,
                granted: columns.take()?,
                returned: columns.take()?,
                ..Settled::of(group)
            })
        };
        let found = async { columns::all(&self.store.read(select).await?, take) };
        self.told("sum charges up", found.await)
    }

    async fn given_back(&self, channel: &str, slice: Range<Micros>) -> Result<Vec<Settled>, JournalError> {
        let mut select = Statement::new("SELECT ");
        select.push(GROUP).push("refund.currency, COUNT(*), CAST(COALESCE(SUM(refund.amount), 0) AS BIGINT)");
        select.push(
            " FROM refund JOIN purchase ON purchase.number = refund.purchase_number WHERE refund.status = 'succeeded'",
        );
        select.push(" AND refund.channel = ").text(channel).push(" AND refund.intended_at >= ").int(slice.start);
        select.push(" AND refund.intended_at < ").int(slice.end).push(" GROUP BY ").push(GROUP).push("refund.currency");
        let take = |columns: &mut Columns<'_>| {
            let group = group(columns)?;
            Ok(Settled { refunds: columns.take()?, refunded: columns.take()?, ..Settled::of(group) })
        };
        let found = async { columns::all(&self.store.read(select).await?, take) };
        self.told("sum refunds up", found.await)
    }
}

fn group(columns: &mut Columns<'_>) -> Result<Group, Cause> {
    let (short_code, service, package) = (columns.take()?, columns.take()?, columns.take()?);
    let currency: String = columns.take()?;
    let currency = Currency::try_from(currency).map_err(|_| Cause::Unreadable("a charge's currency".to_owned()))?;
    Ok(Group { short_code, service, package, currency })
}
