//! From the first text to the package: what a subscriber can do right and wrong on the way.

use crate::stores::both_stores;
use crate::world::{Books, World};

both_stores! {
    async fn a_package_is_asked_for_confirmed_charged_granted_and_told(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        phone.texts("ON VIP NAP1 0912345678").await;
        let offer = phone.reads("gia 10.000d dung 30 ngay cho 0912345678").await;
        phone.texts(&crate::world::code_in(&offer)).await;
        phone.reads("Thanh cong: goi NAP1 dung 30 ngay cho 0912345678, da tru 10.000d").await;
        assert_eq!(world.billing.balance(&phone.e164()), 40_000);
        assert_eq!(world.packages.entries()[0].account, "0912345678");
        world.ends(&["done"], Books::BOUGHT).await;
    }
}
