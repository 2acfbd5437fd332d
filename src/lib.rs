//! paygate: from a text message to a package, paid once. The modules stand in reading order.

pub mod config;
pub mod purchase;
pub mod http_client;
pub mod charging;
pub mod package_manager;
pub mod journal;
pub mod idempotency;
pub mod replies;
pub mod engine;
pub mod http;
pub mod telemetry;
