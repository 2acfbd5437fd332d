//! paygate: from a text message to a package, paid once. The modules stand in reading order.

pub mod charging;
pub mod config;
pub mod engine;
pub mod http_client;
pub mod journal;
pub mod package_manager;
pub mod purchase;
pub mod sandbox;
