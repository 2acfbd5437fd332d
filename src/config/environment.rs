//! The environment laid over the file: `PAYGATE__SMSC__0__PASSWORD` is `smsc[0].password`. Only places texts; what they
//! mean is read later, by the same readers as the file.

use super::errors::Faults;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// The variables a configuration may use, by name.
pub type Environment = BTreeMap<String, String>;

const PREFIX: &str = "PAYGATE__";

/// What this process was given: `PAYGATE__…` and systemd's `CREDENTIALS_DIRECTORY`, nothing else.
#[must_use]
pub fn environment() -> Environment {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .filter(|(name, _)| name.starts_with(PREFIX) || name == "CREDENTIALS_DIRECTORY")
        .collect()
}

/// Puts each variable in its place. Returns which key came from which variable.
pub(super) fn overlay(root: Table, environment: &Environment, faults: &Faults) -> (Table, BTreeMap<String, String>) {
    let mut node = Value::Table(root);
    let mut origins = BTreeMap::new();
    let mut variables: Vec<(Vec<&str>, &str, &str)> = environment
        .iter()
        .filter_map(|(name, text)| {
            Some((name.strip_prefix(PREFIX)?.split("__").collect(), name.as_str(), text.as_str()))
        })
        .collect();
    // By length first: `SMSC__2` must come before `SMSC__10`, since a list only grows at its end.
    variables
        .sort_by_key(|(segments, ..)| segments.iter().map(|segment| (segment.len(), *segment)).collect::<Vec<_>>());
    for (segments, variable, text) in variables {
        match place(&mut node, String::new(), &segments, text) {
            Ok(path) => {
                origins.insert(path, variable.to_owned());
            }
            Err(problem) => {
                faults.add(variable, problem, "expected PAYGATE__SECTION__KEY, as in PAYGATE__HTTP__LISTEN")
            }
        }
    }
    let Value::Table(root) = node else { return (Table::new(), origins) };
    (root, origins)
}

fn place(node: &mut Value, path: String, segments: &[&str], text: &str) -> Result<String, String> {
    let Some((head, rest)) = segments.split_first() else { return set(node, path, text) };
    match node {
        Value::Table(table) if !head.is_empty() => {
            let key = existing_key(table, head);
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            supersede_twin(table, &key, rest);
            place(table.entry(key).or_insert_with(|| empty(rest)), path, rest, text)
        }
        Value::Array(list) => {
            let index: usize = head.parse().map_err(|_| format!("{path} is a list, and {head:?} is no place in it"))?;
            if index > list.len() {
                return Err(format!(
                    "{path} has {count} entries, counted from 0, so the next one is {count}",
                    count = list.len()
                ));
            }
            if index == list.len() {
                list.push(empty(rest));
            }
            place(&mut list[index], format!("{path}[{index}]"), rest, text)
        }
        Value::Table(_) => Err("a name between the underscores is empty".to_owned()),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
            Err(format!("{path} is a value, not a section"))
        }
    }
}

fn set(node: &mut Value, path: String, text: &str) -> Result<String, String> {
    if node.is_table() {
        return Err(format!("{path} is a section, not a value"));
    }
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err("its value is not UTF-8".to_owned());
    }
    *node = Value::String(text.to_owned());
    Ok(path)
}

/// The key of the file that a variable's segment means: variables have neither case nor dashes.
fn existing_key(table: &Table, segment: &str) -> String {
    let plain = |key: &str| key.to_ascii_lowercase().replace('-', "_");
    let wanted = plain(segment);
    table.keys().find(|key| plain(key) == wanted).cloned().unwrap_or(wanted)
}

/// A secret in the environment replaces the file's, whether either is given in place or as `…_file`.
fn supersede_twin(table: &mut Table, key: &str, rest: &[&str]) {
    if rest.is_empty() {
        table.remove(key.strip_suffix("_file").map_or_else(|| format!("{key}_file"), str::to_owned).as_str());
    }
}

fn empty(rest: &[&str]) -> Value {
    match rest.first() {
        None => Value::String(String::new()),
        Some(next) if next.bytes().all(|byte| byte.is_ascii_digit()) && !next.is_empty() => Value::Array(Vec::new()),
        Some(_) => Value::Table(Table::new()),
    }
}
