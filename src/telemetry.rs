//! What operators see: logs for people or for journald, metrics for Prometheus, life signs for systemd. Never blocks the
//! work it tells about, and never decides anything.

pub mod journald;
pub mod message_ids;
pub mod metrics;
pub mod readable;
pub mod sparing;
pub mod systemd;
pub mod watchdog;

use journald::{Journald, Writer};
use readable::Readable;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// journald where stderr is its stream, else readable lines on stderr.
    Detect,
    Readable,
    Journald,
}

/// Keeps the logs flowing; dropped at the end of `main`, it waits up to a second for journald to take the last lines.
#[derive(Debug)]
#[must_use = "dropping it ends the logs"]
pub struct Telemetry {
    _journald: Option<Writer>,
}

#[derive(Debug, Error)]
pub enum TelemetryError {
    #[error(
        "the log filter {filter:?} cannot be read ({cause}); expected a level such as \"info\", or \"info,paygate=debug\""
    )]
    Filter { filter: String, cause: tracing_subscriber::filter::ParseError },
    #[error("the thread that writes to journald cannot be started ({0}); the machine may be out of threads")]
    Thread(#[from] std::io::Error),
    #[error("logs are set up already in this process: {0}")]
    Twice(#[from] TryInitError),
}

/// Sets up logs and metrics for this process, once.
///
/// # Errors
/// A filter that cannot be read, no thread to be had, or a second call.
pub fn init(filter: &str, output: Output) -> Result<Telemetry, TelemetryError> {
    metrics::recorder();
    let levels =
        EnvFilter::try_new(filter).map_err(|cause| TelemetryError::Filter { filter: filter.to_owned(), cause })?;
    let journald = match output {
        Output::Detect => stderr_is_journald(),
        Output::Readable => false,
        Output::Journald => true,
    };
    let registry = tracing_subscriber::registry().with(levels);
    if journald {
        let (layer, writer) = Journald::start(Path::new(journald::SOCKET))?;
        registry.with(layer).try_init()?;
        return Ok(Telemetry { _journald: Some(writer) });
    }
    let lines =
        tracing_subscriber::fmt::layer().event_format(Readable { colour: colour() }).with_writer(std::io::stderr);
    registry.with(lines).try_init()?;
    Ok(Telemetry { _journald: None })
}

/// Colour is for eyes only: a terminal that has not been told otherwise (no-color.org).
fn colour() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value: std::ffi::OsString| !value.is_empty());
    std::io::stderr().is_terminal() && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// `JOURNAL_STREAM` names the device and inode of the stream systemd gave us (systemd.exec(5)). The variable alone proves
/// nothing: children inherit it although their stderr may go elsewhere.
fn stderr_is_journald() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stderr) = std::io::stderr().as_fd().try_clone_to_owned() else { return false };
    std::fs::File::from(stderr).metadata().is_ok_and(|stat| format!("{}:{}", stat.dev(), stat.ino()) == stream)
}
