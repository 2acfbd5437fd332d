//! Typed reading of one table, key by key. Leaves every fault behind and goes on, so that all of them are told at once;
//! the value returned after a fault is a stand-in that never reaches a running daemon.

use super::duration::{parse_duration, spell_duration};
use super::errors::Faults;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Read;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use toml::{Table, Value};

/// Octets a secret's file may have.
const SECRET_OCTETS: u64 = 64 * 1024;

/// What all sections of one configuration share.
pub(super) struct Source {
    /// Which key came from which environment variable.
    pub(super) origins: BTreeMap<String, String>,
    /// Where relative `…_file` paths start.
    pub(super) secrets: PathBuf,
    pub(super) faults: Faults,
}

/// One table being read. Keys that nobody asked for are faults when it is closed.
pub(super) struct Section<'s> {
    source: &'s Source,
    path: String,
    table: Table,
    known: Vec<String>,
}

/// A value as it was given. The environment has only texts, so there a text may stand for any type.
struct Given {
    value: Value,
    from_environment: bool,
}

impl<'s> Section<'s> {
    pub(super) fn new(source: &'s Source, path: String, table: Table) -> Self {
        Self { source, path, table, known: Vec::new() }
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether something wrong with `key` itself was told already.
    pub(super) fn told(&self, key: &str) -> bool {
        self.source.faults.told(&self.path_of(key))
    }

    pub(super) fn fault(&self, key: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        let path = self.path_of(key);
        let origin = self.source.origins.get(&path).map(|variable| format!(" (from {variable})"));
        self.source.faults.add(path + origin.as_deref().unwrap_or_default(), problem, remedy);
    }

    fn take(&mut self, key: &str) -> Option<Given> {
        self.known.push(key.to_owned());
        let value = self.table.remove(key)?;
        Some(Given { value, from_environment: self.source.origins.contains_key(&self.path_of(key)) })
    }

    /// Reads `key` by `convert`; `None` where it is absent, and where it is wrong, which is then told.
    fn read<T>(&mut self, key: &str, expected: impl Display, convert: impl FnOnce(&Given) -> Option<T>) -> Option<T> {
        let given = self.take(key)?;
        let converted = convert(&given);
        if converted.is_none() {
            self.fault(key, format!("{} cannot be used", given.shown()), format!("expected {expected}"));
        }
        converted
    }

    /// Reads a key that has no default.
    pub(super) fn required<T>(
        &mut self,
        key: &str,
        stand_in: T,
        expected: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> T {
        if !self.has(key) && !self.has(&format!("{key}_file")) {
            self.fault(key, "is missing", format!("expected {expected}"));
        }
        read(self).unwrap_or(stand_in)
    }

    /// A text of so many octets, without control characters.
    pub(super) fn text(&mut self, key: &str, octets: RangeInclusive<usize>) -> Option<String> {
        let expected = format!("a text of {} to {} characters on one line", octets.start(), octets.end());
        self.read(key, expected, |given| {
            let text = given.text()?;
            (octets.contains(&text.len()) && !text.contains(char::is_control)).then(|| text.to_owned())
        })
    }

    /// A text that `convert` understands; `expected` says what that is.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        expected: &str,
        convert: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.read(key, expected, |given| convert(given.text()?))
    }

    /// The same, where a whole number may stand without quotes.
    pub(super) fn worded<T>(
        &mut self,
        key: &str,
        expected: &str,
        convert: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.read(key, expected, |given| match given.text() {
            Some(text) => convert(text),
            None => convert(&given.integer()?.to_string()),
        })
    }

    pub(super) fn integer<T>(&mut self, key: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + Display,
    {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.read(key, expected, |given| T::try_from(given.integer()?).ok().filter(|number| range.contains(number)))
    }

    pub(super) fn boolean(&mut self, key: &str) -> Option<bool> {
        self.read(key, "true or false", Given::boolean)
    }

    pub(super) fn duration(&mut self, key: &str, range: RangeInclusive<Duration>) -> Option<Duration> {
        let (least, most) = (spell_duration(*range.start()), spell_duration(*range.end()));
        let expected = format!("a duration from {least} to {most}, such as \"250ms\", \"30s\", \"5m\" or \"1h\"");
        self.read(key, expected, |given| parse_duration(given.text()?).filter(|duration| range.contains(duration)))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
        self.read(key, words.join(" or "), |given| {
            let text = given.text()?;
            choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice)
        })
    }

    /// A list of which `convert` understands every member.
    pub(super) fn list<T>(&mut self, key: &str, expected: &str, convert: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let texts = self.read(key, format!("a list of {expected}"), Given::list)?;
        let members = texts.iter().map(|text| {
            let member = convert(text);
            if member.is_none() {
                self.fault(key, format!("{text:?} cannot be used"), format!("expected {expected}"));
            }
            member
        });
        members.collect::<Vec<_>>().into_iter().collect()
    }

    /// A secret that is not empty: an empty token would let everybody in.
    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        let secret = self.secret_or_empty(key)?;
        if secret.expose_secret().is_empty() {
            self.fault(key, "is empty", "expected the secret, or no such key at all");
            return None;
        }
        Some(secret)
    }

    /// A secret, given in place or as `{key}_file`. Faults never repeat it.
    pub(super) fn secret_or_empty(&mut self, key: &str) -> Option<SecretString> {
        let file_key = format!("{key}_file");
        let (given, file) = (self.take(key), self.take(&file_key));
        match (given, file) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                self.fault(key, format!("is given twice, here and as {file_key}"), "expected one of the two");
                None
            }
            (Some(given), None) => {
                let secret = given.text().map(SecretString::from);
                if secret.is_none() {
                    self.fault(key, "is not a text", "expected the secret in quotes");
                }
                secret
            }
            (None, Some(file)) => self.secret_file(&file_key, &file),
        }
    }

    fn secret_file(&self, key: &str, file: &Given) -> Option<SecretString> {
        let Some(name) = file.text().filter(|name| !name.is_empty()) else {
            self.fault(
                key,
                format!("{} cannot be used", file.shown()),
                "expected the path of a file that holds the secret",
            );
            return None;
        };
        let path = self.source.secrets.join(name);
        let mut text = String::new();
        match std::fs::File::open(&path).and_then(|file| file.take(SECRET_OCTETS).read_to_string(&mut text)) {
            Err(error) => self.fault(
                key,
                format!("{} cannot be read ({error})", path.display()),
                "expected a file that holds the secret and that paygate's user may read",
            ),
            Ok(_) if text.trim_end().is_empty() => {
                self.fault(key, format!("{} is empty", path.display()), "expected a file that holds the secret");
            }
            Ok(_) => return Some(SecretString::from(text.trim_end_matches(['\r', '\n']))),
        }
        None
    }

    /// Reads the table under `key`, an empty one where it is absent, and closes it.
    pub(super) fn section<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let table = match self.take(key).map(|given| given.value) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.fault(key, "is a value", format!("expected a section, [{}]", self.path_of(key)));
                Table::new()
            }
        };
        let mut section = Section::new(self.source, self.path_of(key), table);
        let value = read(&mut section);
        section.close();
        value
    }

    /// Reads each table of the list under `key` and closes it.
    pub(super) fn sections<T>(&mut self, key: &str, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let Some(given) = self.take(key) else { return Vec::new() };
        let tables: Option<Vec<Table>> = match given.value {
            Value::Array(list) => list.into_iter().map(|value| value.try_into().ok()).collect(),
            _ => None,
        };
        let Some(tables) = tables else {
            self.fault(key, "is not a list of sections", format!("expected [[{}]], once for each", self.path_of(key)));
            return Vec::new();
        };
        let read_one = |(index, table)| {
            let mut section = Section::new(self.source, format!("{}[{index}]", self.path_of(key)), table);
            let value = read(&mut section);
            section.close();
            value
        };
        tables.into_iter().enumerate().map(read_one).collect()
    }

    /// The names in a table whose keys are chosen by whoever writes it, such as `[charging.NAME]`.
    pub(super) fn names(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    /// Nothing can be said about the keys that are left, because what would give them meaning is wrong.
    pub(super) fn forgive_the_rest(&mut self) {
        self.table.clear();
    }

    /// Tells of the keys that nobody asked for.
    pub(super) fn close(self) {
        for key in self.table.keys() {
            let nearest = self.known.iter().min_by_key(|known| strsim::damerau_levenshtein(known, key));
            let remedy = nearest.map_or_else(
                || "nothing is known here".to_owned(),
                |nearest| format!("the nearest known one is {}", self.path_of(nearest)),
            );
            self.fault(key, "is not a known key", remedy);
        }
    }
}

impl Given {
    fn text(&self) -> Option<&str> {
        self.value.as_str()
    }

    fn spelled(&self) -> Option<&str> {
        self.text().filter(|_| self.from_environment).map(str::trim)
    }

    fn integer(&self) -> Option<i64> {
        self.spelled().map_or_else(|| self.value.as_integer(), |text| text.parse().ok())
    }

    fn boolean(&self) -> Option<bool> {
        self.spelled().map_or_else(|| self.value.as_bool(), |text| text.parse().ok())
    }

    /// From the environment: a TOML list, or words between commas.
    fn list(&self) -> Option<Vec<String>> {
        let of_texts = |list: &[Value]| list.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        match self.spelled() {
            None => of_texts(self.value.as_array()?),
            Some("") => Some(Vec::new()),
            Some(text) if text.starts_with('[') => {
                let document: Table = format!("list = {text}").parse().ok()?;
                of_texts(document.get("list")?.as_array()?)
            }
            Some(text) => Some(text.split(',').map(|word| word.trim().to_owned()).collect()),
        }
    }

    /// The value as a fault repeats it: short, on one line.
    fn shown(&self) -> String {
        match &self.value {
            Value::String(text) if text.chars().count() <= 60 => format!("{text:?}"),
            Value::String(text) => format!("{:?}", text.chars().take(60).chain(['…']).collect::<String>()),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => self.value.to_string(),
            Value::Array(_) => "this list".to_owned(),
            Value::Table(_) => "a section".to_owned(),
        }
    }
}
