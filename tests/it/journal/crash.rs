//! A daemon that is killed in the middle of its commits loses nothing that it had acknowledged, and leaves nothing half.

use super::samples::first;
use crate::stores::{Store, journal_config};
use paygate::journal::Journal;
use paygate::journal::rows::{Committed, Filter};
use secrecy::ExposeSecret;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Set in the child alone, which plays the daemon: the store it writes to until it is killed.
const STORE: &str = "PAYGATE_TEST_CRASH_STORE";
/// The test that runs itself as its child.
const THIS: &str = "journal::crash::a_killed_daemon_loses_nothing_that_it_acknowledged";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_daemon_loses_nothing_that_it_acknowledged() {
    if let Ok(url) = std::env::var(STORE) {
        return commit_until_killed(&url).await;
    }
    let store = Store::sqlite();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", THIS, "--nocapture"])
        .env(STORE, store.config.url.expose_secret())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let acknowledged = |line: std::io::Result<String>| line.ok()?.strip_prefix("durable ").map(str::to_owned);
    let mut ids: Vec<String> = lines.by_ref().filter_map(acknowledged).take(200).collect();
    child.kill().unwrap();
    // What it had said before the signal came counts too.
    ids.extend(lines.filter_map(acknowledged));
    child.wait().unwrap();
    assert!(ids.len() >= 200, "the child said {ids:?}");

    // Its lock went with it.
    let journal = store.open().await;
    for ids in ids.chunks(100) {
        assert_eq!(journal.purchases(ids).await.unwrap().len(), ids.len());
    }
    for line in journal.list(&Filter { limit: 10_000, ..Filter::default() }).await.unwrap() {
        let story = journal.story(&line.purchase.id).await.unwrap().unwrap();
        assert_eq!((story.events.len(), story.messages.len(), story.replies.len()), (1, 1, 1), "{}", line.purchase.id);
    }
}

/// Says what is durable, a line for each purchase.
async fn commit_until_killed(url: &str) {
    let journal = Journal::open(&journal_config(url)).await.unwrap();
    for batch in 0.. {
        let ids: Vec<String> = (0..7).map(|n| format!("p{batch}-{n}")).collect();
        let outcomes = journal.commit(ids.iter().map(|id| first(id)).collect()).await.unwrap();
        assert_eq!(outcomes, [Committed::Durable; 7]);
        let mut out = std::io::stdout().lock();
        ids.iter().for_each(|id| writeln!(out, "durable {id}").unwrap());
    }
}
