//! A short campaign on each kind of store: twenty kills under load beside every other fault, and every promise kept.

use crate::campaign::{Settings, run};
use std::time::Duration;

/// What a debug build can hold beside the other tests.
fn short(postgres: bool) -> Settings {
    Settings {
        postgres,
        instances: if postgres { 2 } else { 1 },
        kills: 20,
        length: Duration::from_secs(16),
        rate: 20.0,
        lease: Duration::from_secs(1),
        seed: 1,
        progress: None,
    }
}

async fn keeps_every_promise(settings: Settings) {
    let _turn = crate::turn::shared().await;
    let report = run(settings).await;
    assert_eq!(report.violations(), 0, "\n{report}");
    assert_eq!(report.tally.kills, 20, "\n{report}");
    assert!(report.after.told_done > 0, "the load was not there\n{report}");
    let never: Vec<&str> = report.acts.missing();
    assert!(never.is_empty(), "never seen: {never:?}\n{report}");
    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_every_promise_through_twenty_kills_under_load() {
    keeps_every_promise(short(false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_every_promise_through_twenty_kills_under_load() {
    keeps_every_promise(short(true)).await;
}
