//! The people who answer for the money, and what each of them may do: one table, for the care page and for whoever reads
//! it. Knows no password and no session.

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has the subscriber on the line.
    Agent,
    /// Decides what the agents may not.
    Supervisor,
    /// Answers for the statements at day's end.
    Accountant,
    /// Answers for the others.
    Administrator,
}

/// What somebody may do beyond looking at purchases, which everybody may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Have the peers asked what became of a purchase; it moves no money.
    Inquire,
    /// Read numbers in full on a purchase's own page.
    SeeNumbers,
    /// Say what became of a purchase in review.
    Resolve,
    /// Have granted what was paid for; only ever as a grant.
    Grant,
    /// Say that the money was taken, or that the package came by another way.
    Mark,
    /// Order money back, or package and money both; a second person confirms it.
    Refund,
    /// Be that second person.
    Confirm,
    /// Let no new charge begin on a channel, and let them begin again.
    Freeze,
    /// Read the channels' statements, what did not match, and the settlement.
    ReadStatements,
    /// Import a statement, and say what becomes of what did not match.
    Reconcile,
    /// Read who looked at what.
    ReadAudit,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Agent, Self::Supervisor, Self::Accountant, Self::Administrator];

    /// The word on the command line and in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Accountant => "accountant",
            Self::Administrator => "administrator",
        }
    }

    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// An agent's caller says the number; the agent need only see that it is the one, and so reads its last digits.
    #[must_use]
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::Inquire => true,
            Right::SeeNumbers
            | Right::Resolve
            | Right::Grant
            | Right::Mark
            | Right::Refund
            | Right::Confirm
            | Right::ReadStatements => !matches!(self, Self::Agent),
            Right::Freeze => matches!(self, Self::Supervisor | Self::Administrator),
            Right::Reconcile => matches!(self, Self::Accountant | Self::Administrator),
            Right::ReadAudit => matches!(self, Self::Administrator),
        }
    }
}

impl Right {
    /// Who has it, for whoever has not.
    #[must_use]
    pub fn holders(self) -> String {
        let holders = Role::ALL.into_iter().filter(|role| role.may(self)).map(Role::as_str);
        holders.collect::<Vec<_>>().join(", ")
    }
}

/// A name as it stands beside each act: lower case; `None` where it cannot be one.
#[must_use]
pub fn name(typed: &str) -> Option<String> {
    let name = typed.trim().to_ascii_lowercase();
    let fits = (1..=32).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"._-".contains(&octet));
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_lower_case() {
        assert_eq!(name(" Lan.Tran-2 ").as_deref(), Some("lan.tran-2"));
        for wrong in ["", " ", "lan tran", "lần", "a\0", "abcdefghijklmnopqrstuvwxyz0123456"] {
            assert_eq!(name(wrong), None, "{wrong:?}");
        }
    }
}
