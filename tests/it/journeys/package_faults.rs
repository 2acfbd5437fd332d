//! A package manager that fails after the money has moved: the package once, or the money back.

use crate::stores::both_stores;
use crate::world::{Books, Plan, World};
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages::Endpoint::{Grant, InquireGrant};
use std::time::{Duration, Instant};

/// A package manager that adds the package again with each request.
fn forgetful(store: crate::stores::Store) -> Plan {
    let settings = r#"package_manager = { idempotent_grants = false, timeout = "500ms", send_within = "500ms", max_flight = "0s" }"#;
    World::of(store).set(settings).packages(|settings| settings.idempotent = false)
}

fn lost_answers() -> [Fault; 5] {
    [Fault::Lost, Fault::Failed { status: 500 }, Fault::Garbage, Fault::Truncated, Fault::Failed { status: 503 }]
}

both_stores! {
    async fn a_grant_whose_answer_is_lost_is_made_once(store: Store) {
        let world = World::of(store).start().await;
        for (fault, last) in lost_answers().into_iter().zip(0..) {
            let phone = world.phone(&format!("085468952{last}"));
            world.package_faults(Grant, fault, 1);
            phone.buys("ON VIP NAP1").await;
            phone.reads_done().await;
        }
        world.ends(&["done"; 5], Books::bought(5)).await;
    }

    async fn a_package_manager_that_knows_no_keys_is_never_asked_twice(store: Store) {
        let world = forgetful(store).start().await;
        for (fault, last) in lost_answers().into_iter().zip(0..) {
            let phone = world.phone(&format!("085468952{last}"));
            world.package_faults(Grant, fault, 1);
            phone.buys("ON VIP NAP1").await;
            phone.reads_done().await;
        }
        world.ends(&["done"; 5], Books::bought(5)).await;
    }

    async fn a_grant_that_knows_no_key_and_is_lost_on_its_way_is_made_once(store: Store) {
        let world = forgetful(store).start().await;
        let phone = world.phone("0854689520");
        world.package_faults(Grant, Fault::LostBefore, 1);
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_grant_that_knows_no_key_and_comes_late_is_made_once(store: Store) {
        let settings = "package_manager = { timeout = \"200ms\", max_flight = \"4s\" }";
        let world = forgetful(store).set(settings).start().await;
        let phone = world.phone("0854689520");
        world.package_faults(Grant, Fault::Late { ms: 1_500 }, 1);
        // As long as it is on its way there, nobody knows of it.
        world.package_faults(InquireGrant, Fault::Refuse { status: 404, code: "NOT_GRANTED".to_owned() }, 1_000);
        let asked = Instant::now();
        phone.buys("ON VIP NAP1").await;
        world.until("a grant stands", |world| world.books().grants == 1).await;
        assert!(asked.elapsed() >= Duration::from_millis(1_500), "it was not that request which granted");
        world.packages.clear_faults();
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_package_that_cannot_be_granted_yet_is_owed_and_granted_later(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        world.package_faults(Grant, Fault::Refuse { status: 503, code: "INTERNAL".to_owned() }, 1_000);
        phone.buys("ON VIP NAP1").await;
        world.until("the package is asked for", |world| world.packages.requests().len() > 1).await;
        phone.texts("KT").await;
        phone.reads("da tru 10.000d, dang cap goi").await;
        assert_eq!(world.books(), Books { debits: 1, ..Books::NOTHING });
        world.packages.clear_faults();
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_package_manager_that_is_gone_for_a_while_still_grants_once(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        world.package_faults(Grant, Fault::LostBefore, 2);
        world.package_faults(InquireGrant, Fault::LostBefore, 2);
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_package_refused_after_the_charge_gives_the_money_back_and_says_so(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        world.package_faults(Grant, Fault::Refuse { status: 403, code: "NOT_ELIGIBLE".to_owned() }, 1);
        phone.buys("ON VIP NAP1").await;
        phone.reads("Khong cap duoc goi NAP1, da hoan 10.000d").await;
        assert_eq!(world.billing.balance(&phone.e164()), 50_000);
        phone.texts("KT").await;
        phone.reads("da hoan 10.000d").await;
        world.ends(&["refunded"], Books::GIVEN_BACK).await;
    }
}
