//! What a subscriber reads when a charge is refused, by advice; a charge made anew; the same package charged twice.

use crate::stores::both_stores;
use crate::world::{Books, World};
use paygate::sandbox::billing::Endpoint::PreparePayment;
use paygate::sandbox::faults::Fault;

const OVER_THE_LIMIT: &str = "CARRIER_BILLING.USER_AMOUNT_THRESHOLD_OVERPASSED";

fn over_the_limit() -> Fault {
    Fault::Refuse { status: 422, code: OVER_THE_LIMIT.to_owned() }
}

both_stores! {
    async fn each_advice_has_its_own_text_and_none_moves_money(store: Store) {
        let world = World::of(store).set("purchase.otp_hourly = 100").start().await;
        let phone = world.phone("0854689520");
        for (digit, told) in [
            (1, "chon cach thanh toan khac"),
            (2, "Vuot han muc thanh toan khi mua goi LOI2 gia 10.002d"),
            (3, "Vui long goi nha mang, ngan hang hoac"),
            (4, "Vui long dung thue bao hoac the khac"),
            (5, "xac nhan bang ma moi"),
            (6, "He thong ban, chua mua duoc goi LOI6"),
        ] {
            phone.buys(&format!("ON THU LOI{digit}")).await;
            let text = phone.reads(told).await;
            assert!(text.contains("Quy khach chua bi tru tien"), "{text}");
        }
        world.ends(&["declined"; 6], Books::NOTHING).await;
    }

    async fn a_charge_over_the_limit_is_made_anew_and_the_subscriber_is_told_when_and_how_to_withdraw(store: Store) {
        let world = World::of(store).set("charging.viettel.retry = [\"1s\", \"4h\"]").start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(PreparePayment, over_the_limit(), 1);
        phone.buys("ON VIP NAP1").await;
        phone.reads("Se tu thu lai sau 1 phut. Khong mua nua: soan OFF gui 9029").await;
        phone.reads_done().await;
        let purchase = world.purchases().await.remove(0);
        let charges: Vec<_> = purchase.charges.iter().map(|row| (&row.attempt.key[16..], row.attempt.status.as_str())).collect();
        assert_eq!(charges, [("-c1", "failed"), ("-c2", "succeeded")]);
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_charge_that_waits_to_be_made_anew_is_seen_and_withdrawn(store: Store) {
        let world = World::of(store).set("charging.viettel.retry = [\"4h\"]").start().await;
        let phone = world.phone("0854689520");
        world.billing_faults(PreparePayment, over_the_limit(), 1);
        phone.buys("ON VIP NAP1").await;
        phone.reads("Se tu thu lai sau 4 gio").await;
        let waiting = world.purchases().await.remove(0).purchase;
        assert_eq!((waiting.state.as_str(), waiting.paid().as_str()), ("charging", "no"));
        assert_eq!(waiting.retry.map(|retry| (retry.attempt, retry.at)), waiting.due_at.map(|due| (2, due)));
        phone.texts("DK VIP NAP1").await;
        phone.reads("dang cho tu thu lai. Khong mua nua: soan OFF gui 9029").await;
        phone.texts("HUY").await;
        phone.reads("Da huy yeu cau mua goi NAP1").await;
        world.ends(&["cancelled"], Books::NOTHING).await;
    }

    async fn the_same_package_charged_twice_in_a_short_time_is_flagged_with_both_purchases_and_stopped_by_nothing(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        for account in ["0912345678", "0912345679"] {
            phone.buys(&format!("ON VIP NAP1 {account}")).await;
            phone.reads_done().await;
        }
        let journal = world.journal().await;
        let ids: Vec<String> = world.purchases().await.into_iter().map(|listed| listed.purchase.id).collect();
        for id in &ids {
            let pairs = journal.story(id).await.unwrap().unwrap().surplus;
            assert_eq!(pairs.iter().map(|pair| [&pair.first, &pair.second]).collect::<Vec<_>>(), [[&ids[0], &ids[1]]]);
        }
        world.ends(&["done"; 2], Books::bought(2)).await;
    }
}
