//! Dialogues over the socket of a gateway that paygate connects to.

use super::{Gateway, MENU, comes_to_say, is_ready};
use crate::stores::{Store, both_stores};
use crate::world::{Books, World};
use paygate::config::{Config, Environment, Ussd, UssdKind};
use paygate::sandbox::ussd_line::{LineGateway, LineGatewaySettings};

/// A world, and a gateway whose phones dial.
async fn dials(store: Store, more: &str) -> (World, LineGateway) {
    let line = LineGateway::start("127.0.0.1:0", LineGatewaySettings::default()).await.unwrap();
    (World::of(store).set(MENU).set(&section(&line)).set(more).start().await, line)
}

/// What names this gateway in a configuration.
fn section(line: &LineGateway) -> String {
    let address = line.address();
    format!(
        "[ussd.line]\nkind = \"line\"\naddress = \"{address}\"\nspid = \"2001\"\npassword = \"secret\"\nlink = \"viettel\"\n\
         reconnect_min = \"10ms\"\nreconnect_max = \"20ms\"\nrefused_max = \"20ms\"\n"
    )
}

both_stores! {
    async fn a_package_is_bought_from_the_menu_over_the_socket(store: Store) {
        let (world, line) = dials(store, "").await;
        line.logged_in().await;
        Gateway::Line(&line).dials("*098#").await.buys().await;
        world.phone("0854689520").reads_done().await;
        assert_eq!(line.stray_screens(), 0);
        world.ends(&["done"], Books::BOUGHT).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialogue_outlives_the_socket_and_what_was_agreed_to_the_phone() {
    let (world, line) = dials(Store::sqlite(), "").await;
    line.logged_in().await;
    let dialogue = Gateway::Line(&line).dials("*098#").await;
    dialogue.sees().await;
    line.drop_connection();
    line.asked_for(2).await;
    line.logged_in().await;
    dialogue.keys("1").await;
    dialogue.agrees().await;
    dialogue.hangs_up().await;
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_login_is_told_and_tried_again_until_it_is_taken() {
    let (world, line) = dials(Store::sqlite(), "").await;
    is_ready(&world).await;
    for code in [203, 204, 205, 206, 211, 999] {
        let asked = line.logins();
        line.faults(|faults| faults.refuse_logins = (u32::MAX, code));
        line.drop_connection();
        line.asked_for(asked + 2).await;
        comes_to_say(&world, &format!("ussd line: refused with error {code}")).await;
        line.faults(|faults| faults.refuse_logins = (0, 0));
        is_ready(&world).await;
    }
    world.ends(&[], Books::NOTHING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_the_socket_costs_no_dialogue() {
    let (world, line) = dials(Store::sqlite(), "ussd.line.line_max = 1024").await;
    line.logged_in().await;
    let dialogue = Gateway::Line(&line).dials("*098#").await;
    dialogue.sees().await;
    line.octets(
        b"\n\nhello\n<USSD>\n\xff\xfe\0\n<USSD><type>PULL_REQ</type></USSD>\n<LOGIN><errCode>0</errCode></LOGIN>\n",
    )
    .await;
    dialogue.keys("1").await;
    dialogue.sees().await;
    assert_eq!(line.logins(), 1, "what cannot be read is passed over");
    line.octets(&[b'x'; 2000]).await;
    line.asked_for(2).await;
    line.logged_in().await;
    dialogue.keys("1").await;
    dialogue.buys().await;
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hop_that_comes_twice_is_one_hop_and_a_refused_screen_ends_nothing() {
    let (world, line) = dials(Store::sqlite(), "").await;
    line.logged_in().await;
    line.faults(|faults| (faults.double_hops, faults.refuse_screens) = (1, (1, 210)));
    let dialogue = Gateway::Line(&line).dials("*098#").await;
    // The first of the two screens was one too many for the gateway, and the second says the same.
    dialogue.buys().await;
    world.phone("0854689520").reads_done().await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_gateway_is_connected_to_anew() {
    let (world, line) =
        dials(Store::sqlite(), "ussd.line.keep_alive = \"100ms\"\nussd.line.silence_max = \"300ms\"").await;
    line.logged_in().await;
    line.faults(|faults| faults.silent = true);
    line.asked_for(2).await;
    line.faults(|faults| faults.silent = false);
    is_ready(&world).await;
    world.ends(&[], Books::NOTHING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_logs_in_once_and_says_what_is_wrong() {
    let line = LineGateway::start("127.0.0.1:0", LineGatewaySettings::default()).await.unwrap();
    let world = World::of(Store::sqlite()).set(MENU).set(&section(&line)).neighbours().await;
    let mut config = Config::parse(&world.toml(), &Environment::new()).unwrap();
    let told = |config: Config| async move {
        let parts = paygate::app::check(&config).await;
        parts.into_iter().find(|checked| checked.part == "ussd line").unwrap().fault
    };
    assert_eq!(told(config.clone()).await, None);
    for (code, words) in [(203, None), (204, Some("check spid and password")), (205, Some("telco must open"))] {
        line.faults(|faults| faults.refuse_logins = (1, code));
        let fault = told(config.clone()).await;
        assert_eq!(
            fault.as_ref().map(|fault| words.is_some_and(|words| fault.contains(words))),
            words.map(|_| true),
            "{fault:?}"
        );
    }
    let Some(Ussd { kind: UssdKind::Line(settings), .. }) = config.ussd.get_mut("line") else { panic!("no socket") };
    settings.address = "127.0.0.1:1".to_owned();
    assert!(told(config).await.unwrap().contains("connection failed"));
}
