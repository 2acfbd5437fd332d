//! `run`, `check` and `sandbox`: configuration, logs, a runtime, and then [`crate::app`] has the word.

use super::arguments::{At, Check, Sandbox};
use super::{Answer, Failure, json};
use crate::app::{self, Checked};
use crate::config::{Config, environment};
use crate::sandbox;
use crate::telemetry::{self, Output, Telemetry};
use serde_json::{Value, json};
use std::path::Path;
use tokio::runtime::Runtime;

/// What daemons log where nothing else is asked.
const DAEMON_LOG: &str = "info";
/// What other verbs log: their answer is on stdout.
const VERB_LOG: &str = "warn";

pub(super) fn run(at: &At, log: Option<&str>) -> Result<Answer, Failure> {
    let config = load(&at.config)?;
    let _telemetry = logs(log.unwrap_or(DAEMON_LOG), Output::Detect)?;
    runtime()?.block_on(app::run(config)).map_err(no)?;
    Ok(Answer::yes(String::new()))
}

pub(super) fn sandbox(options: Sandbox, log: Option<&str>) -> Result<Answer, Failure> {
    let _telemetry = logs(log.unwrap_or(DAEMON_LOG), Output::Readable)?;
    runtime()?.block_on(sandbox::run(sandbox::Options { http: options.http, dir: options.dir })).map_err(no)?;
    Ok(Answer::yes(String::new()))
}

pub(super) fn check(check: &Check, log: Option<&str>) -> Result<Answer, Failure> {
    let config = load(&check.at.config)?;
    let _telemetry = logs(log.unwrap_or(VERB_LOG), Output::Readable)?;
    let parts = runtime()?.block_on(app::check(&config));
    let yes = parts.iter().all(|part| part.fault.is_none());
    let text = if check.json { json(&parts.iter().map(as_json).collect::<Vec<_>>())? } else { lines(&parts) };
    Ok(Answer { text, yes })
}

/// One line for each part: `journal: ok`, or what is wrong.
fn lines(parts: &[Checked]) -> String {
    parts.iter().map(|Checked { part, fault }| format!("{part}: {}\n", fault.as_deref().unwrap_or("ok"))).collect()
}

fn as_json(Checked { part, fault }: &Checked) -> Value {
    json!({ "part": part, "ok": fault.is_none(), "fault": fault })
}

/// Reads a configuration, texts to subscribers included; each fault is a line that begins with the file.
pub(super) fn load(path: &Path) -> Result<Config, Failure> {
    let faults = match Config::load(path, &environment()) {
        Err(errors) => errors.to_string(),
        Ok(config) => match app::replies(&config) {
            Err(error) => error.to_string(),
            Ok(_) => return Ok(config),
        },
    };
    let file = path.display().to_string();
    let line = |fault: &str| if fault.starts_with(&file) { fault.to_owned() } else { format!("{file}: {fault}") };
    Err(Failure::Usage(faults.lines().map(line).collect::<Vec<_>>().join("\n")))
}

/// Logs for as long as the returned value lives.
pub(super) fn logs(filter: &str, output: Output) -> Result<Telemetry, Failure> {
    telemetry::init(filter, output).map_err(|error| Failure::Usage(error.to_string()))
}

pub(super) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::No(format!("no threads can be started ({error}); the machine may be full")))
}

/// Cause after cause in one line.
fn no(error: anyhow::Error) -> Failure {
    Failure::No(format!("{error:#}").replace('\n', " "))
}
