//! Operators, their sessions, and the audit of what they looked at. Takes nobody out, and rewrites no line of the audit;
//! holds neither a password nor a token, only their hashes.

use super::columns::{self, Columns};
use super::error::Cause;
use super::rows::{AuditRow, NewAudit, NewOperator, OperatorChange, OperatorRow, SessionRow};
use super::statement::Statement;
use super::store::Store;
use crate::people::Role;
use crate::purchase::record::Micros;

/// Lines of the audit in one answer at most.
const LINES: u32 = 1_000;
/// Operators in one list at most.
const OPERATORS: i64 = 10_000;

const OPERATOR: &str = "name, role, password, created_at, password_at, disabled_at";

/// Returns a row unless the name is taken.
pub(super) fn add(new: &NewOperator, now: Micros) -> Statement {
    let mut insert = Statement::new("INSERT INTO operator (name, role, password, created_at, password_at) VALUES (");
    insert.text(&new.name).push(", ").text(new.role.as_str()).push(", ").text(&new.password).push(", ");
    insert.int(now).push(", ").int(now).push(") ON CONFLICT (name) DO NOTHING RETURNING number");
    insert
}

/// Returns a row unless there is nobody of that name.
pub(super) fn change(name: &str, change: &OperatorChange, now: Micros) -> Statement {
    let mut update = Statement::new("UPDATE operator SET ");
    match change {
        OperatorChange::Disable => update.push("disabled_at = COALESCE(disabled_at, ").int(now).push(")"),
        OperatorChange::Enable => update.push("disabled_at = NULL"),
        OperatorChange::Password(hash) => update.push("password = ").text(hash).push(", password_at = ").int(now),
    };
    update.push(" WHERE name = ").text(name).push(" RETURNING number");
    update
}

pub(super) async fn operator(store: &Store, name: &str) -> Result<Option<OperatorRow>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(OPERATOR).push(" FROM operator WHERE name = ").text(name);
    Ok(columns::all(&store.read(select).await?, read_operator)?.pop())
}

pub(super) async fn operators(store: &Store) -> Result<Vec<OperatorRow>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(OPERATOR).push(" FROM operator ORDER BY name LIMIT ").int(OPERATORS);
    columns::all(&store.read(select).await?, read_operator)
}

fn read_operator(columns: &mut Columns<'_>) -> Result<OperatorRow, Cause> {
    Ok(OperatorRow {
        name: columns.take()?,
        role: role(columns)?,
        password: columns.take()?,
        created_at: columns.take()?,
        password_at: columns.take()?,
        disabled_at: columns.take()?,
    })
}

fn role(columns: &mut Columns<'_>) -> Result<Role, Cause> {
    let word: String = columns.take()?;
    Role::of(&word).ok_or_else(|| Cause::Unreadable(format!("an operator has the unknown role {word}")))
}

pub(super) fn open_session(token: &str, operator: &str, now: Micros) -> Statement {
    let mut insert = Statement::new("INSERT INTO session (token, operator_number, opened_at, used_at) SELECT ");
    insert.text(token).push(", number, ").int(now).push(", ").int(now).push(" FROM operator WHERE name = ");
    insert.text(operator).push(" AND disabled_at IS NULL RETURNING operator_number");
    insert
}

/// One that was ended, whose operator is disabled, or that is older than the password, is none.
pub(super) async fn session(store: &Store, token: &str) -> Result<Option<SessionRow>, Cause> {
    let mut select = Statement::new(
        "SELECT operator.name, operator.role, session.opened_at, session.used_at FROM session \
         JOIN operator ON operator.number = session.operator_number WHERE session.token = ",
    );
    select.text(token).push(" AND session.ended_at IS NULL AND operator.disabled_at IS NULL");
    select.push(" AND session.opened_at >= operator.password_at");
    let read = |columns: &mut Columns<'_>| {
        Ok(SessionRow {
            operator: columns.take()?,
            role: role(columns)?,
            opened_at: columns.take()?,
            used_at: columns.take()?,
        })
    };
    Ok(columns::all(&store.read(select).await?, read)?.pop())
}

pub(super) fn use_session(token: &str, now: Micros) -> Statement {
    let mut update = Statement::new("UPDATE session SET used_at = ");
    update.int(now).push(" WHERE token = ").text(token).push(" AND used_at < ").int(now);
    update
}

pub(super) fn end_session(token: &str, now: Micros) -> Statement {
    let mut update = Statement::new("UPDATE session SET ended_at = ");
    update.int(now).push(" WHERE token = ").text(token).push(" AND ended_at IS NULL");
    update
}

pub(super) fn audit(line: &NewAudit<'_>, now: Micros) -> Statement {
    let mut insert = Statement::new("INSERT INTO audit (at, operator, address, what, detail) VALUES (");
    insert.int(now).push(", ").text(line.operator).push(", ").text(line.address).push(", ");
    insert.text(line.what).push(", ").text(line.detail).push(")");
    insert
}

/// Newest first; only lines before this number, where there is one.
pub(super) async fn audited(store: &Store, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>, Cause> {
    let mut select = Statement::new("SELECT number, at, operator, address, what, detail FROM audit WHERE number < ");
    select.int(before.unwrap_or(i64::MAX)).push(" ORDER BY number DESC LIMIT ").int(limit.min(LINES).into());
    let read = |columns: &mut Columns<'_>| {
        Ok(AuditRow {
            number: columns.take()?,
            at: columns.take()?,
            operator: columns.take()?,
            address: columns.take()?,
            what: columns.take()?,
            detail: columns.take()?,
        })
    };
    columns::all(&store.read(select).await?, read)
}
