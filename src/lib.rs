//! paygate: from a text message to a package, paid once. The modules stand in reading order; a module knows only what
//! stands above it.

pub mod law;
pub mod config;
pub mod telemetry;
pub mod purchase;
pub mod people;
pub mod backoff;
pub mod http_client;
pub mod charging;
pub mod package_manager;
pub mod journal;
pub mod alarm;
pub mod idempotency;
pub mod replies;
pub mod engine;
pub mod reconcile;
pub mod story;
pub mod ussd;
pub mod smpp;
pub mod http;
pub mod kannel;
pub mod care;
pub mod app;
pub mod sandbox;
pub mod cli;
