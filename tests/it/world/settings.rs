//! The configuration of a world's daemons: quick to ask and to look again, patient with a slow machine. Addresses stand as
//! names until the neighbours have theirs.

use crate::stores::{Redis, Store};
use secrecy::ExposeSecret;
use toml::{Table, Value};

/// Waits that a test would only sit out are short; waits for an answer are not, or a busy machine would change the story.
const DEFAULT: &str = r#"
[http]
listen = "127.0.0.1:0"
[engine]
poll = "20ms"
lease = "5s"
reply_lease = "2s"
reply_pause = "50ms"
reply_doubt = "1s"
[purchase]
retry_pause = "20ms"
parts_window = "1s"
[[smsc]]
name = "viettel"
address = "{smsc}"
system_id = "paygate"
password = "secret"
short_codes = ["9029"]
[charging.viettel]
kind = "carrier-billing"
base_url = "{billing}"
token = "secret"
send_within = "10s"
max_flight = "0s"
inquiry_plan = ["30ms", "60ms", "120ms", "250ms", "500ms", "1s", "1s", "1s", "1s", "1s", "1s"]
[package_manager]
base_url = "{packages}"
token = "secret"
max_flight = "0s"
inquiry_plan = ["30ms", "60ms", "120ms", "250ms", "500ms", "1s", "1s", "1s", "1s", "1s", "1s"]
"#;

pub(super) struct Settings {
    table: Table,
    /// What stands for what.
    names: Vec<(&'static str, String)>,
}

impl Settings {
    pub(super) fn new(store: &Store) -> Self {
        let mut settings = Self { table: DEFAULT.parse().unwrap(), names: Vec::new() };
        settings.lay(&format!("journal.url = {:?}", store.config.url.expose_secret()));
        settings
    }

    pub(super) fn lay(&mut self, toml: &str) {
        lay_over(&mut self.table, toml.parse().unwrap());
    }

    pub(super) fn name(&mut self, name: &'static str, value: &str) {
        self.names.push((name, value.to_owned()));
    }

    /// Binds that one daemon opens.
    pub(super) fn binds(&self) -> usize {
        let links = self.table["smsc"].as_array().map_or(&[][..], Vec::as_slice);
        links.iter().filter(|link| link.get("kind").and_then(Value::as_str) != Some("kannel")).count()
    }

    pub(super) fn toml(&self, redis: Option<&Redis>) -> String {
        let mut table = self.table.clone();
        if let Some(redis) = redis {
            let url = redis.config().urls[0].expose_secret().to_owned();
            lay_over(&mut table, format!("redis.url = {url:?}").parse().unwrap());
        }
        let text = table.to_string();
        self.names.iter().fold(text, |text, (name, value)| text.replace(name, value))
    }
}

/// Tables are joined key by key; anything else is replaced.
fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => drop(below.insert(key, value)),
        }
    }
}
