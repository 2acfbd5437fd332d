//! What a campaign stands on: the simulators, with the books that judge, a PostgreSQL and a Redis of its own or a file for
//! SQLite, and the daemons' configuration. Hurts nobody.

use super::Settings;
use super::app;
use super::life::{Debit, Stands};
use super::orphans::Held;
use super::subscribers::Subscribers;
use crate::stores::{Postgres, Redis, free_port};
use paygate::config::Signature;
use paygate::sandbox::billing::{self, Billing};
use paygate::sandbox::packages::{self, Packages};
use paygate::sandbox::partner::{self, Partner};
use paygate::sandbox::pay123::{self, Pay123};
use paygate::sandbox::smsc::{Smsc, SmscSettings};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

pub(super) const SHORT_CODE: &str = "9029";
pub(super) const BANK_CODE: &str = "9030";
/// A link can be paid at for so long.
const LINK_TTL: Duration = Duration::from_secs(30);
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// A database that was killed can be read again by then.
const READABLE_WITHIN: Duration = Duration::from_secs(60);
/// Peace has come when nothing has moved for so long.
const NOTHING_MOVES: Duration = Duration::from_secs(45);
/// What still moves after so long moves in a circle, and is stuck as well.
const SETTLES_WITHIN: Duration = Duration::from_secs(300);
/// Purchases left whose stories are told.
const STORIES_MAX: usize = 5;
/// A held request is done within this at the peers.
pub(super) const HELD_MAX: Duration = Duration::from_millis(900);
/// What the daemon is told of it: a simulator that waits for a processor is late too, and must not break its word.
const FLIGHT_MAX: Duration = Duration::from_millis(2_500);

pub(super) struct Ground {
    pub(super) smsc: Smsc,
    pub(super) billing: Billing,
    pub(super) packages: Packages,
    /// The short code whose subscribers pay at 123PAY's page has an SMSC of its own.
    pub(super) bank_smsc: Smsc,
    pub(super) pay123: Pay123,
    /// They charge by themselves, and sign each in a way of its own.
    pub(super) partners: [Partner; 2],
    /// Where each instance listens, so that a notify can find it.
    pub(super) ports: Vec<u16>,
    /// The servers that may be hurt; none for SQLite.
    pub(super) postgres: Mutex<Option<Postgres>>,
    pub(super) redis: Mutex<Option<Redis>>,
    journal: String,
    dir: TempDir,
    kept: AtomicBool,
}

/// A purchase that is not at an end.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) state: String,
    pub(crate) review: Option<String>,
    /// What it took in, its inquiries' repeats left out; told of a few.
    pub(crate) story: Vec<String>,
}

/// A purchase of a partner's or an app's as the journal has it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) stands: Stands,
    /// The charge that is proven, with its peer's own name for it.
    pub(super) evidence: Option<Debit>,
}

impl Ground {
    pub(super) async fn start(settings: &Settings) -> Self {
        sqlx::any::install_default_drivers();
        let dir = tempfile::Builder::new().prefix("paygate-campaign-").tempdir().unwrap();
        let redelivering = SmscSettings {
            ack_timeout: Duration::from_secs(2),
            redeliver_after: Duration::from_millis(300),
            tries_max: 300,
            queue: 1 << 14,
            ..SmscSettings::default()
        };
        let smsc = Smsc::start(ANY_PORT, redelivering.clone()).await.unwrap();
        smsc.redeliver(true);
        let bank_smsc = Smsc::start(ANY_PORT, redelivering).await.unwrap();
        bank_smsc.redeliver(true);
        let pay123 = Pay123::start(ANY_PORT, pay123::Settings { page_life: Some(LINK_TTL), ..Default::default() })
            .await
            .unwrap();
        let ports = (0..settings.instances).map(|_| free_port()).collect();
        let billing = Billing::start(ANY_PORT, billing::Settings::default()).await.unwrap();
        let packages = Packages::start(ANY_PORT, packages::Settings::default()).await.unwrap();
        let (mut postgres, mut redis) = (None, None);
        let journal = if settings.postgres {
            let (cluster, keys) = tokio::task::spawn_blocking(|| (Postgres::own(), Redis::start())).await.unwrap();
            let journal = cluster.database().await;
            (postgres, redis) = (Some(cluster), Some(keys));
            journal
        } else {
            format!("sqlite:{}", dir.path().join("paygate.db").display())
        };
        let partners = [("vinaphone", Signature::HmacSha256), ("mobifone", Signature::Sha1)].map(partner);
        let (postgres, redis, kept) = (Mutex::new(postgres), Mutex::new(redis), AtomicBool::new(false));
        let ground =
            Self { smsc, billing, packages, bank_smsc, pay123, partners, ports, postgres, redis, journal, dir, kept };
        ground.notifies_go_to(0);
        std::fs::write(ground.folder().join("paygate.toml"), ground.configuration(settings)).unwrap();
        ground
    }

    /// A notify to an instance that is down is lost: the inquiries find what it told of.
    pub(super) fn notifies_go_to(&self, instance: usize) {
        self.pay123.notify(&format!("http://127.0.0.1:{}/notify/bank", self.ports[instance]));
    }

    /// Where partners and apps come in, another instance each turn.
    pub(super) fn door(&self, turn: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[turn % self.ports.len()])
    }

    /// Links bound to the two SMSCs.
    pub(super) fn bind_count(&self) -> usize {
        self.smsc.bind_count() + self.bank_smsc.bind_count()
    }

    pub(super) fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Leaves the daemons' logs where they are, for whoever has to find out.
    pub(super) fn keep(&self) -> PathBuf {
        let kept = std::env::temp_dir().join(format!("paygate-campaign-kept-{}", std::process::id()));
        if !self.kept.swap(true, Ordering::Relaxed) {
            std::fs::create_dir_all(&kept).unwrap();
            for entry in std::fs::read_dir(self.folder()).unwrap().flatten() {
                let _ = std::fs::copy(entry.path(), kept.join(entry.file_name()));
            }
            println!("the daemons' logs are kept in {}", kept.display());
        }
        kept
    }

    /// Waits that a campaign would only sit out are short; what the daemon is told of its peers is true of them.
    fn configuration(&self, settings: &Settings) -> String {
        let redis = self
            .redis
            .lock()
            .unwrap()
            .as_ref()
            .map_or_else(String::new, |redis| format!("[redis]\nurl = \"{}\"\n", redis.url()));
        let flight = format!("max_flight = \"{}ms\"", FLIGHT_MAX.as_millis());
        // It slows down, or thousands of unknowns would ask for more than a busy machine can answer.
        let plan = format!("inquiry_plan = [\"200ms\", \"500ms\"{}{}]", ", \"1s\"".repeat(5), ", \"5s\"".repeat(30));
        let waits = format!("timeout = \"700ms\"\nsend_within = \"1s\"\n{flight}\n{plan}");
        let peer = format!("{waits}\ntoken = \"secret\"");
        let partner = |partner: &Partner| format!("{}link = \"viettel\"\nrate = 100000\n", partner.toml());
        let [one, other] = self.partners.each_ref().map(partner);
        format!(
            r#"
[journal]
url = "{}"
{redis}
[engine]
poll = "50ms"
lease = "{}ms"
reply_lease = "1s"
reply_pause = "100ms"
reply_doubt = "1s"
[purchase]
otp_ttl = "30s"
retry_pause = "100ms"
check_attempts = 10
[[smsc]]
name = "viettel"
address = "{}"
system_id = "paygate"
password = "secret"
short_codes = ["{SHORT_CODE}"]
charging = "viettel"
[[smsc]]
name = "bank"
address = "{}"
system_id = "paygate"
password = "secret"
short_codes = ["{BANK_CODE}"]
charging = "bank"
[charging.bank]
kind = "123pay"
base_url = "{}"
merchant_code = "MICODE"
passcode = "MIPASSCODE"
secret_key = "MIKEY"
link_ttl = "{}s"
{waits}
[charging.viettel]
kind = "carrier-billing"
base_url = "{}"
refund_url = "{}"
clock_skew = "2s"
{peer}
{one}
{other}
[app.web]
token = "{}"
link = "viettel"
wait = "3s"
poll = "100ms"
rate = 100000
events_max = 10000
[package_manager]
base_url = "{}"
{peer}
[care]
login_tries = 1000
address_tries = 100000
act_wait = "1s"
"#,
            self.journal,
            settings.lease.as_millis(),
            self.smsc.address(),
            self.bank_smsc.address(),
            self.pay123.base_url(),
            LINK_TTL.as_secs(),
            self.billing.base_url(),
            self.billing.refund_url(),
            app::TOKEN,
            self.packages.base_url(),
        )
    }

    /// Waits while anything moves: purchases that end, phones that are told. What is left after that is stuck.
    pub(super) async fn settles(&self, subscribers: &Subscribers) -> Vec<Open> {
        let (mut moved, mut last) = (Instant::now(), (usize::MAX, usize::MAX, u64::MAX));
        let end = Instant::now() + SETTLES_WITHIN;
        loop {
            let mut left = self.open().await;
            let stands = (left.len(), subscribers.open(), self.packages.grants_in_all());
            let in_review = left.iter().filter(|open| open.review.is_some()).count();
            // Whoever is in review may be told nothing for now.
            let at_peace = left.len() == in_review && stands.1 <= in_review;
            // An offer whose text the SMSC took and lost moves when its time is over.
            let waits = left.iter().any(|open| open.state == "offered");
            if at_peace || moved.elapsed() > NOTHING_MOVES && !waits || Instant::now() > end {
                self.tell_stories(&mut left).await;
                return left;
            }
            if stands != last {
                (moved, last) = (Instant::now(), stands);
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Rows of the journal, read past the daemons. A server that was just killed may need a while.
    pub(super) async fn rows(&self, sql: &'static str) -> Vec<AnyRow> {
        let end = Instant::now() + READABLE_WITHIN;
        loop {
            let read = async {
                let mut connection = AnyConnection::connect(&self.journal).await?;
                sqlx::query(sql).fetch_all(&mut connection).await
            };
            match read.await {
                Ok(rows) => return rows,
                Err(error) => assert!(Instant::now() < end, "the journal cannot be read: {error}"),
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// What the journal still has to do, read past the daemons. A server that was just killed may need a while.
    async fn open(&self) -> Vec<Open> {
        let end = Instant::now() + READABLE_WITHIN;
        loop {
            match self.read_open().await {
                Ok(open) => return open,
                Err(error) => assert!(Instant::now() < end, "the journal cannot be read: {error}"),
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn read_open(&self) -> Result<Vec<Open>, sqlx::Error> {
        let mut connection = AnyConnection::connect(&self.journal).await?;
        let ends = "'done', 'declined', 'expired', 'cancelled', 'refunded', 'refused'";
        let sql = format!(
            "SELECT id, account, state, review FROM purchase WHERE due_at IS NOT NULL AND state NOT IN ({ends})"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await?;
        let open = |row: &AnyRow| Open {
            id: row.get(0),
            account: row.get(1),
            state: row.get(2),
            review: row.get(3),
            story: Vec::new(),
        };
        Ok(rows.iter().map(open).collect())
    }

    /// What partners and apps brought, by account, read past the daemons.
    pub(super) async fn entries(&self) -> HashMap<String, Vec<Entry>> {
        let mut connection = AnyConnection::connect(&self.journal).await.unwrap();
        let sql = "SELECT account, id, state, paid, granted, charge.peer_reference, charge.amount FROM purchase \
            LEFT JOIN charge ON charge.purchase_number = number AND status = 'succeeded' WHERE door IN ('partner', 'app')";
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        let mut entries: HashMap<String, Vec<Entry>> = HashMap::new();
        for row in rows {
            let (reference, amount): (Option<String>, Option<i64>) = (row.get(5), row.get(6));
            let evidence = reference.zip(amount).map(|(reference, amount)| Debit { reference, amount });
            let entry = Entry { id: row.get(1), stands: [row.get(2), row.get(3), row.get(4)], evidence };
            entries.entry(row.get(0)).or_default().push(entry);
        }
        entries
    }

    /// What somebody holds or has to take up, but for what waits for its subscriber or for a person. None while the store
    /// is down.
    pub(super) async fn held(&self) -> Option<HashMap<String, Held>> {
        let mut connection = AnyConnection::connect(&self.journal).await.ok()?;
        let sql =
            "SELECT id, version, due_at FROM purchase WHERE due_at IS NOT NULL AND state NOT IN ('offered', 'review')";
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.ok()?;
        Some(rows.iter().map(|row| (row.get(0), Held { version: row.get(1), until: row.get(2) })).collect())
    }

    async fn tell_stories(&self, left: &mut [Open]) {
        let mut connection = AnyConnection::connect(&self.journal).await.unwrap();
        for open in left.iter_mut().take(STORIES_MAX) {
            let sql = "SELECT kind, state_to, body FROM event WHERE purchase_number = (SELECT number FROM purchase WHERE id = $1) ORDER BY seq";
            let rows = sqlx::query(sql).bind(&open.id).fetch_all(&mut connection).await.unwrap();
            let mut story: Vec<String> = rows
                .iter()
                .map(|row| {
                    format!("{} -> {} {}", row.get::<String, _>(0), row.get::<String, _>(1), row.get::<String, _>(2))
                })
                .collect();
            story.dedup_by_key(|line| line.split("called_at").next().unwrap_or_default().to_owned());
            open.story = story;
        }
    }
}

fn partner((name, signature): (&str, Signature)) -> Partner {
    // It tells again itself, at another instance.
    let timeout = Duration::from_secs(3);
    Partner::new(partner::Settings { name: name.to_owned(), signature, timeout, ..partner::Settings::default() })
}
