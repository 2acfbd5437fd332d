//! The neighbours, simulated, each with books of its own and switches for its faults: for `paygate sandbox`, the tests and
//! the benchmark alike. Shares no state with the daemon; what passes between them passes over a socket.

pub mod billing;
pub mod faults;
pub mod packages;
mod server;
pub mod smsc;

/// What the sandbox was asked for.
pub struct Options {
    pub http: std::net::SocketAddr,
    pub dir: Option<std::path::PathBuf>,
}

/// Everything in one process.
pub async fn run(_: Options) -> anyhow::Result<()> {
    anyhow::bail!("the page is not here yet")
}
