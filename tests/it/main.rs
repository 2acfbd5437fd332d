//! Every test that crosses a boundary, in one binary: the daemon's parts over real sockets and real stores, beside
//! neighbours that keep books of their own.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod browser;
#[path = "../campaign/mod.rs"]
mod campaign;
mod care;
mod cli;
mod config;
mod contract;
mod core;
mod crash;
mod faults;
mod gateways;
mod http;
mod journal;
mod journeys;
mod kannel;
mod keys;
mod openapi;
mod operators;
mod pair;
mod partner_door;
mod reconcile;
mod sandbox;
#[path = "../simulation/mod.rs"]
mod simulation;
mod seeds;
mod short_campaign;
mod smpp;
#[path = "../statement_day/mod.rs"]
mod statement_day;
mod stores;
mod systemd;
mod telemetry;
mod tidy;
mod turn;
mod ussd;
mod world;
