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
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("paygate.toml");
        std::fs::write(&config, world.toml()).unwrap();
        let bound = world.smsc.bind_count() + world.settings.binds();
        let child = Command::new(env!("CARGO_BIN_EXE_paygate"))
            .args(["run", "--config"])
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

    /// SIGTERM: it finishes what is under way.
    pub(crate) async fn stop(mut self) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").arg(id).status().await.unwrap().success());
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it stops in time").unwrap();
        assert!(ended.success(), "{ended}");
    }
}
