//! paygate's clients and their simulated peers against the contracts: CAMARA's scenarios, its refusals, and the faults
//! of a network, each held against the peer's own books.

mod billing_faults;
mod billing_flow;
mod operator;
mod package_faults;
mod pay123_codes;
mod pay123_faults;
mod pay123_flow;
mod pay123_page;
mod refusals;
mod refusing;
mod scenarios;
mod shop;

pub(crate) use operator::{config, golden};
pub(crate) use shop::config as bank_config;
