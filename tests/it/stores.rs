//! Private databases for tests: a PostgreSQL cluster and Redis servers of this test process alone. Never touches a server
//! that was there before, and leaves none behind, even when the process is killed.

use paygate::config;
use paygate::journal::Journal;
use secrecy::ExposeSecret;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

/// Makes each `async fn name(store: Store)` two tests, `sqlite::name` and `postgres::name`.
macro_rules! both_stores {
    ($($(#[$doc:meta])* async fn $name:ident($store:ident: Store) $body:block)*) => {
        $($(#[$doc])* async fn $name($store: $crate::stores::Store) $body)*

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::stores::Store::sqlite()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::stores::Store::postgres().await).await;
            })*
        }
    };
}
pub(crate) use both_stores;

/// A journal's store, empty, and gone with the test.
pub(crate) struct Store {
    pub(crate) config: config::Journal,
    _dir: Option<TempDir>,
}

impl Store {
    pub(crate) fn sqlite() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let url = format!("sqlite:{}", dir.path().join("paygate.db").display());
        Self { config: journal_config(&url), _dir: Some(dir) }
    }

    pub(crate) async fn postgres() -> Self {
        Self { config: journal_config(&Postgres::start().database().await), _dir: None }
    }

    /// A database of PostgreSQL that somebody else looks after.
    pub(crate) fn at(url: &str) -> Self {
        Self { config: journal_config(url), _dir: None }
    }

    /// Another empty store of the same kind.
    pub(crate) async fn sibling(&self) -> Self {
        if self.is_postgres() { Self::postgres().await } else { Self::sqlite() }
    }

    pub(crate) async fn open(&self) -> Journal {
        Journal::open(&self.config).await.expect("the journal opens")
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self._dir.is_none()
    }

    pub(crate) fn url(&self) -> &str {
        self.config.url.expose_secret()
    }

    /// Keeps every commit waiting until the connection is closed.
    pub(crate) async fn hold(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(self.url()).await.expect("the store answers");
        let lock = if self.is_postgres() { "BEGIN; LOCK TABLE message" } else { "BEGIN IMMEDIATE" };
        sqlx::raw_sql(lock).execute(&mut connection).await.expect("the lock is taken");
        connection
    }

    /// Refuses every row of this table from now on, and takes everything else.
    pub(crate) async fn keeps_no(&self, table: &str) {
        let refuse = if self.is_postgres() {
            format!("ALTER TABLE \"{table}\" ADD CONSTRAINT none CHECK (false) NOT VALID")
        } else {
            format!("CREATE TRIGGER none BEFORE INSERT ON \"{table}\" BEGIN SELECT RAISE(ABORT, 'none is kept'); END")
        };
        self.execute(&refuse).await.expect("the store obeys");
    }

    /// Takes back [`Self::keeps_no`].
    pub(crate) async fn keeps_again(&self, table: &str) {
        let take = format!("ALTER TABLE \"{table}\" DROP CONSTRAINT none");
        let take = if self.is_postgres() { &take } else { "DROP TRIGGER none" };
        self.execute(take).await.expect("the store obeys");
    }

    /// PostgreSQL as it is while its server is restarted: every connection breaks, and none is taken.
    pub(crate) async fn goes_away(&self) {
        let name = self.database();
        Postgres::start().execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        Postgres::start().execute(&end).await;
    }

    pub(crate) async fn comes_back(&self) {
        Postgres::start().execute(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.database())).await;
    }

    fn database(&self) -> &str {
        assert!(self.is_postgres(), "only a server can go away");
        self.url().rsplit('/').next().expect("a url ends with the database")
    }

    /// Runs a statement past the journal, as an operator with a database shell would.
    pub(crate) async fn execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(self.url()).await?;
        let done = sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
        connection.close().await?;
        Ok(done.rows_affected())
    }
}

pub(crate) fn journal_config(url: &str) -> config::Journal {
    let (statement_timeout, max_lag) = (Duration::from_secs(20), Duration::from_secs(60));
    config::Journal { url: url.into(), readers: 2, statement_timeout, max_lag }
}

/// A cluster of this test process: one for all tests, a fresh database for each; or one's own, which may be killed.
pub(crate) struct Postgres {
    port: u16,
    dir: PathBuf,
    server: Server,
    /// Holds the data while the server is killed and started again, and removes it at the end.
    _holder: Server,
}

impl Postgres {
    pub(crate) fn start() -> &'static Self {
        static CLUSTER: OnceLock<Postgres> = OnceLock::new();
        CLUSTER.get_or_init(Self::own)
    }

    /// A cluster of its own, for who kills it.
    pub(crate) fn own() -> Self {
        let (dir, port) = (shared_dir("pg"), free_port());
        Self::make(&dir);
        let holder = Server::start(&dir, "KILL", &["sleep".to_owned(), "infinity".to_owned()]);
        Self { port, server: Self::serve_from(&shared_dir("pg-server"), &dir, port), dir, _holder: holder }
    }

    /// As a power cut: the server and every process of it at once, with nothing written that was not synced.
    pub(crate) fn kill(&mut self) {
        self.server.kill_all();
    }

    /// An operator's immediate shutdown: no checkpoint, and recovery at the next start.
    pub(crate) fn stop_at_once(&mut self) {
        let all = self.server.family();
        self.server.signal("QUIT");
        until_gone(&all);
    }

    pub(crate) fn start_again(&mut self) {
        self.server = Self::serve_from(&shared_dir("pg-server"), &self.dir, self.port);
    }

    /// A new cluster in `dir/data`.
    pub(crate) fn make(dir: &Path) {
        let data = data_of(dir);
        run_as_postgres("initdb", &["-D", &data, "-U", "paygate", "-A", "trust", "-E", "UTF8", "-N"]);
    }

    /// The cluster in `dir/data`, served once it answers.
    pub(crate) fn serve(dir: &Path, port: u16) -> Server {
        Self::serve_from(dir, dir, port)
    }

    /// The same for a server whose own folder, gone with it, is not the data's.
    fn serve_from(home: &Path, dir: &Path, port: u16) -> Server {
        let (bin, data, port) = (postgres_bin(), data_of(dir), port.to_string());
        let socket = format!("-k{}", dir.display());
        let listen = ["-D", &data, &socket, "-p", &port, "-c", "listen_addresses=127.0.0.1"];
        let settings = ["-c", "max_connections=200", "-c", "fsync=on"];
        let postgres = as_postgres(&bin.join("postgres"), &[&listen[..], &settings].concat());
        let server = Server::start(home, "QUIT", &postgres);
        server.wait(|| {
            let asked = Command::new(bin.join("pg_isready")).args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
            asked.is_ok_and(|status| status.success())
        });
        server
    }

    /// The url of a new, empty database.
    pub(crate) async fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://paygate@127.0.0.1:{}/{database}", self.port)
    }

    /// In the database that belongs to no test.
    async fn execute(&self, sql: &str) {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&self.url("postgres")).await.expect("the private cluster answers");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the cluster obeys");
        connection.close().await.expect("the connection closes");
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }
}

/// Where PostgreSQL's programs are; Debian keeps the server's out of the path.
fn postgres_bin() -> PathBuf {
    let told = Command::new("pg_config").arg("--bindir").output().ok().filter(|output| output.status.success());
    let told = told.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    told.into_iter()
        .chain(debian.map(|version| version.path().join("bin")))
        .find(|bin| bin.join("initdb").exists())
        .expect("PostgreSQL's initdb is not on this machine; tests/run installs it")
}

pub(crate) fn data_of(dir: &Path) -> String {
    dir.join("data").to_str().expect("a temporary path is UTF-8").to_owned()
}

/// One of PostgreSQL's programs, to its end.
pub(crate) fn run_as_postgres(program: &str, arguments: &[&str]) {
    let words = as_postgres(&postgres_bin().join(program), arguments);
    let done = Command::new(&words[0]).args(&words[1..]).output().expect("setpriv or the program starts");
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
}

/// PostgreSQL refuses to run as root; there it runs as the user that its package made.
fn as_postgres(program: &Path, arguments: &[&str]) -> Vec<String> {
    let drop: &[&str] =
        if is_root() { &["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] } else { &[] };
    let program = program.to_str().expect("a program's path is UTF-8");
    drop.iter().chain(&[program]).chain(arguments).map(|word| (*word).to_owned()).collect()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A Redis of one test, which may do to it what it likes.
pub(crate) struct Redis {
    port: u16,
    server: Server,
    options: &'static [&'static str],
}

impl Redis {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// One node of a cluster, which the test still has to join.
    pub(crate) fn start_node() -> Self {
        Self::start_with(&["--cluster-enabled", "yes"])
    }

    fn start_with(options: &'static [&'static str]) -> Self {
        let (port, dir) = (free_port(), shared_dir("redis"));
        Self { port, server: Self::serve(port, &dir, options), options }
    }

    fn serve(port: u16, dir: &Path, options: &[&str]) -> Server {
        let port_word = port.to_string();
        let words = ["redis-server", "--port", &port_word, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let bus = Self::bus_of(port).to_string();
        let nodes = if options.contains(&"--cluster-enabled") { &["--cluster-port", &bus][..] } else { &[] };
        let command = [&words[..], &["--maxmemory-policy", "noeviction"], options, nodes].concat();
        let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_ok();
        assert!(found, "redis-server is not on this machine; tests/run installs it");
        let server = Server::start(dir, "KILL", &command.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        server.wait(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
        server
    }

    pub(crate) fn config(&self) -> config::Redis {
        config::Redis {
            urls: vec![self.url().into()],
            timeout: Duration::from_millis(500),
            pause_after_failure: Duration::from_millis(200),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// By which the nodes of a cluster talk, below what [`free_port`] hands out. By itself Redis would take the port plus
    /// ten thousand, which may be anybody's.
    pub(crate) const fn bus(&self) -> u16 {
        Self::bus_of(self.port)
    }

    const fn bus_of(port: u16) -> u16 {
        port - PORTS
    }

    /// As a crash does: at once, and with everything it held.
    pub(crate) fn kill(&mut self) {
        self.server.signal("KILL");
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
            sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn start_again(&mut self) {
        // The former server's folder goes with it.
        self.server = Self::serve(self.port, &shared_dir("redis"), self.options);
    }

    /// It keeps its connections and answers nothing.
    pub(crate) fn pause(&self) {
        self.server.signal("STOP");
    }

    pub(crate) fn resume(&self) {
        self.server.signal("CONT");
    }

    /// What an operator or an eviction may do.
    pub(crate) async fn command(&self, words: &[&str]) {
        let client = redis::Client::open(self.url()).expect("a url");
        let mut connection = client.get_multiplexed_async_connection().await.expect("Redis answers");
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.exec_async(&mut connection).await.expect("Redis obeys");
    }
}

/// A server program and the shell that owns it: when this process ends in any way, the shell's input ends, and it kills the
/// server and removes its directory.
pub(crate) struct Server {
    shell: Child,
    dir: PathBuf,
}

impl Server {
    pub(crate) fn start(dir: &Path, signal: &str, command: &[String]) -> Self {
        const GUARD: &str = r#"trap '' INT TERM HUP
            dir=$1; signal=$2; shift 2
            "$@" >"$dir/log" 2>&1 & echo $! >"$dir/pid"
            cat; kill -CONT $! 2>/dev/null; kill -$signal $! 2>/dev/null; wait; rm -rf "$dir""#;
        // What a former server left there must not be taken for this one's.
        let _ = std::fs::remove_file(dir.join("pid"));
        std::fs::create_dir_all(dir).expect("a directory for the server");
        let shell = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(dir)
            .arg(signal)
            .args(command)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh starts");
        Self { shell, dir: dir.to_owned() }
    }

    /// Until it is ready; a server that never is shows its log.
    pub(crate) fn wait(&self, ready: impl Fn() -> bool) {
        for _ in 0..1200 {
            if self.dir.join("pid").exists() && ready() {
                return;
            }
            sleep(Duration::from_millis(25));
        }
        let mut log = String::new();
        let _ = File::open(self.dir.join("log")).and_then(|mut file| file.read_to_string(&mut log));
        panic!("the server in {} does not start:\n{log}", self.dir.display());
    }

    fn pid(&self) -> String {
        let pid = std::fs::read_to_string(self.dir.join("pid")).expect("the server's process id");
        pid.trim().to_owned()
    }

    /// The server and the processes that it has started.
    fn family(&self) -> Vec<String> {
        let pid = self.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        std::iter::once(pid).chain(children.split_whitespace().map(str::to_owned)).collect()
    }

    fn kill_all(&self) {
        let all = self.family();
        // One that has ended by itself is no failure.
        let _ = Command::new("kill").arg("-KILL").args(&all).stderr(Stdio::null()).status();
        until_gone(&all);
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.pid();
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(&pid).status().expect("kill starts");
        assert!(sent.success(), "kill -{signal} {pid}");
    }
}

/// Until none of these processes runs; one that nobody has waited for yet does not.
fn until_gone(all: &[String]) {
    let runs = |pid: &&String| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    };
    while all.iter().any(|pid| runs(&pid)) {
        sleep(Duration::from_millis(5));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// A directory that the server's user may use; the guard removes it.
pub(crate) fn shared_dir(kind: &str) -> PathBuf {
    let dir =
        tempfile::Builder::new().prefix(&format!("paygate-{kind}-")).tempdir().expect("a temporary directory").keep();
    if is_root() && kind == "pg" {
        let owned = Command::new("chown").arg("postgres").arg(&dir).status();
        assert!(owned.is_ok_and(|status| status.success()), "chown postgres {}", dir.display());
    }
    dir
}

/// Below the ports the system hands out by itself to whoever binds port 0, and above those of well-known services.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 12_000;

/// A port nobody listens on, which neither another test nor a simulator takes: for servers that must be told their port.
pub(crate) fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Two runs of the tests at once begin at different places.
    let begin = (std::process::id() % u32::from(PORTS)) as u16;
    (0..PORTS)
        .map(|_| FIRST_PORT + (begin + TAKEN.fetch_add(1, Ordering::Relaxed) % PORTS) % PORTS)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a free port")
}
