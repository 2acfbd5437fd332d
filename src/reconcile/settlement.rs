//! A channel's day settled: what our journal says by short code, service and package, what the statement says in all, and
//! whether the two add up when every row that did not match is counted in.

use super::books::{Books, effect, statement_net};
use super::import::{ReconcileError, day};
use crate::config::Statement;
use crate::journal::Journal;
use crate::journal::reconciliation::{DiscrepancyFilter, DiscrepancyRow, Settled, StatementInfo};
use crate::purchase::money::Currency;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// One channel on one of its days.
#[derive(Clone, Debug)]
pub struct Settlement {
    pub channel: String,
    pub day: Date,
    pub groups: Vec<Settled>,
    /// The version that counts, if one is imported.
    pub statement: Option<StatementInfo>,
    /// What did not match, closed or not.
    pub rows: Vec<DiscrepancyRow>,
    pub sums: Vec<Sums>,
    pub books: Books,
}

/// One currency of it, in minor units; each is what was taken, less what was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    pub currency: Currency,
    pub journal: i64,
    /// By the rows that did not match, each with its reason.
    pub explained: i64,
    pub statement: Option<i64>,
}

impl Sums {
    /// What no row explains; nothing where it adds up, or where there is no statement to add up to.
    #[must_use]
    pub fn unexplained(self) -> i64 {
        self.statement.map_or(0, |statement| statement - self.journal - self.explained)
    }
}

/// Settles a channel's day, as the journal and the statement stand now.
pub async fn settle(
    journal: &Journal,
    channel: &str,
    map: &Statement,
    date: Date,
) -> Result<Settlement, ReconcileError> {
    let groups = journal.settled(channel, day(map, date)?).await?;
    let statement = journal.statement_of(channel, &date.to_string()).await?;
    let (mut rows, mut net) = (Vec::new(), BTreeMap::new());
    if let Some(statement) = &statement {
        let day = Some(statement.day.clone());
        let filter = DiscrepancyFilter {
            channel: Some(channel.to_owned()),
            day,
            closed: true,
            limit: u32::MAX,
            ..Default::default()
        };
        rows = journal.discrepancies(&filter).await?;
        net = statement_net(&journal.statement_totals(statement.number).await?);
    }
    let mut books = Books::default();
    books.settle(channel, &groups);
    books.explain(channel, &rows);
    let sums = sums(&groups, &rows, statement.is_some().then_some(&net));
    Ok(Settlement { channel: channel.to_owned(), day: date, groups, statement, rows, sums, books })
}

fn sums(groups: &[Settled], rows: &[DiscrepancyRow], net: Option<&BTreeMap<Currency, i64>>) -> Vec<Sums> {
    let of_rows = rows.iter().filter_map(|row| row.currency);
    let currencies: BTreeSet<Currency> = groups.iter().map(|one| one.group.currency).chain(of_rows).collect();
    let currencies = currencies.into_iter().chain(net.into_iter().flat_map(|net| net.keys().copied()));
    let sum = |currency| Sums {
        currency,
        journal: groups.iter().filter(|one| one.group.currency == currency).map(|one| one.charged - one.refunded).sum(),
        explained: rows.iter().filter(|row| row.currency == Some(currency)).map(effect).sum(),
        statement: net.map(|net| net.get(&currency).copied().unwrap_or_default()),
    };
    currencies.collect::<BTreeSet<_>>().into_iter().map(sum).collect()
}
