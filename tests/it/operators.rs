//! Operators' verbs from the built program, beside real daemons: each is written down with its reason, carried out once,
//! and moves no money by itself.

mod remedies;

use crate::journal::samples::{first, later, purchase, step};
use crate::stores::{Store, both_stores};
use crate::world::{Books, PATIENCE, World};
use paygate::journal::Journal;
use paygate::journal::rows::{ActDone, ActOutcome, Committed, Deed, NewAct, Unit};
use paygate::purchase::State;
use paygate::purchase::record::Verdict;
use paygate::sandbox::billing::Endpoint::{ConfirmPayment, RetrievePayment, RetrievePayments};
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages;
use paygate::sandbox::partner::Sale;
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// The command line of this world, used by `lan`.
pub(crate) struct Terminal {
    folder: TempDir,
}

/// Exit code, stdout and stderr.
pub(crate) type Printed = (i32, String, String);

impl Terminal {
    pub(crate) fn beside(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("paygate.toml"), world.toml()).unwrap();
        Self { folder }
    }

    pub(crate) async fn types(&self, arguments: &[&str]) -> Printed {
        let output = self.command(arguments).output().await.unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// What is typed, to be started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paygate"));
        command.args(arguments).arg("--config").arg(self.folder.path().join("paygate.toml"));
        command.env_clear().env("USER", "lan").env("TZ", "Asia/Ho_Chi_Minh").stdin(Stdio::null());
        command
    }

    /// What is to be done, and is.
    pub(crate) async fn does(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.types(arguments).await;
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}: {out}");
        out
    }

    /// What is refused, in one line.
    pub(crate) async fn is_refused(&self, code: i32, arguments: &[&str]) -> String {
        let (told, out, err) = self.types(arguments).await;
        assert_eq!((told, out.as_str(), err.lines().count()), (code, "", 1), "{arguments:?}: {err}");
        err
    }

    pub(crate) async fn reads(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.does(&[arguments, &["--json"]].concat()).await).unwrap()
    }
}

/// The plan is through at once, so that what is unknown is soon a person's.
const SOON_IN_REVIEW: &str = r#"charging.viettel = { timeout = "300ms", inquiry_plan = ["30ms"] }"#;
/// Nobody asks by plan while the test lasts.
const NEVER_ASKED: &str = r#"charging.viettel = { timeout = "300ms", inquiry_plan = ["1h"] }
purchase.checking_after = "1h""#;

/// The id of the one purchase in this state.
async fn id_of(world: &World, state: State) -> String {
    let purchases = world.purchases().await;
    let mut found = purchases.into_iter().filter(|listed| listed.purchase.state == state);
    let id = found.next().unwrap().purchase.id;
    assert!(found.next().is_none(), "more than one is {state:?}");
    id
}

/// Charged, and the channel does not say so to anybody who asks.
async fn in_review(world: &World) -> String {
    for endpoint in [RetrievePayment, RetrievePayments] {
        world.billing_faults(endpoint, Fault::Failed { status: 500 }, 100_000);
    }
    world.billing_faults(ConfirmPayment, Fault::Lost, 1);
    world.phone("0854689520").buys("ON VIP NAP1").await;
    world.comes_to("review").await;
    id_of(world, State::Review).await
}

both_stores! {
    async fn errors_are_told_apart_and_what_was_charged_twice_is_found(store: Store) {
        let world = World::of(store).set("charging.viettel.gives_back.declined = \"in_1_2_days\"").start().await;
        let (phone, terminal) = (world.phone("0854689520"), Terminal::beside(&world));
        phone.buys("ON THU LOI1").await;
        phone.reads("chon cach thanh toan khac").await;
        for account in ["0912345678", "0912345679"] {
            phone.buys(&format!("ON VIP NAP1 {account}")).await;
            phone.reads_done().await;
        }
        let ids: Vec<String> = world.purchases().await.into_iter().map(|listed| listed.purchase.id).collect();
        let told: Value = serde_json::from_str(&terminal.does(&["purchases", "show", &ids[0], "--json"]).await).unwrap();
        let fault = &told["fault"];
        let words = ["hop", "party", "gives_back", "care"].map(|key| fault[key].as_str().unwrap());
        assert_eq!(words, ["partner", "partner", "in_1_2_days", "show_subscriber"]);
        assert_eq!((&told["decline"]["reason"], &told["decline"]["advice"]), (&"declined".into(), &1.into()));
        let shown = terminal.does(&["purchases", "show", &ids[0]]).await;
        assert!(shown.contains("went wrong at  partner, by partner") && shown.contains("in_1_2_days by the channel"), "{shown}");
        let done: Value = serde_json::from_str(&terminal.does(&["purchases", "show", &ids[1], "--json"]).await).unwrap();
        assert_eq!((&done["fault"], &done["surplus"][0]["other"]), (&Value::Null, &ids[2].as_str().into()));
        let shown = terminal.does(&["purchases", "show", &ids[2]]).await;
        assert!(shown.contains(&format!("charged twice: see {} too", ids[1])), "{shown}");
        let listed = terminal.does(&["purchases", "list", "--surplus", "--json"]).await;
        let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed.iter().map(|it| it["id"].as_str().unwrap()).collect::<Vec<_>>(), [&ids[2], &ids[1]]);
        world.ends(&["declined", "done", "done"], Books::bought(2)).await;
    }

    async fn a_charge_that_is_put_off_is_shown_with_its_attempt_its_time_and_its_reason(store: Store) {
        let world = World::of(store).set("charging.viettel.retry = [\"4h\"]").start().await;
        let (phone, terminal) = (world.phone("0854689520"), Terminal::beside(&world));
        phone.buys("ON THU LOI2").await;
        phone.reads("Se tu thu lai sau 4 gio").await;
        let listed: Vec<Value> =
            serde_json::from_str(&terminal.does(&["purchases", "list", "--json"]).await).unwrap();
        let (id, retry) = (listed[0]["id"].as_str().unwrap(), &listed[0]["retry"]);
        assert_eq!((&retry["attempt"], &retry["reason"], &retry["advice"]), (&2.into(), &"limit".into(), &2.into()));
        let shown = terminal.does(&["purchases", "show", id]).await;
        assert!(shown.contains("attempt 2: limit") && shown.contains("tried again by itself"), "{shown}");
        phone.texts("HUY").await;
        phone.reads("Da huy").await;
        world.ends(&["cancelled"], Books::NOTHING).await;
    }

    async fn an_inquiry_asks_the_channel_at_once_and_what_it_proves_goes_on_by_itself(store: Store) {
        let world = World::of(store).set(NEVER_ASKED).start().await;
        let (terminal, phone) = (Terminal::beside(&world), world.phone("0854689520"));
        world.billing_faults(ConfirmPayment, Fault::Lost, 1);
        phone.buys("ON VIP NAP1").await;
        world.comes_to("charge_unknown").await;
        let id = id_of(&world, State::ChargeUnknown).await;
        let told = terminal.does(&["inquire", &id, "--reason", "the subscriber called"]).await;
        assert!(told.contains("Asked what happened: charged 10,000 VND"), "{told}");
        phone.reads_done().await;
        let shown = terminal.does(&["purchases", "show", &id]).await;
        assert!(shown.contains("lan has the peers asked now: the subscriber called"), "{shown}");
        let nothing = terminal.is_refused(1, &["inquire", &id, "--reason", "again"]).await;
        assert!(nothing.contains("is done: nothing about it is unknown"), "{nothing}");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn an_inquiry_about_a_grant_asks_the_package_manager(store: Store) {
        let settings = r#"package_manager = { timeout = "300ms", inquiry_plan = ["1h"] }
purchase.checking_after = "1h""#;
        let world = World::of(store).set(settings).start().await;
        let (terminal, phone) = (Terminal::beside(&world), world.phone("0854689520"));
        world.package_faults(packages::Endpoint::Grant, Fault::Lost, 1);
        phone.buys("ON VIP NAP1").await;
        world.comes_to("grant_unknown").await;
        let told = terminal.does(&["inquire", &id_of(&world, State::GrantUnknown).await, "--reason", "it takes long"]).await;
        assert!(told.contains("package manager") && told.contains("the package is granted"), "{told}");
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn what_waits_for_a_person_is_listed_resolved_with_a_reason_and_told_once(store: Store) {
        let world = World::of(store).set(SOON_IN_REVIEW).set("purchase.checking_after = \"1s\"").start().await;
        let (terminal, phone) = (Terminal::beside(&world), world.phone("0854689520"));
        let id = in_review(&world).await;
        phone.reads("dang duoc kiem tra").await;
        let listed = terminal.reads(&["review", "list"]).await;
        assert_eq!((&listed[0]["id"], &listed[0]["reason"]), (&id.as_str().into(), &"charge_unknown".into()));
        assert_eq!((&listed[0]["paid"], &listed[0]["msisdn"]), (&"unknown".into(), &"+84854***520".into()));
        let table = terminal.does(&["review", "list"]).await;
        assert!(table.contains("charge_unknown") && !table.contains("0854689520"), "{table}");
        // The money was taken and no package given: the person gives the package by hand, and says so.
        let resolve = ["review", "resolve", &id, "--as", "done", "--reason", "given by hand", "--evidence", "line 12"];
        let told = terminal.does(&resolve).await;
        assert!(told.contains("is resolved: done"), "{told}");
        phone.reads_done().await;
        let again = terminal.is_refused(1, &resolve).await;
        assert!(again.contains("only a purchase in review can be resolved"), "{again}");
        let shown = terminal.reads(&["purchases", "show", &id]).await;
        assert_eq!((&shown["state"], &shown["paid"], &shown["granted"]), (&"done".into(), &"yes".into(), &"elsewhere".into()));
        let event = shown["events"].as_array().unwrap().iter().find(|event| event["kind"] == "resolve").unwrap();
        let act = &shown["acts"][0];
        assert_eq!((&act["operator"], &act["evidence"], &act["outcome"]), (&"lan".into(), &"line 12".into(), &"carried_out".into()));
        assert_eq!((&event["to"], &event["body"]["by"]["reason"]), (&"done".into(), &"given by hand".into()));
        assert_eq!(terminal.does(&["review", "list"]).await, "nothing waits for a person\n");
        assert_eq!(world.books(), Books { debits: 1, refunds: 0, grants: 0 }, "a verdict moves nothing");
    }

    async fn every_verb_that_acts_asks_for_a_reason(store: Store) {
        let world = World::of(store).set(SOON_IN_REVIEW).start().await;
        let terminal = Terminal::beside(&world);
        let id = in_review(&world).await;
        for verb in [&["inquire", &id] as &[&str], &["review", "resolve", &id, "--as", "done"], &["freeze", "viettel"]] {
            let told = terminal.is_refused(2, verb).await;
            assert!(told.contains("--reason TEXT"), "{told}");
            let blank = terminal.is_refused(2, &[verb, &["--reason", "  "]].concat()).await;
            assert!(blank.contains("--reason TEXT"), "{blank}");
        }
        let nobody = terminal.is_refused(2, &["freeze", "viettel", "--reason", "x", "--operator", " "]).await;
        assert!(nobody.contains("--operator NAME"), "{nobody}");
        let story = world.journal().await.story(&id).await.unwrap().unwrap();
        assert_eq!((story.acts.len(), world.journal().await.freezes().await.unwrap().len()), (0, 0), "nothing was done");
    }

    async fn an_act_that_no_daemon_has_taken_stands_and_is_carried_out_by_the_next_one(store: Store) {
        let mut world = World::of(store).set(NEVER_ASKED).start().await;
        let terminal = Terminal::beside(&world);
        world.billing_faults(ConfirmPayment, Fault::Lost, 1);
        world.phone("0854689520").buys("ON VIP NAP1").await;
        world.comes_to("charge_unknown").await;
        world.stop_daemons().await;
        let id = id_of(&world, State::ChargeUnknown).await;
        let told = terminal.is_refused(1, &["inquire", &id, "--reason", "at night", "--wait", "100ms"]).await;
        assert!(told.contains("no daemon has taken it yet; it stands as act 1"), "{told}");
        let shown = terminal.does(&["purchases", "show", &id]).await;
        assert!(shown.contains("wants the peers asked: at night (act 1; no daemon has taken it yet)"), "{shown}");
        world.start_daemon().await;
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn an_act_is_carried_out_once_however_many_daemons_there_are(store: Store) {
        let several = store.is_postgres();
        let mut world = World::of(store).set(NEVER_ASKED).start().await;
        if several {
            world.start_daemon().await;
        }
        let phone = world.phone("0854689520");
        for endpoint in [RetrievePayment, RetrievePayments] {
            world.billing_faults(endpoint, Fault::Failed { status: 500 }, 100_000);
        }
        world.billing_faults(ConfirmPayment, Fault::Lost, 1);
        phone.buys("ON VIP NAP1").await;
        world.comes_to("charge_unknown").await;
        let (id, journal) = (id_of(&world, State::ChargeUnknown).await, world.daemons[0].journal.clone());
        let act = |reason: String| NewAct {
            operator: "lan".to_owned(),
            deed: Deed::Inquire { purchase: id.clone() },
            reason,
            evidence: None,
        };
        let mut numbers = Vec::new();
        for count in 0..20 {
            numbers.push(journal.act(&act(format!("question {count}"))).await.unwrap());
        }
        for number in &numbers {
            done(&journal, *number).await;
        }
        world.stop_daemons().await;
        let story = world.journal().await.story(&id).await.unwrap().unwrap();
        let asked = story.events.iter().filter(|event| event.kind == "inquire").count();
        assert_eq!(asked, numbers.len(), "one event for each act");
        assert!(story.acts.iter().all(|act| act.done.is_some_and(|(_, outcome)| outcome == ActOutcome::CarriedOut)));
    }

    async fn on_a_frozen_channel_nothing_new_begins_and_an_unknown_charge_is_still_found_and_granted(store: Store) {
        let world = World::of(store).set(NEVER_ASKED).start().await;
        let (terminal, buyer, other) = (Terminal::beside(&world), world.phone("0854689520"), world.phone("0912345678"));
        world.billing_faults(ConfirmPayment, Fault::Lost, 1);
        buyer.buys("ON VIP NAP1").await;
        world.comes_to("charge_unknown").await;
        let code = other.asks("ON VIP NAP1").await;
        let told = terminal.does(&["freeze", "viettel", "--reason", "the telco double-charges"]).await;
        assert!(told.contains("viettel is frozen: every daemon obeys within 20ms"), "{told}");
        let listed = terminal.reads(&["freeze"]).await;
        assert_eq!((&listed[0]["channel"], &listed[0]["operator"]), (&"viettel".into(), &"lan".into()));
        let offered = id_of(&world, State::Offered).await;
        has_looked(&world, &offered).await;
        // An offer that is out is declined as not charged, and a new request is told that we are busy.
        other.texts(&code).await;
        other.reads("He thong ban, chua mua duoc goi").await;
        let third = world.phone("0987654321");
        third.texts("ON VIP NAP1").await;
        third.reads("He thong ban, yeu cau mua goi NAP1 chua thuc hien").await;
        assert_eq!(world.books().debits, 1, "the unknown one, and no other");
        // What is begun goes on.
        let unknown = id_of(&world, State::ChargeUnknown).await;
        terminal.does(&["inquire", &unknown, "--reason", "while frozen"]).await;
        buyer.reads_done().await;
        let told = terminal.does(&["thaw", "viettel", "--reason", "they have mended it"]).await;
        assert!(told.contains("by lan: the telco double-charges"), "{told}");
        has_looked(&world, &offered).await;
        third.buys("ON VIP NAP1 0987654321").await;
        third.reads_done().await;
        world.ends(&["done", "declined", "refused", "done"], Books::bought(2)).await;
    }

    async fn a_daemon_that_starts_frozen_stays_so_and_prepares_nothing(store: Store) {
        // It looks again so late that it must know from the start.
        let settings = "purchase.otp = \"telco\"\nengine.poll = \"2s\"";
        let mut world = World::of(store).set(settings).start().await;
        let terminal = Terminal::beside(&world);
        world.stop_daemons().await;
        terminal.does(&["freeze", "viettel", "--reason", "maintenance tonight", "--operator", "minh"]).await;
        world.start_daemon().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.reads("He thong ban").await;
        assert!(world.billing.entries().is_empty(), "the channel has seen nothing");
        let again = terminal.does(&["freeze", "viettel", "--reason", "x"]).await;
        assert!(again.contains("is frozen already") && again.contains("by minh: maintenance tonight"), "{again}");
        world.ends(&["refused"], Books::NOTHING).await;
    }

    async fn a_channel_that_is_not_there_or_not_frozen_is_told_so(store: Store) {
        let world = World::of(store).start().await;
        let terminal = Terminal::beside(&world);
        assert_eq!(terminal.does(&["freeze", "--list"]).await, "no channel is frozen\n");
        let told = terminal.is_refused(2, &["freeze", "vietel", "--reason", "x"]).await;
        assert!(told.contains("no channel \"vietel\" is configured; the channels are viettel"), "{told}");
        let told = terminal.is_refused(1, &["thaw", "viettel", "--reason", "x"]).await;
        assert!(told.contains("viettel is not frozen"), "{told}");
    }

    async fn who_did_what_and_why_is_never_rewritten(store: Store) {
        let journal = store.open().await;
        let freeze = NewAct {
            operator: "lan".to_owned(),
            deed: Deed::Freeze { channel: "viettel".to_owned() },
            reason: "it double-charges".to_owned(),
            evidence: None,
        };
        journal.act(&freeze).await.unwrap();
        for sql in ["UPDATE act SET reason = 'none'", "UPDATE act SET operator = 'minh'", "DELETE FROM act"] {
            assert!(store.execute(sql).await.is_err(), "{sql}");
        }
        assert_eq!(journal.freezes().await.unwrap()[0].act, freeze);
        let unnamed = NewAct { reason: String::new(), ..freeze };
        assert!(journal.act(&unnamed).await.is_err(), "an act without a reason is refused");
    }

    /// Its lease may end while it is being carried out: then two daemons hold it.
    async fn an_act_that_two_daemons_hold_is_written_by_one_of_them(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let inquire = NewAct {
            operator: "lan".to_owned(),
            deed: Deed::Inquire { purchase: "p1".to_owned() },
            reason: "the subscriber called".to_owned(),
            evidence: None,
        };
        let number = journal.act(&inquire).await.unwrap();
        let now = journal.now().await.unwrap();
        for _ in 0..2 {
            let held = journal.claim_acts(now, Duration::ZERO, 10).await.unwrap();
            assert_eq!(held.iter().map(|act| (act.number, &act.act)).collect::<Vec<_>>(), [(number, &inquire)]);
        }
        assert!(journal.claim_acts(now, Duration::from_secs(60), 10).await.unwrap().len() == 1);
        assert!(journal.claim_acts(now, Duration::from_secs(60), 10).await.unwrap().is_empty(), "it is leased");
        let done = ActDone { number, at: now, outcome: ActOutcome::CarriedOut };
        let mut current = purchase("p1");
        for expected in [Committed::Durable, Committed::Duplicate] {
            let next = step(&current, State::Offered);
            let unit = Unit { act: Some(done), ..later(&next) };
            assert_eq!(journal.commit(vec![unit]).await.unwrap(), [expected]);
            current = journal.purchases(&["p1".to_owned()]).await.unwrap().remove(0);
        }
        assert_eq!(current.version, 2, "the second changed nothing");
        assert_eq!(journal.act_of(number).await.unwrap().unwrap().done, Some((now, ActOutcome::CarriedOut)));
    }

    async fn a_later_versions_act_waits_for_its_daemon_and_holds_up_nobody(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let later = "INSERT INTO act (at, operator, verb, purchase_number, reason, due_at) \
                     SELECT 1, 'lan', 'exchange', number, 'seen', 1 FROM purchase";
        store.execute(later).await.unwrap();
        let inquire = NewAct {
            operator: "lan".to_owned(),
            deed: Deed::Inquire { purchase: "p1".to_owned() },
            reason: "the subscriber called".to_owned(),
            evidence: None,
        };
        let number = journal.act(&inquire).await.unwrap();
        let claimed = journal.claim_acts(i64::MAX / 2, Duration::from_secs(60), 10).await.unwrap();
        assert_eq!(claimed.iter().map(|act| act.number).collect::<Vec<_>>(), [number]);
    }

    async fn one_purchase_is_one_line_of_time(store: Store) {
        let world = World::of(store).start().await;
        let (terminal, phone) = (Terminal::beside(&world), world.phone("0854689520"));
        let code = phone.asks("ON VIP NAP1").await;
        phone.texts(&code).await;
        phone.reads_done().await;
        world.replies_stand(&["offer delivered", "done delivered"]).await;
        let id = id_of(&world, State::Done).await;
        let shown = terminal.does(&["purchases", "show", &id]).await;
        let mut from = 0;
        for part in [
            "\"ON VIP NAP1\" to 9029 by smpp viettel, taken for buy",
            "Asks for NAP1 on account 0854689520 -> requested",
            "The offer is texted with a code",
            "offer delivered: Ma {otp}: mua goi",
            "a code to 9029 by smpp viettel, taken for confirm",
            "-> charging",
            "intends charge",
            "to leave by",
            "Charged 10,000 VND -> granting",
            "charge answered after",
            "intends grant",
            "The package is granted -> done",
            "done delivered: Thanh cong",
        ] {
            let found = shown[from..].find(part).unwrap_or_else(|| panic!("{part:?} is not, or not in its place, in\n{shown}"));
            from += found;
        }
        assert!(shown.lines().all(|line| line.chars().count() <= 120), "{shown}");
        assert!(!shown.contains(&code), "{shown}");
        let raw = terminal.does(&["purchases", "show", &id, "--raw"]).await;
        let octets: String = b"ON VIP NAP1".iter().map(|octet| format!("{octet:02x}")).collect();
        for part in [format!("octets {octets}").as_str(), "charge request {", "grant request {", "sha-256"] {
            assert!(raw.contains(part), "{part:?} is not in\n{raw}");
        }
        world.ends(&["done"], Books::BOUGHT).await;
    }
}

/// Waits until the daemon has seen which channels are frozen. It looks at them and then at what operators wait for: the
/// second of two acts, one after the other, is taken by a look that began after now.
async fn has_looked(world: &World, purchase: &str) {
    let journal = &world.daemons[0].journal;
    for reason in ["first", "second"] {
        let act = NewAct {
            operator: "the test".to_owned(),
            deed: Deed::Inquire { purchase: purchase.to_owned() },
            reason: reason.to_owned(),
            evidence: None,
        };
        done(journal, journal.act(&act).await.unwrap()).await;
    }
}

/// Waits until a daemon has carried the act out.
async fn done(journal: &Journal, number: i64) {
    let end = Instant::now() + PATIENCE;
    while journal.act_of(number).await.unwrap().unwrap().done.is_none() {
        assert!(Instant::now() < end, "act {number} is never carried out");
        sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_verdict_is_named_as_the_state_it_leads_to() {
    for verdict in Verdict::ALL {
        assert_eq!(verdict.as_str(), verdict.end().as_str());
    }
}

/// A partner's payment for what is not sold: found, understood, asked about, and ended by a person.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partners_payment_is_listed_told_asked_about_and_ended_by_a_person() {
    let world = World::of(Store::sqlite()).with_partner("link = \"viettel\"").start().await;
    let terminal = Terminal::beside(&world);
    let sale = Sale {
        msisdn: "+84854689520".to_owned(),
        account: Some("a085468952".to_owned()),
        service: "VIP".to_owned(),
        package: "NAP1".to_owned(),
        amount: 10_000,
        currency: "VND".to_owned(),
    };
    let payment = world.partner.charges(&sale);
    world.partner.tells(&world.door(""), &payment).await;
    let listed = terminal.reads(&["purchases", "list", "--search", &payment.id]).await;
    let (one, id) = (&listed[0], listed[0]["id"].as_str().unwrap());
    for (key, value) in [("door", "partner"), ("channel", "vinaphone"), ("paid", "yes"), ("review", "not_sold")] {
        assert_eq!(one[key], value, "{key}");
    }
    assert_eq!((&one["charges"][0]["peer_reference"], &one["granted"]), (&payment.id.clone().into(), &"owed".into()));
    let told = terminal.does(&["purchases", "show", id]).await;
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "came by partner vinaphone, told by viettel from 9029",
        "by partner vinaphone, taken for payment",
        "Has charged 10,000 VND for NAP1 on account a085468952, its payment vinaphone-1.",
        "there is no such account",
    ] {
        assert!(told.contains(words), "{words:?} is not in\n{told}");
    }
    let asked = terminal.does(&["inquire", id, "--reason", "the account was made since"]).await;
    assert!(asked.contains("package manager") && asked.contains("not_sold"), "{asked}");
    let resolve = ["review", "resolve", id, "--as", "done", "--reason", "given by hand"];
    terminal.does(&resolve).await;
    let text = world.phone("0854689520").reads("da cap goi NAP1 cho a085468952, da tru 10.000d").await;
    assert!(text.contains(id), "{text}");
}
