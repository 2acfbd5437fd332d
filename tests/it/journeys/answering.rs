//! What comes back on an offer: right codes, wrong ones, late ones, other people's.

use crate::stores::both_stores;
use crate::world::{Books, World, wrong};
use paygate::sandbox::billing::Endpoint::ConfirmPayment;
use paygate::sandbox::billing::numbers;
use paygate::sandbox::faults::Fault;

both_stores! {
    async fn a_wrong_code_costs_a_try_and_the_right_one_still_buys(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let code = phone.asks("ON VIP NAP1").await;
        phone.texts(&wrong(&code, 1)).await;
        phone.reads("Con 2 lan thu").await;
        phone.texts(&format!("OTP {code}")).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn the_third_wrong_code_ends_it_and_the_right_one_comes_too_late(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let code = phone.asks("ON VIP NAP1").await;
        for (step, told) in [(1, "Con 2 lan thu"), (2, "Con 1 lan thu"), (3, "Ma sai qua so lan")] {
            phone.texts(&wrong(&code, step)).await;
            phone.reads(told).await;
        }
        phone.texts(&code).await;
        phone.reads("khong bi tru tien").await;
        world.ends(&["declined"], Books::NOTHING).await;
    }

    async fn a_code_that_comes_after_its_offer_expired_buys_nothing(store: Store) {
        let world = World::of(store).set("purchase.otp_ttl = \"1s\"").start().await;
        let phone = world.phone("0854689520");
        let code = phone.asks("ON VIP NAP1").await;
        phone.reads("Da het han xac nhan").await;
        phone.texts(&code).await;
        phone.reads("Ma den khi da het han").await;
        world.ends(&["expired"], Books::NOTHING).await;
    }

    async fn somebody_elses_code_is_a_wrong_code(store: Store) {
        let world = World::of(store).start().await;
        let (phone, other) = (world.phone("0854689520"), world.phone("0854689521"));
        let code = phone.asks("ON VIP NAP1").await;
        other.asks("ON VIP NAP1").await;
        other.texts(&code).await;
        other.reads("Ma khong dung").await;
        assert_eq!(world.books(), Books::NOTHING);
        phone.texts(&code).await;
        phone.reads_done().await;
        assert_eq!(world.billing.debits_of(&other.e164()), 0);
        world.ends(&["done", "offered"], Books::BOUGHT).await;
    }

    async fn a_code_answered_twice_buys_once(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(ConfirmPayment, Fault::Late { ms: 300 }, 1);
        let code = phone.asks("ON VIP NAP1").await;
        phone.texts(&code).await;
        phone.texts(&format!("OTP {code}")).await;
        phone.reads("dang xu ly").await;
        phone.reads_done().await;
        phone.texts(&format!("XN {code}")).await;
        phone.reads("da mua thanh cong").await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn each_of_two_open_offers_is_confirmed_by_its_own_code(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let month = phone.asks("ON VIP NAP1").await;
        let week = phone.asks("ON VIP NAP7").await;
        phone.texts(&week).await;
        phone.reads("Thanh cong: goi NAP7").await;
        assert_eq!(world.billing.balance(&phone.e164()), 47_000);
        phone.texts(&month).await;
        phone.reads("Thanh cong: goi NAP1").await;
        world.ends(&["done", "done"], Books::bought(2)).await;
    }

    async fn a_yes_in_place_of_a_code_moves_no_money(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        phone.asks("ON VIP NAP1").await;
        phone.texts("Y").await;
        phone.reads("can xac nhan bang ma").await;
        world.ends(&["offered"], Books::NOTHING).await;
    }

    async fn a_purchase_under_way_cannot_be_withdrawn(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(ConfirmPayment, Fault::Late { ms: 300 }, 1);
        phone.buys("ON VIP NAP1").await;
        phone.texts("HUY").await;
        phone.reads("khong huy duoc nua").await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_subscriber_who_cannot_pay_is_told_and_gets_nothing(store: Store) {
        let world = World::of(store).start().await;
        let numbers = [numbers::NO_MONEY, numbers::BARRED, numbers::DENIED_LATE, numbers::NOT_APPLICABLE];
        for number in numbers {
            let phone = world.phone(&number.replace("+84", "0"));
            phone.buys("ON VIP NAP1 0854689520").await;
            phone.reads("Khong thanh toan duoc goi NAP1").await;
        }
        world.ends(&["declined"; 4], Books::NOTHING).await;
    }
}
