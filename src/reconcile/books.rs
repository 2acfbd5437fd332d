//! A day's money as double entries: each sum stands on two accounts, so that all of them together are nothing. The channel's
//! account is what its statement says; what keeps our journal from saying the same stands row by row on the suspense
//! account, or on another with its explanation. Pure.

use crate::journal::reconciliation::{Closing, DiscrepancyRow, Kind, Settled, Standing, Total};
use crate::purchase::money::Currency;
use std::collections::BTreeMap;

/// Where money stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// The subscribers' money that the channel holds for us.
    Channel(String),
    /// Earned by packages that stand.
    Revenue { service: String, package: String },
    /// Paid, and the package is not granted yet.
    OwedGrants,
    /// Given back, or to be given back.
    Refunds,
    /// Given back, where the channel's statements list nothing that was given back.
    NotListed,
    /// In the statement of the neighbouring day.
    Carried,
    /// Statement and journal do not agree, and a person has said why.
    Explained,
    /// Statement and journal do not agree, and nobody knows why yet.
    Suspense,
}

impl Account {
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Channel(channel) => format!("subscribers' money at {channel}"),
            Self::Revenue { service, package } => format!("revenue {service} {package}"),
            Self::OwedGrants => "owed grants".to_owned(),
            Self::Refunds => "refunds".to_owned(),
            Self::NotListed => "given back, and not in the statements".to_owned(),
            Self::Carried => "carried over the day's cut".to_owned(),
            Self::Explained => "explained".to_owned(),
            Self::Suspense => "suspense".to_owned(),
        }
    }
}

/// What was debited and credited, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    pub debit: i64,
    pub credit: i64,
}

impl Sides {
    /// More than nothing where the debits are more.
    #[must_use]
    pub const fn balance(self) -> i64 {
        self.debit - self.credit
    }
}

/// The accounts, by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    pub accounts: BTreeMap<(Currency, Account), Sides>,
}

impl Books {
    /// What our journal says of a channel's day.
    pub fn settle(&mut self, channel: &str, settled: &[Settled]) {
        let at_channel = || Account::Channel(channel.to_owned());
        for one in settled {
            let currency = one.group.currency;
            let revenue =
                || Account::Revenue { service: one.group.service.clone(), package: one.group.package.clone() };
            self.enter(currency, at_channel(), Account::OwedGrants, one.charged);
            self.enter(currency, Account::OwedGrants, revenue(), one.granted);
            self.enter(currency, Account::OwedGrants, Account::Refunds, one.returned);
            self.enter(currency, Account::Refunds, at_channel(), one.refunded);
        }
    }

    /// What keeps the journal from saying the same as the statement, row by row.
    pub fn explain(&mut self, channel: &str, rows: &[DiscrepancyRow]) {
        for row in rows {
            if let (Some(currency), Some(account)) = (row.currency, account(row)) {
                self.enter(currency, Account::Channel(channel.to_owned()), account, effect(row));
            }
        }
    }

    /// What our journal gave back and the channel's statement has no row for.
    pub fn not_listed(&mut self, channel: &str, unlisted: &BTreeMap<Currency, i64>) {
        for (currency, amount) in unlisted {
            self.enter(*currency, Account::Channel(channel.to_owned()), Account::NotListed, *amount);
        }
    }

    /// Another day's or channel's entries beside these.
    pub fn add(&mut self, other: &Self) {
        for (account, sides) in &other.accounts {
            let own = self.accounts.entry(account.clone()).or_default();
            own.debit += sides.debit;
            own.credit += sides.credit;
        }
    }

    /// From one account to another; less than nothing goes the other way.
    fn enter(&mut self, currency: Currency, debit: Account, credit: Account, amount: i64) {
        let (debit, credit) = if amount < 0 { (credit, debit) } else { (debit, credit) };
        if amount != 0 {
            self.accounts.entry((currency, debit)).or_default().debit += amount.abs();
            self.accounts.entry((currency, credit)).or_default().credit += amount.abs();
        }
    }

    #[must_use]
    pub fn balance(&self, currency: Currency, account: &Account) -> i64 {
        self.accounts.get(&(currency, account.clone())).map_or(0, |sides| sides.balance())
    }

    /// Whether debits and credits are the same, as they must be.
    #[must_use]
    pub fn balances(&self) -> bool {
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for ((currency, _), sides) in &self.accounts {
            *sums.entry(*currency).or_default() += sides.balance();
        }
        sums.values().all(|sum| *sum == 0)
    }
}

/// What the statement says more than our journal does now.
#[must_use]
pub const fn effect(row: &DiscrepancyRow) -> i64 {
    row.theirs - row.ours
}

/// Where the difference stands; nowhere where a later version of the statement took its place.
#[must_use]
pub fn account(row: &DiscrepancyRow) -> Option<Account> {
    match (row.closed, row.standing) {
        (Some((_, Closing::Superseded)), _) => None,
        (Some((_, Closing::Explained)), _) => Some(Account::Explained),
        (None, Standing::Carried) | (Some((_, Closing::Agreed)), _) => Some(Account::Carried),
        (None, _) => Some(Account::Suspense),
    }
}

/// What a statement says that the channel holds for us: taken, less given back.
#[must_use]
pub fn statement_net(totals: &[Total]) -> BTreeMap<Currency, i64> {
    let mut net = BTreeMap::new();
    for total in totals {
        let sign = match total.kind {
            Kind::Charge => 1,
            Kind::Reversal => -1,
            Kind::Ignored | Kind::Bad => 0,
        };
        if let Some(currency) = total.currency.filter(|_| sign != 0) {
            *net.entry(currency).or_default() += sign * total.amount;
        }
    }
    net
}
