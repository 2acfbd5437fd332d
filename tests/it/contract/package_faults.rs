//! The package manager's client against its simulated peer: each code of the contract, and each way a network can fail,
//! with the peer's books as witness that no package is added twice and no answer is believed that is not about us.

use super::operator::{PRICE, SUBSCRIBER, anywhere, golden};
use super::refusing::Refusing;
use futures_util::{StreamExt, stream};
use paygate::config;
use paygate::http_client::HttpClient;
use paygate::package_manager::{Client, Context, GrantOrder};
use paygate::purchase::evidence::{CheckAnswer, GrantAnswer, Reason};
use paygate::sandbox::faults::{Fault, FaultRule};
use paygate::sandbox::packages::{Endpoint, EntryKind, Packages, Settings, accounts};
use paygate_parsers::msisdn::{Country, Msisdn};
use std::time::Duration;
use tokio::time::Instant;

const ACCOUNT: &str = "0854689520";

struct Shop {
    packages: Packages,
    client: Client,
}

impl Shop {
    async fn start(settings: Settings) -> Self {
        Self::using(HttpClient::new().unwrap(), settings).await
    }

    async fn using(http: HttpClient, settings: Settings) -> Self {
        let packages = Packages::start(anywhere(), settings).await.unwrap();
        Self { client: Client::new(&config(packages.base_url()), http), packages }
    }

    fn fault(&self, endpoint: Endpoint, fault: Fault) {
        assert!(self.packages.fault(FaultRule { endpoint: Some(endpoint), fault, times: None }));
    }

    async fn check(&self, account: &str, package: &str) -> CheckAnswer {
        let msisdn = Msisdn::parse(&Country::new("84").unwrap(), SUBSCRIBER).unwrap();
        self.client.check(&context(), account, "VIP", package, &msisdn).await
    }
}

fn config(base_url: String) -> config::PackageManager {
    config::PackageManager {
        base_url,
        token: "secret".into(),
        timeout: Duration::from_secs(3),
        idempotent_grants: true,
        max_flight: Duration::from_secs(30),
        send_within: Duration::from_secs(10),
        inquiry_plan: vec![Duration::from_secs(5)],
        concurrency: 64,
    }
}

fn context() -> Context {
    Context {
        platform: "sms".to_owned(),
        dt_id: "viettel".to_owned(),
        r#type: "purchase".to_owned(),
        device_type: "phone".to_owned(),
        device_id: SUBSCRIBER.to_owned(),
        pay_type: "telco".to_owned(),
        pay_partner: "viettel".to_owned(),
    }
}

fn order(purchase: &str) -> GrantOrder {
    GrantOrder {
        purchase_id: purchase.to_owned(),
        context: context(),
        account: ACCOUNT.to_owned(),
        service: "VIP".to_owned(),
        package: "NAP1".to_owned(),
        amount: PRICE,
        charge_reference: "P000000000000".to_owned(),
        send_by: Instant::now() + Duration::from_secs(600),
    }
}

fn words(answer: &GrantAnswer) -> String {
    match answer {
        GrantAnswer::Granted { .. } => "granted".to_owned(),
        GrantAnswer::Revoked { .. } => "revoked".to_owned(),
        GrantAnswer::Refused { reason, .. } => format!("refused: {reason:?}"),
        GrantAnswer::NotFound => "not found".to_owned(),
        GrantAnswer::InProgress => "in progress".to_owned(),
        GrantAnswer::NotSent { .. } => "not sent".to_owned(),
        GrantAnswer::Unknown { cause, .. } => format!("unknown: {cause:?}"),
    }
}

fn check_words(answer: &CheckAnswer) -> String {
    match answer {
        CheckAnswer::Allowed { package_name, price, days } => format!("allowed: {package_name}, {price}, {days} days"),
        CheckAnswer::Refused { reason, .. } => format!("refused: {reason:?}"),
        CheckAnswer::Unavailable { .. } => "unavailable".to_owned(),
    }
}

#[tokio::test]
async fn a_package_is_offered_on_the_package_managers_terms() {
    let shop = Shop::start(Settings::default()).await;
    assert_eq!(check_words(&shop.check(ACCOUNT, "NAP1").await), "allowed: VIP 30 ngay, 10,000 VND, 30 days");
    for (account, package, reason) in [
        (accounts::NOBODY, "NAP1", Reason::NoAccount),
        ("085468952", "NAP1", Reason::NoAccount),
        (accounts::LOCKED, "NAP1", Reason::Blocked),
        (accounts::NOT_ELIGIBLE, "NAP1", Reason::NotAllowed),
        (ACCOUNT, "NAP9", Reason::NoPackage),
    ] {
        assert_eq!(
            check_words(&shop.check(account, package).await),
            format!("refused: {reason:?}"),
            "{account} {package}"
        );
    }
}

#[tokio::test]
async fn a_price_that_is_none_is_no_offer() {
    for price in [0, -10_000] {
        let mut settings = Settings::default();
        settings.packages[0].price = price;
        let shop = Shop::start(settings).await;
        assert_eq!(check_words(&shop.check(ACCOUNT, "NAP1").await), "unavailable", "{price}");
    }
}

#[tokio::test]
async fn the_same_purchase_is_granted_once_however_often_it_is_asked_for() {
    let shop = Shop::start(Settings::default()).await;
    let GrantAnswer::Granted { grant_id, .. } = shop.client.grant(&order("p1")).await else { panic!("not granted") };
    let GrantAnswer::Granted { grant_id: again, .. } = shop.client.grant(&order("p1")).await else {
        panic!("not again")
    };
    assert_eq!((grant_id, shop.packages.grants_of("p1")), (again, 1));
    assert_eq!(words(&shop.client.inquire("p1").await), "granted");
    assert_eq!(words(&shop.client.inquire("p2").await), "not found");
}

#[tokio::test]
async fn a_grant_is_taken_back_once_or_twice_alike() {
    let shop = Shop::start(Settings::default()).await;
    shop.client.grant(&order("p1")).await;
    for _ in 0..2 {
        assert_eq!(words(&shop.client.revoke("p1").await), "revoked");
        assert_eq!(words(&shop.client.inquire("p1").await), "revoked");
    }
    assert!(!shop.packages.stands("p1"));
    assert_eq!(words(&shop.client.revoke("p2").await), "not found");
    let taken_back = shop.packages.entries().iter().filter(|entry| entry.kind == EntryKind::Revoked).count();
    assert_eq!(taken_back, 1);
}

#[tokio::test]
async fn another_grant_under_our_key_is_not_taken_for_a_refusal() {
    let shop = Shop::start(Settings::default()).await;
    shop.client.grant(&GrantOrder { account: "0850000001".to_owned(), ..order("p1") }).await;
    assert_eq!(words(&shop.client.grant(&order("p1")).await), "unknown: UnknownCode");
}

#[tokio::test]
async fn a_grant_past_its_time_does_not_leave() {
    let shop = Shop::start(Settings::default()).await;
    let late = GrantOrder { send_by: Instant::now() - Duration::from_secs(1), ..order("p1") };
    assert_eq!(words(&shop.client.grant(&late).await), "not sent");
    assert_eq!((shop.packages.grants_of("p1"), shop.packages.requests().len()), (0, 0));
}

#[tokio::test]
async fn a_package_manager_that_counts_each_post_adds_each_time() {
    // Not ours to prevent here, but the books must show it, or no test above could fail.
    let shop = Shop::start(Settings { idempotent: false, ..Settings::default() }).await;
    shop.client.grant(&order("p1")).await;
    shop.client.grant(&order("p1")).await;
    assert_eq!(shop.packages.grants_of("p1"), 2);
}

#[tokio::test]
async fn a_grant_that_comes_late_is_in_progress_until_it_stands() {
    for idempotent in [true, false] {
        let shop = Shop::start(Settings { idempotent, ..Settings::default() }).await;
        let mut entries = shop.packages.events();
        shop.fault(Endpoint::Grant, Fault::Late { ms: 5_000 });
        assert_eq!(words(&shop.client.grant(&order("p1")).await), "unknown: NoAnswer");
        assert_eq!(words(&shop.client.inquire("p1").await), "in progress");
        assert_eq!(entries.recv().await.unwrap().kind, EntryKind::Granted);
        assert_eq!(words(&shop.client.inquire("p1").await), "granted");
        assert_eq!(shop.packages.grants_of("p1"), 1);
    }
}

#[tokio::test]
async fn nobody_there_is_not_sent_for_a_grant_and_no_answer_for_a_question() {
    let nobody = Refusing::bind();
    let client = Client::new(&config(nobody.url()), HttpClient::new().unwrap());
    assert_eq!(words(&client.grant(&order("p1")).await), "not sent");
    assert_eq!(words(&client.inquire("p1").await), "unknown: NoAnswer");
    assert_eq!(words(&client.revoke("p1").await), "not sent");
}

/// Each call against each code of the contract and each fault, as one table.
#[tokio::test]
async fn no_fault_makes_an_answer_that_the_books_deny() {
    let http = HttpClient::new().unwrap();
    let endpoints = [Endpoint::CheckUser, Endpoint::Grant, Endpoint::InquireGrant, Endpoint::RevokeGrant];
    let cases = endpoints.into_iter().flat_map(|endpoint| faults().into_iter().map(move |fault| (endpoint, fault)));
    let lines = stream::iter(cases).map(|(endpoint, fault)| line(http.clone(), endpoint, fault)).buffered(8);
    let lines: Vec<String> = lines.collect().await;
    golden("package_faults.txt", &(lines.join("\n") + "\n"));
}

fn faults() -> Vec<Fault> {
    let codes = [
        (404, "ACCOUNT_NOT_FOUND"),
        (403, "ACCOUNT_LOCKED"),
        (404, "PACKAGE_NOT_FOUND"),
        (403, "NOT_ELIGIBLE"),
        (400, "MISSING_PARAMETER"),
        (422, "KEY_REUSED"),
        (409, "IN_PROGRESS"),
        (404, "NOT_GRANTED"),
        (401, "UNAUTHORIZED"),
        (429, "BUSY"),
        (400, "SOMETHING_NEW"),
        (302, "MOVED"),
        (500, "INTERNAL"),
        (502, "ACCOUNT_NOT_FOUND"),
        (503, "BUSY"),
    ];
    let mut faults: Vec<Fault> =
        codes.into_iter().map(|(status, code)| Fault::Refuse { status, code: code.to_owned() }).collect();
    faults.extend([Fault::LostBefore, Fault::Lost, Fault::Silent, Fault::Failed { status: 500 }, Fault::Garbage]);
    faults.extend([Fault::Truncated, Fault::WrongAmount, Fault::OthersData]);
    faults
}

async fn line(http: HttpClient, endpoint: Endpoint, fault: Fault) -> String {
    let shop = Shop::using(http, Settings::default()).await;
    if matches!(endpoint, Endpoint::InquireGrant | Endpoint::RevokeGrant) {
        shop.client.grant(&order("p1")).await;
    }
    shop.fault(endpoint, fault.clone());
    let heard = match endpoint {
        Endpoint::CheckUser | Endpoint::ListPackages => check_words(&shop.check(ACCOUNT, "NAP1").await),
        Endpoint::Grant => believed(&shop, &fault, &shop.client.grant(&order("p1")).await),
        Endpoint::InquireGrant => believed(&shop, &fault, &shop.client.inquire("p1").await),
        Endpoint::RevokeGrant => words(&shop.client.revoke("p1").await),
    };
    shop.packages.clear_faults();
    let after = words(&shop.client.inquire("p1").await);
    assert_eq!(after == "granted", shop.packages.stands("p1"), "{endpoint:?} {fault:?}");
    assert!(shop.packages.grants_of("p1") <= 1, "{endpoint:?} {fault:?}");
    let name = match &fault {
        Fault::Refuse { status, code } => format!("{status} {code}"),
        other => format!("{other:?}"),
    };
    format!("{:<14} {name:<26} {heard:<44} then {after}", format!("{endpoint:?}"))
}

/// What was concluded, with the books asked whether it is true. A refusal that was switched on over a grant that stands
/// is a lie no client can see through, so only what was acted on counts.
fn believed(shop: &Shop, fault: &Fault, answer: &GrantAnswer) -> String {
    let lied = matches!(fault, Fault::Refuse { .. });
    match answer {
        GrantAnswer::Granted { .. } => assert!(shop.packages.stands("p1"), "{fault:?}"),
        GrantAnswer::Refused { .. } | GrantAnswer::NotFound | GrantAnswer::NotSent { .. } => {
            assert!(lied || shop.packages.grants_of("p1") == 0, "{fault:?} {answer:?}");
        }
        GrantAnswer::Revoked { .. } | GrantAnswer::InProgress | GrantAnswer::Unknown { .. } => {}
    }
    words(answer)
}
