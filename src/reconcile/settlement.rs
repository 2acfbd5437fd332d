//! A channel's day settled: what our journal says by short code, service and package, what the statement says in all, and
//! whether the two add up when every row that did not match is counted in.

use super::books::{Account, Books, account, effect, statement_net};
use super::import::{ReconcileError, day};
use super::reading::Layout;
use crate::config::Statement;
use crate::journal::Journal;
use crate::journal::reconciliation::{
    DiscrepancyFilter, DiscrepancyRow, Kind, Settled, Standing, StatementInfo, Total,
};
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
    /// Given back by our journal, where the channel's statements list no money that was given back.
    pub unlisted: i64,
    /// By the rows that did not match, each with its reason.
    pub explained: i64,
    pub statement: Option<i64>,
}

impl Sums {
    /// What no row explains; nothing where it adds up, or where there is no statement to add up to.
    #[must_use]
    pub fn unexplained(self) -> i64 {
        self.statement.map_or(0, |statement| statement - self.journal - self.unlisted - self.explained)
    }
}

impl Settlement {
    /// The rows that nobody has explained yet and that keep it from adding up.
    pub fn suspense(&self) -> impl Iterator<Item = &DiscrepancyRow> {
        self.rows.iter().filter(|row| account(row) == Some(Account::Suspense) && effect(row) != 0)
    }

    /// What the rows that did not match come to in this currency, by how they stand: how many, and how much.
    #[must_use]
    pub fn by_standing(&self, currency: Currency) -> BTreeMap<Standing, (usize, i64)> {
        let mut sums = BTreeMap::<_, (usize, i64)>::new();
        for row in self.rows.iter().filter(|row| row.currency == Some(currency) && effect(row) != 0) {
            let sum = sums.entry(row.standing).or_default();
            *sum = (sum.0 + 1, sum.1 + effect(row));
        }
        sums
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
    let (mut rows, mut totals) = (Vec::new(), Vec::new());
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
        totals = journal.statement_totals(statement.number).await?;
    }
    let mut books = Books::default();
    books.settle(channel, &groups);
    books.explain(channel, &rows);
    let lists_all = statement.is_none() || Layout::lists_reversals(map);
    let unlisted = if lists_all { BTreeMap::new() } else { unlisted(&groups, &rows, &totals) };
    books.not_listed(channel, &unlisted);
    let net = statement.is_some().then(|| statement_net(&totals));
    let sums = sums(&groups, &rows, &unlisted, net.as_ref());
    Ok(Settlement { channel: channel.to_owned(), day: date, groups, statement, rows, sums, books })
}

/// What our journal gave back and no row of the statement is about.
fn unlisted(groups: &[Settled], rows: &[DiscrepancyRow], totals: &[Total]) -> BTreeMap<Currency, i64> {
    let mut unlisted = BTreeMap::new();
    for one in groups {
        *unlisted.entry(one.group.currency).or_default() += one.refunded;
    }
    let matched = totals.iter().filter(|total| total.kind == Kind::Reversal && total.standing == Standing::Matched);
    let matched = matched.map(|total| (total.currency, total.amount));
    let of_rows = rows.iter().filter(|row| row.ours < 0).map(|row| (row.currency, -row.ours));
    for (currency, listed) in matched.chain(of_rows) {
        if let Some(rest) = currency.and_then(|currency| unlisted.get_mut(&currency)) {
            *rest -= listed;
        }
    }
    unlisted
}

fn sums(
    groups: &[Settled],
    rows: &[DiscrepancyRow],
    unlisted: &BTreeMap<Currency, i64>,
    net: Option<&BTreeMap<Currency, i64>>,
) -> Vec<Sums> {
    let of_rows = rows.iter().filter_map(|row| row.currency);
    let currencies: BTreeSet<Currency> = groups.iter().map(|one| one.group.currency).chain(of_rows).collect();
    let currencies = currencies.into_iter().chain(net.into_iter().flat_map(|net| net.keys().copied()));
    let sum = |currency| Sums {
        currency,
        journal: groups.iter().filter(|one| one.group.currency == currency).map(|one| one.charged - one.refunded).sum(),
        unlisted: unlisted.get(&currency).copied().unwrap_or_default(),
        explained: rows.iter().filter(|row| row.currency == Some(currency)).map(effect).sum(),
        statement: net.map(|net| net.get(&currency).copied().unwrap_or_default()),
    };
    currencies.collect::<BTreeSet<_>>().into_iter().map(sum).collect()
}
