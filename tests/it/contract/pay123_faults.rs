//! Each call of the 123PAY driver against each way a network and a peer can fail. The finding may say less than the books, and
//! never something else; and whatever was heard, asking again once the fault is over tells the truth.

use super::operator::{continued, golden, order, words};
use super::refusing::Refusing;
use super::shop::{Shop, config};
use futures_util::{StreamExt, stream};
use paygate::charging::pay123::Driver;
use paygate::config::Pay123 as Settings;
use paygate::http_client::HttpClient;
use paygate::purchase::evidence::Finding;
use paygate::sandbox::faults::Fault;
use paygate::sandbox::pay123::Endpoint;
use std::time::Duration;

/// One call, and how the order stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Charge,
    InquireUnpaid,
    InquirePaid,
    /// createOrder's answer was lost: 123PAY's own id is not known.
    InquirePaidByKey,
}

const CALLS: [Call; 4] = [Call::Charge, Call::InquireUnpaid, Call::InquirePaid, Call::InquirePaidByKey];

fn faults() -> Vec<(&'static str, Fault)> {
    vec![
        ("closed before acting", Fault::LostBefore),
        ("closed after acting", Fault::Lost),
        ("acted, never answered", Fault::Silent),
        ("500 without acting", Fault::Refuse { status: 500, code: "5000".to_owned() }),
        ("500 after acting", Fault::Failed { status: 500 }),
        ("404 with a code of theirs", Fault::Refuse { status: 404, code: "7201".to_owned() }),
        ("success without its parts", Fault::Refuse { status: 200, code: "1".to_owned() }),
        ("200 with a web page", Fault::Garbage),
        ("answer broken off", Fault::Truncated),
        ("another amount", Fault::WrongAmount),
        ("another order's", Fault::OthersData),
    ]
}

#[tokio::test]
async fn no_fault_makes_a_finding_that_the_books_deny() {
    let client = HttpClient::new().unwrap();
    let cases = CALLS.into_iter().flat_map(|call| faults().into_iter().map(move |fault| (call, fault)));
    let lines = stream::iter(cases).map(|(call, fault)| line(client.clone(), call, fault)).buffered(16);
    let lines: Vec<String> = lines.collect().await;
    golden("pay123_faults.txt", &(lines.join("\n") + "\n"));
}

async fn line(client: HttpClient, call: Call, (name, fault): (&'static str, Fault)) -> String {
    let shop = Shop::with(client.clone(), |_| {}, |_| {}).await;
    // There is a connection already: how long one takes is not part of the story.
    assert_eq!(shop.driver.inquire(&order("never")).await.finding, Finding::NotFound);
    let mut before = order("k1");
    if call != Call::Charge {
        let made = shop.ordered(order("k1")).await;
        before = if call == Call::InquirePaidByKey { before } else { made };
    }
    let pays = matches!(call, Call::InquirePaid | Call::InquirePaidByKey);
    assert_eq!(pays && shop.pay123.pay("k1"), pays);
    let endpoint = if call == Call::Charge { Endpoint::CreateOrder } else { Endpoint::QueryOrder };
    shop.fault(endpoint, fault.clone());
    // Only what is never answered is not waited for.
    let timeout = Duration::from_secs(if fault == Fault::Silent { 5 } else { 60 });
    let driver = Driver::new(&Settings { timeout, ..config(shop.pay123.base_url()) }, client);
    let answer = match call {
        Call::Charge => driver.charge(&before).await,
        Call::InquireUnpaid | Call::InquirePaid | Call::InquirePaidByKey => driver.inquire(&before).await,
    };
    let debits = shop.pay123.debits("k1");
    match &answer.finding {
        Finding::Charged { .. } => assert_eq!(debits, 1, "{call:?} {name} {answer:?}"),
        Finding::AwaitsPayment { .. } | Finding::NotCharged(_) | Finding::NotFound => {
            assert_eq!(debits, 0, "{call:?} {name} {answer:?}");
        }
        _ => {}
    }
    let heard = words(&answer.finding);
    shop.pay123.clear_faults();
    let after = shop.driver.inquire(&continued(before, answer)).await;
    assert_eq!(matches!(after.finding, Finding::Charged { .. }), debits == 1, "{call:?} {name} {after:?}");
    format!("{:<17} {name:<26} {heard:<26} then {}", format!("{call:?}"), words(&after.finding))
}

#[tokio::test]
async fn a_refused_connection_is_not_sent_and_asking_proves_nothing() {
    let nobody = Refusing::bind();
    let driver = Driver::new(&config(nobody.url()), HttpClient::new().unwrap());
    assert_eq!(words(&driver.charge(&order("k1")).await.finding), "not sent");
    assert_eq!(words(&driver.inquire(&order("k1")).await.finding), "unknown: NoAnswer");
}

#[tokio::test]
async fn no_secret_is_in_what_is_kept_of_an_answer() {
    let shop = Shop::start().await;
    for echoed in ["MIPASSCODE", "MIKEY", "84854689520"] {
        shop.pay123.clear_faults();
        shop.fault(Endpoint::CreateOrder, Fault::Refuse { status: 200, code: echoed.to_owned() });
        let answer = shop.driver.charge(&order("k1")).await;
        assert!(!format!("{answer:?}").contains(echoed), "{answer:?}");
    }
}
