//! A COMMIT whose answer never comes: what became of it is found out, or said to be unknown. A proxy between journal and
//! PostgreSQL cuts the line at that moment.

use super::samples::first;
use crate::stores::{Postgres, Store, journal_config};
use paygate::journal::rows::Committed;
use paygate::journal::{Cause, Journal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the proxy does with the next COMMIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Cut {
    Never,
    /// The server never hears it.
    Before,
    /// The server commits, and its answer is lost.
    After,
    /// As `After`, and then [`Cut::Gone`].
    ForGood,
    /// Every connection is cut, the new ones too.
    Gone,
}

struct Proxy {
    cut: Arc<AtomicU8>,
    url: String,
}

impl Proxy {
    async fn before(store: &Store) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (server, own) = (Postgres::start().port(), listener.local_addr().unwrap().port());
        let cut = Arc::new(AtomicU8::new(Cut::Never as u8));
        let url = store.url().replace(&format!(":{server}/"), &format!(":{own}/"));
        tokio::spawn({
            let cut = Arc::clone(&cut);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    if cut.load(Ordering::SeqCst) == Cut::Gone as u8 {
                        continue;
                    }
                    tokio::spawn(relay(client, server, Arc::clone(&cut)));
                }
            }
        });
        Self { cut, url }
    }

    fn cut(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }
}

async fn relay(client: TcpStream, server: u16, cut: Arc<AtomicU8>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let mut answers = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        let said = &buffer[..count];
        let commits = said.windows(6).any(|word| word == b"COMMIT");
        let now = cut.load(Ordering::SeqCst);
        if now == Cut::Gone as u8 {
            break;
        }
        if !commits || now == Cut::Never as u8 {
            if to_server.write_all(said).await.is_err() {
                break;
            }
            continue;
        }
        let next = if now == Cut::ForGood as u8 { Cut::Gone as u8 } else { Cut::Never as u8 };
        cut.store(next, Ordering::SeqCst);
        // The line to the client goes first, so that no answer can slip through.
        answers.abort();
        let _ = (&mut answers).await;
        if now != Cut::Before as u8 {
            let _ = to_server.write_all(said).await;
        }
        return;
    }
    answers.abort();
}

async fn journal_behind_a_proxy() -> (Store, Proxy, Journal) {
    let store = Store::postgres().await;
    let proxy = Proxy::before(&store).await;
    let mut config = journal_config(&proxy.url);
    config.statement_timeout = std::time::Duration::from_secs(5);
    let journal = Journal::open(&config).await.unwrap();
    journal.commit(vec![first("p0")]).await.unwrap();
    (store, proxy, journal)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_stands_though_its_answer_was_lost_is_durable() {
    let (store, proxy, journal) = journal_behind_a_proxy().await;
    proxy.cut(Cut::After);
    let mut duplicate = first("p2");
    duplicate.message = first("p0").message;
    let outcomes = journal.commit(vec![first("p1"), duplicate]).await.unwrap();
    assert_eq!(outcomes, [Committed::Durable, Committed::Duplicate]);
    assert!(store.open().await.story("p1").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_never_reached_the_server_is_an_error_and_wrote_nothing() {
    let (store, proxy, journal) = journal_behind_a_proxy().await;
    proxy.cut(Cut::Before);
    let error = journal.commit(vec![first("p1")]).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Down(_)) && error.transient(), "{error:?}");
    assert!(store.open().await.story("p1").await.unwrap().is_none());
    assert_eq!(journal.commit(vec![first("p1")]).await.unwrap(), [Committed::Durable]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_cannot_be_asked_about_is_ambiguous() {
    let (store, proxy, journal) = journal_behind_a_proxy().await;
    proxy.cut(Cut::ForGood);
    let error = journal.commit(vec![first("p1")]).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Ambiguous(_)) && error.transient(), "{error:?}");
    assert!(store.open().await.story("p1").await.unwrap().is_some(), "it stands, and nobody could know");
    proxy.cut(Cut::Never);
    assert_eq!(journal.commit(vec![first("p1")]).await.unwrap(), [Committed::Duplicate]);
}
