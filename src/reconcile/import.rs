//! One statement's way: its files are read, each batch is looked up while the one before is written, then what is missing
//! is looked for. In constant memory, and from where it stood if it was killed.

use super::lines::{Line, Lines, Place};
use super::matching::{Known, judge, lacking, unreturned, weakly};
use super::reading::Layout;
use crate::config::Statement;
use crate::journal::reconciliation::{
    Kind, KnownCharge, NewDiscrepancy, NewStatement, Position, Standing, StatementInfo, StatementRow, StatementState,
};
use crate::journal::{Journal, JournalError};
use crate::purchase::record::Micros;
use jiff::civil::Date;
use paygate_parsers::msisdn::Country;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Rows in one commit: enough to pay for its fsync, and not so many that a daemon's commit waits long behind it.
const BATCH: usize = 4_096;
/// Batches read and looked up ahead.
const AHEAD: usize = 2;
/// What the statement lacks is looked for in so much time at once.
const SLICE: Micros = 60 * 1_000_000;
/// How long before its charge a purchase may have been asked for, where only its phone is known.
const ASKED_BEFORE: Micros = 86_400 * 1_000_000;
const FILE_BUFFER: usize = 1 << 20;

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct Import {
    pub channel: String,
    pub map: Statement,
    pub country: Country,
    pub day: Date,
    /// The files of that day, in their order.
    pub files: Vec<PathBuf>,
    pub operator: String,
    /// As a new version, though the same was imported before: its column map was wrong.
    pub anew: bool,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Imported {
    pub statement: StatementInfo,
    /// It had been imported before, and nothing was read.
    pub before: bool,
    /// It had been begun before, and went on behind this line of the file that it stood in.
    pub resumed: Option<i64>,
}

/// Where an import is; who shows it decides how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Octets of all files that are behind, of so many.
    Reading {
        behind: u64,
        of: u64,
        rows: u64,
    },
    /// Microseconds of the day that are behind.
    Missing {
        behind: u64,
        of: u64,
    },
    Done,
}

/// Is told of each step.
pub type Progress<'p> = &'p (dyn Fn(Step) + Send + Sync);

/// Why a statement could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("{0}")]
    Journal(#[from] JournalError),
    #[error("{name} cannot be read: {error}")]
    File { name: String, error: io::Error },
    #[error("{name} is no such statement: {why}")]
    Unfit { name: String, why: String },
    #[error(
        "more than {most} rows cannot be read; the first: {first}. Mend the column map and run it again: what is read of it so far stays aside"
    )]
    Bad { most: u32, first: String },
    #[error("somebody else is importing this statement now")]
    Elsewhere,
    #[error("{0} is no day of this channel")]
    Day(String),
}

/// The times between which a channel's day lies.
pub fn day(map: &Statement, day: Date) -> Result<Range<Micros>, ReconcileError> {
    let cut = |date: Date| map.zone.to_timestamp(date.to_datetime(map.day_cut)).ok();
    let ends = cut(day).zip(day.tomorrow().ok().and_then(cut));
    let (from, until) = ends.ok_or_else(|| ReconcileError::Day(day.to_string()))?;
    Ok(from.as_microsecond()..until.as_microsecond())
}

impl Import {
    /// Reads the statement, holds it against the journal, and makes it the version that counts.
    pub async fn run(&self, journal: &Journal, progress: Progress<'_>) -> Result<Imported, ReconcileError> {
        let day = day(&self.map, self.day)?;
        let (digest, octets) = self.digest().await?;
        let new = NewStatement {
            channel: self.channel.clone(),
            day: self.day.to_string(),
            from: day.start,
            until: day.end,
            digest,
            files: self.files.iter().map(|file| name(file)).collect(),
            map: format!("{:?}", self.map),
            operator: self.operator.clone(),
        };
        let mut statement = journal.begin_statement(new, self.anew).await?;
        let before = matches!(statement.state, StatementState::Done | StatementState::Superseded);
        let begun = statement.position != Position::default() && !before;
        let resumed = begun.then_some(statement.position.line);
        if statement.state == StatementState::Reading {
            self.read(journal, &mut statement, &day, octets, progress).await?;
            journal.statement_is_read(statement.number).await?;
        }
        if !before {
            self.weigh(journal, &statement).await?;
            self.look_for_missing(journal, &statement, &day, progress).await?;
            journal.statement_is_done(&statement).await?;
        }
        self.settle_cuts(journal).await?;
        journal.close_what_agrees().await?;
        progress(Step::Done);
        let all = journal.statements(Some(&self.channel), Some(&statement.day), Some(&statement.day), 1_000).await?;
        let statement = all.into_iter().find(|known| known.number == statement.number).unwrap_or(statement);
        Ok(Imported { statement, before, resumed })
    }

    async fn digest(&self) -> Result<(String, Vec<u64>), ReconcileError> {
        let files = self.files.clone();
        let read = tokio::task::spawn_blocking(move || {
            let (mut all, mut octets) = (Sha256::new(), Vec::new());
            for file in &files {
                let failed = |error| ReconcileError::File { name: file.display().to_string(), error };
                let mut one = Sha256::new();
                octets.push(hash(File::open(file).map_err(failed)?, &mut one).map_err(failed)?);
                all.update(one.finalize());
            }
            Ok((all.finalize().iter().map(|octet| format!("{octet:02x}")).collect(), octets))
        });
        read.await.unwrap_or_else(|error| Err(broken(&error)))
    }

    /// Read, looked up and written side by side, each batch in its order.
    async fn read(
        &self,
        journal: &Journal,
        statement: &mut StatementInfo,
        day: &Range<Micros>,
        octets: Vec<u64>,
        progress: Progress<'_>,
    ) -> Result<(), ReconcileError> {
        let (batches, mut read) = mpsc::channel(AHEAD);
        let (found, mut judged) = mpsc::channel(AHEAD);
        let (import, position) = (Arc::new(self.clone()), statement.position);
        let reader = tokio::task::spawn_blocking(move || import.read_files(position, &batches));
        let (channel, looking, day) = (self.channel.clone(), journal.clone(), day.clone());
        let matcher = tokio::spawn(async move {
            while let Some(mut batch) = read.recv().await {
                let known = look_up(&looking, &channel, &batch.rows).await?;
                let left = batch.rows.iter_mut().filter_map(|row| judge(row, &known, &day)).collect();
                if found.send((batch, left)).await.is_err() {
                    break;
                }
            }
            Ok::<(), ReconcileError>(())
        });
        let mut written: Result<u64, ReconcileError> = Ok(0);
        let total = octets.iter().sum();
        while let Some((batch, left)) = judged.recv().await {
            written = self.write(journal, statement, batch, left, written).await;
            let Ok(rows) = written else { break };
            let before: u64 = octets.iter().take(usize::try_from(statement.position.file).unwrap_or(0)).sum();
            progress(Step::Reading { behind: before + statement.position.octet.unsigned_abs(), of: total, rows });
        }
        drop(judged);
        let matched = matcher.await.unwrap_or_else(|error| Err(broken(&error)));
        let read = reader.await.unwrap_or_else(|error| Err(broken(&error)));
        written.and(matched).and(read)
    }

    async fn write(
        &self,
        journal: &Journal,
        statement: &mut StatementInfo,
        batch: Batch,
        left: Vec<NewDiscrepancy>,
        written: Result<u64, ReconcileError>,
    ) -> Result<u64, ReconcileError> {
        let rows = written? + batch.rows.len() as u64;
        let owner = self.map.owner.clone();
        if !journal.append_rows(statement, batch.rows, left, owner, batch.behind).await? {
            return Err(ReconcileError::Elsewhere);
        }
        statement.position = batch.behind;
        Ok(rows)
    }

    /// From the position on to the end of the last file, in batches.
    fn read_files(&self, from: Position, batches: &mpsc::Sender<Batch>) -> Result<(), ReconcileError> {
        let mut bad = Bad { most: self.map.bad_max, count: 0, first: String::new() };
        for (at, path) in self.files.iter().enumerate().skip(usize::try_from(from.file).unwrap_or(0)) {
            let resumed =
                if at as i64 == from.file { from } else { Position { file: at as i64, ..Position::default() } };
            let place = Place { octet: resumed.octet.unsigned_abs(), line: resumed.line.unsigned_abs() };
            let name = name(path);
            let failed = |error| ReconcileError::File { name: name.clone(), error };
            let unfit = |why| ReconcileError::Unfit { name: name.clone(), why };
            let source = BufReader::with_capacity(FILE_BUFFER, File::open(path).map_err(failed)?);
            let mut lines = Lines::new(source, Place::default(), self.map.separator, self.map.quoted);
            let header = self.map.header && matches!(lines.next().map_err(failed)?, Some(Line::Fields));
            if self.map.header && !header {
                return Err(unfit("it has no header".to_owned()));
            }
            let layout = Layout::new(&self.map, &self.country, header.then(|| lines.fields())).map_err(unfit)?;
            if place.line > lines.place.line || !header {
                let mut source = BufReader::with_capacity(FILE_BUFFER, File::open(path).map_err(failed)?);
                source.seek(SeekFrom::Start(place.octet)).map_err(failed)?;
                lines = Lines::new(source, place, self.map.separator, self.map.quoted);
            }
            loop {
                let (rows, over) = batch(&mut lines, &layout, at as i64).map_err(failed)?;
                bad.count(&rows, &name)?;
                let (octet, line) = (lines.place.octet as i64, lines.place.line as i64);
                let batch = Batch { rows, behind: Position { file: at as i64, octet, line } };
                if batches.blocking_send(batch).is_err() || over {
                    break;
                }
            }
        }
        Ok(())
    }

    /// What stands twice, and what only phone, amount and time speak for.
    async fn weigh(&self, journal: &Journal, statement: &StatementInfo) -> Result<(), ReconcileError> {
        journal.mark_duplicates(statement, &self.map.owner).await?;
        let within = micros(self.map.match_within);
        let mut behind = (-1, 0);
        loop {
            let rows = journal.unknown_rows(statement.number, behind).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            behind = (last.file, last.line);
            let weak = self.weak(journal, statement, rows, within).await?;
            journal.restand(statement, &weak, &self.map.owner).await?;
        }
    }

    async fn weak(
        &self,
        journal: &Journal,
        statement: &StatementInfo,
        rows: Vec<StatementRow>,
        within: Micros,
    ) -> Result<Vec<(StatementRow, NewDiscrepancy)>, ReconcileError> {
        let times = rows.iter().filter(|row| row.msisdn.is_some()).filter_map(|row| row.at);
        let Some((first, last)) = times.clone().min().zip(times.max()) else { return Ok(Vec::new()) };
        let phones: HashSet<String> = rows.iter().filter_map(|row| Some(row.msisdn?.e164())).collect();
        let phones: Vec<&str> = phones.iter().map(String::as_str).collect();
        let (from, until) = (first - within - ASKED_BEFORE, last + within + 1);
        let candidates = journal.charges_of_phones(&self.channel, &phones, from, until).await?;
        let of: Vec<_> = candidates.iter().map(|charge| &charge.of).collect();
        let mut taken = journal.rows_of_charges(statement.number, &of).await?;
        let mut weak = Vec::new();
        for row in rows {
            let Some(charge) = weakly(&row, &candidates, &taken, within) else { continue };
            taken.insert(charge.of.clone());
            weak.push(confirmed_by_a_person(row, charge));
        }
        Ok(weak)
    }

    async fn look_for_missing(
        &self,
        journal: &Journal,
        statement: &StatementInfo,
        day: &Range<Micros>,
        progress: Progress<'_>,
    ) -> Result<(), ReconcileError> {
        let (carry, owner) = (micros(self.map.carry), self.map.owner.as_str());
        let of = (day.end - day.start).unsigned_abs();
        let mut from = day.start;
        while from < day.end {
            let slice = from..(from + SLICE).min(day.end);
            let charges = journal.missing(false, statement, slice.clone()).await?;
            let lacking = charges.iter().map(|charge| lacking(charge, day, carry)).collect();
            journal.write_missing(statement, lacking, owner).await?;
            if Layout::lists_reversals(&self.map) {
                let refunds = journal.missing(true, statement, slice.clone()).await?;
                journal.write_missing(statement, refunds.iter().map(unreturned).collect(), owner).await?;
            }
            from = slice.end;
            progress(Step::Missing { behind: (from - day.start).unsigned_abs(), of });
        }
        Ok(())
    }

    /// Both cuts of the day, from both sides, as far as the neighbours' statements are there.
    async fn settle_cuts(&self, journal: &Journal) -> Result<(), ReconcileError> {
        let carry = micros(self.map.carry);
        let Some(own) = journal.statement_of(&self.channel, &self.day.to_string()).await? else { return Ok(()) };
        for neighbour in [self.day.yesterday(), self.day.tomorrow()].into_iter().flatten() {
            let Some(neighbour) = journal.statement_of(&self.channel, &neighbour.to_string()).await? else { continue };
            journal.settle_cut(&own, &neighbour, carry).await?;
            journal.settle_cut(&neighbour, &own, carry).await?;
        }
        Ok(())
    }
}

/// Rows that were read together, and what is behind after them.
struct Batch {
    rows: Vec<StatementRow>,
    behind: Position,
}

/// Rows that cannot be read: a few are the channel's, many are our map's.
struct Bad {
    most: u32,
    count: u32,
    first: String,
}

impl Bad {
    fn count(&mut self, rows: &[StatementRow], name: &str) -> Result<(), ReconcileError> {
        for row in rows.iter().filter(|row| row.kind == Kind::Bad) {
            if self.count == 0 {
                self.first = format!("{name}, line {}: {}", row.line, row.note);
            }
            self.count += 1;
        }
        if self.count > self.most {
            return Err(ReconcileError::Bad { most: self.most, first: self.first.clone() });
        }
        Ok(())
    }
}

/// The next rows, and whether the file is over with them.
fn batch<R: io::BufRead>(
    lines: &mut Lines<R>,
    layout: &Layout<'_>,
    file: i64,
) -> io::Result<(Vec<StatementRow>, bool)> {
    let mut rows = Vec::with_capacity(BATCH);
    while rows.len() < BATCH {
        let Some(line) = lines.next()? else { return Ok((rows, true)) };
        let read = match line {
            Line::Blank => continue,
            Line::Fields => layout.row(lines.fields()),
            Line::Bad(why) => Err(why.to_owned()),
        };
        let row = read.unwrap_or_else(|note| StatementRow { raw: Some(lines.raw()), note, ..StatementRow::default() });
        rows.push(StatementRow { file, line: lines.place.line as i64, ..row });
    }
    Ok((rows, false))
}

/// What the journal knows of these rows: by our keys, then by the channel's references where the keys said nothing.
async fn look_up(journal: &Journal, channel: &str, rows: &[StatementRow]) -> Result<Known, ReconcileError> {
    let moved = || rows.iter().filter(|row| matches!(row.kind, Kind::Charge | Kind::Reversal));
    let mut known = Known::default();
    let keys: Vec<&str> = moved().filter_map(|row| row.key.as_deref()).collect();
    known.charges(journal.charges_by_keys(channel, &keys).await?);
    let references: Vec<&str> =
        moved().filter(|row| known.charge(row).is_none()).filter_map(|row| row.reference.as_deref()).collect();
    known.charges(journal.attempts_by_references(false, channel, &references).await?);
    let reversals: Vec<&StatementRow> = moved().filter(|row| row.kind == Kind::Reversal).collect();
    let purchases: HashSet<i64> =
        reversals.iter().filter_map(|row| Some(known.charge(row)?.of.purchase_number)).collect();
    let purchases: Vec<i64> = purchases.into_iter().collect();
    let references: Vec<&str> = reversals.iter().filter_map(|row| row.reference.as_deref()).collect();
    let refunds = journal.refunds_of(channel, &purchases).await?;
    let by_reference = journal.attempts_by_references(true, channel, &references).await?;
    known.refunds([refunds, by_reference].concat());
    Ok(known)
}

fn confirmed_by_a_person(row: StatementRow, charge: &KnownCharge) -> (StatementRow, NewDiscrepancy) {
    let row = StatementRow { standing: Standing::Weak, charge: Some(charge.of.clone()), ..row };
    let discrepancy = NewDiscrepancy {
        row: Some((row.file, row.line)),
        standing: Standing::Weak,
        charge: row.charge.clone(),
        theirs: row.money.map_or(0, |money| money.amount),
        currency: row.money.map(|money| money.currency),
        note: "only number, amount and time speak for it".to_owned(),
        closed: false,
    };
    (row, discrepancy)
}

fn hash(mut file: File, digest: &mut Sha256) -> io::Result<u64> {
    let (mut buffer, mut octets) = (vec![0; FILE_BUFFER], 0);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(octets);
        }
        digest.update(&buffer[..read]);
        octets += read as u64;
    }
}

fn name(path: &std::path::Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

fn broken(error: &tokio::task::JoinError) -> ReconcileError {
    ReconcileError::File { name: "the statement".to_owned(), error: io::Error::other(error.to_string()) }
}
