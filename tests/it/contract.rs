//! paygate's clients and their simulated peers against the contracts: CAMARA's scenarios, its refusals, and the faults
//! of a network, each held against the peer's own books.

mod billing_faults;
mod billing_flow;
mod operator;
mod package_faults;
mod refusals;
mod refusing;
mod scenarios;

pub(crate) use operator::{config, golden};
