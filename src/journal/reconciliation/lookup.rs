//! Charges and refunds as a statement's rows name them: by our key, by the channel's reference, or by the phone. Each by
//! an index, many at once; writes nothing.

use super::super::columns::{self, Columns};
use super::super::error::Cause;
use super::super::statement::Statement;
use super::super::{Journal, JournalError};
use super::rows::{ChargeRef, KnownCharge};
use crate::purchase::money::{Currency, Money};
use crate::purchase::record::{AttemptStatus, Micros};
use std::collections::HashSet;

/// Values in one question. More than rows are written at once, since a question is small.
const ASKED: usize = 512;

/// Of a charge, or of a refund with the charge that it gives back.
pub(super) fn known(table: &str) -> String {
    let key = if table == "refund" { "charge_key" } else { "key" };
    let columns = ["purchase_number", key, "status", "amount", "currency", "msisdn", "intended_at", "peer_reference"];
    columns.map(|column| format!("{table}.{column}")).join(", ")
}

impl Journal {
    /// The charges with these keys of ours at this channel.
    pub async fn charges_by_keys(&self, channel: &str, keys: &[&str]) -> Result<Vec<KnownCharge>, JournalError> {
        // A key begins with its purchase's id, and is looked for there.
        let ids: HashSet<&str> = keys.iter().map(|key| key.rsplit_once('-').map_or(*key, |(id, _)| id)).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let mut found = Vec::new();
        for ids in ids.chunks(ASKED) {
            let mut select = Statement::new("SELECT number FROM purchase WHERE id IN ");
            select.list(ids.iter().copied());
            found.extend(self.charges_of(channel, select).await?);
        }
        Ok(found)
    }

    /// The charges or refunds that this channel knows by these references.
    pub async fn attempts_by_references(
        &self,
        refunds: bool,
        channel: &str,
        references: &[&str],
    ) -> Result<Vec<KnownCharge>, JournalError> {
        let table = if refunds { "refund" } else { "charge" };
        let mut found = Vec::new();
        for references in references.chunks(ASKED) {
            let mut select = Statement::new("SELECT ");
            select.push(&known(table)).push(" FROM ").push(table).push(" WHERE peer_reference IS NOT NULL");
            select.push(" AND peer_reference IN ").list(references.iter().copied());
            select.push(" AND channel = ").text(channel);
            found.extend(self.known_charges(select).await?);
        }
        Ok(found)
    }

    /// The refunds of these purchases at this channel.
    pub async fn refunds_of(&self, channel: &str, purchases: &[i64]) -> Result<Vec<KnownCharge>, JournalError> {
        let mut found = Vec::new();
        for purchases in purchases.chunks(ASKED) {
            let mut select = Statement::new("SELECT ");
            select.push(&known("refund")).push(" FROM refund WHERE channel = ").text(channel);
            select.push(" AND purchase_number IN ").numbers(purchases);
            found.extend(self.known_charges(select).await?);
        }
        Ok(found)
    }

    /// The charges of these phones at this channel whose purchases were asked for between then and then.
    pub async fn charges_of_phones(
        &self,
        channel: &str,
        phones: &[&str],
        from: Micros,
        until: Micros,
    ) -> Result<Vec<KnownCharge>, JournalError> {
        let mut found = Vec::new();
        for phones in phones.chunks(ASKED) {
            let mut select = Statement::new("SELECT number FROM purchase WHERE msisdn IN ");
            select.list(phones.iter().copied()).push(" AND created_at >= ").int(from);
            select.push(" AND created_at < ").int(until);
            found.extend(self.charges_of(channel, select).await?);
        }
        Ok(found)
    }

    /// Which of these charges have a row in this statement.
    pub async fn rows_of_charges(
        &self,
        statement: i64,
        charges: &[&ChargeRef],
    ) -> Result<HashSet<ChargeRef>, JournalError> {
        let mut found = HashSet::new();
        for charges in charges.chunks(ASKED) {
            let mut select =
                Statement::new("SELECT purchase_number, charge_key FROM statement_row WHERE statement_number = ");
            select.int(statement).push(" AND kind = 'charge' AND purchase_number IN ");
            let purchases: Vec<i64> = charges.iter().map(|charge| charge.purchase_number).collect();
            select.numbers(&purchases);
            let rows = async { columns::all(&self.store.keyed(select).await?, charge_ref) };
            found.extend(self.told("find rows of charges", rows.await)?);
        }
        Ok(found)
    }

    /// The charges of the purchases that are found by this. Two questions, each by one index: as one, a server that has not
    /// yet counted its tables would go through all charges.
    async fn charges_of(&self, channel: &str, purchases: Statement) -> Result<Vec<KnownCharge>, JournalError> {
        let numbers = async { columns::all(&self.store.keyed(purchases).await?, |columns| columns.take()) };
        let numbers: Vec<i64> = self.told("find purchases of a statement", numbers.await)?;
        let mut found = Vec::new();
        for numbers in numbers.chunks(ASKED) {
            let mut select = Statement::new("SELECT ");
            select.push(&known("charge")).push(" FROM charge WHERE channel = ").text(channel);
            select.push(" AND purchase_number IN ").numbers(numbers);
            found.extend(self.known_charges(select).await?);
        }
        Ok(found)
    }

    pub(super) async fn known_charges(&self, select: Statement) -> Result<Vec<KnownCharge>, JournalError> {
        let found = async { columns::all(&self.store.keyed(select).await?, known_charge) };
        self.told("find charges of a statement", found.await)
    }
}

pub(super) fn charge_ref(columns: &mut Columns<'_>) -> Result<ChargeRef, Cause> {
    Ok(ChargeRef { purchase_number: columns.take()?, key: columns.take()? })
}

pub(super) fn known_charge(columns: &mut Columns<'_>) -> Result<KnownCharge, Cause> {
    let of = charge_ref(columns)?;
    let (status, amount, currency, msisdn): (String, i64, String, String) =
        (columns.take()?, columns.take()?, columns.take()?, columns.take()?);
    let unreadable = |what: &str| Cause::Unreadable(format!("the {what} of charge {}", of.key));
    let status = match status.as_str() {
        "intended" => AttemptStatus::Intended,
        "reserved" => AttemptStatus::Reserved,
        "unknown" => AttemptStatus::Unknown,
        "succeeded" => AttemptStatus::Succeeded,
        "failed" => AttemptStatus::Failed,
        _ => return Err(unreadable("status")),
    };
    Ok(KnownCharge {
        status,
        money: Money::new(amount, Currency::try_from(currency).map_err(|_| unreadable("currency"))?),
        msisdn: if msisdn.is_empty() { None } else { Some(msisdn.parse().map_err(|_| unreadable("number"))?) },
        intended_at: columns.take()?,
        reference: columns.take()?,
        of,
    })
}
