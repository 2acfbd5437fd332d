//! Bought by SMS and paid at the bank's page: the link, the notify that is only a reason to ask, and what becomes of a link
//! that nobody uses.

use crate::stores::{Store, both_stores};
use crate::world::{BANK, Books, PATIENCE, Plan, World, cancels_at, pays_at};
use paygate::alarm::Alarm;
use paygate::app::check;
use paygate::config::{Config, Environment};
use paygate::sandbox::faults::Fault;
use paygate::sandbox::pay123::Endpoint::{CreateOrder, QueryOrder};
use paygate::sandbox::pay123::NotifyFault;
use tokio::time::timeout;

const LINK: &str = r#"
[[smsc]]
name = "viettel"
address = "{smsc}"
system_id = "paygate"
password = "secret"
short_codes = ["9029"]
charging = "bank"
"#;

/// Nothing is found by asking before the link has ended: what is found was told.
const ONLY_TOLD: &str = "charging.bank.inquiry_plan = [\"1h\"]";

/// A link that is soon over.
const SHORT: &str = "charging.bank.link_ttl = \"1s\"";

fn bank(store: Store) -> Plan {
    World::of(store).set(BANK).set(LINK)
}

impl World {
    /// Waits until so many notifies were answered; the last one's answer, which must be signed.
    async fn notify_answer(&self, count: usize) -> String {
        self.until("the notify is answered", |world| world.pay123.notify_answers().len() >= count).await;
        let answer = self.pay123.notify_answers()[count - 1].clone();
        assert!(answer.signed, "{answer:?}");
        answer.code
    }

    async fn key(&self) -> String {
        self.purchases().await[0].charges[0].attempt.key.clone()
    }
}

both_stores! {
    async fn whoever_pays_by_the_link_is_told_by_the_notify_and_gets_the_package(store: Store) {
        let world = bank(store).set(ONLY_TOLD).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        let link = phone.reads_link().await;
        world.comes_to("awaiting_user").await;
        assert_eq!(world.books(), Books::NOTHING);
        pays_at(&link).await;
        phone.reads_done().await;
        assert_eq!(world.notify_answer(1).await, "1");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_channel_that_tells_of_no_payment_is_an_alarm_until_it_tells_again(store: Store) {
        let world = bank(store).set("alarms.notify_silence = 1\ncharging.bank.inquiry_plan = [\"50ms\"]").start().await;
        let mut alarms = world.daemons[0].alarms.clone();
        world.pay123.notify_fault(NotifyFault::Missing, 1);
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        pays_at(&phone.reads_link().await).await;
        phone.reads_done().await;
        let silent = Alarm::NotifySilent { channel: "bank".to_owned(), paid: 1 };
        timeout(PATIENCE, alarms.wait_for(|raised| *raised == [silent.clone()])).await.unwrap().unwrap();
        phone.texts("ON VIP NAP1 0912345678").await;
        pays_at(&phone.reads_link().await).await;
        assert_eq!(world.notify_answer(1).await, "1");
        timeout(PATIENCE, alarms.wait_for(|raised| raised.is_empty())).await.unwrap().unwrap();
        world.comes_to("done").await;
    }

    async fn what_is_paid_and_never_told_is_found_by_asking(store: Store) {
        let world = bank(store).start().await;
        let phone = world.phone("0854689520");
        world.pay123.notify_fault(NotifyFault::Missing, 1);
        phone.texts("ON VIP NAP1").await;
        pays_at(&phone.reads_link().await).await;
        phone.reads_done().await;
        assert!(world.pay123.notify_answers().is_empty());
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_notify_that_comes_twice_is_one(store: Store) {
        let world = bank(store).set(ONLY_TOLD).start().await;
        let phone = world.phone("0854689520");
        world.pay123.notify_fault(NotifyFault::Doubled, 1);
        phone.texts("ON VIP NAP1").await;
        pays_at(&phone.reads_link().await).await;
        phone.reads_done().await;
        assert_eq!((world.notify_answer(1).await, world.notify_answer(2).await), ("1".to_owned(), "2".to_owned()));
        world.pay123.notify_again(&world.key().await);
        assert_eq!(world.notify_answer(3).await, "2", "it is decided already");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_forged_or_stale_notify_moves_nothing_and_what_is_paid_is_found_by_asking(store: Store) {
        for (fault, last) in [NotifyFault::Forged, NotifyFault::Stale { ms: 330_000 }, NotifyFault::Garbage].into_iter().zip(0..) {
            let world = bank(store.sibling().await).start().await;
            let phone = world.phone(&format!("085468952{last}"));
            world.pay123.notify_fault(fault, 1);
            phone.texts("ON VIP NAP1").await;
            pays_at(&phone.reads_link().await).await;
            phone.reads_done().await;
            assert_eq!(world.notify_answer(1).await, "-1");
            world.ends(&["done"], Books::BOUGHT).await;
        }
    }

    async fn a_notify_that_lies_about_a_payment_grants_nothing(store: Store) {
        let world = bank(store).set(ONLY_TOLD).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        let link = phone.reads_link().await;
        let key = world.key().await;
        world.pay123.notify_of(&key, "1");
        assert_eq!(world.notify_answer(1).await, "1");
        world.until("it was asked about", |world| world.pay123.requests().iter().any(|(at, _)| *at == QueryOrder)).await;
        assert_eq!(world.books(), Books::NOTHING);
        pays_at(&link).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_notify_that_comes_after_the_payment_was_found_is_answered_as_known(store: Store) {
        let world = bank(store).start().await;
        let phone = world.phone("0854689520");
        world.pay123.notify_fault(NotifyFault::Missing, 1);
        phone.texts("ON VIP NAP1").await;
        pays_at(&phone.reads_link().await).await;
        phone.reads_done().await;
        world.pay123.notify_again(&world.key().await);
        assert_eq!(world.notify_answer(1).await, "2");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_flood_of_notifies_is_answered_each_and_grants_once(store: Store) {
        const FLOOD: usize = 200;
        let world = bank(store).set(ONLY_TOLD).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        let link = phone.reads_link().await;
        let key = world.key().await;
        for _ in 0..FLOOD / 2 {
            world.pay123.notify_again(&key);
        }
        pays_at(&link).await;
        for _ in 0..FLOOD / 2 {
            world.pay123.notify_again(&key);
        }
        phone.reads_done().await;
        for count in 1..=FLOOD + 1 {
            assert!(["1", "2"].contains(&world.notify_answer(count).await.as_str()));
        }
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_notify_about_an_order_that_is_not_ours_is_not_taken(store: Store) {
        let world = bank(store).start().await;
        for key in ["never", "0000000000000000-c1", ""] {
            world.pay123.notify_of(key, "1");
        }
        for count in 1..=3 {
            assert_eq!(world.notify_answer(count).await, "-3");
        }
        world.ends(&[], Books::NOTHING).await;
    }

    async fn a_notify_that_overtakes_the_answer_to_create_order_loses_neither(store: Store) {
        let world = bank(store).pay123(|settings| settings.pays_at_once = true).start().await;
        let phone = world.phone("0854689520");
        world.pay123_faults(CreateOrder, Fault::Slow { ms: 300 }, 1);
        phone.texts("ON VIP NAP1").await;
        phone.reads_done().await;
        assert_eq!(world.notify_answer(1).await, "1");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_link_that_nobody_uses_ends_with_a_last_look(store: Store) {
        let world = bank(store).set(SHORT).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.reads_link().await;
        phone.reads("Da het han").await;
        world.ends(&["expired"], Books::NOTHING).await;
    }

    async fn what_is_paid_after_we_gave_the_link_up_is_granted_when_it_is_told(store: Store) {
        let world = bank(store).set(SHORT).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        let link = phone.reads_link().await;
        phone.reads("Da het han").await;
        pays_at(&link).await;
        phone.reads_done().await;
        assert_eq!(world.notify_answer(1).await, "1");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn another_amount_than_the_price_is_a_persons_question_and_grants_nothing(store: Store) {
        let world = bank(store).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        let link = phone.reads_link().await;
        // Every answer lies from now on: whichever inquiry hears of the payment.
        world.pay123_faults(QueryOrder, Fault::WrongAmount, 10_000);
        pays_at(&link).await;
        world.comes_to("review").await;
        world.ends(&["review"], Books { debits: 1, ..Books::NOTHING }).await;
    }

    async fn what_the_customer_cancels_at_the_bank_is_over_at_once(store: Store) {
        let world = bank(store).set(ONLY_TOLD).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        cancels_at(&phone.reads_link().await).await;
        phone.reads("chua bi tru tien").await;
        assert_eq!(world.notify_answer(1).await, "1");
        world.ends(&["declined"], Books::NOTHING).await;
    }

    /// A wrong OTP is told as an end, and the bank lets the customer try once more.
    async fn what_is_paid_after_a_refusal_was_told_is_granted(store: Store) {
        let world = bank(store).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.reads_link().await;
        let key = world.key().await;
        assert!(world.pay123.set_status(&key, "7222"));
        phone.reads("chua bi tru tien").await;
        world.comes_to("declined").await;
        assert!(world.pay123.set_status(&key, "1"));
        world.pay123.notify_again(&key);
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    /// The order stands at 123PAY and its link is lost: nobody can pay by it.
    async fn an_order_whose_answer_is_lost_is_found_and_given_up_unpaid(store: Store) {
        let world = bank(store).set("charging.bank = { timeout = \"500ms\", send_within = \"500ms\" }").start().await;
        let phone = world.phone("0854689520");
        world.pay123_faults(CreateOrder, Fault::Lost, 1);
        phone.texts("ON VIP NAP1").await;
        phone.reads("chua bi tru tien").await;
        assert_eq!(world.pay123.orders_in_all(), 1);
        world.ends(&["declined"], Books::NOTHING).await;
    }

    async fn an_order_lost_on_its_way_is_made_once_more_under_the_same_id(store: Store) {
        let world = bank(store).set("charging.bank = { timeout = \"500ms\", send_within = \"500ms\" }").start().await;
        let phone = world.phone("0854689520");
        world.pay123_faults(CreateOrder, Fault::LostBefore, 1);
        phone.texts("ON VIP NAP1").await;
        pays_at(&phone.reads_link().await).await;
        phone.reads_done().await;
        assert_eq!(world.pay123.orders_in_all(), 1);
        world.ends(&["done"], Books::BOUGHT).await;
    }

    /// 123PAY had not seen the order yet when it was asked, and knows its id when it is sent again.
    async fn an_order_that_is_there_when_it_is_made_once_more_is_not_doubled(store: Store) {
        let world = bank(store).set("charging.bank = { timeout = \"500ms\", send_within = \"500ms\" }").start().await;
        let phone = world.phone("0854689520");
        world.pay123_faults(CreateOrder, Fault::Lost, 1);
        phone.texts("ON VIP NAP1").await;
        world.until("the order is there", |world| world.pay123.orders_in_all() == 1).await;
        let key = world.key().await;
        assert!(world.pay123.set_status(&key, "-10"));
        let again = (CreateOrder, "6206".to_owned());
        world.until("it was sent once more", |world| world.pay123.requests().contains(&again)).await;
        assert!(world.pay123.set_status(&key, "0"));
        phone.reads("chua bi tru tien").await;
        assert_eq!(world.pay123.orders_in_all(), 1);
        world.ends(&["declined"], Books::NOTHING).await;
    }

    async fn an_order_that_123pay_refuses_is_declined_and_sent_no_second_time(store: Store) {
        let world = bank(store).start().await;
        let phone = world.phone("0854689520");
        world.pay123_faults(CreateOrder, Fault::Refuse { status: 200, code: "6212".to_owned() }, 1);
        phone.texts("ON VIP NAP1").await;
        phone.reads("Vuot han muc").await;
        assert_eq!(world.pay123.orders_in_all(), 0);
        world.ends(&["declined"], Books::NOTHING).await;
    }

    async fn check_reaches_123pay_and_says_what_is_wrong_there(store: Store) {
        let world = bank(store).start().await;
        for (key, fault) in [("\"MIKEY\"", None), ("\"another\"", Some("6000 partner not authenticated"))] {
            let toml = world.toml().replace("\"MIKEY\"", key);
            let config = Config::parse(&toml, &Environment::new()).unwrap();
            let part = check(&config).await.into_iter().find(|part| part.part == "charging bank").unwrap();
            match (fault, part.fault) {
                (None, told) => assert_eq!(told, None),
                (Some(fault), told) => assert!(told.as_ref().is_some_and(|told| told.contains(fault)), "{told:?}"),
            }
        }
        assert_eq!(world.pay123.orders_in_all(), 0);
        world.ends(&[], Books::NOTHING).await;
    }

    /// A bank that says "undetermined" may have debited: only asked about, and told once.
    async fn a_payment_that_the_bank_has_no_word_on_is_asked_about_until_it_has(store: Store) {
        let world = bank(store).set("purchase.checking_after = \"1s\"").start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.reads_link().await;
        let key = world.key().await;
        assert!(world.pay123.set_status(&key, "20"));
        phone.reads("dang duoc kiem tra").await;
        assert!(world.pay123.set_status(&key, "1"));
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }
}

/// The one that is told asks; the other finds it decided, or asks as well. The money is the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_two_instances_are_told_of_at_once_is_granted_once() {
    let mut world = bank(Store::postgres().await).set(ONLY_TOLD).start().await;
    world.start_daemon().await;
    let other = format!("http://{}/notify/bank", world.daemons[1].address);
    let phone = world.phone("0854689520");
    phone.texts("ON VIP NAP1").await;
    pays_at(&phone.reads_link().await).await;
    world.pay123.notify(&other);
    world.pay123.notify_again(&world.key().await);
    phone.reads_done().await;
    for count in [1, 2] {
        assert!(["1", "2"].contains(&world.notify_answer(count).await.as_str()));
    }
    world.ends(&["done"], Books::BOUGHT).await;
}
