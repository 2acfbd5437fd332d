//! The journey of a care agent in a real browser, without a script: login, search, the purchase, an act.

use super::plan;
use super::visitor::{PASSWORD, account};
use crate::browser::Browser;
use crate::stores::both_stores;
use crate::world::{Books, World};
use paygate::sandbox::billing::Endpoint::ConfirmPayment;
use paygate::sandbox::faults::Fault;

/// Nobody asks by plan while the test lasts.
const NEVER: &str = r#"charging.viettel = { timeout = "300ms", inquiry_plan = ["1h"] }
purchase.checking_after = "1h""#;

async fn charged_without_an_answer(world: &World) {
    world.billing_faults(ConfirmPayment, Fault::Lost, 1);
    world.phone("0854689520").buys("ON VIP NAP1").await;
    world.comes_to("charge_unknown").await;
}

both_stores! {
    async fn an_agent_logs_in_searches_and_has_a_purchase_asked_about(store: Store) {
        let world = plan(store, "").set(NEVER).start().await;
        charged_without_an_answer(&world).await;
        account(&world, "lan", "agent").await;
        let browser = Browser::start(390, 844).await;
        browser.open(&world.door("/care/purchases?state=unknown")).await;
        browser.types("input[name=name]", "lan").await;
        browser.types("input[name=password]", PASSWORD).await;
        browser.clicks(".login button").await;
        // On to the page that was asked for.
        browser.sees("tr[data-state=charge_unknown]").await;
        browser.types("input[name=q]", "0854 689 520").await;
        browser.clicks(".search button").await;
        browser.clicks("tr[data-state=charge_unknown] a").await;
        assert_eq!(browser.reads(".two .paid .pill").await, "unknown");
        assert_eq!(browser.reads(".two .granted .pill").await, "no");
        assert!(browser.reads("[data-care=being_asked] .todo").await.contains("The peers are being asked"));
        browser.clicks("[data-verb=inquire] summary").await;
        browser.types("[data-verb=inquire] input[name=reason]", "she is on the line").await;
        browser.clicks("[data-verb=inquire] button").await;
        assert!(browser.reads(".note").await.contains("is carried out"));
        world.comes_to("done").await;
        browser.clicks(".again").await;
        browser.sees(".two .granted .pill[data-tone=good]").await;
        assert_eq!(browser.reads(".two .granted .pill").await, "yes");
        let story = browser.reads(".timeline").await;
        assert!(story.contains("lan has the peers asked now: she is on the line"), "{story}");
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        browser.clicks(".logout button").await;
        browser.sees(".login").await;
        browser.close().await;
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }
}
