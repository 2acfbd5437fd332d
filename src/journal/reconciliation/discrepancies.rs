//! What did not match: listed with what both sides say now, given to somebody, explained, or found to agree by now. What
//! was done about it, by whom and why, is kept and never rewritten.

use super::super::columns::{self, Columns};
use super::super::error::Cause;
use super::super::statement::Statement;
use super::super::{Journal, JournalError};
use super::begin;
use super::import::now;
use super::rows::{
    DiscrepancyAct, DiscrepancyFilter, DiscrepancyRow, OpenDiscrepancies, Standing, StatementInfo, words,
};
use crate::purchase::money::Currency;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows in one answer at most.
const LIST: u32 = 100_000;

/// How a discrepancy ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Journal and statement say the same by now.
    Agreed,
    /// They do not, and a person has said why.
    Explained,
    /// A later version of the statement took its place.
    Superseded,
}

words!(Closing: Agreed "agreed", Explained "explained", Superseded "superseded");

/// What our journal says now: what was taken by this charge, if it is of the statement's day; for money given back what
/// was given back, less than nothing.
const OURS: &str = "CASE WHEN discrepancy.standing IN ('reversal', 'unreturned') THEN -COALESCE((SELECT refund.amount FROM refund \
     WHERE refund.purchase_number = discrepancy.purchase_number AND refund.charge_key = discrepancy.charge_key \
     AND refund.status = 'succeeded' AND refund.intended_at >= statement.from_at AND refund.intended_at < statement.until_at), 0) \
     WHEN discrepancy.standing IN ('duplicate', 'bad') THEN 0 \
     ELSE COALESCE((SELECT charge.amount FROM charge WHERE charge.purchase_number = discrepancy.purchase_number \
     AND charge.key = discrepancy.charge_key AND charge.status = 'succeeded' AND charge.intended_at >= statement.from_at \
     AND charge.intended_at < statement.until_at), 0) END";

impl Journal {
    /// What did not match, the oldest first.
    pub async fn discrepancies(&self, filter: &DiscrepancyFilter) -> Result<Vec<DiscrepancyRow>, JournalError> {
        let select = matching(filter);
        let found = async { columns::all(&self.store.read(select).await?, take) };
        self.told("list discrepancies", found.await)
    }

    /// How many are open, how they stand, and since when the oldest: for figures and alarms.
    pub async fn open_discrepancies(&self) -> Result<Vec<OpenDiscrepancies>, JournalError> {
        let mut select =
            Statement::new("SELECT statement.channel, discrepancy.standing, COUNT(*), MIN(discrepancy.opened_at) ");
        select.push("FROM discrepancy JOIN statement ON statement.number = discrepancy.statement_number ");
        select
            .push("WHERE discrepancy.closed_at IS NULL GROUP BY statement.channel, discrepancy.standing ORDER BY 1, 2");
        let take = |columns: &mut Columns<'_>| {
            let (channel, standing): (String, String) = (columns.take()?, columns.take()?);
            let standing =
                Standing::of(&standing).ok_or_else(|| Cause::Unreadable(format!("a standing {standing:?}")))?;
            Ok(OpenDiscrepancies { channel, standing, rows: columns.take()?, oldest: columns.take()? })
        };
        let found = async { columns::all(&self.store.read(select).await?, take) };
        self.told("count discrepancies", found.await)
    }

    /// How many are open of each of these statements; none where all is closed.
    pub async fn open_of(&self, statements: &[i64]) -> Result<BTreeMap<i64, i64>, JournalError> {
        let mut select = Statement::new("SELECT statement_number, COUNT(*) FROM discrepancy WHERE closed_at IS NULL ");
        select.push("AND statement_number IN (0");
        for statement in statements {
            select.push(", ").int(*statement);
        }
        select.push(") GROUP BY statement_number");
        let take = |columns: &mut Columns<'_>| Ok((columns.take()?, columns.take()?));
        let found = async { columns::all(&self.store.read(select).await?, take) };
        Ok(self.told("count what is open of a statement", found.await)?.into_iter().collect())
    }

    /// What was done about one.
    pub async fn discrepancy_acts(&self, number: i64) -> Result<Vec<DiscrepancyAct>, JournalError> {
        let mut select = Statement::new(
            "SELECT at, operator, verb, reason, evidence FROM discrepancy_act WHERE discrepancy_number = ",
        );
        select.int(number).push(" ORDER BY number LIMIT 1000");
        let take = |columns: &mut Columns<'_>| {
            Ok(DiscrepancyAct {
                at: columns.take()?,
                operator: columns.take()?,
                verb: columns.take()?,
                reason: columns.take()?,
                evidence: columns.take()?,
            })
        };
        let found = async { columns::all(&self.store.read(select).await?, take) };
        self.told("read what was done about a discrepancy", found.await)
    }

    /// Gives it to somebody. False where it is closed.
    pub async fn assign_discrepancy(
        &self,
        number: i64,
        owner: &str,
        act: DiscrepancyAct,
    ) -> Result<bool, JournalError> {
        let mut update = Statement::new("UPDATE discrepancy SET owner = ");
        update.text(owner).push(" WHERE closed_at IS NULL AND number = ").int(number).push(" RETURNING number");
        self.done_about(number, update, act).await
    }

    /// Ends it. False where somebody else has.
    pub async fn close_discrepancy(
        &self,
        number: i64,
        closing: Closing,
        act: DiscrepancyAct,
    ) -> Result<bool, JournalError> {
        let mut update = Statement::new("UPDATE discrepancy SET closing = ");
        update.text(closing.as_str()).push(", closed_at = ").int(act.at);
        update.push(" WHERE closed_at IS NULL AND number = ").int(number).push(" RETURNING number");
        self.done_about(number, update, act).await
    }

    /// Writes down what was done about it and changes nothing else.
    pub async fn note_discrepancy(&self, number: i64, act: DiscrepancyAct) -> Result<bool, JournalError> {
        let mut same = Statement::new("UPDATE discrepancy SET owner = owner WHERE number = ");
        same.int(number).push(" RETURNING number");
        self.done_about(number, same, act).await
    }

    async fn done_about(&self, number: i64, update: Statement, act: DiscrepancyAct) -> Result<bool, JournalError> {
        let store = Arc::clone(&self.store);
        self.driven("act on a discrepancy", async move {
            let mut transaction = begin(&store).await?;
            if update.fetch(&mut transaction).await?.is_empty() {
                return Ok(false);
            }
            let mut insert = Statement::new(
                "INSERT INTO discrepancy_act (discrepancy_number, at, operator, verb, reason, evidence) VALUES (",
            );
            insert.int(number).push(", ").int(act.at).push(", ").text(&act.operator).push(", ").text(&act.verb);
            insert.push(", ").text(&act.reason).push(", ").maybe_text(act.evidence.as_deref()).push(")");
            insert.fetch(&mut transaction).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// Closes what agrees by now: the journal has come to know what the statement said, or the other way about.
    pub async fn close_what_agrees(&self) -> Result<(), JournalError> {
        let store = Arc::clone(&self.store);
        self.driven("look again at what did not match", async move {
            let mut transaction = begin(&store).await?;
            let at = now(&mut transaction, &store).await?;
            for (standings, proof) in AGREES {
                let mut update = Statement::new("UPDATE discrepancy SET closing = 'agreed', closed_at = ");
                update
                    .int(at)
                    .push(" WHERE closed_at IS NULL AND standing IN (")
                    .push(standings)
                    .push(") AND EXISTS (");
                update.push(proof).push(")");
                update.fetch(&mut transaction).await?;
            }
            Ok(transaction.commit().await?)
        })
        .await
    }

    /// What a neighbouring day's statement leaves open about the cut between the two: what it lacks is in this one, or is
    /// missed from now on; what it has for a charge of this day, and this one has, too, stands twice.
    pub async fn settle_cut(
        &self,
        done: &StatementInfo,
        neighbour: &StatementInfo,
        carry: i64,
    ) -> Result<(), JournalError> {
        let (store, done, neighbour) = (Arc::clone(&self.store), done.clone(), neighbour.clone());
        self.driven("settle a day's cut", async move {
            let mut transaction = begin(&store).await?;
            let at = now(&mut transaction, &store).await?;
            let has = |update: &mut Statement| {
                update
                    .push("EXISTS (SELECT 1 FROM statement_row AS entry WHERE entry.statement_number = ")
                    .int(done.number);
                update.push(" AND entry.purchase_number = discrepancy.purchase_number AND entry.kind = 'charge'");
                update.push(" AND entry.charge_key = discrepancy.charge_key)");
            };
            let carried = |update: &mut Statement, line: &str| {
                update
                    .push(" WHERE standing = 'carried' AND statement_number = ")
                    .int(neighbour.number)
                    .push(line)
                    .push(" AND ");
            };
            let mut found = Statement::new("UPDATE discrepancy SET closing = 'agreed', closed_at = ");
            found.int(at);
            carried(&mut found, " AND line IS NULL AND closed_at IS NULL");
            has(&mut found);
            found.fetch(&mut transaction).await?;
            let mut missed =
                Statement::new("UPDATE discrepancy SET standing = 'short', note = 'neither day''s statement has it'");
            carried(&mut missed, " AND line IS NULL AND closed_at IS NULL");
            // Only what lies at this cut: at the other, the other neighbour is waited for.
            missed.push("EXISTS (SELECT 1 FROM charge WHERE charge.purchase_number = discrepancy.purchase_number ");
            missed.push("AND charge.key = discrepancy.charge_key AND ");
            if neighbour.from < done.from {
                missed.push("charge.intended_at >= ").int(done.from - carry).push(")");
            } else {
                missed.push("charge.intended_at < ").int(done.until + carry).push(")");
            }
            missed.fetch(&mut transaction).await?;
            let mut returned = Statement::new("UPDATE discrepancy SET closing = 'agreed', closed_at = ");
            returned.int(at).push(" WHERE standing = 'unreturned' AND closed_at IS NULL AND statement_number = ");
            returned
                .int(neighbour.number)
                .push(" AND EXISTS (SELECT 1 FROM statement_row AS entry WHERE entry.statement_number = ");
            returned.int(done.number).push(" AND entry.purchase_number = discrepancy.purchase_number ");
            returned.push("AND entry.charge_key = discrepancy.charge_key AND entry.kind = 'reversal')");
            returned.fetch(&mut transaction).await?;
            let mut twice = Statement::new(
                "UPDATE discrepancy SET standing = 'duplicate', closing = NULL, closed_at = NULL, \
                 note = 'the statement of the charge''s own day has it, too'",
            );
            carried(&mut twice, " AND line IS NOT NULL");
            has(&mut twice);
            twice.fetch(&mut transaction).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }
}

/// Which discrepancies are over when what is true in the journal.
const AGREES: [(&str, &str); 4] = [
    (
        "'long'",
        "SELECT 1 FROM charge WHERE charge.purchase_number = discrepancy.purchase_number AND charge.key = discrepancy.charge_key \
         AND charge.status = 'succeeded' AND charge.amount = discrepancy.theirs AND charge.currency = discrepancy.currency",
    ),
    (
        "'short', 'carried'",
        "SELECT 1 FROM charge WHERE charge.purchase_number = discrepancy.purchase_number AND charge.key = discrepancy.charge_key \
         AND charge.status = 'failed' AND discrepancy.line IS NULL",
    ),
    (
        "'reversal'",
        "SELECT 1 FROM refund WHERE refund.purchase_number = discrepancy.purchase_number \
         AND refund.charge_key = discrepancy.charge_key AND refund.status = 'succeeded' AND refund.amount = -discrepancy.theirs",
    ),
    (
        "'unreturned'",
        "SELECT 1 FROM refund WHERE refund.purchase_number = discrepancy.purchase_number \
         AND refund.charge_key = discrepancy.charge_key AND refund.status = 'failed'",
    ),
];

fn matching(filter: &DiscrepancyFilter) -> Statement {
    let mut select = Statement::new(
        "SELECT discrepancy.number, statement.number, statement.channel, statement.day, statement.version, statement.files, \
         discrepancy.file, discrepancy.line, discrepancy.standing, (SELECT id FROM purchase WHERE purchase.number = \
         discrepancy.purchase_number), discrepancy.charge_key, discrepancy.theirs, ",
    );
    select.push(OURS).push(", discrepancy.currency, discrepancy.note, discrepancy.owner, discrepancy.opened_at, ");
    select
        .push("discrepancy.closed_at, discrepancy.closing, entry.reference, entry.msisdn, entry.at FROM discrepancy ");
    select
        .push("JOIN statement ON statement.number = discrepancy.statement_number LEFT JOIN statement_row AS entry ON ");
    select.push("entry.statement_number = discrepancy.statement_number AND entry.file = discrepancy.file ");
    select.push("AND entry.line = discrepancy.line WHERE ");
    select.push(if filter.closed { "statement.state = 'done'" } else { "discrepancy.closed_at IS NULL" });
    if let Some(channel) = &filter.channel {
        select.push(" AND statement.channel = ").text(channel);
    }
    if let Some(day) = &filter.day {
        select.push(" AND statement.day = ").text(day);
    }
    if let Some(standing) = filter.standing {
        select.push(" AND discrepancy.standing = ").text(standing.as_str());
    }
    if let Some(purchase) = &filter.purchase {
        select
            .push(" AND discrepancy.purchase_number = (SELECT number FROM purchase WHERE id = ")
            .text(purchase)
            .push(")");
    }
    if let Some(owner) = &filter.owner {
        select.push(" AND discrepancy.owner = ").text(owner);
    }
    if let Some((at, number)) = filter.after {
        select.push(" AND discrepancy.opened_at >= ").int(at);
        select.push(" AND (discrepancy.opened_at > ").int(at).push(" OR discrepancy.number > ").int(number).push(")");
    }
    if let Some(number) = filter.number {
        select.push(" AND discrepancy.number = ").int(number);
    }
    select.push(" ORDER BY discrepancy.opened_at, discrepancy.number LIMIT ").int(filter.limit.min(LIST).into());
    select
}

fn take(columns: &mut Columns<'_>) -> Result<DiscrepancyRow, Cause> {
    let number = columns.take()?;
    let unreadable = |what: &str| Cause::Unreadable(format!("the {what} of discrepancy {number}"));
    let (statement, channel, day, version) = (columns.take()?, columns.take()?, columns.take()?, columns.take()?);
    let files: String = columns.take()?;
    let (file, line): (Option<i64>, Option<i64>) = (columns.take()?, columns.take()?);
    let standing: String = columns.take()?;
    let (purchase, charge_key, theirs, ours) = (columns.take()?, columns.take()?, columns.take()?, columns.take()?);
    let currency: Option<String> = columns.take()?;
    let (note, owner, opened_at) = (columns.take()?, columns.take()?, columns.take()?);
    let (closed_at, closing): (Option<i64>, Option<String>) = (columns.take()?, columns.take()?);
    let (reference, msisdn): (Option<String>, Option<String>) = (columns.take()?, columns.take()?);
    let at = columns.take()?;
    let files: Vec<String> = serde_json::from_str(&files).map_err(|_| unreadable("files"))?;
    let name = |file: i64| usize::try_from(file).ok().and_then(|at| files.get(at).cloned()).unwrap_or_default();
    Ok(DiscrepancyRow {
        number,
        statement,
        channel,
        day,
        version,
        row: file.zip(line).map(|(file, line)| (name(file), line)),
        standing: Standing::of(&standing).ok_or_else(|| unreadable("standing"))?,
        purchase,
        charge_key,
        theirs,
        ours,
        currency: currency.map(Currency::try_from).transpose().map_err(|_| unreadable("currency"))?,
        note,
        owner,
        opened_at,
        closed: closed_at.zip(closing.as_deref().and_then(Closing::of)),
        reference,
        msisdn: msisdn.map(|msisdn| msisdn.parse()).transpose().map_err(|_| unreadable("number"))?,
        at,
    })
}
