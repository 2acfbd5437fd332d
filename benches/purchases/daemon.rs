//! The daemon under measurement, its neighbours, and what they use of the machine.

use crate::load::Load;
use crate::stores::{Postgres, Redis};
use paygate::sandbox::billing::{self, Billing};
use paygate::sandbox::packages::{self, Packages};
use paygate::sandbox::smsc::{Receipts, Smsc, SmscSettings};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const SHORT_CODE: &str = "9029";
/// The gateway that phones dial through.
pub(crate) const GATEWAY: &str = "aggregator";

/// `sysconf(_SC_CLK_TCK)` on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) fn cores() -> f64 {
    std::thread::available_parallelism().map_or(1, usize::from) as f64
}

/// The simulators, with the books that count.
pub(crate) struct Neighbours {
    pub(crate) smsc: Arc<Smsc>,
    pub(crate) billing: Billing,
    pub(crate) packages: Packages,
}

impl Neighbours {
    pub(crate) async fn start() -> Self {
        let settings = SmscSettings { backlog: 1 << 20, queue: 1 << 14, ..SmscSettings::default() };
        let smsc = Smsc::start("127.0.0.1:0", settings).await.unwrap();
        smsc.faults(|faults| faults.receipts = Receipts::Off);
        let any = "127.0.0.1:0".parse().unwrap();
        let billing = Billing::start(any, billing::Settings::default()).await.unwrap();
        let packages = Packages::start(any, packages::Settings::default()).await.unwrap();
        Self { smsc: Arc::new(smsc), billing, packages }
    }

    /// What the simulators' own books say against what the subscribers were told.
    pub(crate) fn verdict(&self, load: &Load) -> String {
        let (told, debits) = (load.completed.load(Ordering::Relaxed), self.billing.debits_in_all());
        let grants = self.packages.grants_in_all();
        format!("{told} subscribers were told \"done\", {debits} debits, {grants} grants")
    }
}

pub(crate) struct Daemon {
    child: Child,
    store: Option<&'static str>,
    /// Where its HTTP doors are.
    pub(crate) door: String,
    _dir: TempDir,
    _redis: Option<Redis>,
}

impl Daemon {
    pub(crate) async fn start(store: &str, neighbours: &Neighbours) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let redis = (store == "postgres").then(Redis::start);
        let url = match store {
            "postgres" => Postgres::start().database().await,
            _ => format!("sqlite:{}", dir.path().join("paygate.db").display()),
        };
        let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let keys = redis.as_ref().map_or_else(String::new, |redis| format!("[redis]\nurl = \"{}\"\n", redis.url()));
        let config = dir.path().join("paygate.toml");
        std::fs::write(&config, configuration(&url, &keys, &listen.to_string(), neighbours)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_paygate"))
            .args(["run", "--config"])
            .arg(&config)
            .env("PAYGATE_LOG", "warn")
            .spawn()
            .unwrap();
        neighbours.smsc.bound(1).await;
        let store = (store == "postgres").then_some("postgres");
        Self { child, store, door: format!("http://{listen}"), _dir: dir, _redis: redis }
    }

    pub(crate) async fn usage(&self) -> Usage {
        let metrics = self.metrics().await;
        Usage {
            at: Instant::now(),
            wall: Duration::ZERO,
            daemon: cpu_of(&self.child.id().to_string()),
            peers: cpu_of("self"),
            store: self.store.map_or(Duration::ZERO, cpu_of_all_named),
            rows: value(&metrics, "paygate_journal_rows_total") as u64,
            commits: value(&metrics, "paygate_journal_commits_total") as u64,
            committing: Duration::from_secs_f64(value(&metrics, "paygate_commit_duration_seconds_sum")),
        }
    }

    /// Dialogues that wait for an answer, by the daemon's own word.
    pub(crate) async fn open_dialogues(&self) -> u64 {
        value(&self.metrics().await, "paygate_ussd_dialogues_open") as u64
    }

    async fn metrics(&self) -> String {
        reqwest::get(format!("{}/metrics", self.door)).await.unwrap().text().await.unwrap()
    }

    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    pub(crate) async fn stop(mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = tokio::task::spawn_blocking(move || self.child.wait()).await;
    }
}

/// Of the first series of this name, 0 where there is none.
fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(name)).and_then(|line| line.rsplit(' ').next());
    line.and_then(|value| value.parse().ok()).unwrap_or(0.0)
}

fn configuration(journal: &str, keys: &str, listen: &str, neighbours: &Neighbours) -> String {
    format!(
        r#"
[http]
listen = "{listen}"
[journal]
url = "{journal}"
{keys}
[[smsc]]
name = "viettel"
address = "{}"
system_id = "paygate"
password = "secret"
short_codes = ["{SHORT_CODE}"]
charging = "viettel"
window = 512
[charging.viettel]
kind = "carrier-billing"
base_url = "{}"
refund_url = "{}"
token = "secret"
[package_manager]
base_url = "{}"
token = "secret"
[menu]
[ussd.{GATEWAY}]
kind = "http"
link = "viettel"
"#,
        neighbours.smsc.address(),
        neighbours.billing.base_url(),
        neighbours.billing.refund_url(),
        neighbours.packages.base_url(),
    )
}

/// What was used since the start, or between two looks.
pub(crate) struct Usage {
    at: Instant,
    pub(crate) wall: Duration,
    pub(crate) daemon: Duration,
    pub(crate) peers: Duration,
    pub(crate) store: Duration,
    pub(crate) rows: u64,
    commits: u64,
    /// How long a commit was under way.
    committing: Duration,
}

impl Usage {
    pub(crate) fn since(self, before: &Self) -> Self {
        Self {
            at: self.at,
            wall: self.at - before.at,
            daemon: self.daemon.saturating_sub(before.daemon),
            peers: self.peers.saturating_sub(before.peers),
            store: self.store.saturating_sub(before.store),
            rows: self.rows - before.rows,
            commits: self.commits - before.commits,
            committing: self.committing - before.committing,
        }
    }

    /// The part of the time in which a commit was under way.
    pub(crate) fn committing(&self) -> f64 {
        self.committing.as_secs_f64() / self.wall.as_secs_f64()
    }

    pub(crate) fn rows_per_commit(&self) -> f64 {
        self.rows as f64 / self.commits.max(1) as f64
    }
}

/// User and system time of one process (proc(5), fields 14 and 15 of stat).
fn cpu_of(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Duration::from_secs_f64(ticks / TICKS_PER_SECOND)
}

fn cpu_of_all_named(name: &str) -> Duration {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let ids = processes.filter_map(|entry| entry.file_name().into_string().ok()).filter(|id| id.parse::<u32>().is_ok());
    ids.filter(|id| std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|comm| comm.trim() == name))
        .map(|id| cpu_of(&id))
        .sum()
}
