//! The other ways of asking for consent and of being charged, and other shapes of link.

use crate::stores::both_stores;
use crate::world::{Books, Plan, World, wrong};
use paygate::sandbox::billing::Endpoint::{ConfirmPayment, CreatePayment, PreparePayment};
use paygate::sandbox::faults::Fault;

/// The telco texts the code.
fn telco(store: crate::stores::Store) -> Plan {
    World::of(store).set("purchase.otp = \"telco\"").billing(|settings| settings.texts_codes = true)
}

const PAIR: &str = r#"
[[smsc]]
name = "viettel"
bind = "receiver"
address = "{smsc}"
password = "secret"
short_codes = ["9029"]
[[smsc]]
name = "viettel"
bind = "transmitter"
address = "{smsc}"
password = "secret"
short_codes = ["9029"]
"#;

both_stores! {
    async fn the_telcos_own_code_is_passed_on_and_buys(store: Store) {
        let world = telco(store).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.reads("soan ma OTP nha mang vua gui").await;
        phone.texts(&world.billing.code_of(&phone.e164()).unwrap()).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_code_that_the_telco_refuses_costs_a_try_and_the_right_one_buys(store: Store) {
        let world = telco(store).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.reads("soan ma OTP nha mang vua gui").await;
        let code = world.billing.code_of(&phone.e164()).unwrap();
        phone.texts(&wrong(&code, 1)).await;
        phone.reads("Con 2 lan thu").await;
        assert_eq!(world.books(), Books::NOTHING);
        phone.texts(&code).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_code_that_overtakes_the_telcos_answer_to_prepare_buys(store: Store) {
        let world = telco(store).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(PreparePayment, Fault::Slow { ms: 500 }, 1);
        phone.texts("ON VIP NAP1").await;
        world.until("the telco has texted its code", |world| world.billing.code_of(&phone.e164()).is_some()).await;
        phone.texts(&world.billing.code_of(&phone.e164()).unwrap()).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    /// CAMARA shows the authorization once, in the answer that was lost: this code can be tried nowhere.
    async fn a_code_whose_authorization_was_lost_is_declined_and_charges_nothing(store: Store) {
        let world = telco(store).start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(PreparePayment, Fault::Lost, 1);
        phone.texts("ON VIP NAP1").await;
        phone.reads("soan ma OTP nha mang vua gui").await;
        phone.texts(&world.billing.code_of(&phone.e164()).unwrap()).await;
        phone.reads("Ma OTP khong con hieu luc").await;
        world.ends(&["declined"], Books::NOTHING).await;
    }

    async fn where_no_code_is_asked_for_the_message_itself_buys_and_a_repeat_asks(store: Store) {
        let world = World::of(store).set("purchase.otp = \"none\"").start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.reads_done().await;
        phone.texts("on vip nap1").await;
        phone.reads("VUA MUA goi NAP1").await;
        assert_eq!(world.books(), Books::BOUGHT);
        phone.texts("Y").await;
        phone.reads_done().await;
        world.ends(&["done", "done"], Books::bought(2)).await;
    }

    async fn where_a_yes_is_asked_for_nothing_moves_before_it(store: Store) {
        let otp = "purchase = { otp = \"none\", confirm_without_code = true }";
        let world = World::of(store).set(otp).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.reads("soan Y gui 9029").await;
        phone.texts("123456").await;
        phone.reads("de xac nhan, soan Y").await;
        assert_eq!(world.books(), Books::NOTHING);
        phone.texts("Y").await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_channel_that_charges_in_one_step_is_asked_once(store: Store) {
        let world = World::of(store).set("charging.viettel.one_step = true").start().await;
        let phone = world.phone("0854689520");
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        assert_eq!(world.billing.requests(), [(CreatePayment, 201)]);
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_reservation_of_a_purchase_withdrawn_is_let_go(store: Store) {
        let world = telco(store).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.reads("soan ma OTP nha mang vua gui").await;
        phone.texts("HUY").await;
        phone.reads("Da huy").await;
        let released = |world: &World| {
            use paygate::sandbox::billing::EntryKind::Released;
            world.billing.entries().iter().any(|entry| entry.kind == Released)
        };
        world.until("the reservation is let go", released).await;
        world.ends(&["cancelled"], Books::NOTHING).await;
    }

    async fn a_receiver_and_a_transmitter_carry_a_purchase_together(store: Store) {
        let world = World::of(store).set(PAIR).start().await;
        assert_eq!(world.smsc.bind_count(), 2);
        let phone = world.phone("0854689520");
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_delivery_receipt_is_filed_with_its_reply(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        world.replies_stand(&["offer delivered", "done delivered"]).await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_subscriber_denied_at_the_last_step_keeps_the_money(store: Store) {
        let world = telco(store).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1").await;
        phone.reads("soan ma OTP nha mang vua gui").await;
        world.billing.set_balance(&phone.e164(), 0);
        phone.texts(&world.billing.code_of(&phone.e164()).unwrap()).await;
        phone.reads("Khong thanh toan duoc").await;
        assert!(world.billing.requests().iter().any(|(endpoint, _)| *endpoint == ConfirmPayment));
        world.ends(&["declined"], Books::NOTHING).await;
    }
}
