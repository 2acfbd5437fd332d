//! What a store must be before it is trusted, and who may have it.

use super::samples::first;
use crate::stores::{Store, both_stores, journal_config};
use paygate::journal::{Cause, Journal};
use std::error::Error;

both_stores! {
    async fn a_store_that_was_closed_is_opened_again_with_all_it_had(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        drop(journal);
        assert!(store.open().await.story("p1").await.unwrap().is_some());
    }

    async fn a_care_agent_reads_while_the_daemon_runs_and_cannot_write(store: Store) {
        let daemon = store.open().await;
        daemon.commit(vec![first("p1")]).await.unwrap();
        let care = Journal::open_for_reading(&store.config).await.unwrap();
        daemon.commit(vec![first("p2")]).await.unwrap();
        assert_eq!(care.purchases(&["p1".to_owned(), "p2".to_owned()]).await.unwrap().len(), 2);
        let error = care.commit(vec![first("p3")]).await.unwrap_err();
        assert!(matches!(error.cause(), Cause::Unfit(_)) && !error.transient(), "{error}");
    }

    async fn a_store_without_a_journal_cannot_be_read(store: Store) {
        let error = Journal::open_for_reading(&store.config).await.unwrap_err();
        assert!(matches!(error.cause(), Cause::Unfit(_)), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_daemon_does_not_get_a_sqlite_file_until_the_first_is_gone() {
    let store = Store::sqlite();
    let journal = store.open().await;
    let error = Journal::open(&store.config).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Taken) && !error.transient(), "{error:?}");
    drop(journal);
    store.open().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_daemons_that_start_at_once_make_one_schema() {
    let store = Store::postgres().await;
    let opened = tokio::join!(store.open(), store.open(), store.open(), store.open());
    opened.0.commit(vec![first("p1")]).await.unwrap();
    assert!(opened.3.story("p1").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_that_is_not_on_disk_is_refused() {
    let error = Journal::open(&journal_config("sqlite::memory:")).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Unfit(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_may_lose_commits_is_refused_with_what_to_change() {
    let store = Store::postgres().await;
    let database = store.url().rsplit('/').next().unwrap().to_owned();
    store.execute(&format!("ALTER DATABASE {database} SET synchronous_commit = off")).await.unwrap();
    let error = Journal::open(&store.config).await.unwrap_err();
    assert!(matches!(error.cause(), Cause::Unfit(_)) && !error.transient(), "{error:?}");
    assert!(error.to_string().contains("synchronous_commit"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_may_be_tried_again_and_its_password_is_not_told() {
    let url = "postgres://paygate:hunter2@127.0.0.1:1/paygate";
    let error = Journal::open(&journal_config(url)).await.unwrap_err();
    assert!(error.transient(), "{error:?}");
    let told = format!("{error} {error:?} {:?}", error.source().map(ToString::to_string));
    assert!(told.contains("postgres 127.0.0.1/paygate") && !told.contains("hunter2"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_of_another_kind_is_refused() {
    let error = Journal::open(&journal_config("mysql://localhost/paygate")).await.unwrap_err();
    assert!(error.to_string().contains("sqlite:") && !error.transient(), "{error}");
}
