//! A channel whose answers are lost, late, wrong or rubbish: never a second debit, never a guess.

use crate::stores::both_stores;
use crate::world::{Books, World};
use paygate::sandbox::billing::Duplicates;
use paygate::sandbox::billing::Endpoint::{
    ConfirmPayment, CreatePayment, CreateRefund, PreparePayment, RetrievePayment, RetrievePayments, RetrieveRefund,
    RetrieveRefunds,
};
use paygate::sandbox::billing::numbers;
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages;
use std::time::{Duration, Instant};

/// A channel where "not found" soon is proof.
const QUICK: &str = r#"charging.viettel = { timeout = "500ms", send_within = "500ms", max_flight = "0s" }"#;

/// "Being checked" is told after a second, not after thirty.
const SOON_CHECKED: &str = "purchase.checking_after = \"1s\"";

/// A request that lies somewhere for so long and takes effect then.
const LATENESS: Duration = Duration::from_millis(1_500);
const LATE: Fault = Fault::Late { ms: 1_500 };

const NOT_ELIGIBLE: (u16, &str) = (403, "NOT_ELIGIBLE");

fn refusal((status, code): (u16, &str)) -> Fault {
    Fault::Refuse { status, code: code.to_owned() }
}

/// Everything that can become of an answer to a request that was carried out.
fn lost_answers() -> [Fault; 5] {
    [Fault::Lost, Fault::Failed { status: 500 }, Fault::Garbage, Fault::Truncated, Fault::Failed { status: 504 }]
}

both_stores! {
    async fn a_charge_whose_answer_is_lost_is_found_by_asking(store: Store) {
        let world = World::of(store).start().await;
        for (fault, last) in lost_answers().into_iter().zip(0..) {
            let phone = world.phone(&format!("085468952{last}"));
            world.billing_faults(ConfirmPayment, fault, 1);
            phone.buys("ON VIP NAP1").await;
            phone.reads_done().await;
        }
        world.ends(&["done"; 5], Books::bought(5)).await;
    }

    async fn a_charge_in_one_step_whose_answer_is_lost_is_found_by_asking(store: Store) {
        let world = World::of(store).set("charging.viettel.one_step = true").start().await;
        for (fault, last) in lost_answers().into_iter().zip(0..) {
            let phone = world.phone(&format!("085468952{last}"));
            world.billing_faults(CreatePayment, fault, 1);
            phone.buys("ON VIP NAP1").await;
            phone.reads_done().await;
        }
        world.ends(&["done"; 5], Books::bought(5)).await;
    }

    async fn a_charge_that_is_never_answered_is_found_by_asking(store: Store) {
        let world = World::of(store).set("charging.viettel.timeout = \"300ms\"").start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(ConfirmPayment, Fault::Silent, 1);
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_charge_that_is_lost_on_its_way_is_sent_again_only_when_it_cannot_arrive_any_more(store: Store) {
        let world = World::of(store).set(QUICK).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(ConfirmPayment, Fault::LostBefore, 1);
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_charge_in_one_step_that_is_lost_on_its_way_is_made_once(store: Store) {
        let world = World::of(store).set(QUICK).set("charging.viettel.one_step = true").start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(CreatePayment, Fault::LostBefore, 1);
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_charge_that_arrives_after_we_have_given_up_waiting_is_charged_once(store: Store) {
        let settings = "charging.viettel = { timeout = \"200ms\", send_within = \"1s\", max_flight = \"2s\" }";
        let world = World::of(store).set(settings).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(ConfirmPayment, LATE, 1);
        let asked = Instant::now();
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        assert!(asked.elapsed() >= LATENESS, "it was not that request which charged");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    /// The operator takes a second request under the same key for a second payment: it must never get one.
    async fn a_charge_in_one_step_that_arrives_late_is_charged_once(store: Store) {
        let settings = r#"charging.viettel = { one_step = true, timeout = "200ms", send_within = "1s", max_flight = "2s" }"#;
        let world = World::of(store).set(settings).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(CreatePayment, LATE, 1);
        let asked = Instant::now();
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        assert!(asked.elapsed() >= LATENESS, "it was not that request which charged");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_reservation_whose_answer_is_lost_is_not_made_twice(store: Store) {
        for duplicates in [Duplicates::Refuse, Duplicates::Conflict, Duplicates::Replay] {
            let plan = World::of(store.sibling().await);
            let plan = plan.set(QUICK);
            let world = plan.billing(|settings| settings.duplicates = duplicates).start().await;
            let phone = world.phone("0854689520");
            world.billing_faults(PreparePayment, Fault::Lost, 1);
            phone.buys("ON VIP NAP1").await;
            phone.reads_done().await;
            world.ends(&["done"], Books::BOUGHT).await;
        }
    }

    async fn a_subscriber_is_told_once_that_it_is_being_checked(store: Store) {
        let world = World::of(store).set(SOON_CHECKED).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(ConfirmPayment, Fault::Lost, 1);
        for endpoint in [RetrievePayment, RetrievePayments] {
            world.billing_faults(endpoint, Fault::Failed { status: 500 }, 1_000);
        }
        phone.buys("ON VIP NAP1").await;
        phone.reads("dang duoc kiem tra").await;
        phone.texts("KT").await;
        phone.reads("khong bi tru tien hai lan").await;
        world.billing.clear_faults();
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn an_outcome_that_stays_unknown_goes_to_a_person_and_is_still_asked_about(store: Store) {
        let plan = "charging.viettel.inquiry_plan = [\"20ms\", \"20ms\"]";
        let world = World::of(store).set(plan).set(SOON_CHECKED).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(ConfirmPayment, Fault::Lost, 1);
        for endpoint in [RetrievePayment, RetrievePayments] {
            world.billing_faults(endpoint, Fault::Failed { status: 500 }, 1_000);
        }
        phone.buys("ON VIP NAP1").await;
        world.comes_to("review").await;
        assert_eq!(world.books(), Books { debits: 1, ..Books::NOTHING });
        phone.reads("dang duoc kiem tra").await;
        world.billing.clear_faults();
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_wrong_amount_is_a_persons_question_and_grants_nothing(store: Store) {
        let world = World::of(store).set(SOON_CHECKED).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(RetrievePayment, Fault::WrongAmount, 1);
        phone.buys("ON VIP NAP1").await;
        world.comes_to("review").await;
        phone.reads("dang duoc kiem tra").await;
        phone.texts("KT").await;
        phone.reads("da tru 10.000d, dang cap goi").await;
        world.ends(&["review"], Books { debits: 1, ..Books::NOTHING }).await;
    }

    async fn an_answer_with_another_subscribers_data_grants_nothing_until_the_own_one_is_heard(store: Store) {
        let world = World::of(store).set(SOON_CHECKED).start().await;
        let phone = world.phone("0854689520");
        for endpoint in [ConfirmPayment, RetrievePayment, RetrievePayments] {
            world.billing_faults(endpoint, Fault::OthersData, 1_000);
        }
        phone.buys("ON VIP NAP1").await;
        phone.reads("dang duoc kiem tra").await;
        assert_eq!(world.books(), Books { debits: 1, ..Books::NOTHING });
        world.billing.clear_faults();
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_refused_token_in_the_middle_of_a_charge_ends_it_unpaid(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(ConfirmPayment, refusal((401, "UNAUTHENTICATED")), 1);
        phone.buys("ON VIP NAP1").await;
        phone.reads("chua bi tru tien").await;
        world.ends(&["declined"], Books::NOTHING).await;
    }

    async fn charges_that_go_unanswered_while_nobody_can_be_asked_are_all_found_afterwards(store: Store) {
        let world = World::of(store).set("charging.viettel.timeout = \"500ms\"").set(SOON_CHECKED).start().await;
        world.billing_faults(ConfirmPayment, Fault::Silent, 1_000);
        for endpoint in [RetrievePayment, RetrievePayments] {
            world.billing_faults(endpoint, Fault::Failed { status: 503 }, 10_000);
        }
        let phones: Vec<_> = (0..5).map(|last| world.phone(&format!("085468952{last}"))).collect();
        for phone in &phones {
            phone.buys("ON VIP NAP1").await;
        }
        for phone in &phones {
            phone.reads("dang duoc kiem tra").await;
        }
        assert_eq!(world.books(), Books { debits: 5, ..Books::NOTHING });
        world.billing.clear_faults();
        for phone in &phones {
            phone.reads_done().await;
        }
        world.ends(&["done"; 5], Books::bought(5)).await;
    }

    async fn a_refund_whose_answer_is_lost_gives_the_money_back_once(store: Store) {
        let world = World::of(store).start().await;
        for (fault, last) in lost_answers().into_iter().zip(0..) {
            let phone = world.phone(&format!("085468952{last}"));
            world.package_faults(packages::Endpoint::Grant, refusal(NOT_ELIGIBLE), 1);
            world.billing_faults(CreateRefund, fault, 1);
            phone.buys("ON VIP NAP1").await;
            phone.reads("da hoan 10.000d").await;
            assert_eq!(world.billing.balance(&phone.e164()), 50_000);
        }
        world.ends(&["refunded"; 5], Books { debits: 5, refunds: 5, grants: 0 }).await;
    }

    async fn a_refund_lost_on_its_way_is_made_once(store: Store) {
        let world = World::of(store).set(QUICK).start().await;
        let phone = world.phone("0854689520");
        world.package_faults(packages::Endpoint::Grant, refusal(NOT_ELIGIBLE), 1);
        world.billing_faults(CreateRefund, Fault::LostBefore, 1);
        world.billing_faults(RetrieveRefunds, Fault::Failed { status: 500 }, 1);
        world.billing_faults(RetrieveRefund, Fault::Failed { status: 500 }, 1);
        phone.buys("ON VIP NAP1").await;
        phone.reads("da hoan 10.000d").await;
        world.ends(&["refunded"], Books::GIVEN_BACK).await;
    }

    async fn a_refund_that_is_refused_goes_to_a_person(store: Store) {
        let world = World::of(store).set(SOON_CHECKED).start().await;
        let phone = world.phone(&numbers::REFUND_DENIED.replace("+84", "0"));
        world.package_faults(packages::Endpoint::Grant, refusal(NOT_ELIGIBLE), 1);
        phone.buys("ON VIP NAP1 0854689520").await;
        world.comes_to("review").await;
        phone.reads("dang duoc kiem tra").await;
        world.ends(&["review"], Books { debits: 1, ..Books::NOTHING }).await;
    }
}
