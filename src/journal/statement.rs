//! Statements with `$n` places and their values. sqlx's own builder writes `?`, which PostgreSQL refuses. Puts no value
//! into a statement's text.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{AnyConnection, Arguments, AssertSqlSafe, Database, Sqlite};
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::{Arc, OnceLock};

/// Rows in one statement at most. With the widest row that is well under SQLite's 32,766 places.
pub(super) const ROWS: usize = 128;
/// The sizes that a statement over many rows comes in. Few, because each is prepared and kept.
const SIZES: [usize; 14] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, ROWS];

/// The largest statement for so many rows, as its place in [`SIZES`]. On PostgreSQL each statement is a round trip, so that
/// the fewest are the best; on SQLite only powers of two are used, so that all that the engine writes and reads again and
/// again fits into its connection's cache of 100.
fn size(rows: usize, is_postgres: bool) -> usize {
    let fits = |size: &usize| *size <= rows && (is_postgres || size.is_power_of_two());
    SIZES.iter().rposition(fits).unwrap_or(0)
}

/// Values in the order of their places.
#[derive(Default)]
pub(super) struct Values(AnyArguments);

impl Values {
    pub(super) fn int(&mut self, value: i64) -> &mut Self {
        self.add(value)
    }

    pub(super) fn maybe_int(&mut self, value: Option<i64>) -> &mut Self {
        self.add(value)
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.add(&*storable(value))
    }

    pub(super) fn maybe_text(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(value),
            None => self.add(None::<String>),
        }
    }

    pub(super) fn octets(&mut self, value: &[u8]) -> &mut Self {
        self.add(value)
    }

    fn add<'v, T: sqlx::Encode<'v, sqlx::Any> + sqlx::Type<sqlx::Any>>(&mut self, value: T) -> &mut Self {
        self.0.add(value).expect("integers, texts and octets encode without failing");
        self
    }
}

/// The text as both stores hold it. PostgreSQL has no U+0000 and would refuse a whole batch for one that a peer slipped
/// into an id, so it stands as U+FFFD.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// A statement made for one call, its text put together from constants.
#[derive(Default)]
pub(super) struct Statement {
    text: String,
    values: Values,
}

impl Statement {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Values::default() }
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(super) fn int(&mut self, value: i64) -> &mut Self {
        self.values.int(value);
        self.place()
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.values.text(value);
        self.place()
    }

    pub(super) fn maybe_int(&mut self, value: Option<i64>) -> &mut Self {
        self.values.maybe_int(value);
        self.cast("BIGINT")
    }

    pub(super) fn maybe_text(&mut self, value: Option<&str>) -> &mut Self {
        self.values.maybe_text(value);
        self.cast("TEXT")
    }

    /// A value that may be NULL says of what type it would be, where nothing around it does.
    fn cast(&mut self, sort: &str) -> &mut Self {
        self.push("CAST(").place().push(" AS ").push(sort).push(")")
    }

    /// `($1, $2, …)` of the values. Their number is brought up to a power of four by repeating the last, so that there are
    /// few texts to prepare; in a list of keys a repetition changes nothing.
    pub(super) fn list<'v>(&mut self, values: impl ExactSizeIterator<Item = &'v str> + Clone) -> &mut Self {
        let (count, last) = (values.len(), values.clone().last());
        let padding = std::iter::repeat_n(last, places(count) - count).flatten();
        self.push("(");
        for (at, value) in values.chain(padding).enumerate() {
            self.push(if at == 0 { "" } else { ", " }).text(value);
        }
        self.push(")")
    }

    /// The same of numbers; of none it is true for nothing.
    pub(super) fn numbers(&mut self, values: &[i64]) -> &mut Self {
        let padding = values.last().into_iter().cycle().take(places(values.len()).saturating_sub(values.len()));
        self.push("(");
        for (at, value) in values.iter().chain(padding).enumerate() {
            self.push(if at == 0 { "" } else { ", " }).int(*value);
        }
        self.push(if values.is_empty() { "NULL)" } else { ")" })
    }

    fn place(&mut self) -> &mut Self {
        let place = self.values.0.len();
        write!(self.text, "${place}").expect("writing to a String does not fail");
        self
    }

    pub(super) async fn fetch(self, connection: &mut AnyConnection) -> Result<Vec<AnyRow>, sqlx::Error> {
        sqlx::query_with(AssertSqlSafe(self.text), self.values.0).fetch_all(connection).await
    }
}

/// A statement over many rows, whose texts are made once for each size.
pub(super) struct Bulk {
    kind: Kind,
    columns: usize,
    tail: &'static str,
    /// With `?` and with `$n`.
    texts: [[OnceLock<Arc<str>>; SIZES.len()]; 2],
}

enum Kind {
    /// `INSERT INTO table (names) VALUES (…), (…) tail`
    Insert { table: &'static str, names: &'static str },
    /// `head FROM (VALUES (…), (…)) AS new tail`, where the new values are `column1`, `column2` … in both stores.
    FromValues { head: &'static str },
}

impl Bulk {
    pub(super) const fn insert(table: &'static str, names: &'static str, tail: &'static str) -> Self {
        Self::new(Kind::Insert { table, names }, count(names), tail)
    }

    pub(super) const fn from_values(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self::new(Kind::FromValues { head }, columns, tail)
    }

    const fn new(kind: Kind, columns: usize, tail: &'static str) -> Self {
        assert!(columns * ROWS <= 32_766, "SQLite takes no more places in one statement");
        Self { kind, columns, tail, texts: [const { [const { OnceLock::new() }; SIZES.len()] }; 2] }
    }

    /// Runs it over all rows, in as many statements as it takes, and returns what they return.
    pub(super) async fn run<T>(
        &self,
        connection: &mut AnyConnection,
        mut rows: &[T],
        bind: impl Fn(&mut Values, &T),
    ) -> Result<Vec<AnyRow>, sqlx::Error> {
        let numbered = numbered(connection);
        let mut returned = Vec::new();
        while !rows.is_empty() {
            let size = size(rows.len(), numbered);
            let (now, later) = rows.split_at(SIZES[size]);
            let mut values = Values::default();
            now.iter().for_each(|row| bind(&mut values, row));
            let text = self.texts[usize::from(numbered)][size].get_or_init(|| self.text(now.len(), numbered).into());
            returned
                .extend(sqlx::query_with(AssertSqlSafe(Arc::clone(text)), values.0).fetch_all(&mut *connection).await?);
            rows = later;
        }
        Ok(returned)
    }

    pub(super) fn text(&self, rows: usize, numbered: bool) -> String {
        let row = |at: usize| {
            let place = |column| if numbered { format!("${}", at * self.columns + column) } else { "?".to_owned() };
            let places = (1..=self.columns).map(place);
            format!("({})", places.collect::<Vec<_>>().join(", "))
        };
        let rows = (0..rows).map(row).collect::<Vec<_>>().join(", ");
        match self.kind {
            Kind::Insert { table, names } => format!("INSERT INTO {table} ({names}) VALUES {rows} {}", self.tail),
            Kind::FromValues { head } => format!("{head} FROM (VALUES {rows}) AS new {}", self.tail),
        }
    }
}

/// Whether places are written `$n`. SQLite takes that too, but looks each one up in a list of all, which is half its work
/// when there are thousands; a bare `?` it only counts.
fn numbered(connection: &AnyConnection) -> bool {
    connection.backend_name() != <Sqlite as Database>::NAME
}

/// The least of 1, 4, 16, 64, [`ROWS`] … in which so many values have place.
const fn places(count: usize) -> usize {
    let power = count.next_power_of_two();
    if power < ROWS && power.ilog2() % 2 == 1 { 2 * power } else { power }
}

/// How many names stand in a list with commas between them.
const fn count(names: &str) -> usize {
    let (mut count, mut at) = (1, 0);
    while at < names.len() {
        if names.as_bytes()[at] == b',' {
            count += 1;
        }
        at += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{ROWS, SIZES, size};

    /// The statements that so many rows take.
    fn statements(mut rows: usize, is_postgres: bool) -> usize {
        let mut count = 0;
        while rows > 0 {
            rows -= SIZES[size(rows, is_postgres)];
            count += 1;
        }
        count
    }

    #[test]
    fn any_number_of_rows_is_written_in_few_statements() {
        for rows in 1..=4 * ROWS {
            let whole = rows / ROWS;
            assert!(statements(rows, true) <= whole + 4, "{rows} rows on PostgreSQL");
            assert!(statements(rows, false) <= whole + 7, "{rows} rows on SQLite");
        }
    }
}
