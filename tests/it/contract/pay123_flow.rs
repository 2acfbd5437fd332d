//! The 123PAY driver's ways through an order when nothing is broken, each with 123PAY's own books as witness.

use super::operator::{PRICE, order, refund_order, words};
use super::shop::Shop;
use paygate::charging::{Channel, ChargeOrder};
use paygate::config;
use paygate::http_client::HttpClient;
use paygate::purchase::evidence::{Cause, Finding};
use paygate::purchase::money::{Currency, Money};
use paygate::sandbox::pay123::Endpoint;
use tokio::time::{Duration, Instant};

#[tokio::test]
async fn create_order_brings_a_link_and_moves_nothing() {
    let shop = Shop::start().await;
    let answer = shop.driver.charge(&order("k1")).await;
    let url = shop.pay123.page_of("k1");
    assert!(url.is_some());
    assert_eq!(answer.finding, Finding::AwaitsPayment { url: url.clone(), begun: false });
    assert!(answer.handle.is_some());
    assert_eq!(answer.peer_reference, answer.handle);
    assert!(!answer.heard.contains("http"), "whoever has the link sees the order: {}", answer.heard);
    assert_eq!((shop.pay123.orders_in_all(), shop.pay123.debits_in_all()), (1, 0));
}

#[tokio::test]
async fn what_is_paid_at_the_bank_is_charged_with_the_amount_that_the_bank_took() {
    let shop = Shop::start().await;
    let order = shop.ordered(order("k1")).await;
    assert_eq!(shop.driver.inquire(&order).await.finding, Finding::AwaitsPayment { url: None, begun: false });
    assert!(shop.pay123.pay("k1"));
    let answer = shop.driver.inquire(&order).await;
    assert_eq!(answer.finding, Finding::Charged { amount: PRICE, msisdn: None });
    assert_eq!(answer.peer_reference, order.handle);
    assert_eq!(shop.pay123.debits("k1"), 1);
}

#[tokio::test]
async fn what_is_known_under_a_key_is_only_asked_about() {
    let shop = Shop::start().await;
    let order = shop.ordered(order("k1")).await;
    let again = ChargeOrder { sends: 2, ..order };
    assert_eq!(shop.driver.charge(&again).await.finding, Finding::AwaitsPayment { url: None, begun: false });
    assert_eq!(shop.pay123.orders_in_all(), 1);
}

#[tokio::test]
async fn a_repeat_of_an_order_whose_answer_was_lost_makes_no_second_one() {
    let shop = Shop::start().await;
    shop.ordered(order("k1")).await;
    let forgotten = ChargeOrder { sends: 2, ..order("k1") };
    assert_eq!(shop.driver.charge(&forgotten).await.finding, Finding::Unknown { cause: Cause::Pending }, "6206");
    let answer = shop.driver.inquire(&forgotten).await;
    assert_eq!(answer.finding, Finding::AwaitsPayment { url: None, begun: false }, "it is there, and its link is lost");
    assert!(answer.peer_reference.is_some(), "a person can find it there");
    assert_eq!(shop.pay123.orders_in_all(), 1);
}

#[tokio::test]
async fn an_order_that_never_came_there_is_not_found() {
    let shop = Shop::start().await;
    assert_eq!(shop.driver.inquire(&order("never")).await.finding, Finding::NotFound);
}

#[tokio::test]
async fn another_amount_than_was_asked_for_is_told_as_it_is() {
    let shop = Shop::start().await;
    let order = shop.ordered(order("k1")).await;
    assert!(shop.pay123.pay("k1"));
    let cheaper = ChargeOrder { amount: Money::new(5_000, Currency::VND), ..order };
    assert_eq!(shop.driver.inquire(&cheaper).await.finding, Finding::Charged { amount: PRICE, msisdn: None });
}

#[tokio::test]
async fn a_wrong_key_or_passcode_is_our_configurations_fault_and_nothing_is_ordered() {
    type Change = fn(&mut config::Pay123);
    let wrong: [Change; 3] = [
        |settings| settings.secret_key = "another".into(),
        |settings| settings.passcode = "another".into(),
        |settings| settings.merchant_code = "another".to_owned(),
    ];
    let client = HttpClient::new().unwrap();
    for change in wrong {
        let shop = Shop::with(client.clone(), |_| {}, change).await;
        assert_eq!(words(&shop.driver.charge(&order("k1")).await.finding), "not charged: Config, advice 6");
        assert_eq!(words(&shop.driver.inquire(&order("k1")).await.finding), "unknown: BadAnswer");
        assert_eq!(shop.pay123.orders_in_all(), 0);
    }
}

#[tokio::test]
async fn what_123pay_cannot_be_asked_does_not_leave() {
    let shop = Shop::start().await;
    let dollars = Money::new(500, Currency::try_from("USD".to_owned()).unwrap());
    for unfit in [ChargeOrder { amount: dollars, ..order("k1") }, order(&"k".repeat(51))] {
        assert_eq!(words(&shop.driver.charge(&unfit).await.finding), "not charged: Config, advice 6");
    }
    let late = ChargeOrder { send_by: Instant::now() - Duration::from_millis(1), ..order("k1") };
    assert_eq!(words(&shop.driver.charge(&late).await.finding), "not sent");
    assert_eq!(shop.pay123.requests(), []);
}

#[tokio::test]
async fn it_neither_sets_aside_nor_cancels_nor_gives_back_and_says_so() {
    let shop = Shop::start().await;
    let can = shop.driver.capabilities();
    assert!(!can.texts_codes && !can.can_cancel && !can.can_refund && can.link_ttl.is_some());
    let order = shop.ordered(order("k1")).await;
    for answer in [
        shop.driver.prepare(&order).await,
        shop.driver.cancel(&order).await,
        shop.driver.refund(&refund_order("r1", &order)).await,
    ] {
        assert_eq!(words(&answer.finding), "not sent");
    }
    assert_eq!(words(&shop.driver.inquire_refund(&refund_order("r1", &order)).await.finding), "unknown: NoAnswer");
    assert_eq!(shop.pay123.requests(), [(Endpoint::CreateOrder, "1".to_owned())]);
}

#[tokio::test]
async fn what_is_sent_is_what_the_journal_keeps_but_for_its_secrets() {
    let shop = Shop::start().await;
    let kept = shop.driver.request(&order("k1"));
    for part in ["mTransactionID=k1&", "totalAmount=10000&", "custGender=U&", "custPhone=84854689520&"] {
        assert!(kept.contains(part), "{part} is not in {kept}");
    }
    assert_eq!(kept.matches("https%3A%2F%2Fshop.example%2Fthanks%3Ffrom%3D123pay").count(), 3, "{kept}");
    assert!(!kept.contains("MIPASSCODE") && !kept.contains("MIKEY") && !kept.contains("checksum"), "{kept}");
}

#[tokio::test]
async fn only_channels_that_tell_us_by_themselves_have_a_listener() {
    let client = HttpClient::new().unwrap();
    let bank = config::Charging::Pay123(super::shop::config("http://127.0.0.1:1/miservice".to_owned()));
    let telco = super::operator::config("http://127.0.0.1:1".to_owned(), "http://127.0.0.1:1".to_owned());
    assert!(Channel::new(&bank, client.clone()).listener().is_some());
    assert!(Channel::new(&config::Charging::CarrierBilling(telco), client).listener().is_none());
}
