//! A telco that charges by itself and tells us: whatever is lost, late, doubled or wrong, the money that it took becomes a
//! package once, or a person's with the evidence.

use crate::stores::{Store, both_stores, free_port};
use crate::world::{Books, PATIENCE, Plan, Process, World};
use paygate::journal::Journal;
use paygate::journal::rows::{Deed, NewAct};
use paygate::purchase::record::ReviewReason;
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages::Endpoint::{CheckUser, Grant};
use paygate::sandbox::partner::{Heard, Partner, Sale, Settings, Trick};
use serde_json::json;
use std::time::Instant;

const PAID_AND_WAITING: Books = Books { debits: 1, refunds: 0, grants: 0 };

fn plan(store: Store) -> Plan {
    World::of(store).with_partner("link = \"viettel\"")
}

fn sale() -> Sale {
    Sale {
        msisdn: "+84854689520".to_owned(),
        account: None,
        service: "VIP".to_owned(),
        package: "NAP1".to_owned(),
        amount: 10_000,
        currency: "VND".to_owned(),
    }
}

/// Accepted, and what a person has to look at.
fn accepted(heard: &Heard) -> Option<String> {
    assert_eq!((heard.status, heard.word()), (200, "accepted"), "{heard:?}");
    heard.body["review"].as_str().map(str::to_owned)
}

async fn review_of(world: &World) -> Option<ReviewReason> {
    world.purchases().await[0].purchase.review
}

/// Whether the package manager was asked, at one of its doors.
fn asked(world: &World, endpoint: paygate::sandbox::packages::Endpoint) -> usize {
    world.packages.requests().iter().filter(|(at, _)| *at == endpoint).count()
}

both_stores! {
    async fn what_is_sold_and_paid_is_granted_once_and_told(store: Store) {
        let world = plan(store).start().await;
        let (payment, heard) = world.partner.sells(&world.door(""), &sale()).await;
        assert_eq!(accepted(&heard), None);
        let text = world.phone("0854689520").reads_done().await;
        assert!(text.contains("10.000d"), "{text}");
        let listed = &world.purchases().await[0];
        let (order, charge) = (&listed.purchase.order, &listed.charges[0].attempt);
        assert_eq!((order.door.as_str(), order.channel.as_str()), ("partner", "vinaphone"));
        assert_eq!(charge.peer_reference, payment.map(|payment| payment.id));
        assert_eq!(heard.body["purchaseId"], listed.purchase.id.as_str());
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn what_is_told_again_is_known_and_granted_once(store: Store) {
        let world = plan(store).start().await;
        let payment = world.partner.charges(&sale());
        let first = world.partner.tells_once(&world.door(""), &payment).await;
        accepted(&first);
        world.phone("0854689520").reads_done().await;
        for _ in 0..3 {
            let again = world.partner.tells_once(&world.door(""), &payment).await;
            assert_eq!(again, Heard { status: 200, body: json!({ "status": "already", "purchaseId": first.body["purchaseId"] }) });
        }
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn another_payment_under_a_taken_id_is_a_conflict_and_changes_nothing(store: Store) {
        let world = plan(store).start().await;
        let payment = world.partner.charges(&sale());
        accepted(&world.partner.tells_once(&world.door(""), &payment).await);
        world.phone("0854689520").reads_done().await;
        for (name, value) in [("amount", json!(3_000)), ("package", json!("NAP7")), ("msisdn", json!("+84912345678"))] {
            let mut other = payment.body();
            other[name] = value;
            let heard = world.partner.sends(&world.door(""), "payments", &other, Trick::None).await;
            assert_eq!(heard, Heard { status: 409, body: json!({ "status": "conflict" }) }, "{name}");
        }
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn another_price_than_the_packages_is_a_persons_and_grants_nothing(store: Store) {
        let world = plan(store).start().await;
        let payment = world.partner.charges(&Sale { amount: 3_000, ..sale() });
        let heard = world.partner.tells_once(&world.door(""), &payment).await;
        assert_eq!(accepted(&heard).as_deref(), Some("mismatch"));
        assert_eq!(review_of(&world).await, Some(ReviewReason::Mismatch));
        assert_eq!(asked(&world, Grant), 0);
        world.ends(&["review"], PAID_AND_WAITING).await;
    }

    async fn a_wrong_account_is_a_persons_and_what_was_typed_stands_there(store: Store) {
        let world = plan(store).start().await;
        let wrong = Sale { account: Some("a085468952".to_owned()), ..sale() };
        let heard = world.partner.tells_once(&world.door(""), &world.partner.charges(&wrong)).await;
        assert_eq!(accepted(&heard).as_deref(), Some("not_sold"));
        let purchase = world.purchases().await.remove(0).purchase;
        assert_eq!((purchase.order.account.as_str(), purchase.review), ("a085468952", Some(ReviewReason::NotSold)));
        assert_eq!((asked(&world, CheckUser), asked(&world, Grant)), (0, 0), "what is no account is nobody's to ask about");
        world.ends(&["review"], PAID_AND_WAITING).await;
    }

    async fn a_package_manager_that_is_down_when_it_is_paid_grants_it_later(store: Store) {
        let world = plan(store).start().await;
        world.package_faults(CheckUser, Fault::Refuse { status: 503, code: "BUSY".to_owned() }, 4);
        let payment = world.partner.charges(&sale());
        assert_eq!(accepted(&world.partner.tells_once(&world.door(""), &payment).await), None);
        world.phone("0854689520").reads_done().await;
        let id = world.purchases().await[0].purchase.id.clone();
        let events = world.journal().await.story(&id).await.unwrap().unwrap().events;
        let answers = events.iter().filter(|event| event.kind == "checked").count();
        assert_eq!((events[0].state_to.as_str(), answers), ("requested", 4), "three times more it could not say");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn what_nobody_answers_for_is_a_persons_and_is_granted_all_the_same_when_somebody_does(store: Store) {
        let settings = "package_manager.inquiry_plan = [\"20ms\", \"40ms\"]\npurchase.checking_after = \"1s\"";
        let world = plan(store).set(settings).start().await;
        world.package_faults(CheckUser, Fault::LostBefore, 10_000);
        accepted(&world.partner.tells_once(&world.door(""), &world.partner.charges(&sale())).await);
        world.comes_to("review").await;
        assert_eq!(review_of(&world).await, Some(ReviewReason::CheckUnknown));
        world.phone("0854689520").reads("dang duoc kiem tra").await;
        world.packages.clear_faults();
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn without_a_link_nobody_is_texted(store: Store) {
        let world = World::of(store).with_partner("").start().await;
        accepted(&world.partner.tells_once(&world.door(""), &world.partner.charges(&sale())).await);
        world.comes_to("done").await;
        let purchase = world.purchases().await.remove(0).purchase;
        let story = world.journal().await.story(&purchase.id).await.unwrap().unwrap();
        assert_eq!((story.replies.len(), purchase.order.link.as_str()), (0, ""));
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn two_partners_may_use_one_id(store: Store) {
        let second = Partner::new(Settings { name: "mobifone".to_owned(), ..Settings::default() });
        let world = World::of(store).with_partner("").set(&second.toml()).start().await;
        let payment = world.partner.charges(&sale());
        accepted(&world.partner.tells_once(&world.door(""), &payment).await);
        world.comes_to("done").await;
        accepted(&second.tells_once(&world.door(""), &payment).await);
        world.until("both have their package", |world| world.packages.grants_in_all() == 2).await;
        world.comes_to("done").await;
        let channels: Vec<String> = world.purchases().await.into_iter().map(|one| one.purchase.order.channel).collect();
        assert_eq!(channels, ["vinaphone", "mobifone"]);
    }

    async fn a_payment_that_cannot_be_kept_is_told_again_and_taken_then(store: Store) {
        let world = plan(store).set("http.ack_within = \"300ms\"").start().await;
        let held = world.store.hold().await;
        let payment = world.partner.charges(&sale());
        let later = world.partner.tells_once(&world.door(""), &payment).await;
        assert_eq!(later, Heard { status: 503, body: json!({ "status": "later" }) });
        assert_eq!(world.books(), PAID_AND_WAITING, "nothing leaves before it is written down");
        sqlx::Connection::close(held).await.unwrap();
        // It may have been written down after all, once there was room.
        let taken = world.partner.tells(&world.door(""), &payment).await;
        assert!(matches!(taken.word(), "accepted" | "already"), "{taken:?}");
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_power_cut_right_after_the_answer_loses_nothing(store: Store) {
        let port = free_port();
        let settings = format!("http.listen = \"127.0.0.1:{port}\"\nengine = {{ lease = \"1s\", reply_lease = \"1s\" }}");
        let world = plan(store).set(&settings).neighbours().await;
        let first = Process::start(&world).await;
        world.package_faults(Grant, Fault::Slow { ms: 400 }, 1);
        let payment = world.partner.charges(&sale());
        let door = format!("http://127.0.0.1:{port}");
        accepted(&world.partner.tells_once(&door, &payment).await);
        first.kill(&world).await;
        let second = Process::start(&world).await;
        world.phone("0854689520").reads_done().await;
        assert_eq!(world.partner.tells_once(&door, &payment).await.word(), "already");
        second.stop().await;
        world.ends_though_killed(&["done"], Books::BOUGHT).await;
    }

    async fn check_user_says_what_is_sold_and_changes_nothing(store: Store) {
        let world = plan(store).start().await;
        let heard = world.partner.checks(&world.door(""), &sale()).await;
        let package = json!({ "service": "VIP", "code": "NAP1", "name": "VIP 30 ngay", "price": 10_000, "currency": "VND", "days": 30 });
        let expected = json!({ "status": "ok", "account": "0854689520", "package": package });
        assert_eq!(heard, Heard { status: 200, body: expected });
        let typed = Sale { account: Some("+84 912 345 678".to_owned()), ..sale() };
        assert_eq!(world.partner.checks(&world.door(""), &typed).await.body["account"], "0912345678");
        assert_eq!(world.purchases().await.len(), 0);
        world.ends(&[], Books::NOTHING).await;
    }
}

async fn on_sqlite() -> World {
    plan(Store::sqlite()).start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_user_refuses_with_a_reason_and_never_says_a_blind_yes() {
    let world = on_sqlite().await;
    let refused = async |sale: Sale| world.partner.checks(&world.door(""), &sale).await;
    let account = refused(Sale { account: Some("a085468952".to_owned()), ..sale() }).await;
    assert_eq!((account.status, account.word(), &account.body["reason"]), (200, "refused", &"no_account".into()));
    assert!(account.body["message"].as_str().unwrap().contains("Tai khoan a085468952"), "{account:?}");
    let package = refused(Sale { package: "NAP9".to_owned(), ..sale() }).await;
    assert_eq!((package.word(), &package.body["reason"]), ("refused", &"no_package".into()));
    let later = Heard { status: 503, body: json!({ "status": "later" }) };
    for fault in [Fault::LostBefore, Fault::Garbage, Fault::Refuse { status: 503, code: "BUSY".to_owned() }] {
        world.package_faults(CheckUser, fault, 1);
        assert_eq!(refused(sale()).await, later);
    }
    assert_eq!(refused(sale()).await.word(), "ok");
    world.ends(&[], Books::NOTHING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_manager_that_hangs_holds_no_partner_longer_than_its_wait() {
    let world = World::of(Store::sqlite()).with_partner("check_within = \"50ms\"").start().await;
    world.package_faults(CheckUser, Fault::Silent, 2);
    assert_eq!(world.partner.checks(&world.door(""), &sale()).await.word(), "later");
    accepted(&world.partner.tells_once(&world.door(""), &world.partner.charges(&sale())).await);
    world.comes_to("done").await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subscriber_cannot_take_back_what_the_partner_has_charged() {
    let world = on_sqlite().await;
    world.package_faults(CheckUser, Fault::LostBefore, 10_000);
    accepted(&world.partner.tells_once(&world.door(""), &world.partner.charges(&sale())).await);
    let phone = world.phone("0854689520");
    phone.texts("HUY VIP NAP1").await;
    phone.reads("khong huy duoc nua").await;
    phone.texts("KT").await;
    phone.reads("da tru 10.000d, dang cap goi").await;
    world.packages.clear_faults();
    phone.reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

/// Two instances hear the same payment at once, and one of them begins the purchase.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_told_to_two_instances_at_once_is_granted_once() {
    let mut world = plan(Store::postgres().await).with_redis().start().await;
    world.start_daemon().await;
    let doors: Vec<String> = world.daemons.iter().map(|daemon| format!("http://{}", daemon.address)).collect();
    for last in 0..8 {
        let phone = world.phone(&format!("085468952{last}"));
        let payment = world.partner.charges(&Sale { msisdn: phone.e164(), ..sale() });
        let told = [0, 1, 0, 1].map(|at: usize| world.partner.tells_once(&doors[at], &payment));
        let heard = futures_util::future::join_all(told).await;
        let words: Vec<&str> = heard.iter().map(Heard::word).collect();
        assert_eq!(words.iter().filter(|word| **word == "accepted").count(), 1, "{words:?}");
        assert_eq!(words.iter().filter(|word| **word == "already").count(), 3, "{words:?}");
        phone.reads_done().await;
    }
    world.ends(&["done"; 8], Books::bought(8)).await;
}

/// As the seed has it: the notification comes several times, and from a partner that can do no better than SHA-1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_that_sums_its_values_is_served_like_any_other() {
    let plan = World::of(Store::sqlite()).partner(|settings| settings.signature = paygate::config::Signature::Sha1);
    let world = plan.with_partner("link = \"viettel\"").start().await;
    let (payment, heard) = world.partner.sells(&world.door(""), &sale()).await;
    assert_eq!(accepted(&heard), None);
    world.phone("0854689520").reads_done().await;
    // Another time, and with it another checksum, are no other payment.
    let body = payment.unwrap().body();
    let again = world.partner.sends(&world.door(""), "payments", &body, Trick::ClockOff(7)).await;
    assert_eq!(again.word(), "already");
    world.ends(&["done"], Books::BOUGHT).await;
}

/// What an operator does while something is wrong with a partner, or with what it sells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_that_is_frozen_charges_nobody_and_what_it_has_charged_is_granted() {
    let world = on_sqlite().await;
    let payment = world.partner.charges(&sale());
    let (journal, deed) = (
        Journal::open_for_an_operator(&world.store.config).await.unwrap(),
        Deed::Freeze { channel: "vinaphone".to_owned() },
    );
    let act = NewAct { operator: "lan".to_owned(), deed, reason: "wrong prices".to_owned(), evidence: None };
    journal.act(&act).await.unwrap();
    let end = Instant::now() + PATIENCE;
    while world.partner.checks(&world.door(""), &sale()).await.word() != "later" {
        assert!(Instant::now() < end, "it is never obeyed");
    }
    accepted(&world.partner.tells_once(&world.door(""), &payment).await);
    world.phone("0854689520").reads_done().await;
    let deed = Deed::Thaw { channel: "vinaphone".to_owned() };
    journal.act(&NewAct { deed, ..act }).await.unwrap();
    while world.partner.checks(&world.door(""), &sale()).await.word() != "ok" {
        assert!(Instant::now() < end, "it is never obeyed");
    }
    world.ends(&["done"], Books::BOUGHT).await;
}
