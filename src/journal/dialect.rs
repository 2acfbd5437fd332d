//! Everything in which SQLite and PostgreSQL differ: connecting, what makes a commit durable, locks, and error codes.
//! All other statements are one text for both. Reads no row of ours.

use super::error::Cause;
use super::lineage::Lineage;
use crate::config;
use secrecy::ExposeSecret;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection};
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
    /// Writes acts beside a daemon, and opens only what a daemon has made.
    Operator,
    /// Writes nothing of its own.
    Checkpointer,
}

impl Dialect {
    pub(super) fn of(config: &config::Journal) -> Result<Self, Cause> {
        // Once a process is enough, and doing it again does nothing.
        sqlx::any::install_default_drivers();
        match config.url.expose_secret().split(':').next() {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            Some(_) | None => Err(Cause::Unfit("[journal] url begins with neither sqlite: nor postgres://".to_owned())),
        }
    }

    /// The store as a log may name it: without user and password.
    pub(super) fn name(self, config: &config::Journal) -> String {
        match (self, AnyConnectOptions::from_str(config.url.expose_secret())) {
            (Self::Sqlite, _) => match file(config) {
                Ok(file) => format!("sqlite {}", file.display()),
                Err(_) => "sqlite".to_owned(),
            },
            (Self::Postgres, Ok(options)) => {
                let url = &options.database_url;
                format!("postgres {}{}", url.host_str().unwrap_or("(local socket)"), url.path())
            }
            (Self::Postgres, Err(_)) => "postgres".to_owned(),
        }
    }

    /// A transaction that will write. SQLite must take the write lock at once: one that reads first and wants to write
    /// later fails in spite of its busy timeout.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Behind the selection of rows to claim: two instances pass each other by. SQLite has one writer at a time.
    pub(super) const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// The database's clock in microseconds.
    pub(super) const fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT CAST(unixepoch('subsec') * 1000 AS BIGINT) * 1000",
            Self::Postgres => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
        }
    }

    /// Which server this is and which timeline it writes: another after a failover or a restore. A file has neither.
    pub(super) const fn server(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            // Not pg_control_checkpoint(), which keeps the old timeline until the first checkpoint after a promotion.
            Self::Postgres => Some(
                "SELECT system_identifier || ' ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
                 FROM pg_control_system()",
            ),
        }
    }

    /// SQLite lets one connection write at a time; more would only wait for each other. On PostgreSQL a claim need not
    /// wait for a commit, and a connection that hangs must not stop the next.
    const fn writers(self) -> u32 {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => 3,
        }
    }

    /// Takes the file for this daemon alone, until the handle is dropped. PostgreSQL is shared by design.
    pub(super) fn take(self, config: &config::Journal) -> Result<Option<File>, Cause> {
        if self == Self::Postgres {
            return Ok(None);
        }
        let mut path = file(config)?.into_os_string();
        path.push(".lock");
        let unfit = |error: std::io::Error| {
            Cause::Unfit(format!("{} cannot be locked: {error}", PathBuf::from(&path).display()))
        };
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(unfit)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Err(Cause::Taken),
            Err(TryLockError::Error(error)) => Err(unfit(error)),
        }
    }

    /// Connects once, for an error that says what is wrong: a pool only tries again until its time is up.
    pub(super) async fn probe(self, config: &config::Journal, role: Role) -> Result<(), Cause> {
        let options = self.options(config, role)?;
        let work = async {
            let mut connection = options.connect().await?;
            self.prepare(&mut connection, role, config.statement_timeout).await?;
            connection.close().await
        };
        match tokio::time::timeout(config.statement_timeout, work).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(Cause::Down(sqlx::Error::PoolTimedOut)),
        }
    }

    /// Connections for one role; opened when they are needed, each held to the durability that was promised.
    pub(super) fn pool(self, config: &config::Journal, role: Role) -> Result<AnyPool, Cause> {
        let timeout = config.statement_timeout;
        let pool = self.pool_options(config, role);
        Ok(pool
            .after_connect(move |connection, _| Box::pin(self.prepare(connection, role, timeout)))
            .connect_lazy_with(self.options(config, role)?))
    }

    /// The connections that write. Each tells `lineage` whose it is before it is used.
    pub(super) fn writer_pool(self, config: &config::Journal, lineage: Lineage) -> Result<AnyPool, Cause> {
        let (role, timeout) = (Role::Writer, config.statement_timeout);
        let pool = self.pool_options(config, role).after_connect(move |connection, _| {
            let lineage = lineage.clone();
            Box::pin(async move {
                self.prepare(&mut *connection, role, timeout).await?;
                lineage.meet(self, connection).await
            })
        });
        Ok(pool.connect_lazy_with(self.options(config, role)?))
    }

    fn pool_options(self, config: &config::Journal, role: Role) -> AnyPoolOptions {
        let size = match role {
            Role::Writer => self.writers(),
            Role::Reader => config.readers.max(1),
            // Two looks by key beside a write.
            Role::Operator => self.writers(),
            Role::Checkpointer => 1,
        };
        AnyPoolOptions::new().max_connections(size).acquire_timeout(config.statement_timeout)
    }

    async fn prepare(self, connection: &mut AnyConnection, role: Role, timeout: Duration) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(self.settings(role, timeout))).execute(&mut *connection).await?;
        match role {
            Role::Writer | Role::Operator => self.check(connection).await,
            Role::Reader | Role::Checkpointer => Ok(()),
        }
    }

    fn options(self, config: &config::Journal, role: Role) -> Result<AnyConnectOptions, Cause> {
        let unfit = |error: sqlx::Error| Cause::Unfit(format!("[journal] url cannot be read: {error}"));
        let mut options = AnyConnectOptions::from_str(config.url.expose_secret()).map_err(unfit)?;
        let url = &mut options.database_url;
        let has = |name: &str| url.query_pairs().any(|(key, _)| key == name);
        match self {
            Self::Sqlite if role == Role::Writer && !has("mode") => {
                url.query_pairs_mut().append_pair("mode", "rwc");
            }
            Self::Sqlite => {}
            // Room for each statement in each of its sizes, so that none is prepared twice.
            Self::Postgres if !has("statement-cache-capacity") => {
                url.query_pairs_mut().append_pair("statement-cache-capacity", "512");
            }
            Self::Postgres => {}
        }
        // Our statements have thousands of placeholders; their texts say nothing in a log.
        Ok(options.disable_statement_logging())
    }

    fn settings(self, role: Role, timeout: Duration) -> String {
        let timeout = timeout.as_millis();
        match (self, role) {
            // What the checkpointer has not brought into the file by then, a commit must: it bounds the log.
            (Self::Sqlite, Role::Writer) => format!(
                "PRAGMA busy_timeout = {timeout}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -65536;
                 PRAGMA temp_store = MEMORY"
            ),
            (Self::Sqlite, Role::Operator) => {
                format!("PRAGMA busy_timeout = {timeout}; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
            }
            (Self::Sqlite, Role::Reader) => format!("PRAGMA busy_timeout = {timeout}; PRAGMA query_only = ON"),
            (Self::Sqlite, Role::Checkpointer) => format!("PRAGMA busy_timeout = {timeout}; PRAGMA synchronous = FULL"),
            // Rows are written by key: each statement is planned once, and never as a scan because its table was still
            // small then. A transaction whose client is gone gives its locks back.
            (Self::Postgres, Role::Writer) => format!(
                "SET statement_timeout = {timeout}; SET idle_in_transaction_session_timeout = {}; SET jit = off;
                 SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off;
                 SET enable_mergejoin = off",
                2 * timeout
            ),
            // Reconciliation asks by key, too, in tables that may have grown since the server last looked.
            (Self::Postgres, Role::Operator) => format!(
                "SET statement_timeout = {timeout}; SET jit = off; SET plan_cache_mode = force_generic_plan;
                 SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
            ),
            (Self::Postgres, Role::Reader | Role::Checkpointer) => {
                format!("SET statement_timeout = {timeout}; SET jit = off; SET default_transaction_read_only = on")
            }
        }
    }

    /// Whether an acknowledged commit survives a crash here. Asked on each new connection, since the server behind an
    /// address may have changed.
    async fn check(self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite => {
                let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
                let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(connection).await?;
                if mode != "wal" || synchronous != 2 {
                    return Err(unfit(
                        "the file must be on a local disk, where SQLite can use WAL with synchronous = FULL",
                    ));
                }
            }
            Self::Postgres => {
                let query = "SELECT current_setting('synchronous_commit'), current_setting('fsync'), \
                             current_setting('full_page_writes'), current_setting('server_encoding')";
                let (commit, fsync, pages, encoding): (String, String, String, String) =
                    sqlx::query_as(query).fetch_one(connection).await?;
                if commit != "on" && commit != "remote_apply" {
                    return Err(unfit("synchronous_commit must be on or remote_apply for paygate's role"));
                }
                if fsync != "on" || pages != "on" {
                    return Err(unfit("fsync and full_page_writes must be on, or a crash loses acknowledged messages"));
                }
                if encoding != "UTF8" {
                    return Err(unfit(
                        "the database must have the encoding UTF8, or it refuses what subscribers write",
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The database file of a SQLite url.
fn file(config: &config::Journal) -> Result<PathBuf, Cause> {
    let options = SqliteConnectOptions::from_str(config.url.expose_secret())
        .map_err(|error| Cause::Unfit(format!("[journal] url cannot be read: {error}")))?;
    let file = options.get_filename().to_owned();
    if file.to_string_lossy().starts_with("file:sqlx-in-memory") {
        return Err(Cause::Unfit("a journal in memory is lost with the process; name a file on disk".to_owned()));
    }
    Ok(file)
}

/// A configuration error is what sqlx does not try again for.
fn unfit(text: &str) -> sqlx::Error {
    sqlx::Error::Configuration(text.into())
}

/// Whether the rows themselves were refused: a constraint, a trigger, or a value that the database cannot hold. The same
/// rows will be refused again.
pub(super) fn refused(error: &sqlx::Error) -> bool {
    let Some(code) = error.as_database_error().and_then(sqlx::error::DatabaseError::code) else { return false };
    match code.parse::<u32>() {
        // SQLite numbers have at most four digits: SQLITE_CONSTRAINT in all its kinds, TOOBIG, MISMATCH.
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 18..=20),
        // SQLSTATE classes: data exception, integrity constraint violation, program limit exceeded.
        Ok(_) | Err(_) => ["22", "23", "54"].iter().any(|class| code.starts_with(class)),
    }
}

/// What a failed statement means to the caller.
impl From<sqlx::Error> for Cause {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;
        match &error {
            Error::ColumnDecode { .. }
            | Error::Decode(_)
            | Error::ColumnIndexOutOfBounds { .. }
            | Error::RowNotFound => Self::Unreadable(error.to_string()),
            Error::Configuration(_) | Error::Tls(_) | Error::Migrate(_) => Self::Unfit(error.to_string()),
            Error::Database(database) if database.code().is_some_and(|code| needs_an_operator(&code)) => {
                Self::Unfit(error.to_string())
            }
            // sqlx's enum is open; whatever else it says, trying again does no harm.
            _ => Self::Down(error),
        }
    }
}

/// Codes that stay until somebody changes the store: no rights, no such table, not a database.
fn needs_an_operator(code: &str) -> bool {
    match code.parse::<u32>() {
        // SQLITE_ERROR, PERM, READONLY, CORRUPT, CANTOPEN, NOTADB.
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 1 | 3 | 8 | 11 | 14 | 26),
        // Authorisation, no such database or schema, syntax or access rule.
        Ok(_) | Err(_) => ["28", "3D", "3F", "42"].iter().any(|class| code.starts_with(class)),
    }
}
