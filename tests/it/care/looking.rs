//! What is seen: every attempt, found by whatever the caller says, with two answers side by side, and numbers only for those
//! who may read them.

use super::{logged_in, plan};
use crate::journal::samples::{T, attempt, attempt_row, first, purchase, step};
use crate::stores::both_stores;
use crate::world::{Books, World};
use paygate::journal::rows::{PurchaseRow, Unit};
use paygate::purchase::record::{AttemptStatus, Purchase, State};
use paygate::sandbox::billing::Endpoint::{ConfirmPayment, RetrievePayment, RetrievePayments};
use paygate::sandbox::faults::Fault;

/// Finished, so that no daemon moves it.
fn ended(id: &str, at: i64, state: State) -> Purchase {
    Purchase { state, due_at: None, created_at: at, updated_at: at, ..purchase(id) }
}

async fn keep(world: &World, purchases: impl IntoIterator<Item = Purchase>) {
    let unit = |purchase| Unit { purchase: Some(PurchaseRow { purchase, seen: 0 }), ..Unit::default() };
    world.daemons[0].journal.commit(purchases.into_iter().map(unit).collect()).await.unwrap();
}

/// The ids that a list links to, in its order.
fn ids(page: &str) -> Vec<&str> {
    let links = page.split("<a href=\"/care/purchases/").skip(1);
    links.map(|link| link.split('"').next().unwrap()).collect()
}

/// The rows' two answers.
fn answers(page: &str) -> Vec<(&str, &str)> {
    let word = |row: &'_ str, class: &str| -> Option<usize> { row.find(&format!("class=\"{class}\"")) };
    let rows = page.split("<tr data-state").skip(1);
    rows.map(|row| {
        let after = |class| {
            let cell = &row[word(row, class).unwrap()..];
            let pill = &cell[cell.find("class=\"pill\"").unwrap()..];
            let start = pill.find('>').unwrap() + 1;
            &pill[start..pill.find('<').unwrap()]
        };
        (after("paid"), after("granted"))
    })
    .collect()
}

both_stores! {
    async fn every_attempt_is_listed_newest_first_page_by_page(store: Store) {
        let world = plan(store, "page = 2").start().await;
        let abandoned = ["p1", "p2", "p3", "p4", "p5"].into_iter().enumerate();
        // Two of them at the same moment.
        keep(&world, abandoned.map(|(n, id)| ended(id, T + (n as i64) / 2, State::Expired))).await;
        let agent = logged_in(&world, "agent").await;
        let (mut path, mut seen) = ("/care/purchases".to_owned(), Vec::new());
        loop {
            let page = agent.reads(&path).await;
            assert!(ids(&page).len() <= 2);
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            let Some((_, next)) = page.split_once("rel=\"next\" href=\"") else { break };
            path = next.split('"').next().unwrap().replace("&amp;", "&");
        }
        assert_eq!(seen, ["p5", "p4", "p3", "p2", "p1"]);
    }

    async fn filters_by_type_channel_state_and_period_join(store: Store) {
        let world = plan(store, "").start().await;
        let other = |id: &str, change: fn(&mut Purchase)| {
            let mut purchase = ended(id, T, State::Done);
            change(&mut purchase);
            purchase
        };
        keep(&world, [
            other("plain", |_| {}),
            other("by-app", |purchase| purchase.order.door = "app".to_owned()),
            other("by-bank", |purchase| purchase.order.channel = "bank".to_owned()),
            other("declined", |purchase| purchase.state = State::Declined),
            other("later", |purchase| purchase.created_at = T + 86_400_000_000),
        ]).await;
        let agent = logged_in(&world, "agent").await;
        for (query, found) in [
            ("type=app", &["by-app"][..]),
            ("channel=bank", &["by-bank"]),
            ("state=declined", &["declined"]),
            ("since=2026-01-01T12%3A00%3A00Z", &["later"]),
            ("until=2026-01-01T12%3A00%3A00Z&type=smpp&state=done&channel=viettel", &["plain"]),
            ("state=open", &[]),
            ("state=unknown", &[]),
            ("state=surplus", &[]),
        ] {
            let page = agent.reads(&format!("/care/purchases?{query}")).await;
            assert_eq!(ids(&page), found, "{query}");
        }
        let page = agent.reads("/care/purchases?since=yesterday").await;
        assert!(page.contains("from: expected 2026-11-22"), "a time that cannot be read is said");
    }

    async fn one_box_finds_a_purchase_by_whatever_the_caller_says(store: Store) {
        let world = plan(store, "").start().await;
        let mut own = ended("a1b2c3", T, State::Done);
        own.version = 2;
        own.order.account = "0912345678".to_owned();
        let mut charge = attempt("a1b2c3-c1", AttemptStatus::Succeeded);
        charge.peer_reference = Some("PAY-4711".to_owned());
        own.charge = Some(charge.clone());
        let mut word = ended("d4e5f6", T + 1, State::Expired);
        word.order.account = "Lan.Tran".to_owned();
        word.order.msisdn = None;
        let row = attempt_row(&own, charge);
        let unit = Unit { charge: Some(row), purchase: Some(PurchaseRow { purchase: own, seen: 0 }), ..Unit::default() };
        world.daemons[0].journal.commit(vec![unit]).await.unwrap();
        keep(&world, [word]).await;
        let agent = logged_in(&world, "agent").await;
        for words in ["0854689520", "84854689520", "+84 854 689 520", "0854.689.520", "854689520", "0912345678",
            "+84912345678", "a1b2c3", "a1b2c3-c1", "PAY-4711", " PAY-4711 "] {
            let query: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
            assert_eq!(ids(&agent.reads(&format!("/care/purchases?q={query}")).await), ["a1b2c3"], "{words}");
        }
        assert_eq!(ids(&agent.reads("/care/purchases?q=lan.tran").await), ["d4e5f6"]);
        let page = agent.reads("/care/purchases?q=0999999999").await;
        assert!(ids(&page).is_empty() && page.contains("No purchase matches."));
        let hostile = agent.reads("/care/purchases?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
        assert!(!hostile.contains("<script>"), "{hostile}");
    }

    async fn paid_and_granted_are_two_answers(store: Store) {
        let world = plan(store, "").start().await;
        let charged = |id: &str, at: i64, status| {
            let mut purchase = ended(id, at, State::Declined);
            purchase.charge = Some(attempt(&format!("{id}-c1"), status));
            purchase
        };
        let mut granted = Purchase { state: State::Done, ..charged("c", T + 2, AttemptStatus::Succeeded) };
        granted.grant = Some(attempt("c", AttemptStatus::Succeeded));
        keep(&world, [
            charged("a", T, AttemptStatus::Succeeded),
            charged("b", T + 1, AttemptStatus::Unknown),
            granted,
            Purchase { state: State::Refunded, ..charged("d", T + 3, AttemptStatus::Succeeded) },
            ended("e", T + 4, State::Expired),
        ]).await;
        let agent = logged_in(&world, "agent").await;
        let page = agent.reads("/care/purchases").await;
        assert_eq!(answers(&page), [("no", "no"), ("refunded", "no"), ("yes", "yes"), ("unknown", "no"), ("yes", "owed")]);
    }

    async fn a_number_is_masked_for_the_agent_and_read_in_full_by_whom_it_is_written_down(store: Store) {
        let world = plan(store, "").start().await;
        world.phone("0854689520").buys("ON VIP NAP1 0912345678").await;
        world.comes_to("done").await;
        let id = world.purchases().await.pop().unwrap().purchase.id;
        let path = format!("/care/purchases/{id}");
        let agent = logged_in(&world, "agent").await;
        for path in [path.as_str(), "/care/purchases", "/care/purchases?state=done"] {
            let page = agent.reads(path).await;
            for core in ["854689520", "912345678"] {
                assert!(!page.contains(core), "{core} in {path}: {page}");
            }
            assert!(page.contains("4***520") && page.contains("0912***678"), "{page}");
        }
        let looks = async || {
            let lines = world.daemons[0].journal.audited(None, 100).await.unwrap();
            lines.into_iter().filter(|line| line.what == "look").map(|line| (line.operator, line.detail)).collect::<Vec<_>>()
        };
        assert!(looks().await.is_empty());
        for (n, role) in ["supervisor", "accountant", "administrator"].into_iter().enumerate() {
            let other = logged_in(&world, role).await;
            assert!(!other.reads("/care/purchases").await.contains("854689520"), "a list is for many eyes");
            let page = other.reads(&path).await;
            assert!(page.contains("+84854689520") && page.contains("0912345678"), "{page}");
            let looks = looks().await;
            assert_eq!((looks.len(), &looks[0]), (n + 1, &(role.to_owned(), id.clone())));
        }
        world.store.keeps_no("audit").await;
        let supervisor = super::visitor::Visitor::at(&world);
        world.store.keeps_again("audit").await;
        supervisor.logs_in("supervisor").await;
        world.store.keeps_no("audit").await;
        let page = supervisor.opens(&path).await;
        assert_eq!(page.status.as_u16(), 503, "what cannot be written down is not shown");
        assert!(!page.text.contains("854689520"));
        world.store.keeps_again("audit").await;
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_purchase_tells_its_story_what_went_wrong_and_the_remedy(store: Store) {
        let world = plan(store, "").set("charging.viettel.gives_back.declined = \"in_1_2_days\"").start().await;
        let phone = world.phone("0854689520");
        phone.buys("ON THU LOI1").await;
        phone.reads("chon cach thanh toan khac").await;
        let id = world.purchases().await.pop().unwrap().purchase.id;
        let agent = logged_in(&world, "agent").await;
        let page = agent.reads(&format!("/care/purchases/{id}")).await;
        for words in ["data-care=\"show_subscriber\"", "Only tell the subscriber what the error says",
            "the channel gives it back by itself, in one or two days", "declined (advice 1: stop)", "ON THU LOI1",
            "a code to 9029 by smpp", "intends charge", "charge answered after", "Khong thanh toan duoc goi LOI1", "The channel says that it took nothing."] {
            assert!(page.contains(words), "{words:?} is not in {page}");
        }
        assert!(page.contains(&format!("<code>{id}-c1</code>")), "its attempts stand with their keys");
        assert_eq!(agent.opens("/care/purchases/nothing").await.status.as_u16(), 404);
        world.ends(&["declined"], Books::NOTHING).await;
    }

    async fn the_first_screen_says_what_needs_a_person(store: Store) {
        let world = plan(store, "").set(r#"charging.viettel = { timeout = "300ms", inquiry_plan = ["30ms"] }"#).start().await;
        let agent = logged_in(&world, "agent").await;
        assert!(agent.reads("/care").await.contains("Nothing needs a person."));
        for endpoint in [RetrievePayment, RetrievePayments] {
            world.billing_faults(endpoint, Fault::Failed { status: 500 }, 100_000);
        }
        world.billing_faults(ConfirmPayment, Fault::Lost, 1);
        world.phone("0854689520").buys("ON VIP NAP1").await;
        world.comes_to("review").await;
        world.store.execute("UPDATE purchase SET created_at = created_at - 3600000000").await.unwrap();
        let page = agent.reads("/care").await;
        for words in ["1 in review: a person must look", "the oldest since 1 h 0 min", "<small>in review</small>"] {
            assert!(page.contains(words), "{words:?} is not in {page}");
        }
        assert_eq!(ids(&page).len(), 1, "what is in review is listed at once");
        assert_eq!(ids(&agent.reads("/care/purchases?state=unknown").await).len(), 1);
    }
}

#[test]
fn samples_stand_as_the_journal_makes_them() {
    let after = step(&purchase("a"), State::Done);
    assert_eq!((after.version, first("a").purchase.map(|row| row.seen)), (2, Some(0)));
}
