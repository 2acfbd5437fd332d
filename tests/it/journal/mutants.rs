//! The schema with one guard taken out at a time: the forbidden write that this guard alone refuses is refused while it
//! stands and taken once it is gone. Which guards there are is asked of PostgreSQL, so that none is left out.

use super::samples::{attempt, attempt_row, first, later, purchase, step};
use crate::stores::{Store, both_stores};
use paygate::journal::rows::{Committed, Unit};
use paygate::purchase::record::{AttemptStatus, Purchase, State};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use std::collections::BTreeSet;

/// One guard, and what happens if it is not there.
struct Mutant {
    guard: &'static str,
    table: &'static str,
    kind: Kind,
    /// Refused by this guard and by no other.
    write: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Index,
    Trigger,
    /// With the words that begin it in SQLite's schema.
    Check(&'static str),
    /// The same.
    ForeignKey(&'static str),
    /// Part of its table in SQLite, where it cannot be taken out by itself.
    Key,
}

/// Guards that another one stands in front of, so that no write is refused by them alone.
const BEHIND: [(&str, &str); 4] = [
    ("grant_purchase_number_fkey", "a grant's purchase has its charge, whose own reference is refused first"),
    ("refund_purchase_number_fkey", "a refund's purchase has its charge, whose own reference is refused first"),
    ("purchase_pkey", "the database numbers the rows by itself"),
    ("event_is_never_emptied", "only PostgreSQL can empty a table so; tried below"),
];

const fn mutant(guard: &'static str, table: &'static str, kind: Kind, write: String) -> Mutant {
    Mutant { guard, table, kind, write }
}

fn number(id: &str) -> String {
    format!("(SELECT number FROM purchase WHERE id = '{id}')")
}

fn attempted(table: &str, id: &str, key: &str, status: &str, amount: i64) -> String {
    let (column, value) =
        if table == "refund" { (", charge_key", format!(", '{id}-c1'")) } else { ("", String::new()) };
    format!(
        "INSERT INTO \"{table}\" (purchase_number, key, msisdn, channel, status, sends, amount, currency, intended_at, \
         send_by, in_flight_until, request, fingerprint, updated_at{column}) VALUES ({}, '{key}', '+84854689520', \
         'viettel', '{status}', 1, {amount}, 'VND', 1, 2, 3, '{{}}', '', 1{value})",
        number(id)
    )
}

fn of_attempts() -> Vec<Mutant> {
    use Kind::{Check, ForeignKey, Index, Key, Trigger};
    let fixed = |table: &str| format!("UPDATE \"{table}\" SET amount = amount - 1 WHERE key = 'p1-{}1'", &table[..1]);
    let status = Check("status          TEXT NOT NULL");
    let amount = Check("amount          BIGINT NOT NULL");
    vec![
        mutant("charge_live", "charge", Index, attempted("charge", "p1", "p1-c2", "intended", 1)),
        mutant("grant_live", "grant", Index, attempted("grant", "p1", "p1-g2", "intended", 1)),
        mutant("refund_live", "refund", Index, attempted("refund", "p1", "p1-r2", "intended", 1)),
        mutant("charge_pkey", "charge", Key, attempted("charge", "p2", "p2-c1", "failed", 1)),
        mutant("grant_pkey", "grant", Key, attempted("grant", "p1", "p1-g1", "failed", 1)),
        mutant("refund_pkey", "refund", Key, attempted("refund", "p1", "p1-r1", "failed", 1)),
        mutant("charge_key_is_its_own", "charge", Trigger, attempted("charge", "p3", "p1-c1", "intended", 1)),
        mutant("grant_key_is_its_own", "grant", Trigger, attempted("grant", "p3", "p1-g1", "intended", 1)),
        mutant("refund_key_is_its_own", "refund", Trigger, attempted("refund", "p2", "p1-r1", "intended", 1)),
        mutant("charge_is_fixed", "charge", Trigger, fixed("charge")),
        mutant("grant_is_fixed", "grant", Trigger, fixed("grant")),
        mutant("refund_is_fixed", "refund", Trigger, fixed("refund")),
        mutant("refund_is_within_charge", "refund", Trigger, attempted("refund", "p2", "p2-r1", "intended", 10_001)),
        mutant("charge_status_check", "charge", status, attempted("charge", "p3", "p3-c1", "paid", 1)),
        mutant("grant_status_check", "grant", status, attempted("grant", "p3", "p3-g1", "given", 1)),
        mutant("refund_status_check", "refund", status, attempted("refund", "p2", "p2-r1", "given", 1)),
        mutant("charge_amount_check", "charge", amount, attempted("charge", "p3", "p3-c1", "intended", 0)),
        mutant("grant_amount_check", "grant", amount, attempted("grant", "p3", "p3-g1", "intended", -1)),
        mutant("refund_amount_check", "refund", amount, attempted("refund", "p2", "p2-r1", "intended", 0)),
        mutant(
            "charge_purchase_number_fkey",
            "charge",
            ForeignKey("purchase_number BIGINT NOT NULL"),
            "DELETE FROM purchase WHERE id = 'p2'".to_owned(),
        ),
        mutant(
            "refund_purchase_number_charge_key_fkey",
            "refund",
            ForeignKey("FOREIGN KEY (purchase_number, charge_key)"),
            "DELETE FROM charge WHERE key = 'p1-c1'".to_owned(),
        ),
    ]
}

fn of_purchases() -> Vec<Mutant> {
    use Kind::{Check, Key, Trigger};
    let p3 = |set: &str| format!("UPDATE purchase SET {set} WHERE id = 'p3'");
    let event = format!(
        "INSERT INTO event (purchase_number, seq, at, kind, state_from, state_to, body)
         VALUES ({}, 1, 1, 'timer', 'requested', 'done', '{{}}')",
        number("p3")
    );
    let same = |table: &str, columns: &str, of: &str| {
        format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE {of}")
    };
    let message = "key, generation, at, door, link, sender, recipient, raw, verdict";
    let reply =
        "purchase_number, key, at, link, sender, recipient, kind, text, not_after, status, sends, due_at, updated_at";
    let twice = "INSERT INTO purchase (id, version, state, due_at, msisdn, account, account_folded, service, package, \
                 channel, door, link, short_code, paid, granted, created_at, updated_at, body) SELECT id, version, state, \
                 due_at, msisdn, account, account_folded, service, package, channel, door, link, short_code, paid, \
                 granted, created_at, updated_at, body FROM purchase WHERE id = 'p3'";
    vec![
        mutant("purchase_id_key", "purchase", Key, twice.to_owned()),
        mutant("purchase_version_check", "purchase", Check("version        BIGINT NOT NULL"), p3("version = 0")),
        mutant("purchase_state_check", "purchase", Check("state          TEXT NOT NULL"), p3("state = 'forgotten'")),
        mutant(
            "purchase_amount_check",
            "purchase",
            Check("amount         BIGINT"),
            p3("amount = -1, currency = 'VND'"),
        ),
        mutant("purchase_paid_check", "purchase", Check("paid           TEXT NOT NULL"), p3("paid = 'perhaps'")),
        mutant("purchase_granted_check", "purchase", Check("granted        TEXT NOT NULL"), p3("granted = 'perhaps'")),
        mutant("purchase_open_is_due", "purchase", Check("CONSTRAINT purchase_open_is_due"), p3("due_at = NULL")),
        mutant(
            "purchase_review_has_reason",
            "purchase",
            Check("CONSTRAINT purchase_review_has_reason"),
            p3("state = 'review'"),
        ),
        mutant("purchase_price_is_whole", "purchase", Check("CONSTRAINT purchase_price_is_whole"), p3("amount = 1")),
        mutant("event_pkey", "event", Key, event),
        mutant("event_is_append_only", "event", Trigger, "UPDATE event SET state_to = 'done'".to_owned()),
        mutant("event_is_not_updated", "event", Trigger, "UPDATE event SET state_to = 'done'".to_owned()),
        mutant("event_is_not_deleted", "event", Trigger, "DELETE FROM event".to_owned()),
        mutant("message_pkey", "message", Key, same("message", message, "key = 'm-p3'")),
        mutant("reply_pkey", "reply", Key, same("reply", reply, "key = 'p3-1'")),
        mutant(
            "reply_status_check",
            "reply",
            Check("status          TEXT NOT NULL"),
            "UPDATE reply SET status = 'lost'".to_owned(),
        ),
        mutant(
            "reply_queued_is_due",
            "reply",
            Check("CONSTRAINT reply_queued_is_due"),
            "UPDATE reply SET due_at = NULL".to_owned(),
        ),
    ]
}

fn mutants(store: &Store) -> Vec<Mutant> {
    let stands = |mutant: &Mutant| match mutant.guard {
        "event_is_append_only" => store.is_postgres(),
        "event_is_not_updated" | "event_is_not_deleted" => !store.is_postgres(),
        _ => store.is_postgres() || mutant.kind != Kind::Key,
    };
    of_attempts().into_iter().chain(of_purchases()).filter(stands).collect()
}

impl Mutant {
    /// Takes out this guard and no other.
    fn drop(&self, postgres: bool) -> String {
        let (guard, table) = (self.guard, self.table);
        // SQLite cannot alter a table's constraints; its schema is a text, though.
        let rewritten = |from: String, to: String| {
            format!(
                "PRAGMA writable_schema = ON;
                 UPDATE sqlite_master SET sql = replace(sql, '{from}', '{to}') WHERE type = 'table' AND name = '{table}'"
            )
        };
        match self.kind {
            Kind::Index => format!("DROP INDEX {guard}"),
            Kind::Trigger if postgres => format!("DROP TRIGGER {guard} ON \"{table}\""),
            Kind::Trigger => format!("DROP TRIGGER {guard}"),
            _ if postgres => format!("ALTER TABLE \"{table}\" DROP CONSTRAINT {guard} CASCADE"),
            Kind::Check(words) => rewritten(format!("{words} CHECK ("), format!("{words} CHECK (1 OR ")),
            Kind::ForeignKey("FOREIGN KEY (purchase_number, charge_key)") => rewritten(
                "FOREIGN KEY (purchase_number, charge_key) REFERENCES charge (purchase_number, key)".to_owned(),
                "CHECK (1)".to_owned(),
            ),
            Kind::ForeignKey(words) => rewritten(format!("{words} REFERENCES purchase (number)"), words.to_owned()),
            Kind::Key => String::new(),
        }
    }
}

/// Runs statements past the journal.
async fn run(store: &Store, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(store.url()).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}

/// `p1` with a charge, a grant and a refund; `p2` with a charge; `p3` with nothing.
async fn filled(store: &Store) {
    let journal = store.open().await;
    journal.commit(vec![first("p1"), first("p2"), first("p3")]).await.unwrap();
    let row = |of: &Purchase, key: &str| Some(attempt_row(of, attempt(key, AttemptStatus::Unknown)));
    let (mut p1, p2) = (step(&purchase("p1"), State::Refunding), step(&purchase("p2"), State::Charging));
    p1.charge = Some(attempt("p1-c1", AttemptStatus::Unknown));
    let of_p1 = Unit { charge: row(&p1, "p1-c1"), grant: row(&p1, "p1-g1"), refund: row(&p1, "p1-r1"), ..later(&p1) };
    let of_p2 = Unit { charge: row(&p2, "p2-c1"), ..later(&p2) };
    assert_eq!(journal.commit(vec![of_p1, of_p2]).await.unwrap(), [Committed::Durable; 2]);
}

both_stores! {
    async fn each_guard_of_the_schema_refuses_what_nothing_else_would(store: Store) {
        for mutant in mutants(&store) {
            let store = store.sibling().await;
            filled(&store).await;
            let refused = run(&store, &mutant.write).await;
            assert!(refused.is_err(), "{} does not refuse: {}", mutant.guard, mutant.write);
            run(&store, &mutant.drop(store.is_postgres())).await.unwrap();
            let taken = run(&store, &mutant.write).await;
            assert!(taken.is_ok(), "without {} something else refuses {}: {taken:?}", mutant.guard, mutant.write);
            println!("{:40} {}", mutant.guard, mutant.write);
        }
    }
}

/// What PostgreSQL says guards the tables of the money: constraints, unique indexes, triggers.
#[tokio::test]
async fn no_guard_of_the_schema_is_without_its_mutant() {
    const GUARDS: &str = "
        SELECT CAST(conname AS TEXT) FROM pg_constraint WHERE contype IN ('c', 'f', 'p', 'u') AND conrelid = ANY($T)
        UNION SELECT CAST(indexrelid::regclass AS TEXT) FROM pg_index WHERE indisunique AND indrelid = ANY($T)
        UNION SELECT CAST(tgname AS TEXT) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY($T)";
    const TABLES: &str =
        "ARRAY['purchase', 'event', 'charge', '\"grant\"', 'refund', 'message', 'reply']::regclass[]::oid[]";
    let store = Store::postgres().await;
    filled(&store).await;
    assert!(run(&store, "TRUNCATE event").await.is_err(), "what happened is never emptied");
    let mut connection = AnyConnection::connect(store.url()).await.unwrap();
    let query = GUARDS.replace("$T", TABLES);
    let stand: BTreeSet<String> =
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut connection).await.unwrap().into_iter().collect();
    let known = mutants(&store).into_iter().map(|mutant| mutant.guard);
    let known: BTreeSet<String> = known.chain(BEHIND.map(|(guard, _)| guard)).map(str::to_owned).collect();
    assert_eq!(stand, known);
}
