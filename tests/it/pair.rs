//! A PostgreSQL primary with an asynchronous standby, for one test. The standby is as far behind as the test wants it.

use crate::stores::{Postgres, Server, Store, data_of, free_port, run_as_postgres, shared_dir};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Both answer at one address, the standby once the primary is gone: as a virtual address or a proxy would have it.
pub(crate) struct Pair {
    port: u16,
    /// `None` in between.
    server: Option<Server>,
    dir: PathBuf,
    standby: Option<PathBuf>,
}

impl Pair {
    pub(crate) fn start() -> Self {
        let (dir, port) = (shared_dir("pg"), free_port());
        Postgres::make(&dir);
        let server = Some(Postgres::serve(&dir, port));
        Self { port, server, dir, standby: None }
    }

    pub(crate) async fn store(&self) -> Store {
        self.execute("CREATE DATABASE journal TEMPLATE template0").await;
        Store::at(&self.url("journal"))
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://paygate@127.0.0.1:{}/{database}", self.port)
    }

    /// To the database that belongs to no test.
    async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url("postgres")).await.expect("the server answers")
    }

    async fn execute(&self, sql: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the server obeys");
        connection.close().await.expect("the connection closes");
    }

    /// The standby hears of everything up to here, and of nothing after.
    pub(crate) fn falls_behind(&mut self) {
        let standby = shared_dir("pg");
        let (data, port) = (data_of(&standby), self.port.to_string());
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", "paygate", "-D", &data];
        run_as_postgres("pg_basebackup", &[&from[..], &["-R", "-X", "stream", "-c", "fast"]].concat());
        self.standby = Some(standby);
    }

    /// The primary is gone, as in a power cut.
    fn dies(&mut self) {
        self.server.take().expect("a server").signal("KILL");
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
            sleep(Duration::from_millis(5));
        }
    }

    /// The primary crashes and recovers with all that it acknowledged: every connection breaks.
    pub(crate) async fn crashes(&self) {
        let mut connection = self.connect().await;
        let query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'";
        let process: i32 = sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("a process of the server");
        let killed = Command::new("kill").args(["-KILL", &process.to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()), "kill -KILL {process}");
        // The server ends this connection when it begins to recover.
        while sqlx::query("SELECT 1").execute(&mut connection).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        while AnyConnection::connect(&self.url("postgres")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The primary dies, and what the standby has heard of is all there is.
    pub(crate) async fn fails_over(&mut self) {
        self.dies();
        self.dir = self.standby.take().expect("a standby");
        self.server = Some(Postgres::serve(&self.dir, self.port));
        self.execute("SELECT pg_promote()").await;
    }
}
