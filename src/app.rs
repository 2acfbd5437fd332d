//! Builds and joins all parts; starts, drains. Alone knows all.

use crate::config::Config;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What `paygate sandbox` was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sandbox {
    /// Where the page is served.
    pub http: SocketAddr,
    /// Where the journal is kept; a temporary folder where it is not given.
    pub dir: Option<PathBuf>,
}

/// One part of the configuration, and whether it could be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Such as `journal` or `smsc viettel`.
    pub part: String,
    /// What is wrong and what to do about it; `None` where it is well.
    pub fault: Option<String>,
}

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// What kept it from starting, or made it stop.
pub async fn run(_config: Config) -> anyhow::Result<()> {
    anyhow::bail!("this build of paygate has no daemon yet")
}

/// Reaches every part named in the configuration once.
pub async fn check(_config: &Config) -> Vec<Checked> {
    vec![Checked { part: "app".to_owned(), fault: Some("this build of paygate reaches nothing yet".to_owned()) }]
}

/// Runs the daemon among simulated neighbours until it is told to stop.
///
/// # Errors
/// As [`run`].
pub async fn sandbox(_options: Sandbox) -> anyhow::Result<()> {
    anyhow::bail!("this build of paygate has no sandbox yet")
}
