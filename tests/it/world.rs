//! A whole world for one test: simulated SMSC, billing and package manager, a store, and real daemons between them. What
//! happened is asked of the neighbours' own books first and of the journal second, never of the daemon alone.

mod app;
mod books;
mod caller;
mod customer;
mod phone;
mod process;
mod settings;

pub(crate) use app::{APP, Answered, AppClient, BANK, Event, LOOKS, bank_order, order, order_with};
pub(crate) use books::Books;
pub(crate) use caller::{Caller, LAST, MENU};
pub(crate) use customer::{cancels_at, pays_at};
pub(crate) use phone::{Phone, code_in, wrong};
pub(crate) use process::Process;

use crate::stores::{Redis, Store};
use paygate::app::App;
use paygate::config::{Config, Environment};
use paygate::sandbox::billing::{self, Billing};
use paygate::sandbox::faults::{Fault, FaultRule};
use paygate::sandbox::packages::{self, Packages};
use paygate::sandbox::partner::{self, Partner};
use paygate::sandbox::pay123::{self, Pay123};
use paygate::sandbox::smsc::{Smsc, SmscSettings};
use settings::Settings;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Long enough for anything that is to happen; a test that waits it out has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
pub(crate) const SHORT_CODE: &str = "9029";

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What a world is made of before it starts.
pub(crate) struct Plan {
    store: Store,
    redis: Option<Redis>,
    smsc: SmscSettings,
    billing: billing::Settings,
    pay123: pay123::Settings,
    packages: packages::Settings,
    partner: partner::Settings,
    settings: Settings,
}

/// The neighbours, running, and the daemons among them.
pub(crate) struct World {
    pub(crate) smsc: Smsc,
    pub(crate) billing: Billing,
    pub(crate) pay123: Pay123,
    pub(crate) packages: Packages,
    /// A telco that charges by itself; known to the daemons only where the plan says so.
    pub(crate) partner: Partner,
    pub(crate) store: Store,
    pub(crate) redis: Option<Redis>,
    pub(crate) daemons: Vec<App>,
    settings: Settings,
}

impl Plan {
    /// Lays a piece of TOML over the configuration: `purchase.otp = "none"`.
    pub(crate) fn set(mut self, toml: &str) -> Self {
        self.settings.lay(toml);
        self
    }

    pub(crate) fn smsc(mut self, change: impl FnOnce(&mut SmscSettings)) -> Self {
        change(&mut self.smsc);
        self
    }

    pub(crate) fn billing(mut self, change: impl FnOnce(&mut billing::Settings)) -> Self {
        change(&mut self.billing);
        self
    }

    pub(crate) fn packages(mut self, change: impl FnOnce(&mut packages::Settings)) -> Self {
        change(&mut self.packages);
        self
    }

    /// The partner is one of the daemons'; `keys` are what stands in its section besides its secret.
    pub(crate) fn with_partner(mut self, keys: &str) -> Self {
        self.partner.pause = Duration::from_millis(100);
        let section = Partner::new(self.partner.clone()).toml();
        self.settings.lay(&format!("{section}{keys}"));
        self
    }

    pub(crate) fn partner(mut self, change: impl FnOnce(&mut partner::Settings)) -> Self {
        change(&mut self.partner);
        self
    }

    pub(crate) fn pay123(mut self, change: impl FnOnce(&mut pay123::Settings)) -> Self {
        change(&mut self.pay123);
        self
    }

    /// A Redis of this world's own.
    pub(crate) fn with_redis(mut self) -> Self {
        self.redis = Some(Redis::start());
        self
    }

    /// Starts the neighbours and no daemon yet.
    pub(crate) async fn neighbours(mut self) -> World {
        let smsc = Smsc::start(ANY_PORT, self.smsc).await.unwrap();
        let billing = Billing::start(ANY_PORT, self.billing).await.unwrap();
        let pay123 = Pay123::start(ANY_PORT, self.pay123).await.unwrap();
        let packages = Packages::start(ANY_PORT, self.packages).await.unwrap();
        self.settings.name("{smsc}", &smsc.address().to_string());
        self.settings.name("{billing}", &billing.base_url());
        self.settings.name("{pay123}", &pay123.base_url());
        self.settings.name("{packages}", &packages.base_url());
        let partner = Partner::new(self.partner);
        let (store, redis, settings) = (self.store, self.redis, self.settings);
        World { smsc, billing, pay123, packages, partner, store, redis, daemons: Vec::new(), settings }
    }

    /// Starts all, and one daemon bound to the SMSC.
    pub(crate) async fn start(self) -> World {
        let mut world = self.neighbours().await;
        world.start_daemon().await;
        world
    }
}

impl World {
    pub(crate) fn of(store: Store) -> Plan {
        let settings = Settings::new(&store);
        let (smsc, billing, pay123, packages, partner) = Default::default();
        Plan { store, redis: None, smsc, billing, pay123, packages, partner, settings }
    }

    /// The configuration as a file of its own would hold it.
    pub(crate) fn toml(&self) -> String {
        self.settings.toml(self.redis.as_ref())
    }

    /// One more instance; all share the store and Redis, and nothing else.
    pub(crate) async fn start_daemon(&mut self) {
        let config = Config::parse(&self.toml(), &Environment::new()).unwrap();
        let bound = self.smsc.bind_count() + self.settings.binds();
        self.daemons.push(started(&config).await);
        self.pay123.notify(&self.door("/notify/bank"));
        self.smsc.bound(bound).await;
    }

    /// Stops every daemon as SIGTERM does.
    pub(crate) async fn stop_daemons(&mut self) {
        for daemon in self.daemons.drain(..) {
            daemon.stop().await;
        }
        self.until("the links are gone", |world| world.smsc.bind_count() == 0).await;
    }

    pub(crate) fn phone(&self, number: &str) -> Phone<'_> {
        Phone::new(self, number)
    }

    /// The next requests at one endpoint of the telco's billing go wrong so.
    pub(crate) fn billing_faults(&self, endpoint: billing::Endpoint, fault: Fault, times: u32) {
        assert!(self.billing.fault(FaultRule { endpoint: Some(endpoint), fault, times: Some(times) }));
    }

    /// The next requests at one endpoint of 123PAY go wrong so.
    pub(crate) fn pay123_faults(&self, endpoint: pay123::Endpoint, fault: Fault, times: u32) {
        assert!(self.pay123.fault(FaultRule { endpoint: Some(endpoint), fault, times: Some(times) }));
    }

    /// The next requests at one endpoint of the package manager go wrong so.
    pub(crate) fn package_faults(&self, endpoint: packages::Endpoint, fault: Fault, times: u32) {
        assert!(self.packages.fault(FaultRule { endpoint: Some(endpoint), fault, times: Some(times) }));
    }

    /// Waits until something can be seen from outside.
    pub(crate) async fn until(&self, what: &str, seen: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !seen(self) {
            assert!(Instant::now() < end, "it never came to this: {what}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The url of an HTTP door of the first daemon.
    pub(crate) fn door(&self, path: &str) -> String {
        format!("http://{}{path}", self.daemons[0].address)
    }
}

/// A program that another test is just starting holds our files until its exec, the former daemon's lock among them.
async fn started(config: &Config) -> App {
    let end = Instant::now() + PATIENCE;
    loop {
        match App::start(config).await {
            Ok(app) => return app,
            Err(error) => assert!(Instant::now() < end, "the daemon does not start: {error:#}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}
