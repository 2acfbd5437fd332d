//! The daemon as a process of its own, which a test may kill as a power cut would.

use super::{PATIENCE, World};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

pub(crate) struct Process {
    child: Child,
    /// Its configuration.
    _dir: TempDir,
}

impl Process {
    /// Starts `paygate run` in this world and waits until it is bound.
    pub(crate) async fn start(world: &World) -> Self {
        Self::start_under(world, &[]).await
    }

    /// The same on a disk that [`Self::fills_its_disk`] can fill.
    pub(crate) async fn start_on_a_small_disk(world: &World) -> Self {
        // Past its limit a write fails as on a full disk, where otherwise a signal would end the process.
        Self::start_under(world, &["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"]).await
    }

    async fn start_under(world: &World, shell: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("paygate.toml");
        std::fs::write(&config, world.toml()).unwrap();
        let bound = world.smsc.bind_count() + world.settings.binds();
        let words = [shell, &[env!("CARGO_BIN_EXE_paygate"), "run", "--config"]].concat();
        let child = Command::new(words[0])
            .args(&words[1..])
            .arg(&config)
            .env("PAYGATE_LOG", "error")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let started = timeout(PATIENCE, world.smsc.bound(bound)).await;
        assert!(started.is_ok(), "the daemon does not bind");
        Self { child, _dir: dir }
    }

    /// SIGKILL: it gets to finish nothing.
    pub(crate) async fn kill(mut self, world: &World) {
        let left = world.smsc.bind_count() - world.settings.binds();
        self.child.kill().await.unwrap();
        world.until("its links are gone", |world| world.smsc.bind_count() == left).await;
    }

    async fn obeys(&self, program: &str, words: &[&str]) {
        let done = Command::new(program).args(words).status().await.unwrap();
        assert!(done.success(), "{program} {words:?}");
    }

    fn id(&self) -> String {
        self.child.id().unwrap().to_string()
    }

    /// No file of its may grow beyond this many octets.
    pub(crate) async fn fills_its_disk(&self, octets: u64) {
        self.obeys("prlimit", &["--pid", &self.id(), &format!("--fsize={octets}:unlimited")]).await;
    }

    pub(crate) async fn has_room_again(&self) {
        self.obeys("prlimit", &["--pid", &self.id(), "--fsize=unlimited:unlimited"]).await;
    }

    /// SIGSTOP, as a machine that is moved or swaps stops it.
    pub(crate) async fn pause(&self) {
        self.obeys("kill", &["-STOP", &self.id()]).await;
    }

    pub(crate) async fn resume(&self) {
        self.obeys("kill", &["-CONT", &self.id()]).await;
    }

    /// SIGTERM: it finishes what is under way.
    pub(crate) async fn stop(mut self) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").arg(id).status().await.unwrap().success());
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it stops in time").unwrap();
        assert!(ended.success(), "{ended}");
    }
}
