//! A simulated 123PAY with a driver connected to it, and a customer at its bank's page.

use super::operator::anywhere;
use paygate::charging::ChargeOrder;
use paygate::charging::pay123::Driver;
use paygate::config::Pay123 as Settings;
use paygate::http_client::HttpClient;
use paygate::purchase::evidence::Finding;
use paygate::sandbox::faults::{Fault, FaultRule};
use paygate::sandbox::pay123::{self, Endpoint, Pay123};
use std::net::Ipv4Addr;
use std::time::Duration;

pub(super) struct Shop {
    pub(super) pay123: Pay123,
    pub(super) driver: Driver,
}

impl Shop {
    pub(super) async fn start() -> Self {
        Self::with(HttpClient::new().unwrap(), |_| {}, |_| {}).await
    }

    pub(super) async fn with(
        client: HttpClient,
        theirs: impl FnOnce(&mut pay123::Settings),
        ours: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = pay123::Settings::default();
        theirs(&mut settings);
        let pay123 = Pay123::start(anywhere(), settings).await.unwrap();
        let mut config = config(pay123.base_url());
        ours(&mut config);
        Self { driver: Driver::new(&config, client), pay123 }
    }

    pub(super) fn fault(&self, endpoint: Endpoint, fault: Fault) {
        assert!(self.pay123.fault(FaultRule { endpoint: Some(endpoint), fault, times: None }));
    }

    /// Makes the order, and takes ours on with what the driver remembered.
    pub(super) async fn ordered(&self, order: ChargeOrder) -> ChargeOrder {
        let answer = self.driver.charge(&order).await;
        assert!(matches!(answer.finding, Finding::AwaitsPayment { url: Some(_), .. }), "{answer:?}");
        ChargeOrder { handle: answer.handle, ..order }
    }
}

pub(crate) fn config(base_url: String) -> Settings {
    Settings {
        base_url,
        merchant_code: "MICODE".to_owned(),
        passcode: "MIPASSCODE".into(),
        secret_key: "MIKEY".into(),
        bank_code: "123PAY".to_owned(),
        client_ip: Ipv4Addr::LOCALHOST,
        return_url: "https://shop.example/thanks?from=123pay".to_owned(),
        link_ttl: Duration::from_secs(900),
        notify_max_age: Duration::from_secs(300),
        // A busy machine must not change the story; what is never answered is given less.
        timeout: Duration::from_secs(60),
        max_flight: Duration::from_secs(30),
        send_within: Duration::from_secs(10),
        inquiry_plan: vec![Duration::from_secs(5)],
        concurrency: 64,
        refusals: paygate::config::Refusals::default(),
    }
}
