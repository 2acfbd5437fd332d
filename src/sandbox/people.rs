//! The people of the sandbox's care page: one agent, two who may decide, so that four eyes can be shown, and who answers for
//! the others. Each start gives them new random passwords; none is written to a file or a log.

use crate::care::password::hash;
use crate::engine::random_hex;
use crate::journal::Journal;
use crate::journal::rows::{NewOperator, OperatorChange};
use crate::people::Role;
use anyhow::{Context, anyhow};
use serde::Serialize;

/// Characters of a password: 64 random bits.
const LETTERS: usize = 16;
const PEOPLE: [(&str, Role); 4] = [
    ("agent", Role::Agent),
    ("supervisor", Role::Supervisor),
    ("supervisor-2", Role::Supervisor),
    ("administrator", Role::Administrator),
];

#[derive(Clone, Serialize)]
pub(super) struct Person {
    name: &'static str,
    role: &'static str,
    password: String,
}

impl Person {
    /// For the terminal of whoever started it.
    pub(super) fn line(&self) -> String {
        format!("  {:<14} {:<14} {}\n", self.name, self.role, self.password)
    }
}

/// Makes them, or gives those of an earlier start, in a folder that was kept, new passwords.
pub(super) async fn let_in(journal: &Journal) -> anyhow::Result<Vec<Person>> {
    let mut people = Vec::new();
    for (name, role) in PEOPLE {
        let password: String = random_hex().chars().take(LETTERS).collect();
        let secret = password.clone().into();
        let hashed = tokio::task::spawn_blocking(move || hash(&secret, LETTERS)).await?.map_err(|why| anyhow!(why))?;
        let new = NewOperator { name: name.to_owned(), role, password: hashed.clone() };
        if !journal.add_operator(&new).await.context("the care page's people cannot be written")? {
            let change = OperatorChange::Password(hashed);
            journal.change_operator(name, &change).await.context("a new password cannot be written")?;
        }
        people.push(Person { name, role: role.as_str(), password });
    }
    Ok(people)
}
