//! The connections of one journal, and the rule that work on them is always brought to its end: a caller that goes away
//! leaves no statement half done. Knows no table but `writer`.

use super::commit::close;
use super::dialect::{Dialect, Role};
use super::error::Cause;
use super::lineage::Lineage;
use super::migrations;
use super::statement::Statement;
use crate::config;
use sqlx::AnyPool;
use sqlx::any::AnyRow;
use std::fs::File;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::Mutex;

#[derive(Debug)]
pub(super) struct Store {
    pub(super) dialect: Dialect,
    /// Without user and password.
    pub(super) name: String,
    readers: AnyPool,
    writer: Option<Writer>,
    /// For a command line beside the daemon: it writes acts and nothing else.
    operator: Option<AnyPool>,
    /// How long a transaction may take as seen from here. Twice what the server allows one statement, so that the
    /// server's own, clearer error comes first.
    pub(super) patience: Duration,
    /// The SQLite file's lock, held as long as the journal is open.
    _lock: Option<File>,
}

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) pool: AnyPool,
    /// This daemon's row in `writer`.
    pub(super) instance: String,
    /// The number of the last commit. Its lock lets one commit at a time through.
    pub(super) batch: Mutex<i64>,
    pub(super) lineage: Lineage,
    /// The last commit failed for a reason that concerns all: a full disk, a server that takes no writes.
    pub(super) failing: AtomicBool,
}

impl Store {
    pub(super) async fn open(config: &config::Journal) -> Result<Self, Cause> {
        let dialect = Dialect::of(config)?;
        let lock = dialect.take(config)?;
        dialect.probe(config, Role::Writer).await?;
        let lineage = Lineage::default();
        let pool = dialect.writer_pool(config, lineage.clone())?;
        migrations::run(dialect, &pool).await?;
        lineage.settle(dialect, &mut *pool.acquire().await?).await?;
        let instance = token()?;
        sqlx::query("INSERT INTO writer (instance, batch, opened_at) VALUES ($1, 0, $2)")
            .bind(&instance)
            .bind(sqlx::query_scalar::<_, i64>(dialect.now()).fetch_one(&pool).await?)
            .execute(&pool)
            .await?;
        let writer = Writer { pool, instance, batch: Mutex::new(0), lineage, failing: AtomicBool::new(false) };
        Self::new(dialect, config, Some(writer), None, lock)
    }

    pub(super) async fn open_for_an_operator(config: &config::Journal) -> Result<Self, Cause> {
        let dialect = Dialect::of(config)?;
        dialect.probe(config, Role::Operator).await?;
        let store = Self::new(dialect, config, None, Some(dialect.pool(config, Role::Operator)?), None)?;
        match store.read(Statement::new("SELECT number FROM operator LIMIT 1")).await {
            Ok(_) => Ok(store),
            Err(Cause::Unfit(_)) => Err(Cause::Unfit(
                "it has no place for operators and their acts yet: start this version's daemon on it".to_owned(),
            )),
            Err(cause) => Err(cause),
        }
    }

    pub(super) async fn open_for_reading(config: &config::Journal) -> Result<Self, Cause> {
        let dialect = Dialect::of(config)?;
        dialect.probe(config, Role::Reader).await?;
        let store = Self::new(dialect, config, None, None, None)?;
        store.read(Statement::new("SELECT instance FROM writer LIMIT 1")).await?;
        Ok(store)
    }

    fn new(
        dialect: Dialect,
        config: &config::Journal,
        writer: Option<Writer>,
        operator: Option<AnyPool>,
        lock: Option<File>,
    ) -> Result<Self, Cause> {
        let readers = dialect.pool(config, Role::Reader)?;
        let patience = 2 * config.statement_timeout;
        Ok(Self { dialect, name: dialect.name(config), readers, writer, operator, patience, _lock: lock })
    }

    pub(super) fn writer(&self) -> Result<&Writer, Cause> {
        self.writer.as_ref().ok_or_else(|| Cause::Unfit("it was opened for reading only".to_owned()))
    }

    pub(super) async fn read(&self, statement: Statement) -> Result<Vec<AnyRow>, Cause> {
        self.run(&self.readers, None, statement).await
    }

    /// Many rows by their keys. PostgreSQL has connections that never take such a question for a scan; SQLite never does, and
    /// its one connection that writes is left alone.
    pub(super) async fn keyed(&self, statement: Statement) -> Result<Vec<AnyRow>, Cause> {
        match self.dialect {
            Dialect::Sqlite => self.read(statement).await,
            Dialect::Postgres => self.run(self.operators()?, None, statement).await,
        }
    }

    /// Whatever is claimed by it is decided upon: whose server it is claimed from is known before.
    pub(super) async fn write(&self, statement: Statement) -> Result<Vec<AnyRow>, Cause> {
        let writer = self.writer()?;
        self.run(&writer.pool, Some(&writer.lineage), statement).await
    }

    /// One statement of an operator's.
    pub(super) async fn act(&self, statement: Statement) -> Result<Vec<AnyRow>, Cause> {
        self.run(self.operators()?, None, statement).await
    }

    /// The connections by which operators write.
    pub(super) fn operators(&self) -> Result<&AnyPool, Cause> {
        let pool = self.operator.as_ref().or(self.writer.as_ref().map(|writer| &writer.pool));
        pool.ok_or_else(|| Cause::Unfit("it was opened for reading only".to_owned()))
    }

    /// One statement. A connection that does not answer in time is closed, not given back.
    async fn run(&self, pool: &AnyPool, lineage: Option<&Lineage>, statement: Statement) -> Result<Vec<AnyRow>, Cause> {
        let mut connection = pool.acquire().await?;
        let done = async {
            if let Some(lineage) = lineage {
                lineage.settle(self.dialect, &mut connection).await?;
            }
            statement.fetch(&mut connection).await
        };
        match tokio::time::timeout(self.patience, done).await {
            Ok(rows) => Ok(rows?),
            Err(_) => {
                close(connection);
                Err(Cause::Down(sqlx::Error::PoolTimedOut))
            }
        }
    }
}

/// 16 random bytes in hex: no two daemon starts share a row.
fn token() -> Result<String, Cause> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Cause::Unfit(format!("no random bytes from the system: {error}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// The store as an error may name it, even if it could not be opened.
pub(super) fn name(config: &config::Journal) -> String {
    Dialect::of(config).map_or_else(|_| "a store of no known kind".to_owned(), |dialect| dialect.name(config))
}
