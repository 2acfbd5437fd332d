//! The accountant's part of the page: a statement is given, what it leaves open is put right by those who may, and the day
//! adds up. An agent sees none of it.

use super::visitor::{PASSWORD, Page, Visitor, account};
use super::{logged_in, plan};
use crate::browser::Browser;
use crate::operators::Terminal;
use crate::reconcile::command::{SETTINGS, charge};
use crate::statement_day::{Day, MAP, import};
use crate::stores::both_stores;
use crate::world::{Books, World};
use jiff::civil::Date;
use paygate::journal::reconciliation::{DiscrepancyFilter, StatementState};
use paygate::reconcile::Step;
use paygate::sandbox::billing::Endpoint::ConfirmPayment;
use paygate::sandbox::faults::Fault;
use reqwest::StatusCode;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const TODAY: &str = "2026-11-24";
const IMPORT: &str = "/care/statements/import";

/// The daemon's watch goes round once in a few seconds.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// What an agent asks for in vain.
const PAGES: [&str; 6] = [
    "/care/statements",
    IMPORT,
    "/care/discrepancies/1",
    "/care/discrepancies.csv",
    "/care/settlement",
    "/care/settlement.csv?day=2026-11-24",
];

/// A charge whose answer was lost: its key, its purchase, and the channel's day that it is of.
async fn lost(world: &World) -> (String, String, Date) {
    world.billing_faults(ConfirmPayment, Fault::Lost, 1);
    world.phone("0854689520").buys("ON VIP NAP1").await;
    world.comes_to("charge_unknown").await;
    charge(world).await
}

/// Gives a statement as the page's form does, and waits until the page says what came of it.
async fn gives(visitor: &Visitor, channel: &str, day: &str, text: &str) -> String {
    let page = visitor.gives(IMPORT, &[("channel", channel), ("day", day)], Some(("statement.csv", text))).await;
    assert_eq!((page.status, page.location.as_deref()), (StatusCode::SEE_OTHER, Some(IMPORT)), "{}", page.text);
    ended(visitor).await
}

async fn ended(visitor: &Visitor) -> String {
    loop {
        let page = visitor.reads(IMPORT).await;
        if !page.contains("data-import=\"under way\"") {
            assert!(!page.contains("http-equiv"), "what has ended is not asked for again: {page}");
            return page;
        }
        assert!(page.contains("http-equiv=\"refresh\""), "{page}");
        tokio::task::yield_now().await;
    }
}

async fn does(visitor: &Visitor, number: i64, verb: &str, fields: &[(&str, &str)]) -> Page {
    visitor.posts(&format!("/care/discrepancies/{number}/{verb}"), fields).await
}

/// The numbers of what is open, the oldest first.
async fn open(world: &World) -> Vec<i64> {
    let filter = DiscrepancyFilter { limit: 10_000, ..DiscrepancyFilter::default() };
    let rows = world.daemons[0].journal.discrepancies(&filter).await.unwrap();
    rows.iter().map(|row| row.number).collect()
}

async fn audited(world: &World) -> Vec<String> {
    let lines = world.daemons[0].journal.audited(None, 100).await.unwrap();
    lines.into_iter().filter(|line| line.what == "act").map(|line| line.detail).collect()
}

both_stores! {
    async fn an_accountant_gives_a_statement_and_has_put_right_what_it_leaves_open(store: Store) {
        let world = plan(store, "act_wait = \"60s\"").set(SETTINGS).start().await;
        let (key, id, day) = lost(&world).await;
        let day = day.to_string();
        let accountant = logged_in(&world, "accountant").await;
        let told = gives(&accountant, "viettel", &day, &format!("Ref,Amount\n{key},10000\nelsewhere-c1,5000\n")).await;
        assert!(told.contains("data-import=\"done\"") && told.contains("15,000 VND") && told.contains("from statement.csv"), "{told}");
        let page = accountant.reads("/care/statements").await;
        assert!(page.contains(&format!("/care/purchases/{id}")) && page.contains("2 long"), "{page}");
        let [long, stranger] = open(&world).await[..] else { panic!("two are open") };
        let page = accountant.reads(&format!("/care/discrepancies/{long}")).await;
        assert!(page.contains("mark it as paid, with the statement as evidence"), "{page}");
        let day_page = accountant.reads(&format!("/care/settlement?day={day}")).await;
        assert!(day_page.contains(&format!("/care/discrepancies/{long}\"")), "what is open is linked to: {day_page}");
        let page = does(&accountant, long, "remedy", &[("seen", "mark_paid"), ("reason", " ")]).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains("Say why"), "{page:?}");
        let page = does(&accountant, long, "remedy", &[("seen", "grant"), ("reason", "old")]).await;
        assert!(page.status == StatusCode::CONFLICT && page.text.contains("changed since you looked"), "{page:?}");
        let page = does(&accountant, long, "remedy", &[("seen", "mark_paid"), ("reason", "they charged it")]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
        world.phone("0854689520").reads_done().await;
        let story = world.daemons[0].journal.story(&id).await.unwrap().unwrap();
        let evidence = format!("statement viettel {day} v1 line 2 of statement.csv");
        assert_eq!((story.acts.len(), story.acts[0].act.evidence.as_deref()), (1, Some(evidence.as_str())));
        assert_eq!(story.acts[0].act.operator, "accountant");
        assert_eq!(open(&world).await, [stranger], "what agrees by now is closed");
        assert!(accountant.reads(&format!("/care/discrepancies/{long}")).await.contains("agreed"));
        // What is left is the row that is nobody's: a person explains it.
        let page = does(&accountant, stranger, "remedy", &[("seen", ""), ("reason", "x")]).await;
        assert!(page.status == StatusCode::CONFLICT && page.text.contains("no purchase of ours"), "{page:?}");
        let page = does(&accountant, stranger, "confirm", &[("reason", "x")]).await;
        assert!(page.status == StatusCode::CONFLICT && page.text.contains("only a weak match is confirmed"), "{page:?}");
        let page = does(&accountant, stranger, "close", &[("reason", "their test")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "nothing is explained without evidence");
        does(&accountant, stranger, "assign", &[("owner", "minh"), ("reason", "knows them")]).await;
        assert!(accountant.reads("/care/statements?owner=minh").await.contains(&format!("/care/discrepancies/{stranger}\"")));
        assert!(accountant.reads("/care/statements?owner=accounting").await.contains("Nothing is left to anybody."));
        let settled = accountant.reads(&format!("/care/settlement?day={day}&channel=viettel")).await;
        assert!(settled.contains("adds up with its suspense") && settled.contains("1 in suspense"), "{settled}");
        let csv = accountant.reads("/care/discrepancies.csv").await;
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[0].starts_with("number,standing,channel,day,version,file,line,purchase,") && lines.len() == 2, "{csv}");
        assert!(lines[1].starts_with(&format!("{stranger},long,viettel,{day},1,statement.csv,3,,")) && lines[1].contains(",5000,0,VND,"), "{csv}");
        let page = does(&accountant, stranger, "close", &[("reason", "their test"), ("evidence", "letter of today")]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
        let page = accountant.reads(&format!("/care/discrepancies/{stranger}")).await;
        assert!(page.contains("evidence: letter of today") && page.contains("explained"), "{page}");
        let settled = accountant.reads(&format!("/care/settlement?day={day}&channel=viettel")).await;
        assert!(settled.contains("adds up") && !settled.contains("does not") && !settled.contains("Suspense"), "{settled}");
        assert!(settled.contains("revenue VIP NAP1") && settled.contains("explained"), "{settled}");
        let csv = accountant.reads(&format!("/care/settlement.csv?day={day}")).await;
        assert!(csv.contains(&format!("{day},viettel,9029,VIP,NAP1,VND,1,10000,0,0,10000,0")), "{csv}");
        let mut audited = audited(&world).await;
        audited.reverse();
        assert_eq!(audited[0], format!("import viettel {day}"));
        assert_eq!(audited[1], format!("mark_paid for discrepancy {long}: they charged it"));
        assert_eq!(audited.last().unwrap(), &format!("close discrepancy {stranger}: their test"));
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn money_that_a_statement_finds_goes_back_only_when_another_person_confirms_it(store: Store) {
        let late = "purchase.grant_fresh = \"0s\"\nstatement.viettel.long = \"refund\"";
        let world = plan(store, "act_wait = \"60s\"").set(SETTINGS).set(late).start().await;
        let (key, id, day) = lost(&world).await;
        let day = day.to_string();
        let (accountant, supervisor) = (logged_in(&world, "accountant").await, logged_in(&world, "supervisor").await);
        let told = gives(&accountant, "viettel", &day, &format!("Ref,Amount\n{key},10000\n")).await;
        assert!(told.contains("Acts ordered by the policy for longs: 1."), "{told}");
        world.comes_to("review").await;
        let number = open(&world).await[0];
        let page = accountant.reads(&format!("/care/discrepancies/{number}")).await;
        assert!(page.contains("give it back; a second person confirms it"), "{page}");
        let refund = [("seen", "refund"), ("reason", "too late for it")];
        assert_eq!(does(&accountant, number, "remedy", &refund).await.status, StatusCode::SEE_OTHER);
        let page = accountant.reads(&format!("/care/discrepancies/{number}")).await;
        assert!(page.contains("Act 2 is written down and waits") && !page.contains("data-verb=\"remedy\""), "{page}");
        let again = ["reconcile", "remedy", &number.to_string(), "--reason", "as well"];
        let told = Terminal::beside(&world).is_refused(1, &again).await;
        assert!(told.contains("act 2 is ordered for discrepancy 1 already"), "one act by whatever way: {told}");
        let page = does(&supervisor, number, "remedy", &refund).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{page:?}");
        assert_eq!(accountant.posts("/care/acts/2/confirm", &[]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.books(), Books { grants: 0, ..Books::BOUGHT });
        assert_eq!(supervisor.posts("/care/acts/2/confirm", &[]).await.status, StatusCode::SEE_OTHER);
        world.comes_to("refunded").await;
        let story = world.daemons[0].journal.story(&id).await.unwrap().unwrap();
        assert_eq!(story.acts.len(), 2);
        world.phone("0854689520").reads("").await;
        world.ends(&["refunded"], Books::GIVEN_BACK).await;
    }

    async fn an_agent_is_refused_and_a_supervisor_only_reads(store: Store) {
        let world = plan(store, "").set(SETTINGS).start().await;
        let (agent, supervisor) = (logged_in(&world, "agent").await, logged_in(&world, "supervisor").await);
        for path in PAGES {
            let page = agent.opens(path).await;
            assert!(page.status == StatusCode::FORBIDDEN && page.text.contains("supervisor, accountant"), "{path}: {page:?}");
        }
        let home = agent.reads("/care").await;
        assert!(!home.contains("/care/statements") && !home.contains("/care/settlement"), "{home}");
        let file = Some(("a.csv", "Ref,Amount\n"));
        let accountant = logged_in(&world, "accountant").await;
        gives(&accountant, "viettel", TODAY, "Ref,Amount\nelsewhere-c1,5000\n").await;
        let number = open(&world).await[0];
        for visitor in [&agent, &supervisor] {
            let page = visitor.gives(IMPORT, &[("channel", "viettel"), ("day", TODAY)], file).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN);
            for verb in ["remedy", "confirm", "assign", "close"] {
                let fields = [("reason", "x"), ("evidence", "x"), ("owner", "x"), ("seen", "")];
                assert_eq!(does(visitor, number, verb, &fields).await.status, StatusCode::FORBIDDEN, "{verb}");
            }
        }
        let page = supervisor.reads("/care/statements").await;
        assert!(page.contains("/care/discrepancies/") && !page.contains("Import a statement"), "{page}");
        let page = supervisor.reads(&format!("/care/discrepancies/{number}")).await;
        assert!(page.contains("This is for accountant, administrator.") && !page.contains("data-verb"), "{page}");
        assert_eq!(audited(&world).await, [format!("import viettel {TODAY}")]);
        assert_eq!(open(&world).await, [number]);
    }

    async fn a_remedy_that_may_stand_is_not_said_to_be_undone(store: Store) {
        let world = plan(store, "").set(SETTINGS).start().await;
        let (key, id, day) = lost(&world).await;
        let accountant = logged_in(&world, "accountant").await;
        gives(&accountant, "viettel", &day.to_string(), &format!("Ref,Amount\n{key},10000\n")).await;
        let number = open(&world).await[0];
        world.store.keeps_no("discrepancy_act").await;
        let page = does(&accountant, number, "remedy", &[("reason", "it is theirs"), ("seen", "mark_paid")]).await;
        assert!(page.status == StatusCode::SERVICE_UNAVAILABLE && page.text.contains("may have been written down"), "{page:?}");
        world.phone("0854689520").reads_done().await;
        let story = world.daemons[0].journal.story(&id).await.unwrap().unwrap();
        assert_eq!(story.acts.len(), 1, "it was written, and is carried out");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn what_is_open_is_shown_page_by_page_and_taken_along_whole(store: Store) {
        let world = plan(store, "page = 400").set(SETTINGS).start().await;
        let accountant = logged_in(&world, "accountant").await;
        let rows: String = (0..1_005).map(|n| format!("none{n}-c1,5000\n")).collect();
        let told = gives(&accountant, "viettel", TODAY, &format!("Ref,Amount\n{rows}")).await;
        assert!(told.contains("data-import=\"done\""), "{told}");
        let (mut path, mut seen) = ("/care/statements?channel=viettel".to_owned(), Vec::new());
        loop {
            let page = accountant.reads(&path).await;
            let links = page.split("href=\"/care/discrepancies/").skip(1);
            let numbers: Vec<i64> = links.map(|link| link.split('"').next().unwrap().parse().unwrap()).collect();
            assert!(numbers.len() <= 400);
            seen.extend(numbers);
            let Some((_, next)) = page.split_once("rel=\"next\" href=\"") else { break };
            path = next.split('"').next().unwrap().replace("&amp;", "&");
        }
        let open = open(&world).await;
        assert_eq!((seen.len(), &seen), (1_005, &open));
        does(&accountant, open[0], "assign", &[("owner", "=1+1"), ("reason", "x")]).await;
        let csv = accountant.reads("/care/discrepancies.csv").await;
        let numbers = csv.lines().skip(1).map(|line| line.split(',').next().unwrap().parse::<i64>().unwrap());
        assert_eq!(numbers.collect::<Vec<_>>(), open);
        assert!(csv.contains(",'=1+1,"), "a name is no formula to a spreadsheet");
        assert!(accountant.reads("/care/statements?standing=short").await.contains("Nothing is left to anybody."));
        // So many wake whoever is on call, who is led there if they may go.
        let look = "/care/statements?channel=viettel&amp;standing=long";
        while !accountant.reads("/care").await.contains(look) {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        assert!(!logged_in(&world, "agent").await.reads("/care").await.contains("/care/statements"));
    }

    async fn an_import_that_broke_off_goes_on_when_the_same_file_is_given_again(store: Store) {
        let world = plan(store, "").set(MAP).start().await;
        let journal = world.daemons[0].journal.clone();
        let day = Day { charges: 10_000, planted: 5 };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("statement.csv");
        day.statement(&file).unwrap();
        let (killed, begun) = (journal.clone(), import(MAP, TODAY, &[&file]));
        let dies = |step| assert!(!matches!(step, Step::Reading { .. }), "as a process that is killed behind its first commit");
        let running = tokio::spawn(async move { begun.run(&killed, &dies).await.map(|_| ()) });
        assert!(running.await.unwrap_err().is_panic());
        let accountant = logged_in(&world, "accountant").await;
        let page = accountant.reads("/care/statements").await;
        assert!(page.contains("not read to its end (line 4,097)") && page.contains("give the same file again"), "{page}");
        let told = gives(&accountant, "viettel", TODAY, &std::fs::read_to_string(&file).unwrap()).await;
        assert!(told.contains("it went on behind line 4,097"), "{told}");
        let done = journal.statements(None, None, None, 10).await.unwrap();
        assert_eq!((done.len(), done[0].state), (1, StatementState::Done));
        let told = gives(&accountant, "viettel", TODAY, &std::fs::read_to_string(&file).unwrap()).await;
        assert!(told.contains("Imported before, as version 1; nothing was read again."), "{told}");
    }

    async fn what_is_wrong_with_a_file_is_told_in_full_and_nothing_of_it_counts(store: Store) {
        let folder = tempfile::tempdir().unwrap();
        let keys = format!("upload_limit = 2048\nupload_folder = \"{}\"", folder.path().display());
        let world = plan(store, &keys).set(SETTINGS).start().await;
        let accountant = logged_in(&world, "accountant").await;
        let told = gives(&accountant, "viettel", TODAY, "Reference,Amount\nx-c1,1\n").await;
        assert!(told.contains("data-import=\"failed\"") && told.contains("its header has no column &quot;Ref&quot; (key)"), "{told}");
        let large = format!("Ref,Amount\n{}", "none-c1,10000\n".repeat(200));
        let right = [("channel", "viettel"), ("day", TODAY)];
        for (fields, file, status, says) in [
            (right, Some(("a.csv", large.as_str())), StatusCode::PAYLOAD_TOO_LARGE, "More than 2048 octets"),
            (right, None, StatusCode::UNPROCESSABLE_ENTITY, "Choose the statement"),
            ([("channel", "none"), ("day", TODAY)], Some(("a.csv", "x")), StatusCode::UNPROCESSABLE_ENTITY, "[statement.none] is not configured"),
            ([("channel", "viettel"), ("day", "today")], Some(("a.csv", "x")), StatusCode::UNPROCESSABLE_ENTITY, "which day it is of"),
        ] {
            let page = accountant.gives(IMPORT, &fields, file).await;
            assert!(page.status == status && page.text.contains(says), "{says}: {page:?}");
        }
        let page = accountant.gives_with("another", IMPORT, &right, Some(("a.csv", "x"))).await;
        assert!(page.status == StatusCode::FORBIDDEN && page.text.contains("another session"), "{page:?}");
        assert!(world.daemons[0].journal.statement_of("viettel", TODAY).await.unwrap().is_none());
        // A file's name leads nowhere, and nothing stays behind.
        let page = accountant.gives(IMPORT, &right, Some(("../../a.csv", "Ref,Amount\n"))).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
        assert!(ended(&accountant).await.contains("from a.csv"));
        while std::fs::read_dir(folder.path()).unwrap().next().is_some() {
            tokio::task::yield_now().await;
        }
    }

    async fn one_import_at_a_time_and_one_that_never_comes_stands_in_nobodys_way(store: Store) {
        let mut world = plan(store, "").set(SETTINGS).start().await;
        let accountant = logged_in(&world, "accountant").await;
        let slow = || async {
            let mut peer = TcpStream::connect(world.daemons[0].address).await.unwrap();
            let (host, cookie) = (world.daemons[0].address, accountant.cookie().unwrap());
            let token = accountant.token().await;
            let part = |name: &str, rest: &str| format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{rest}");
            let head = format!(
                "POST {IMPORT} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\nContent-Length: 100000\r\n\
                 Content-Type: multipart/form-data; boundary=edge\r\n\r\n{}\r\n\r\n{token}\r\n{}\r\n\r\nviettel\r\n{}\r\n\r\n{TODAY}\r\n{}\r\n\r\nRef,Amount\n",
                part("csrf", ""), part("channel", ""), part("day", ""), part("file", "; filename=\"a.csv\""));
            peer.write_all(head.as_bytes()).await.unwrap();
            while !accountant.reads(IMPORT).await.contains("on their way here") {
                tokio::task::yield_now().await;
            }
            peer
        };
        let peer = slow().await;
        let right = [("channel", "viettel"), ("day", TODAY)];
        let file = Some(("b.csv", "Ref,Amount\nnone-c1,5000\n"));
        let page = accountant.gives(IMPORT, &right, file).await;
        assert!(page.status == StatusCode::CONFLICT && page.text.contains("Another import is under way"), "{page:?}");
        drop(peer);
        while accountant.reads(IMPORT).await.contains("under way") {
            tokio::task::yield_now().await;
        }
        assert!(gives(&accountant, "viettel", TODAY, "Ref,Amount\nnone-c1,5000\n").await.contains("data-import=\"done\""));
        // A daemon that is stopped waits for no file that is on its way.
        let _peer = slow().await;
        world.stop_daemons().await;
    }

    async fn an_accountant_gives_a_file_in_a_browser_on_a_phone(store: Store) {
        let world = plan(store, "").set(SETTINGS).start().await;
        account(&world, "minh", "accountant").await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("statement.csv");
        std::fs::write(&file, "Ref,Amount\nelsewhere-c1,5000\n").unwrap();
        let browser = Browser::start(390, 844).await;
        browser.open(&world.door(IMPORT)).await;
        browser.types("input[name=name]", "minh").await;
        browser.types("input[name=password]", PASSWORD).await;
        browser.clicks(".login button").await;
        browser.types("input[name=file]", file.to_str().unwrap()).await;
        // What is typed into a date depends on where one is.
        browser.runs(&format!("document.querySelector('input[name=day]').value = '{TODAY}'")).await;
        browser.clicks(".import button").await;
        browser.sees("[data-import=done]").await;
        assert!(browser.reads("[data-import=done]").await.contains("from statement.csv"));
        browser.clicks("[data-import=done] .answers a").await;
        browser.clicks("[data-list=open] a").await;
        assert!(browser.reads("[data-care=proposal]").await.contains("no purchase of ours"));
        for path in ["/care/statements", "/care/settlement?day=2026-11-24", IMPORT] {
            browser.open(&world.door(path)).await;
            browser.sees("main").await;
            let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.runs(wider).await, 0, "{path} is no wider than the phone");
        }
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        browser.close().await;
    }
}
