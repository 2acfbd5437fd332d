//! What a subscriber can ask for, rightly and wrongly, and what is told before anything is offered.

use crate::stores::both_stores;
use crate::world::{Books, World, code_in};
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages::Endpoint::CheckUser;

both_stores! {
    async fn a_package_is_asked_for_confirmed_charged_granted_and_told(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1 0912345678").await;
        let offer = phone.reads("gia 10.000d dung 30 ngay cho 0912345678").await;
        phone.texts(&code_in(&offer)).await;
        phone.reads("Thanh cong: goi NAP1 dung 30 ngay cho 0912345678, da tru 10.000d").await;
        assert_eq!(world.billing.balance(&phone.e164()), 40_000);
        assert_eq!(world.packages.entries()[0].account, "0912345678");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_message_without_an_account_means_the_sender(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        phone.buys("on  vip nap1.").await;
        phone.reads_done().await;
        assert_eq!(world.packages.entries()[0].account, "0854689520");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn an_account_that_cannot_be_one_is_told_with_a_right_example(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1 a085468952").await;
        let told = phone.reads("Sai so tai khoan").await;
        assert!(told.contains("soan ON VIP NAP1 0"), "{told}");
        assert_eq!(world.packages.requests(), []);
        world.ends(&[], Books::NOTHING).await;
    }

    async fn what_the_package_manager_refuses_is_told_and_never_offered(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        for (asked, told) in [
            ("ON VIP NAP1 0850000404", "Tai khoan 0850000404 khong co"),
            ("ON VIP NAP1 0850000423", "Tai khoan 0850000423 dang bi khoa"),
            ("ON VIP NAP1 0850000403", "khong duoc mua goi NAP1"),
            ("ON VIP NAP99", "Khong co goi NAP99"),
        ] {
            phone.texts(asked).await;
            phone.reads(told).await;
        }
        world.ends(&["refused"; 4], Books::NOTHING).await;
    }

    async fn a_package_manager_that_cannot_be_reached_means_busy_and_no_charge(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        world.package_faults(CheckUser, Fault::LostBefore, 2);
        world.package_faults(CheckUser, Fault::Refuse { status: 503, code: "INTERNAL".to_owned() }, 1);
        phone.texts("ON VIP NAP1").await;
        phone.reads("He thong ban").await;
        world.ends(&["refused"], Books::NOTHING).await;
    }

    async fn a_package_manager_that_comes_back_in_time_is_not_noticed(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        world.package_faults(CheckUser, Fault::Lost, 2);
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn questions_and_nonsense_are_answered_and_move_nothing(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        for (text, told) in [
            ("KT", "Quy khach chua mua goi nao"),
            ("hd", "De mua, soan ON VIP NAP1"),
            ("Y", "khong co yeu cau nao dang cho xac nhan"),
            ("HUY", "khong co yeu cau nao de huy"),
            ("123456", "khong co yeu cau nao dang cho xac nhan"),
            ("alo alo", "Sai cu phap"),
            ("ON VIP", "Thieu hoac sai ten goi"),
        ] {
            phone.texts(text).await;
            phone.reads(told).await;
        }
        world.ends(&[], Books::NOTHING).await;
    }

    async fn how_it_stands_is_told_at_each_step(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let code = phone.asks("ON VIP NAP1").await;
        phone.texts("KT").await;
        phone.reads("dang cho quy khach xac nhan").await;
        phone.texts(&code).await;
        phone.reads_done().await;
        phone.texts("kt").await;
        phone.reads("da mua thanh cong, da tru 10.000d").await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_purchase_withdrawn_before_its_code_is_not_charged(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let code = phone.asks("ON VIP NAP1").await;
        phone.texts("HUY").await;
        phone.reads("Da huy yeu cau mua goi NAP1").await;
        phone.texts(&code).await;
        phone.reads("khong bi tru tien").await;
        world.ends(&["cancelled"], Books::NOTHING).await;
    }

    async fn an_open_offer_asked_for_again_is_sent_again_with_its_own_code(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let code = phone.asks("ON VIP NAP1").await;
        assert_eq!(phone.asks("on vip nap1").await, code);
        assert_eq!(phone.asks("On vip nap1").await, code);
        phone.texts("ON vip nap1").await;
        phone.reads("dang cho quy khach xac nhan").await;
        phone.texts(&code).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_package_bought_a_moment_ago_is_sold_again_only_on_a_further_word(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        phone.texts("on vip nap1").await;
        let offer = phone.reads("VUA MUA goi NAP1").await;
        phone.texts("Y").await;
        phone.reads("can xac nhan bang ma").await;
        assert_eq!(world.books(), Books::BOUGHT);
        phone.texts(&code_in(&offer)).await;
        phone.reads_done().await;
        world.ends(&["done", "done"], Books::bought(2)).await;
    }

    async fn more_codes_than_an_hour_allows_are_not_sent(store: Store) {
        let world = World::of(store).set("purchase.otp_hourly = 2").start().await;
        let phone = world.phone("0854689520");
        phone.asks("ON VIP NAP1").await;
        phone.asks("ON VIP NAP7").await;
        phone.texts("ON FILM NGAY").await;
        phone.reads("qua nhieu ma").await;
        world.ends(&["offered", "offered"], Books::NOTHING).await;
    }
}
