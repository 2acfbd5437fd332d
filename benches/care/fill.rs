//! A journal full of purchases, made by the database itself in a few statements. Ids are scattered as hashes are; each
//! purchase has the rows that a search may touch.

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

/// Purchases in one statement.
const AT_ONCE: u64 = 250_000;
/// Between two purchases: ten million are three years.
const APART: u64 = 10_000_000;
/// 2023-11-01.
const BEGIN: u64 = 1_698_796_800_000_000;
/// Purchases of one busy subscriber.
const BUSY: u64 = 10_000;

/// What was filled in.
#[derive(Clone, Copy)]
pub(super) struct Filled {
    pub(super) purchases: u64,
}

impl Filled {
    pub(super) const BUSY: &'static str = "0999999999";

    /// The id of the n-th purchase, as the statements make it.
    pub(super) fn id(self, n: u64) -> String {
        format!("{:08x}{:08x}", n * 2_654_435_761 % 4_294_967_296, n * 40_503 % 4_294_967_296)
    }

    /// Ten purchases each.
    pub(super) fn national(self, n: u64) -> String {
        format!("08{:08}", n % (self.purchases / 10))
    }

    pub(super) fn account(self, n: u64) -> String {
        format!("user{}", n / 20 * 20)
    }

    pub(super) fn moment(self, n: u64) -> i64 {
        (BEGIN + n * APART).cast_signed()
    }
}

/// Where the two databases differ.
struct Words {
    /// `n` from $1 on, so many.
    numbers: fn(u64, u64) -> String,
    hex: &'static str,
    padded: &'static str,
    before: &'static str,
    after: &'static str,
}

const SQLITE: Words = Words {
    numbers: |from, count| {
        let to = from + count - 1;
        format!("WITH RECURSIVE numbers(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM numbers WHERE n < {to})")
    },
    hex: "printf('%08x', {})",
    padded: "printf('%08d', {})",
    before: "PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; DROP TRIGGER charge_key_is_its_own; \
             DROP TRIGGER grant_key_is_its_own",
    // As a daemon leaves it: without figures for the planner.
    after: "PRAGMA wal_checkpoint(TRUNCATE)",
};

const POSTGRES: Words = Words {
    numbers: |from, count| {
        format!("WITH numbers AS (SELECT n FROM generate_series({from}::bigint, {}) AS n)", from + count - 1)
    },
    hex: "lpad(to_hex({}), 8, '0')",
    padded: "lpad(({})::text, 8, '0')",
    // Triggers and foreign keys would ask about each row.
    before: "SET session_replication_role = replica; SET synchronous_commit = off",
    after: "ANALYZE",
};

pub(super) async fn fill(url: &str, purchases: u64) -> Filled {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.expect("the store answers");
    let words = if url.starts_with("sqlite") { SQLITE } else { POSTGRES };
    run(&mut connection, words.before).await;
    for from in (0..purchases).step_by(AT_ONCE as usize) {
        let count = AT_ONCE.min(purchases - from);
        for statement in statements(&words, from, count, purchases) {
            run(&mut connection, &statement).await;
        }
    }
    run(&mut connection, words.after).await;
    connection.close().await.expect("the connection closes");
    Filled { purchases }
}

async fn run(connection: &mut AnyConnection, sql: &str) {
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
}

fn statements(words: &Words, from: u64, count: u64, purchases: u64) -> [String; 4] {
    let numbers = (words.numbers)(from, count);
    let hex = |of: &str| words.hex.replace("{}", of);
    let id = format!("{} || {}", hex("n * 2654435761 % 4294967296"), hex("n * 40503 % 4294967296"));
    let each = purchases / 10;
    // The newest few are open; the busy one's stand among all.
    let busy = format!("n % {} = 3", (purchases / BUSY).max(1));
    let national = format!(
        "CASE WHEN {busy} THEN '{}' ELSE '08' || {} END",
        Filled::BUSY,
        words.padded.replace("{}", &format!("n % {each}"))
    );
    let open = purchases - 3_000.min(purchases / 10);
    let state = format!(
        "CASE WHEN n >= {open} THEN CASE n % 30 WHEN 1 THEN 'review' WHEN 2 THEN 'charge_unknown' ELSE 'offered' END \
         WHEN n % 1000 = 7 THEN 'refunded' WHEN n % 100 < 12 THEN 'expired' WHEN n % 100 < 18 THEN 'declined' \
         WHEN n % 100 < 20 THEN 'cancelled' ELSE 'done' END"
    );
    let door = "CASE WHEN n < 10 THEN 'ussd' WHEN n % 11 = 0 THEN 'app' ELSE 'smpp' END";
    let channel = "CASE WHEN n % 10 = 9 THEN 'bank' ELSE 'viettel' END";
    let account = format!("CASE WHEN n % 20 = 0 THEN 'user' || n ELSE {national} END");
    let rows = format!(
        "SELECT n, {id} AS id, {state} AS state, {door} AS door, {channel} AS channel, {account} AS account, \
         '+84' || substr({national}, 2) AS msisdn, {BEGIN} + n * {APART} AS at FROM numbers"
    );
    let body = "'{\"id\":\"' || id || '\",\"version\":5,\"order\":{\"msisdn\":\"' || msisdn || '\",\"account\":\"' || account || \
                '\",\"service\":\"VIP\",\"package\":\"NAP1\",\"channel\":\"' || channel || '\",\"door\":\"' || door || \
                '\",\"link\":\"viettel\",\"short_code\":\"9029\"},\"state\":\"' || state || '\",\"created_at\":' || at || \
                ',\"updated_at\":' || at || '}'";
    let purchase = format!(
        "{numbers} INSERT INTO purchase (id, version, state, due_at, msisdn, account, account_folded, service, package, \
         amount, currency, channel, door, link, short_code, review, paid, granted, created_at, updated_at, body) \
         SELECT id, 5, state, CASE WHEN n >= {open} THEN 9000000000000000 + n END, msisdn, account, account, 'VIP', 'NAP1', \
         10000, 'VND', channel, door, 'viettel', '9029', CASE WHEN state = 'review' THEN 'mismatch' END, \
         CASE WHEN state = 'done' THEN 'yes' ELSE 'no' END, CASE WHEN state = 'done' THEN 'yes' ELSE 'no' END, at, at, {body} \
         FROM ({rows}) AS made"
    );
    let attempt = |table: &str, key: &str, reference: &str| {
        format!(
            "INSERT INTO {table} (purchase_number, key, msisdn, channel, status, sends, amount, currency, intended_at, \
             send_by, in_flight_until, peer_reference, request, fingerprint, updated_at) \
             SELECT number, {key}, msisdn, channel, CASE WHEN state = 'done' THEN 'succeeded' ELSE 'failed' END, 1, 10000, \
             'VND', created_at, created_at, created_at, '{reference}' || (number - 1), '{{}}', '', created_at FROM purchase \
             WHERE number > {from} AND number <= {} AND state IN ('done', 'declined', 'refunded')",
            from + count
        )
    };
    // A pair in each thousand.
    let surplus = format!(
        "INSERT INTO surplus (first_number, second_number, at, told) SELECT number, number + 1, created_at, 1 FROM purchase \
         WHERE number > {from} AND number <= {} AND number % 1000 = 500",
        from + count
    );
    [purchase, attempt("charge", "id || '-c1'", "PAY"), attempt("\"grant\"", "id", "GRANT"), surplus]
}
