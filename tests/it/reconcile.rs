//! Channels' statements against the journal, on both stores: what is planted is found, nothing else is, and each day's
//! statement counts once.

use crate::statement_day::{Day, MAP, START, found, import, key, reference};
mod books;
pub(crate) mod command;

use crate::stores::both_stores;
use paygate::journal::Journal;
use paygate::journal::reconciliation::{DiscrepancyFilter, DiscrepancyRow, Kind, Standing, StatementState};
use paygate::purchase::money::Currency;
use paygate::reconcile::books::{Account, effect};
use paygate::reconcile::{Imported, ReconcileError, Step, settle};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const TODAY: &str = "2026-11-24";
const HEADER: &str = "Transaction ID,Merchant Ref,Phone,Amount,Time,Type,Status\n";

/// A folder for statements.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn day(&self, day: Day) -> PathBuf {
        let path = self.folder.path().join("statement.csv");
        day.statement(&path).unwrap();
        path
    }
}

async fn imports(journal: &Journal, map: &str, day: &str, file: &Path) -> Imported {
    import(map, day, &[file]).run(journal, &|_| {}).await.unwrap()
}

async fn all(journal: &Journal) -> Vec<DiscrepancyRow> {
    let filter = DiscrepancyFilter { closed: true, limit: 1_000, ..DiscrepancyFilter::default() };
    journal.discrepancies(&filter).await.unwrap()
}

async fn standings(journal: &Journal) -> Vec<(Standing, bool)> {
    all(journal).await.iter().map(|row| (row.standing, row.closed.is_none())).collect()
}

/// A row of the day's statement for this charge.
fn row(i: i64) -> String {
    format!("{},{},+848{i:08},10000,2026-11-24 12:00:00,CHARGE,OK\n", reference(i), key(i))
}

both_stores! {
    async fn what_is_planted_is_found_and_nothing_is_invented(store: Store) {
        let (journal, desk, day) = (store.open().await, Desk::new(), Day { charges: 1_500, planted: 3 });
        day.journal(&journal).await;
        let file = desk.day(day);
        let imported = imports(&journal, MAP, TODAY, &file).await;
        assert_eq!(found(&journal).await, day.expected());
        let totals = journal.statement_totals(imported.statement.number).await.unwrap();
        let rows: i64 = totals.iter().map(|total| total.rows).sum();
        assert_eq!(rows, std::fs::read_to_string(&file).unwrap().lines().count() as i64 - 1, "no row is dropped");
        let ignored = totals.iter().find(|total| total.kind == Kind::Ignored).unwrap();
        assert_eq!(ignored.rows, 3, "what the channel refused is kept and moves nothing");
        let settlement = settle(&journal, "viettel", &import(MAP, TODAY, &[]).map, TODAY.parse().unwrap()).await.unwrap();
        let (sums, books, vnd) = (settlement.sums[0], &settlement.books, Currency::VND);
        assert_eq!((sums.unexplained(), settlement.sums.len()), (0, 1), "every row that keeps it from adding up is known");
        assert!(books.balances() && sums.journal != sums.statement.unwrap());
        assert_eq!(books.balance(vnd, &Account::Channel("viettel".to_owned())), sums.statement.unwrap());
        let suspense: i64 =
            settlement.rows.iter().filter(|row| row.closed.is_none() && row.standing != Standing::Carried).map(effect).sum();
        assert_eq!(books.balance(vnd, &Account::Suspense), -suspense, "the suspense is what is open, row by row");
        let groups: Vec<_> = settlement.groups.iter().map(|one| (one.group.short_code.as_str(), one.group.package.as_str())).collect();
        assert_eq!(groups, [("9029", "NAP0"), ("9029", "NAP1"), ("9029", "NAP2"), ("9030", "NAP0"), ("9030", "NAP1"), ("9030", "NAP2")]);
        let open = all(&journal).await;
        assert!(open.iter().all(|row| row.owner == "accounting" && row.opened_at > 0));
        let counted = journal.open_discrepancies().await.unwrap();
        let long = counted.iter().find(|counted| counted.standing == Standing::Long).unwrap();
        assert_eq!((long.channel.as_str(), long.rows), ("viettel", 9));
        let bad = open.iter().find(|row| row.standing == Standing::Bad).unwrap();
        assert!(bad.note.contains("column 4 (amount)") && bad.note.contains("ten thousand"), "{}", bad.note);
    }

    async fn an_import_that_was_killed_goes_on_and_comes_to_the_same(store: Store) {
        let (journal, desk, day) = (store.open().await, Desk::new(), Day { charges: 10_000, planted: 5 });
        day.journal(&journal).await;
        let file = desk.day(day);
        let (killed, begun) = (journal.clone(), import(MAP, TODAY, &[&file]));
        let dies = |step| assert!(!matches!(step, Step::Reading { .. }), "as a process that is killed behind its first commit");
        let running = tokio::spawn(async move { begun.run(&killed, &dies).await.map(|_| ()) });
        assert!(running.await.unwrap_err().is_panic());
        let half = journal.statements(None, None, None, 10).await.unwrap().remove(0);
        assert_eq!((half.state, half.position.line), (StatementState::Reading, 4_097));
        let again = imports(&journal, MAP, TODAY, &file).await;
        assert_eq!((again.statement.version, again.statement.state, again.before), (1, StatementState::Done, false));
        assert_eq!(found(&journal).await, day.expected());
    }

    async fn a_statement_is_imported_once_by_its_content_and_a_later_version_counts_instead(store: Store) {
        let (journal, desk, day) = (store.open().await, Desk::new(), Day { charges: 3, planted: 0 });
        day.journal(&journal).await;
        let first = desk.file("a.csv", &format!("{HEADER}{}{}", row(0), row(9)));
        imports(&journal, MAP, TODAY, &first).await;
        let again = imports(&journal, MAP, TODAY, &desk.file("b.csv", &std::fs::read_to_string(&first).unwrap())).await;
        assert!(again.before && again.statement.version == 1);
        assert_eq!(standings(&journal).await, [(Standing::Long, true), (Standing::Short, true), (Standing::Short, true)]);
        let short = all(&journal).await.remove(2);
        let act = |verb: &str| paygate::journal::reconciliation::DiscrepancyAct {
            at: 1, operator: "lan".to_owned(), verb: verb.to_owned(), reason: "hers".to_owned(), evidence: None,
        };
        assert!(journal.assign_discrepancy(short.number, "minh", act("assign")).await.unwrap());
        // The channel issues the day again: one row more, and the stranger is gone.
        let second = desk.file("c.csv", &format!("{HEADER}{}{}", row(0), row(1)));
        let imported = imports(&journal, MAP, TODAY, &second).await;
        assert_eq!((imported.statement.version, imported.before), (2, false));
        let left = all(&journal).await;
        assert_eq!(left.len(), 1);
        assert_eq!((left[0].standing, left[0].owner.as_str(), left[0].opened_at), (Standing::Short, "minh", short.opened_at));
        let old = imports(&journal, MAP, TODAY, &first).await;
        assert_eq!((old.statement.version, old.statement.state), (1, StatementState::Superseded), "the old one is known");
    }

    async fn what_lies_at_the_days_cut_is_settled_by_the_neighbour_in_either_order(store: Store) {
        for tomorrow_first in [false, true] {
            let store = store.sibling().await;
            let (journal, desk, day) = (store.open().await, Desk::new(), Day { charges: 28, planted: 2 });
            day.journal(&journal).await;
            let carried: Vec<i64> =
                (0..28).filter(|i| day.plant(*i) == Some(crate::statement_day::Plant::CarriedOut)).collect();
            let today = desk.day(day);
            // Tomorrow's statement has one of the two.
            let tomorrow = desk.file("tomorrow.csv", &format!("{HEADER}{}", row(carried[0])));
            let days = [(TODAY, &today), ("2026-11-25", &tomorrow)];
            for (date, file) in if tomorrow_first { [days[1], days[0]] } else { days } {
                imports(&journal, MAP, date, file).await;
            }
            let rows = all(&journal).await;
            let of = |i: i64, day: &str| {
                let mut found = rows.iter().filter(|row| row.charge_key == Some(key(i)) && row.day == day);
                found.next().map(|row| (row.standing, row.closed.is_none()))
            };
            assert_eq!(of(carried[0], TODAY), Some((Standing::Carried, false)));
            assert_eq!(of(carried[0], "2026-11-25"), Some((Standing::Carried, false)));
            assert_eq!(of(carried[1], TODAY), Some((Standing::Short, true)), "neither day has it");
        }
    }

    async fn a_charge_that_both_days_statements_have_is_a_duplicate(store: Store) {
        let (journal, desk, day) = (store.open().await, Desk::new(), Day { charges: 1, planted: 0 });
        day.journal(&journal).await;
        imports(&journal, MAP, "2026-11-25", &desk.file("b.csv", &format!("{HEADER}{}", row(0)))).await;
        assert_eq!(standings(&journal).await, [(Standing::Carried, false)]);
        imports(&journal, MAP, TODAY, &desk.file("a.csv", &format!("{HEADER}{}", row(0)))).await;
        assert_eq!(standings(&journal).await, [(Standing::Duplicate, true)]);
    }

    async fn a_row_that_only_number_amount_and_time_speak_for_is_a_persons(store: Store) {
        let (journal, desk, day) = (store.open().await, Desk::new(), Day { charges: 3, planted: 0 });
        day.journal(&journal).await;
        let map = "[statement.viettel]\nmsisdn = \"Phone\"\namount = \"Amount\"\ntime = \"Time\"\n";
        let near = "0800000000,10000,2026-11-24 02:05:00\n";
        let file = desk.file("a.csv", &format!("Phone,Amount,Time\n{near}{near}0800000001,10000,2026-11-24 22:00:00\n"));
        imports(&journal, map, TODAY, &file).await;
        let mut rows = all(&journal).await;
        rows.sort_by_key(|row| (row.row.clone(), row.charge_key.clone()));
        let stand: Vec<_> = rows.iter().map(|row| (row.standing, row.row.as_ref().map(|row| row.1))).collect();
        assert_eq!(
            stand.iter().filter(|row| row.1.is_some()).collect::<Vec<_>>(),
            [&(Standing::Weak, Some(2)), &(Standing::Long, Some(3)), &(Standing::Long, Some(4))],
            "one row for one charge, and none for a charge of another hour"
        );
        assert_eq!(stand.iter().filter(|row| row.0 == Standing::Short).count(), 2, "what is weakly there is not missed");
    }

    async fn the_telcos_own_files_are_read_by_their_name(store: Store) {
        let (journal, desk, day) = (store.open().await, Desk::new(), Day { charges: 2, planted: 0 });
        day.journal(&journal).await;
        let map = "[statement.viettel]\nformat = \"vinaphone-charge\"\n";
        let line = |i: i64, code: &str| format!(
            "{}|{code}|r{i}|9029|848{i:08}|10000|note|20261124120000|20261124120001|ON VIP\n", reference(i));
        let (a, b) = (desk.file("CHARGE_1.txt", &line(0, "0")), desk.file("CHARGE_2.txt", &format!("{}{}1|2|3\n", line(1, "0"), line(7, "4"))));
        let imported = import(map, TODAY, &[&a, &b]).run(&journal, &|_| {}).await.unwrap();
        assert_eq!(imported.statement.files, ["CHARGE_1.txt", "CHARGE_2.txt"]);
        let rows = all(&journal).await;
        let told: Vec<_> = rows.iter().map(|row| (row.standing, row.row.clone().unwrap(), row.note.as_str())).collect();
        assert_eq!(told, [(Standing::Bad, ("CHARGE_2.txt".to_owned(), 3), "has 3 fields, not 10")]);
    }

    async fn a_map_that_does_not_fit_is_told_and_leaves_nothing_that_counts(store: Store) {
        let (journal, desk) = (store.open().await, Desk::new());
        let file = desk.file("a.csv", "Ref,Total\nT1,10000\n");
        let told = |map: String| {
            let (journal, file) = (journal.clone(), file.clone());
            async move { import(&map, TODAY, &[&file]).run(&journal, &|_| {}).await.map(|_| ()).unwrap_err().to_string() }
        };
        let text = told("[statement.viettel]\nreference = \"Reference\"\namount = \"Total\"\n".to_owned()).await;
        assert!(text.contains("its header has no column \"Reference\" (reference)"), "{text}");
        let text = told("[statement.viettel]\nreference = \"Ref\"\namount = 1\nbad_max = 0\n".to_owned()).await;
        assert!(text.contains("a.csv, line 2: column 1 (amount): \"T1\" is no amount"), "{text}");
        assert!(journal.statement_of("viettel", TODAY).await.unwrap().is_none());
        let right = "[statement.viettel]\nreference = \"Ref\"\namount = \"Total\"\n";
        let imported = imports(&journal, right, TODAY, &file).await;
        assert_eq!((imported.statement.version, imported.statement.state), (3, StatementState::Done));
        assert_eq!(standings(&journal).await, [(Standing::Long, true)]);
    }

    async fn two_who_import_the_same_at_once_write_no_row_twice(store: Store) {
        let (journal, desk, day) = (store.open().await, Desk::new(), Day { charges: 9_000, planted: 3 });
        day.journal(&journal).await;
        let file = desk.day(day);
        let run = || {
            let (journal, import) = (journal.clone(), import(MAP, TODAY, &[&file]));
            tokio::spawn(async move { import.run(&journal, &|_| {}).await.map(|_| ()) })
        };
        let (one, other) = (run(), run());
        for outcome in [one.await.unwrap(), other.await.unwrap()] {
            assert!(matches!(outcome, Ok(()) | Err(ReconcileError::Elsewhere)), "{outcome:?}");
        }
        imports(&journal, MAP, TODAY, &file).await;
        assert_eq!(found(&journal).await, day.expected());
    }
}

#[test]
fn the_generated_day_begins_with_the_channels_day() {
    let map = crate::statement_day::config(MAP).statement["viettel"].clone();
    assert_eq!(paygate::reconcile::day(&map, TODAY.parse().unwrap()).unwrap().start, START);
}
