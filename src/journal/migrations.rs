//! The schema's steps, each with its file for either engine. One that has landed is never edited.

use super::dialect::Dialect;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, SqlSafeStr};

/// Number, name, and the files of SQLite and PostgreSQL.
macro_rules! step {
    ($number:literal, $name:literal, $file:literal) => {
        (
            $number,
            $name,
            include_str!(concat!("../../migrations/sqlite/", $file)),
            include_str!(concat!("../../migrations/postgres/", $file)),
        )
    };
}

const STEPS: &[(i64, &str, &str, &str)] = &[
    step!(1, "init", "0001_init.sql"),
    step!(2, "acts", "0002_acts.sql"),
    step!(3, "surplus", "0003_surplus.sql"),
    step!(4, "people", "0004_people.sql"),
    step!(5, "statements", "0005_statements.sql"),
    step!(6, "remedies", "0006_remedies.sql"),
];

/// Brings the schema up to date. Safe to run again and by several instances at once.
pub(super) async fn run(dialect: Dialect, writer: &AnyPool) -> Result<(), sqlx::Error> {
    let migration = |&(number, name, sqlite, postgres): &(i64, &'static str, &'static str, &'static str)| {
        let sql = match dialect {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
        };
        Migration::new(number, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Ok(Migrator::with_migrations(STEPS.iter().map(migration).collect()).run(writer).await?)
}
