//! Why the journal could not do what it was asked. Carries no value of a row: neither a phone number nor a secret.

use std::fmt;

/// What was tried, on which store, why it failed, and whether trying again makes sense.
#[derive(Debug)]
pub struct JournalError {
    /// What was tried: `commit a batch`.
    pub(super) operation: &'static str,
    /// The store without user and password: `sqlite paygate.db`, `postgres db.example/paygate`.
    pub(super) store: String,
    pub(super) cause: Cause,
}

/// Why, as far as a caller must know it to go on.
#[derive(Debug)]
pub enum Cause {
    /// The store is set up so that it cannot be used; an operator must change what the text says.
    Unfit(String),
    /// Another daemon has this SQLite file.
    Taken,
    /// The store could not be reached, or refused for a passing reason (a deadlock, a full disk). Nothing was written.
    Down(sqlx::Error),
    /// The commit's outcome could not be found out. It may stand: read again before anything is done.
    Ambiguous(String),
    /// What was read is not what this program writes.
    Unreadable(String),
}

impl JournalError {
    #[must_use]
    pub const fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub const fn transient(&self) -> bool {
        match self.cause {
            Cause::Down(_) | Cause::Ambiguous(_) => true,
            Cause::Unfit(_) | Cause::Taken | Cause::Unreadable(_) => false,
        }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} on {}: ", self.operation, self.store)?;
        match &self.cause {
            Cause::Unfit(what) => f.write_str(what),
            Cause::Taken => f.write_str("another paygate daemon has it open; stop that one first"),
            Cause::Down(_) => f.write_str("the store did not answer or refused; it is tried again"),
            Cause::Ambiguous(why) => write!(f, "whether it stands could not be found out ({why}); it is read again"),
            Cause::Unreadable(what) => write!(f, "a row is not as this version of paygate writes it: {what}"),
        }
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Down(error) => Some(error),
            Cause::Unfit(_) | Cause::Taken | Cause::Ambiguous(_) | Cause::Unreadable(_) => None,
        }
    }
}
