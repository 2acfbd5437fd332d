//! Reconciliation as an accountant does it, from the built program beside a real daemon: a charge whose answer was lost is
//! found in the channel's statement, and granted by it.

use crate::operators::Terminal;
use crate::statement_day::REST;
use crate::stores::both_stores;
use crate::world::World;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Date};
use paygate::sandbox::billing::Endpoint::ConfirmPayment;
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages::Endpoint::Grant;
use serde_json::Value;

/// The plan asks nobody while the test lasts.
pub(crate) const SETTINGS: &str = r#"purchase.checking_after = "1h"
[charging.viettel]
timeout = "2s"
inquiry_plan = ["1h"]
[statement.viettel]
key = "Ref"
amount = "Amount"
"#;

/// The key of the only purchase's charge, its purchase, and the channel's day that it is of.
pub(crate) async fn charge(world: &World) -> (String, String, Date) {
    let listed = world.purchases().await.remove(0);
    let attempt = &listed.charges[0].attempt;
    let at = Timestamp::from_microsecond(attempt.intended_at).unwrap();
    (attempt.key.clone(), listed.purchase.id, at.to_zoned(TimeZone::get("Asia/Ho_Chi_Minh").unwrap()).date())
}

both_stores! {
    async fn a_charge_whose_answer_was_lost_is_found_in_the_statement_and_granted_by_it(store: Store) {
        let world = World::of(store).set(SETTINGS).start().await;
        let (phone, terminal) = (world.phone("0854689520"), Terminal::beside(&world));
        world.billing_faults(ConfirmPayment, Fault::Lost, 1);
        phone.buys("ON VIP NAP1").await;
        world.comes_to("charge_unknown").await;
        let (key, id, day) = charge(&world).await;
        let (folder, day) = (tempfile::tempdir().unwrap(), day.to_string());
        let file = folder.path().join("statement.csv");
        std::fs::write(&file, format!("Ref,Amount\n{key},10000\nelsewhere-c1,5000\n")).unwrap();
        let file = file.to_str().unwrap();
        let told = terminal.does(&["reconcile", "viettel", &day, file]).await;
        assert!(told.contains("viettel") && told.contains("2 open, 0 of them not in the statement"), "{told}");
        assert!(told.contains("2  charge  long    15,000 VND"), "{told}");
        let again = terminal.does(&["reconcile", "viettel", &day, file]).await;
        assert!(again.contains("imported before, as version 1"), "{again}");
        let listed = terminal.reads(&["reconcile", "list", "--channel", "viettel"]).await;
        assert_eq!((&listed[0]["purchase"], &listed[0]["owner"]), (&id.as_str().into(), &"accounting".into()));
        let proposed = terminal.reads(&["reconcile", "propose"]).await;
        assert_eq!((&proposed[0]["act"], &proposed[1]["act"]), (&"mark_paid".into(), &Value::Null));
        let evidence = format!("statement viettel {day} v1 line 2 of statement.csv");
        assert_eq!(proposed[0]["evidence"], evidence.as_str());
        let number = listed[0]["number"].to_string();
        let told = terminal.does(&["reconcile", "remedy", &number, "--reason", "the channel charged it"]).await;
        assert!(told.contains("mark it as paid"), "{told}");
        phone.reads_done().await;
        let shown = terminal.reads(&["purchases", "show", &id]).await;
        assert_eq!(shown["acts"][0]["evidence"], evidence.as_str());
        // What is left is the row that is nobody's: a person explains it.
        let left = terminal.reads(&["reconcile", "list"]).await;
        let stranger = left[0]["number"].to_string();
        assert_eq!((left.as_array().unwrap().len(), &left[0]["theirs"]), (1, &5_000.into()));
        let settled = terminal.reads(&["settlement", &day]).await;
        let sums = &settled[0]["sums"][0];
        assert_eq!((&sums["journal"], &sums["explained"], &sums["statement"]), (&10_000.into(), &5_000.into(), &15_000.into()));
        assert_eq!((&sums["unexplained"], &settled[0]["suspense"][0]), (&0.into(), &left[0]["number"]));
        let no = terminal.is_refused(1, &["reconcile", "remedy", &stranger, "--reason", "x"]).await;
        assert!(no.contains("no purchase of ours"), "{no}");
        let no = terminal.is_refused(1, &["reconcile", "confirm", &stranger, "--reason", "x"]).await;
        assert!(no.contains("only a weak match is confirmed"), "{no}");
        terminal.does(&["reconcile", "assign", &stranger, "--to", "minh", "--reason", "knows them"]).await;
        assert_eq!(terminal.reads(&["reconcile", "list"]).await[0]["owner"], "minh");
        let close = ["reconcile", "close", &stranger, "--reason", "their test", "--evidence", "letter of today"];
        terminal.does(&close).await;
        assert_eq!(terminal.does(&["reconcile", "list"]).await, "nothing is left to anybody\n");
        let books = terminal.does(&["settlement", &day, "--books"]).await;
        assert!(books.contains("explained") && !books.contains("suspense") && books.contains("revenue VIP NAP1"), "{books}");
        let csv = terminal.does(&["settlement", &day, "--csv"]).await;
        assert!(csv.contains(&format!("{day},viettel,9029,VIP,NAP1,VND,1,10000,0,0,10000,0")), "{csv}");
        world.ends(&["done"], crate::world::Books::BOUGHT).await;
    }

    async fn a_long_is_granted_by_the_statement_alone_where_the_policy_says_so(store: Store) {
        let world = World::of(store).set(&format!("{SETTINGS}long = \"grant\"\n")).start().await;
        let (phone, terminal) = (world.phone("0854689520"), Terminal::beside(&world));
        world.billing_faults(ConfirmPayment, Fault::Lost, 1);
        phone.buys("ON VIP NAP1").await;
        world.comes_to("charge_unknown").await;
        let (key, id, day) = charge(&world).await;
        let (folder, day) = (tempfile::tempdir().unwrap(), day.to_string());
        let file = folder.path().join("statement.csv");
        std::fs::write(&file, format!("Ref,Amount\n{key},10000\n")).unwrap();
        let told = terminal.does(&["reconcile", "viettel", &day, file.to_str().unwrap()]).await;
        assert!(told.contains("acts ordered by the policy for longs: 1;"), "{told}");
        phone.reads_done().await;
        let told = terminal.does(&["reconcile", "viettel", &day, file.to_str().unwrap()]).await;
        assert!(told.contains("nothing is open") && !told.contains("ordered"), "{told}");
        let shown = terminal.reads(&["purchases", "show", &id]).await;
        assert_eq!((&shown["acts"][0]["verb"], &shown["state"]), (&"mark_paid".into(), &"done".into()));
        world.ends(&["done"], crate::world::Books::BOUGHT).await;
    }

    async fn a_statement_that_lists_no_refunds_adds_up_with_what_was_given_back(store: Store) {
        let world = World::of(store).set(SETTINGS).start().await;
        let (phone, terminal) = (world.phone("0854689520"), Terminal::beside(&world));
        world.package_faults(Grant, Fault::Refuse { status: 403, code: "NOT_ELIGIBLE".to_owned() }, 1);
        phone.buys("ON VIP NAP1").await;
        world.comes_to("refunded").await;
        phone.reads("da hoan 10.000d").await;
        let (key, _, day) = charge(&world).await;
        let (folder, day) = (tempfile::tempdir().unwrap(), day.to_string());
        let file = folder.path().join("statement.csv");
        std::fs::write(&file, format!("Ref,Amount\n{key},10000\n")).unwrap();
        let told = terminal.does(&["reconcile", "viettel", &day, file.to_str().unwrap()]).await;
        assert!(told.contains("nothing is open"), "{told}");
        let told = terminal.does(&["settlement", &day]).await;
        assert!(told.contains("given back, and not in its statements  10,000 VND"), "{told}");
        assert!(told.contains("adds up") && !told.contains("does not"), "{told}");
        let sums = &terminal.reads(&["settlement", &day]).await[0]["sums"][0];
        assert_eq!((&sums["journal"], &sums["unlisted"], &sums["unexplained"]), (&0.into(), &10_000.into(), &0.into()));
        let books = terminal.does(&["settlement", &day, "--books"]).await;
        assert!(books.contains("given back, and not in the statements") && !books.contains("suspense"), "{books}");
        world.ends(&["refunded"], crate::world::Books::GIVEN_BACK).await;
    }

    async fn an_import_killed_with_9_goes_on_where_its_last_commit_stood(store: Store) {
        const ROWS: usize = 60_000;
        let journal = store.open().await;
        let map = "[statement.viettel]\nkey = \"Ref\"\namount = \"Amount\"\nstatus = \"Status\"\ncharged = [\"00\"]\n";
        let folder = tempfile::tempdir().unwrap();
        let (file, config) = (folder.path().join("statement.csv"), folder.path().join("paygate.toml"));
        let rows: String = (0..ROWS).map(|row| format!("none{row}-c1,10000,99\n")).collect();
        std::fs::write(&file, format!("Ref,Amount,Status\n{rows}")).unwrap();
        std::fs::write(&config, format!("journal.url = \"{}\"\n{REST}{map}", store.url())).unwrap();
        let begin = || {
            let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_paygate"));
            command.args(["reconcile", "viettel", "2026-11-24"]).arg(&file).arg("--config").arg(&config).env("USER", "lan");
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).kill_on_drop(true);
            command
        };
        let mut first = begin().spawn().unwrap();
        let lines = loop {
            let begun = journal.statements(Some("viettel"), None, None, 1).await.unwrap();
            if let Some(statement) = begun.first().filter(|statement| statement.position.line > 0) {
                break statement.position.line;
            }
            tokio::task::yield_now().await;
        };
        first.kill().await.unwrap();
        let stood = journal.statements(Some("viettel"), None, None, 1).await.unwrap().remove(0);
        assert!((stood.position.line as usize) < ROWS && stood.position.line >= lines, "it was killed on its way");
        let done = begin().output().await.unwrap();
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success() && told.contains("version 1") && told.contains("60,000  ignored"), "{told}");
    }

    async fn what_cannot_be_imported_is_told_in_a_line(store: Store) {
        let world = World::of(store).set(SETTINGS).start().await;
        let terminal = Terminal::beside(&world);
        let told = terminal.is_refused(2, &["reconcile", "mobifone", "2026-11-24", "x.csv"]).await;
        assert!(told.contains("[statement.mobifone] is not configured; configured are viettel"), "{told}");
        let told = terminal.is_refused(1, &["reconcile", "viettel", "2026-11-24", "/nowhere/x.csv"]).await;
        assert!(told.contains("/nowhere/x.csv cannot be read"), "{told}");
        let told = terminal.is_refused(2, &["reconcile", "viettel", "yesterday", "x.csv"]).await;
        assert!(told.contains("expected a day such as 2026-11-24"), "{told}");
        let told = terminal.is_refused(1, &["reconcile", "show", "viettel", "2026-11-24"]).await;
        assert!(told.contains("there is no statement of viettel for 2026-11-24"), "{told}");
        assert_eq!(terminal.does(&["settlement", "2026-11-24"]).await, "nothing was charged, and no statement is there\n");
    }
}
