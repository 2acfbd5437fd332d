//! Until when a package runs by the package manager's word, held against the days that were sold: a wrong duration is one
//! of care's cases (charging.md R000.25). Compares, and decides nothing.

use super::super::frame::time;
use super::super::html::{El, Html, el};
use crate::journal::rows::Story;
use crate::purchase::evidence::GrantAnswer;
use crate::purchase::input::Input;
use crate::purchase::record::Micros;

const DAY: Micros = 86_400 * 1_000_000;

pub(super) struct Duration {
    pub(super) runs_until: Micros,
    /// So many days after the grant.
    sold_until: Micros,
    days: i64,
}

/// Nothing where the package manager has not said it, or what was sold is not known.
pub(super) fn duration(story: &Story) -> Option<Duration> {
    let days = story.purchase.offer.as_ref()?.days;
    let granted_at = story.grants.last()?.attempt.intended_at;
    let runs_until = story.events.iter().rev().find_map(|event| match serde_json::from_str(&event.body) {
        Ok(Input::Grant { answer: GrantAnswer::Granted { runs_until, .. }, .. }) => runs_until,
        _ => None,
    })?;
    Some(Duration { runs_until, sold_until: granted_at.saturating_add(days.saturating_mul(DAY)), days })
}

impl Duration {
    /// A day more or less is how one counts.
    fn is_wrong(&self) -> bool {
        self.runs_until.abs_diff(self.sold_until) > DAY.unsigned_abs()
    }

    /// What is to be said of one that is wrong.
    pub(super) fn finding(&self) -> Option<El> {
        let sold = format!("Sold for {} days, which end ", self.days);
        let says: [Html; 4] = [
            Html::text(&sold),
            time(self.sold_until).into(),
            Html::text("; the package manager has it run until "),
            time(self.runs_until).into(),
        ];
        let finding = || el("p").class("why").attr("data-finding", "duration").add(Html::from_iter(says));
        self.is_wrong().then(finding)
    }
}
