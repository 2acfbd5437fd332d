//! Packages that one subscriber was charged for twice in a short time (charging.md R000.27): found in the commit that
//! proves a charge, by the subscriber's own purchases. Flags and never refuses.

use super::columns::{self, Columns};
use super::error::Cause;
use super::rows::{Surplus, SurplusLook};
use super::statement::{Bulk, Statement};
use super::store::Store;
use super::write::Written;
use crate::purchase::record::Micros;
use paygate_parsers::msisdn::Msisdn;
use sqlx::AnyConnection;

/// Pairs told of in one round at most.
const TOLD_AT_ONCE: i64 = 256;

const PAIR: &str = "(SELECT id FROM purchase WHERE number = first_number), \
                    (SELECT id FROM purchase WHERE number = second_number), \
                    (SELECT msisdn FROM purchase WHERE number = second_number), \
                    (SELECT channel FROM purchase WHERE number = second_number), at";

/// The nearest other charge before a purchase's own, and the nearest after it: so many purchases in a row make as many
/// pairs, less one, and never each with each.
///
/// An order of the app's may name no number: whose it is is not known then, and it makes no pair.
///
/// Of two purchases that are charged at the same moment by two instances neither commit may see the other. So each looks
/// at every step that it takes once it is paid: the later of their second looks begins when both first steps stand.
///
/// A subscriber's purchases are few and the window's charges are everybody's: `+ 0` keeps a store from beginning with these.
macro_rules! nearest {
    ($within:literal, $order:literal) => {
        concat!(
            "(SELECT other.number FROM purchase AS other JOIN charge AS paid ON paid.purchase_number = other.number \
             AND paid.status = 'succeeded' AND ",
            $within,
            " WHERE other.msisdn = own.msisdn AND other.created_at >= column2 AND other.number <> own.number \
             AND other.paid = 'yes' AND other.service = own.service AND other.package = own.package \
             AND other.amount = own.amount AND other.currency = own.currency ORDER BY ",
            $order,
            " LIMIT 1)"
        )
    };
}

pub(super) static FIND: Bulk = Bulk::from_values(
    concat!(
        "INSERT INTO surplus (first_number, second_number, at, told) \
         SELECT CASE WHEN own < other THEN own ELSE other END, CASE WHEN own < other THEN other ELSE own END, at, 0 \
         FROM (SELECT own.number AS own, column5 AS at, CASE WHEN way.way = 0 THEN ",
        nearest!(
            "paid.intended_at + 0 BETWEEN column3 - column4 AND column3",
            "paid.intended_at DESC, other.number DESC"
        ),
        " ELSE ",
        nearest!("paid.intended_at + 0 BETWEEN column3 AND column3 + column4", "paid.intended_at, other.number"),
        " END AS other"
    ),
    5,
    "JOIN purchase AS own ON own.id = column1 AND own.paid = 'yes' AND own.msisdn <> '' \
     CROSS JOIN (SELECT 0 AS way UNION ALL SELECT 1) AS way) AS pair WHERE other IS NOT NULL ON CONFLICT DO NOTHING",
);

/// Writes down each pair that these purchases make with another, once.
pub(super) async fn find(connection: &mut AnyConnection, looks: &[(&str, &SurplusLook)]) -> Written<()> {
    let found = FIND.run(connection, looks, |values, (purchase, look)| {
        values.text(purchase).int(look.created_from).int(look.charged_at).int(look.window).int(look.at);
    });
    found.await.map(drop)
}

pub(super) async fn of_purchase(store: &Store, id: &str) -> Result<Vec<Surplus>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(PAIR).push(" FROM surplus WHERE first_number = (SELECT number FROM purchase WHERE id = ").text(id);
    select.push(") OR second_number = (SELECT number FROM purchase WHERE id = ").text(id);
    select.push(") ORDER BY at, first_number, second_number LIMIT 10000");
    columns::all(&store.read(select).await?, read)
}

/// Whether any pair is still to be told of: a look costs less than a claim, which writes.
pub(super) async fn are_untold(store: &Store) -> Result<bool, Cause> {
    let select = Statement::new("SELECT at FROM surplus WHERE told = 0 LIMIT 1");
    Ok(!store.read(select).await?.is_empty())
}

pub(super) async fn since(store: &Store, since: Micros) -> Result<i64, Cause> {
    let mut select = Statement::new("SELECT COUNT(*) FROM surplus WHERE at >= ");
    select.int(since);
    let rows = store.read(select).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    Columns::new(row).take()
}

/// Takes pairs to be told of; of several instances one gets each.
pub(super) fn claim() -> Statement {
    let mut claim = Statement::new("UPDATE surplus SET told = 1 WHERE told = 0 AND (first_number, second_number) IN ");
    claim.push("(SELECT first_number, second_number FROM surplus WHERE told = 0 ORDER BY at LIMIT ").int(TOLD_AT_ONCE);
    claim.push(") RETURNING ").push(PAIR);
    claim
}

pub(super) fn read(columns: &mut Columns<'_>) -> Result<Surplus, Cause> {
    Ok(Surplus {
        first: columns.take()?,
        second: columns.take()?,
        msisdn: columns.word::<Msisdn>()?,
        channel: columns.take()?,
        at: columns.take()?,
    })
}
