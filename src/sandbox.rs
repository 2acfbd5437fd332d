//! Everything in one process, for somebody who has never seen an SMSC: the real daemon on SQLite, its neighbours simulated
//! on real sockets, and a page that shows them. The simulators, with their books and faults, serve tests and benchmark
//! alike. Shares no state with the daemon but its journal, which it only reads.

mod bank;
pub mod billing;
mod configuration;
pub mod dialogues;
pub mod faults;
mod gateways;
pub mod packages;
mod page;
mod people;
pub mod partner;
pub mod pay123;
mod server;
pub mod smsc;
pub mod ussd_http;
pub mod ussd_line;

use crate::app::{App, StopSignals};
use crate::config::{Config, Environment};
use crate::engine::random_hex;
use crate::purchase::State;
use crate::telemetry;
use anyhow::Context;
use bank::Bank;
use billing::Billing;
use gateways::Gateways;
use packages::Packages;
use page::{About, Stage, phones};
use partner::Partner;
use people::Person;
use smsc::{Smsc, SmscSettings};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Any free port of this machine alone.
const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// The file that the daemon is configured by.
const CONFIGURATION: &str = "paygate.toml";
/// How long the daemon's link is waited for; the page works without it, and says so.
const BIND_WITHIN: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct Options {
    /// Where the page is served. Port 0 is any free one.
    pub http: SocketAddr,
    /// Where journal and configuration are kept; without it in a temporary folder that goes with the sandbox.
    pub dir: Option<PathBuf>,
}

/// A running sandbox.
pub struct Sandbox {
    /// The page's.
    pub address: SocketAddr,
    app: App,
    stop: CancellationToken,
    tasks: TaskTracker,
    folder: Folder,
    people: Vec<Person>,
}

impl Sandbox {
    /// Starts the neighbours, the daemon and the page.
    ///
    /// # Errors
    /// What only a person can mend: an address that is taken, a folder that cannot be written.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(options.http)
            .await
            .with_context(|| format!("the page cannot be served at {}; choose another --http", options.http))?;
        let address = listener.local_addr().context("the page's address cannot be read")?;
        let folder = Folder::open(options.dir)?;
        let account = Some((configuration::SYSTEM_ID.to_owned(), configuration::SECRET.into()));
        let smsc = Smsc::start(ANYWHERE, SmscSettings { account, ..SmscSettings::default() }).await;
        let smsc = smsc.context("the simulated SMSC cannot be started")?;
        let billing = Billing::start(ANYWHERE, billing::Settings::default()).await;
        let billing = billing.context("the simulated billing cannot be started")?;
        let packages = Packages::start(ANYWHERE, packages::Settings::default()).await;
        let packages = packages.context("the simulated package manager cannot be started")?;

        let bank = Bank::start(address).await?;
        let partner =
            Partner::new(partner::Settings { name: configuration::SHOP.to_owned(), ..partner::Settings::default() });
        let gateways = Gateways::start().await?;
        let neighbours = page::Neighbours { smsc, billing, bank, packages, partner, gateways };
        let text = configuration::text(&neighbours, folder.path());
        folder.keep(CONFIGURATION, &text)?;
        let app_token = random_hex();
        folder.keep(configuration::APP_TOKEN, &app_token)?;
        let config = Config::load(&folder.path().join(CONFIGURATION), &Environment::new())
            .context("the sandbox's own configuration is wrong")?;
        telemetry::metrics::register(&config, &State::ALL.map(State::as_str));
        let app = App::start(&config).await?;
        // Not bound in time: messages are refused until it is, and the page shows that.
        let _ = tokio::time::timeout(BIND_WITHIN, neighbours.connected()).await;
        neighbours.are_told_of(app.address);

        let people = people::let_in(&app.journal).await?;
        let about = About {
            // Who is not at this machine is not shown a password.
            people: if address.ip().is_loopback() { people.clone() } else { Vec::new() },
            configuration: text,
            folder: folder.path().display().to_string(),
            daemon: app.address,
            app_token: app_token.into(),
            started_at: jiff::Timestamp::now().as_microsecond(),
            redelivery_window: config.purchase.redelivery_window,
        };
        let stage = Arc::new(Stage::new(neighbours, app.journal.clone(), phones::all(), about));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(page::watch(Arc::clone(&stage), app.moves(), stop.clone()));
        tasks.spawn(page::serve(listener, stage, config.http, stop.clone()));
        Ok(Self { address, app, stop, tasks, folder, people })
    }

    /// Closes the page, lets the daemon finish what is under way, and then ends the neighbours.
    pub async fn stop(self) {
        self.stop.cancel();
        self.app.stop().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The sandbox until it is told to stop (Ctrl-C).
///
/// # Errors
/// As [`Sandbox::start`].
pub async fn run(options: Options) -> anyhow::Result<()> {
    let mut signals = StopSignals::listen()?;
    let sandbox = Sandbox::start(options).await?;
    let people: String = sandbox.people.iter().map(Person::line).collect();
    let care = format!("Care page: http://{}/care\n{people}", sandbox.app.address);
    let greeting = format!("paygate sandbox: http://{}/\n{}\n{care}", sandbox.address, sandbox.folder.words());
    // Whoever closed our output still has the page.
    let _ = std::io::stdout().write_all(greeting.as_bytes());
    signals.told().await;
    sandbox.stop().await;
    Ok(())
}

/// Where the files are.
enum Folder {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    fn open(dir: Option<PathBuf>) -> anyhow::Result<Self> {
        let Some(dir) = dir else {
            let made = tempfile::Builder::new().prefix("paygate-sandbox-").tempdir();
            return made.map(Self::Temporary).context("no temporary folder can be made; choose one with --dir");
        };
        std::fs::create_dir_all(&dir).with_context(|| format!("--dir {} cannot be made", dir.display()))?;
        Ok(Self::Kept(dir))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Temporary(dir) => dir.path(),
        }
    }

    fn keep(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path().join(name);
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
    }

    fn words(&self) -> String {
        let path = self.path().display();
        match self {
            Self::Kept(_) => format!("Its files stay in {path}. Ctrl-C stops it."),
            Self::Temporary(_) => {
                format!("Its files are in {path} and go with it (--dir keeps them). Ctrl-C stops it.")
            }
        }
    }
}
