//! What is wrong with a configuration, gathered until all of it is known. Never repeats a secret.

use std::cell::RefCell;
use std::fmt;

/// One thing that is wrong: where, what, and what to write instead. Prints as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key's full path, such as `smsc[0].window`; a file's name or `line 3` where there is no key yet.
    pub key: String,
    pub problem: String,
    pub remedy: String,
}

/// Everything that is wrong, in the order in which it is read; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

/// Where the readers leave what they find, so that one fault does not hide the next.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<ConfigError>>);

impl Faults {
    pub(super) fn add(&self, key: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) {
        self.0.borrow_mut().push(ConfigError { key: key.into(), problem: problem.into(), remedy: remedy.into() });
    }

    pub(super) fn told(&self, key: &str) -> bool {
        self.0.borrow().iter().any(|fault| fault.key == key)
    }

    /// The value, if nothing was found wrong with it.
    pub(super) fn judge<T>(self, value: T) -> Result<T, ConfigErrors> {
        let faults = self.0.into_inner();
        if faults.is_empty() { Ok(value) } else { Err(ConfigErrors(faults)) }
    }
}

impl ConfigErrors {
    pub(super) fn one(key: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self(vec![ConfigError { key: key.into(), problem: problem.into(), remedy: remedy.into() }])
    }

    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.problem, self.remedy)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
