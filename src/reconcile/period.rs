//! Several days of several channels settled, as page and command line ask for them. Only reads.

use super::books::Books;
use super::import::ReconcileError;
use super::settlement::{Settlement, settle};
use crate::config::Statement;
use crate::journal::Journal;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Days in one settlement.
const DAYS: usize = 366;

/// Which days, and which channel of all.
#[derive(Clone, Debug)]
pub struct Period {
    pub day: Date,
    /// The last day; without it there is one.
    pub until: Option<Date>,
    pub channel: Option<String>,
}

/// Why there is no settlement.
#[derive(Debug, thiserror::Error)]
pub enum Unsettled {
    /// What was asked for cannot be.
    #[error("{0}")]
    Asked(String),
    #[error("{0}")]
    Failed(#[from] ReconcileError),
}

impl Period {
    /// Each day of each channel on which anything was charged or a statement is there. `known` are all channels.
    pub async fn settle(
        &self,
        journal: &Journal,
        statements: &BTreeMap<String, Statement>,
        known: &[String],
    ) -> Result<Vec<Settlement>, Unsettled> {
        if let Some(channel) = self.channel.as_ref().filter(|channel| !known.contains(channel)) {
            let known = known.join(", ");
            return Err(Unsettled::Asked(format!("no channel {channel:?} is configured; the channels are {known}")));
        }
        // A channel without statements has days, too.
        let usual = Statement::default();
        let mut all = Vec::new();
        for day in self.days()? {
            for channel in known.iter().filter(|channel| self.channel.as_ref().is_none_or(|wanted| wanted == *channel))
            {
                let map = statements.get(channel).unwrap_or(&usual);
                let settlement = settle(journal, channel, map, day).await?;
                if settlement.statement.is_some() || !settlement.groups.is_empty() {
                    all.push(settlement);
                }
            }
        }
        Ok(all)
    }

    fn days(&self) -> Result<Vec<Date>, Unsettled> {
        let until = self.until.unwrap_or(self.day);
        let days = self.day.series(jiff::Span::new().days(1)).take_while(|day| *day <= until);
        let days: Vec<Date> = days.take(DAYS + 1).collect();
        if days.is_empty() || days.len() > DAYS {
            let expected = format!("expected a last day (until) that is the first or later, and {DAYS} days at most");
            return Err(Unsettled::Asked(expected));
        }
        Ok(days)
    }
}

/// All accounts of all channels and days together.
#[must_use]
pub fn books_of(all: &[Settlement]) -> Books {
    let mut books = Books::default();
    for settlement in all {
        books.add(&settlement.books);
    }
    books
}
