//! A purchase by the menu, from the dialled code to the text that says it is done.

use crate::stores::{Store, both_stores};
use crate::world::{BANK, Books, LAST, MENU, Plan, World, pays_at};
use paygate::sandbox::packages::accounts;
use serde_json::{Value, json};

fn with_menu(store: Store) -> Plan {
    World::of(store).set(MENU)
}

const CONSENT: &str = "CON Goi VIP 30 ngay cho 0854689520: 10.000d, 30 ngay.\n1. Dong y mua\n0. Quay lai";
const TAKEN: &str = "END Da nhan: goi VIP 30 ngay cho 0854689520 dang duoc xu ly. Ket qua se bao qua SMS.";

both_stores! {
    async fn a_phone_dials_and_buys_and_the_consent_on_its_screen_is_in_the_journal(store: Store) {
        let world = with_menu(store).start().await;
        let mut caller = world.caller("0854689520", "s-1");
        for (answer, screen) in [
            ("", "CON Chon dich vu:\n1. VIP\n2. FILM\n3. THU\n0. Thoat"),
            ("1", "CON VIP, chon goi:\n1. VIP 30 ngay 10.000d\n2. VIP 7 ngay 3.000d\n0. Quay lai"),
            ("1", "CON Goi VIP 30 ngay, 10.000d. Mua cho:\n1. So cua ban\n2. So khac\n0. Quay lai"),
            ("1", CONSENT),
            ("1", TAKEN),
        ] {
            let shown = if answer.is_empty() { caller.dials("*098#").await } else { caller.answers(answer).await };
            assert_eq!(shown, screen, "after {answer:?}");
        }
        world.phone("0854689520").reads_done().await;
        let purchase = world.purchases().await.pop().unwrap().purchase;
        assert_eq!((purchase.order.door.as_str(), purchase.order.short_code.as_str()), ("ussd", "9029"));
        let consent = serde_json::to_value(purchase.consent).unwrap();
        assert_eq!(consent["by"], "screen");
        let story = world.journal().await.story(&purchase.id).await.unwrap().unwrap();
        let first: Value = serde_json::from_str(&story.events[0].body).unwrap();
        assert_eq!(first["screen"], CONSENT.strip_prefix("CON ").unwrap(), "the words that were agreed to");
        let granted: Value = serde_json::from_str(&story.grants[0].request).unwrap();
        assert_eq!((&granted["platform"], &granted["dtId"]), (&json!("ussd"), &json!("viettel")));
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_gateway_that_brings_the_last_input_alone_buys_as_well(store: Store) {
        let world = with_menu(store).set(LAST).start().await;
        let mut caller = world.caller("0854689520", "s-1").with_last_inputs();
        caller.dials("*098#").await;
        caller.answers("1").await;
        caller.answers("1").await;
        assert_eq!(caller.answers("1").await, CONSENT.replace("1. Dong", "11. Dong"));
        assert_eq!(caller.answers("11").await, TAKEN);
        world.phone("0854689520").reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn another_number_gets_the_package_and_a_wrong_one_is_said_to_be(store: Store) {
        let world = with_menu(store).start().await;
        let (mut caller, screen) = world.dials("0912345678", "s-1", &["1", "1", "2"]).await;
        assert_eq!(screen, "CON Nhap so dien thoai nhan goi VIP 30 ngay:\n0. Quay lai");
        let wrong = caller.answers("085468952").await;
        assert_eq!(wrong, "CON So 085468952 chua dung.\nNhap so dien thoai nhan goi VIP 30 ngay:\n0. Quay lai");
        assert_eq!(caller.answers("0854 689 520").await, CONSENT);
        assert_eq!(caller.answers("1").await, TAKEN);
        world.phone("0912345678").reads_done().await;
        assert_eq!(world.packages.grants_to("0854689520"), 1);
        world.ends(&["done"], Books::BOUGHT).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shortcut_leads_to_the_consent_and_stops_there() {
    let world = with_menu(Store::sqlite()).start().await;
    for (shortcut, screen) in [
        ("*098*NAP1*0854689520#", CONSENT),
        ("*098*1*1*1*1#", CONSENT),
        ("*098*1*2#", "CON Goi VIP 7 ngay, 3.000d. Mua cho:\n1. So cua ban\n2. So khac\n0. Quay lai"),
        ("*099#", "END Ma dich vu nay chua duoc phuc vu."),
    ] {
        assert_eq!(world.caller("0854689520", shortcut).dials(shortcut).await, screen, "{shortcut}");
    }
    let mut caller = world.caller("0854689520", "*098*NAP1*0854689520#");
    assert_eq!(caller.answers("1").await, TAKEN, "and goes on from there");
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_brings_shortcuts_in_its_first_text_is_led_as_far_as_they_go() {
    let world = with_menu(Store::sqlite()).set("ussd.aggregator.shortcuts = true").start().await;
    let mut caller = world.caller("0854689520", "s-1");
    assert_eq!(caller.answers("NAP1*0854689520").await, CONSENT);
    assert_eq!(caller.answers("1").await, TAKEN);
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_asked_for_besides_where_the_menu_says_so() {
    let world = with_menu(Store::sqlite()).set("menu.otp = \"gateway\"").start().await;
    let (_, screen) = world.dials("0854689520", "s-1", &["1", "1", "1", "1"]).await;
    let said = "Ma xac nhan se gui qua SMS, hay tra loi ma do de mua.";
    assert_eq!(screen, format!("END Da nhan: goi VIP 30 ngay cho 0854689520. {said}"));
    let phone = world.phone("0854689520");
    let code = phone.reads_offer().await;
    assert_eq!(world.books(), Books::NOTHING, "the screen alone is not enough here");
    phone.texts(&code).await;
    phone.reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_with_a_page_to_pay_at_texts_its_link() {
    let world =
        with_menu(Store::sqlite()).set(&BANK.replace("charging = \"viettel\"", "charging = \"bank\"")).start().await;
    let (_, screen) = world.dials("0854689520", "s-1", &["1", "1", "1", "1"]).await;
    assert_eq!(screen, "END Da nhan: goi VIP 30 ngay cho 0854689520. Link thanh toan se gui qua SMS.");
    let phone = world.phone("0854689520");
    pays_at(&phone.reads_link().await).await;
    phone.reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_bought_ends_the_dialogue_with_the_reason() {
    let world = with_menu(Store::sqlite()).start().await;
    for (account, words) in [
        (accounts::NOBODY, "END So 0850000404 chua dung duoc dich vu nay."),
        (accounts::LOCKED, "END So 0850000423 dang bi khoa."),
        (accounts::NOT_ELIGIBLE, "END So 0850000403 khong mua duoc goi VIP 30 ngay."),
    ] {
        let (_, screen) = world.dials("0854689520", account, &["1", "1", "2", account]).await;
        assert!(screen.starts_with(words), "{screen}");
    }
    world.ends(&[], Books::NOTHING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_package_once_more_is_asked_about_by_text() {
    let world = with_menu(Store::sqlite()).start().await;
    let phone = world.phone("0854689520");
    let (_, first) = world.dials("0854689520", "s-1", &["1", "1", "1", "1"]).await;
    assert_eq!(first, TAKEN);
    phone.reads_done().await;
    world.dials("0854689520", "s-2", &["1", "1", "1", "1"]).await;
    phone.reads("VUA MUA goi NAP1").await;
    assert_eq!(world.books(), Books::BOUGHT);
    phone.texts("Y").await;
    phone.reads_done().await;
    world.ends(&["done", "done"], Books::bought(2)).await;
}
