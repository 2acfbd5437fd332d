//! Taking what is due: a lease by due time in the database, so that of many instances one gets each row. Does none of the
//! work that it hands out.

use super::columns;
use super::dialect::Dialect;
use super::statement::Statement;
use crate::purchase::record::Micros;

/// Both guards are needed. Without the repeated condition PostgreSQL claims a row twice under READ COMMITTED; without
/// SKIP LOCKED instances wait for each other; without MATERIALIZED the limit may not hold. CASE keeps the repeated
/// condition from being taken for a way to find the rows, which would read the whole backlog for each claim.
pub(super) fn due_purchases(dialect: Dialect, now: Micros, until: Micros, limit: u32) -> Statement {
    let mut claim =
        Statement::new("WITH due AS MATERIALIZED (SELECT number AS due_number FROM purchase WHERE due_at <= ");
    claim.int(now).push(" ORDER BY due_at LIMIT ").int(limit.into()).push(dialect.skip_locked());
    claim.push(") UPDATE purchase SET version = version + 1, due_at = ").int(until);
    claim
        .push(" FROM due WHERE purchase.number = due_number AND CASE WHEN purchase.due_at <= ")
        .int(now)
        .push(" THEN 1 ELSE 0 END = 1");
    claim.push(" RETURNING ").push(columns::PURCHASE);
    claim
}

/// The same for the replies of some links; `sends` counts the claims.
pub(super) fn due_replies(dialect: Dialect, now: Micros, until: Micros, links: &[String], limit: u32) -> Statement {
    let mut claim = Statement::new(
        "WITH due AS MATERIALIZED (SELECT purchase_number AS due_purchase, key AS due_key FROM reply WHERE link IN ",
    );
    claim.list(links.iter().map(String::as_str)).push(" AND due_at <= ").int(now);
    claim.push(" ORDER BY due_at LIMIT ").int(limit.into()).push(dialect.skip_locked());
    claim.push(") UPDATE reply SET sends = sends + 1, due_at = ").int(until);
    claim
        .push(" FROM due WHERE reply.purchase_number = due_purchase AND reply.key = due_key AND CASE WHEN reply.due_at <= ")
        .int(now)
        .push(" THEN 1 ELSE 0 END = 1");
    claim.push(" RETURNING ").push(columns::REPLY);
    claim
}
