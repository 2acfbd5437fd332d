//! A simulated operator with a driver connected to it, and the orders that the tests place.

use paygate::charging::carrier_billing::Driver;
use paygate::charging::{ChargeOrder, RefundOrder};
use paygate::config::CarrierBilling;
use paygate::http_client::HttpClient;
use paygate::purchase::evidence::{ChannelAnswer, Finding};
use paygate::purchase::money::{Currency, Money};
use paygate::sandbox::billing::{Billing, Endpoint, Settings};
use paygate::sandbox::faults::{Fault, FaultRule};
use paygate_parsers::msisdn::{Country, Msisdn};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const SUBSCRIBER: &str = "+84854689520";
pub(super) const PRICE: Money = Money::new(10_000, Currency::VND);

/// Any free port of this machine.
pub(super) fn anywhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(super) struct Operator {
    pub(super) billing: Billing,
    pub(super) driver: Driver,
}

impl Operator {
    pub(super) async fn start(settings: Settings) -> Self {
        Self::with(settings, |_| {}).await
    }

    pub(super) async fn with(settings: Settings, change: impl FnOnce(&mut CarrierBilling)) -> Self {
        Self::using(HttpClient::new().unwrap(), settings, change).await
    }

    /// For many operators in one test: what takes time in a client, its certificates, is made once.
    pub(super) async fn using(
        client: HttpClient,
        settings: Settings,
        change: impl FnOnce(&mut CarrierBilling),
    ) -> Self {
        let billing = Billing::start(anywhere(), settings).await.unwrap();
        let mut config = config(billing.base_url(), billing.refund_url());
        change(&mut config);
        let driver = Driver::new(&config, client);
        Self { billing, driver }
    }

    pub(super) fn fault(&self, endpoint: Endpoint, fault: Fault) {
        assert!(self.billing.fault(FaultRule { endpoint: Some(endpoint), fault, times: None }));
    }

    /// Charges whole, and takes the order on with what the driver remembered.
    pub(super) async fn charged(&self, key: &str) -> ChargeOrder {
        let order = order(key);
        let answer = self.driver.charge(&order).await;
        assert!(matches!(answer.finding, Finding::Charged { .. }), "{answer:?}");
        continued(order, answer)
    }
}

pub(crate) fn config(base_url: String, refund_url: String) -> CarrierBilling {
    CarrierBilling {
        base_url,
        refund_url,
        token: "secret".into(),
        timeout: Duration::from_secs(20),
        merchant: "paygate".to_owned(),
        one_step: false,
        max_flight: Duration::from_secs(30),
        send_within: Duration::from_secs(10),
        inquiry_plan: vec![Duration::from_secs(5)],
        clock_skew: Duration::from_secs(300),
        concurrency: 64,
        refusals: paygate::config::Refusals::default(),
    }
}

pub(super) fn order(key: &str) -> ChargeOrder {
    order_of(key, SUBSCRIBER)
}

pub(super) fn order_of(key: &str, msisdn: &str) -> ChargeOrder {
    let now = jiff::Timestamp::now().as_microsecond();
    ChargeOrder {
        key: key.to_owned(),
        msisdn: Some(Msisdn::parse(&Country::new("84").unwrap(), msisdn).unwrap()),
        amount: PRICE,
        service: "VIP".to_owned(),
        package: "NAP1".to_owned(),
        description: "VIP 30 ngay".to_owned(),
        return_url: None,
        handle: None,
        code: None,
        sends: 1,
        intended_at: now,
        lost_since: None,
        in_flight_until: now + 40_000_000,
        send_by: Instant::now() + Duration::from_secs(600),
    }
}

pub(super) fn refund_order(key: &str, charge: &ChargeOrder) -> RefundOrder {
    RefundOrder {
        key: key.to_owned(),
        charge_handle: charge.handle.clone(),
        peer_reference: None,
        msisdn: charge.msisdn,
        amount: charge.amount,
        handle: None,
        sends: 1,
        intended_at: charge.intended_at,
        send_by: charge.send_by,
    }
}

/// The order as it stands after an answer: what the journal would hand to the next call.
pub(super) fn continued(order: ChargeOrder, answer: ChannelAnswer) -> ChargeOrder {
    ChargeOrder { handle: answer.handle.or(order.handle), ..order }
}

/// A finding in a few words, for the golden tables.
pub(super) fn words(finding: &Finding) -> String {
    match finding {
        Finding::Charged { amount, msisdn } => format!("charged {amount} {}", msisdn.as_deref().unwrap_or("nobody")),
        Finding::NotCharged(why) => format!("not charged: {:?}, advice {}", why.reason, why.advice.number()),
        Finding::CodeSent => "code sent".to_owned(),
        Finding::Reserved => "reserved".to_owned(),
        Finding::AwaitsPayment { .. } => "awaits payment".to_owned(),
        Finding::WrongCode(why) => format!("wrong code: {:?}, advice {}", why.reason, why.advice.number()),
        Finding::NotFound => "not found".to_owned(),
        Finding::NotSent { .. } => "not sent".to_owned(),
        Finding::Unknown { cause } => format!("unknown: {cause:?}"),
        Finding::Refunded { amount } => format!("refunded {amount}"),
        Finding::NotRefunded(why) => format!("not refunded: {:?}, advice {}", why.reason, why.advice.number()),
    }
}

/// Compares with tests/golden/{name}. Written anew when GOLDEN=write is set, for a person to read in the diff.
pub(crate) fn golden(name: &str, actual: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("GOLDEN").is_some_and(|mode| mode == "write") {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(actual, expected, "{name}, line {}", number + 1);
    }
    assert_eq!(actual.lines().count(), expected.lines().count(), "{name}: another number of lines");
}
