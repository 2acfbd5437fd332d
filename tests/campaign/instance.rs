//! One daemon as a process: started, killed with -9, stopped and continued. Says of it only whether it runs.

use super::ground::Ground;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// A daemon that is not bound after this never will be.
const BINDS_WITHIN: Duration = Duration::from_secs(60);

pub(super) struct Instance {
    config: PathBuf,
    listen: String,
    log: PathBuf,
    child: Child,
}

impl Instance {
    pub(super) fn start(ground: &Ground, number: usize) -> Self {
        let config = ground.folder().join("paygate.toml");
        let log = ground.folder().join(format!("daemon-{number}.log"));
        let listen = format!("127.0.0.1:{}", ground.ports[number]);
        let child = spawn(&config, &listen, &log);
        Self { config, listen, log, child }
    }

    fn id(&self) -> Option<String> {
        self.child.id().map(|id| id.to_string())
    }

    /// False when it has ended by itself.
    pub(super) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL: it gets to finish nothing.
    pub(super) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    pub(super) fn start_again(&mut self) {
        self.child = spawn(&self.config, &self.listen, &self.log);
    }

    /// SIGSTOP and SIGCONT, as a machine that is suspended.
    pub(super) async fn sleeps(&mut self, length: Duration) {
        self.signal("STOP").await;
        sleep(length).await;
        self.signal("CONT").await;
    }

    /// SIGTERM.
    pub(super) async fn stop(&mut self) {
        self.signal("TERM").await;
        let _ = tokio::time::timeout(BINDS_WITHIN, self.child.wait()).await;
    }

    async fn signal(&self, name: &str) {
        if let Some(id) = self.id() {
            // One that has just ended is no failure here; `runs` will tell.
            let _ = Command::new("kill").arg(format!("-{name}")).arg(id).status().await;
        }
    }
}

fn spawn(config: &PathBuf, listen: &str, log: &PathBuf) -> Child {
    let log: File = OpenOptions::new().create(true).append(true).open(log).unwrap();
    Command::new(env!("CARGO_BIN_EXE_paygate"))
        .args(["run", "--config"])
        .arg(config)
        .env("PAYGATE_LOG", "warn")
        .env("PAYGATE__HTTP__LISTEN", listen)
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// All bound, those that ended by themselves started again as their supervisor would; how many did.
pub(super) async fn all_bound(instances: &mut [Instance], ground: &Ground) -> u32 {
    let (end, mut ended) = (Instant::now() + BINDS_WITHIN, 0);
    while ground.bind_count() < 2 * instances.len() || instances.iter_mut().any(|instance| !instance.runs()) {
        assert!(Instant::now() < end, "the daemons do not bind; see {}", ground.keep().display());
        for instance in instances.iter_mut() {
            if !instance.runs() {
                ended += 1;
                instance.start_again();
                sleep(Duration::from_millis(200)).await;
            }
        }
        sleep(Duration::from_millis(10)).await;
    }
    ended
}
