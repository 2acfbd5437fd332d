//! What the page shows, part by part, and every change of it in order. A change replaces its part whole, so that missing
//! some, or hearing one twice, does no harm. Keeps a bounded past; who was away for longer is given everything anew.

use crate::engine::random_hex;
use crate::purchase::record::Micros;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Changes kept for those who come back.
const RECENT: usize = 256;
/// Purchases shown; older ones stay in the journal.
const PURCHASES_SHOWN: usize = 100;

/// One thing on the page. In this order they are shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// By its place among the telephones.
    Phone(usize),
    /// Newest first.
    Purchase(Reverse<Micros>, String),
    Switches,
}

impl Part {
    /// The event's name on the wire.
    const fn name(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Purchase(..) => "purchase",
            Self::Switches => "switches",
        }
    }
}

/// One change on its way to the browsers.
#[derive(Clone, Debug)]
pub(super) struct Update {
    /// `Last-Event-ID` of who has seen it.
    pub id: String,
    pub event: &'static str,
    /// JSON.
    pub data: String,
}

pub(super) struct Feed {
    /// Tells this run's ids from those of one before it, which a browser may still hold.
    run: String,
    /// What never changes while the sandbox runs.
    about: Value,
    shown: Mutex<Shown>,
    changes: broadcast::Sender<Arc<Update>>,
}

#[derive(Default)]
struct Shown {
    parts: BTreeMap<Part, Value>,
    last: u64,
    recent: VecDeque<Arc<Update>>,
}

impl Feed {
    pub(super) fn new(about: Value) -> Self {
        Self { run: random_hex(), about, shown: Mutex::default(), changes: broadcast::Sender::new(RECENT) }
    }

    /// Shows a part as it is now; nobody hears of what was shown already.
    pub(super) fn show(&self, part: Part, value: Value) {
        let mut shown = self.shown();
        if shown.parts.get(&part) == Some(&value) {
            return;
        }
        shown.last += 1;
        let update = Update { id: self.id(shown.last), event: part.name(), data: value.to_string() };
        let change = Arc::new(update);
        shown.parts.insert(part, value);
        shown.forget_the_oldest();
        shown.recent.push_back(Arc::clone(&change));
        // Nobody looking on is no failure.
        let _ = self.changes.send(change);
    }

    /// Everything at once.
    pub(super) fn whole(&self) -> Value {
        self.whole_of(&self.shown())
    }

    /// What someone who has seen everything up to `seen` has missed, and all changes after that.
    pub(super) fn follow(&self, seen: Option<&str>) -> (Vec<Arc<Update>>, broadcast::Receiver<Arc<Update>>) {
        let shown = self.shown();
        let missed = seen.and_then(|id| self.number(id)).and_then(|number| shown.since(number));
        (missed.unwrap_or_else(|| vec![self.everything(&shown)]), self.changes.subscribe())
    }

    /// For someone who was too slow for the changes.
    pub(super) fn anew(&self) -> Arc<Update> {
        self.everything(&self.shown())
    }

    fn everything(&self, shown: &Shown) -> Arc<Update> {
        Arc::new(Update { id: self.id(shown.last), event: "state", data: self.whole_of(shown).to_string() })
    }

    fn whole_of(&self, shown: &Shown) -> Value {
        let all = |name| -> Vec<&Value> {
            shown.parts.iter().filter(|(part, _)| part.name() == name).map(|(_, value)| value).collect()
        };
        json!({
            "id": self.id(shown.last),
            "about": self.about,
            "phones": all("phone"),
            "purchases": all("purchase"),
            "switches": shown.parts.get(&Part::Switches),
        })
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }

    fn number(&self, id: &str) -> Option<u64> {
        id.strip_prefix(&self.run)?.strip_prefix('-')?.parse().ok()
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    /// The changes after `number`; `None` where some of them are forgotten, or are none of ours.
    fn since(&self, number: u64) -> Option<Vec<Arc<Update>>> {
        let missing = usize::try_from(self.last.checked_sub(number)?).ok()?;
        let known = self.recent.len().checked_sub(missing)?;
        Some(self.recent.iter().skip(known).cloned().collect())
    }

    fn forget_the_oldest(&mut self) {
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        let purchases = self.parts.keys().filter(|part| matches!(part, Part::Purchase(..)));
        if let Some(oldest) = purchases.clone().nth(PURCHASES_SHOWN).cloned() {
            self.parts.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(updates: &[Arc<Update>]) -> Vec<&str> {
        updates.iter().map(|update| update.event).collect()
    }

    fn feed() -> Feed {
        let feed = Feed::new(Value::Null);
        feed.show(Part::Phone(0), json!("first"));
        feed.show(Part::Switches, json!([]));
        feed
    }

    #[test]
    fn who_comes_back_is_told_what_was_missed_and_no_more() {
        let feed = feed();
        let seen = feed.anew().id.clone();
        assert!(feed.follow(Some(&seen)).0.is_empty());
        feed.show(Part::Phone(0), json!("second"));
        feed.show(Part::Phone(0), json!("second"));
        assert_eq!(events(&feed.follow(Some(&seen)).0), ["phone"]);
    }

    #[test]
    fn who_is_new_or_was_away_too_long_or_saw_another_run_is_told_everything() {
        let feed = feed();
        let seen = feed.anew().id.clone();
        for count in 0..=RECENT {
            feed.show(Part::Phone(0), json!(count));
        }
        for seen in [None, Some(seen.as_str()), Some("another-7"), Some("rubbish")] {
            assert_eq!(events(&feed.follow(seen).0), ["state"], "{seen:?}");
        }
    }

    #[test]
    fn the_newest_purchases_are_shown_first_and_not_without_end() {
        let feed = Feed::new(Value::Null);
        for at in 0..=PURCHASES_SHOWN as i64 {
            feed.show(Part::Purchase(Reverse(at), format!("p{at}")), json!(at));
        }
        let whole = feed.whole();
        assert_eq!(whole["purchases"][0], PURCHASES_SHOWN);
        assert_eq!(whole["purchases"].as_array().map(Vec::len), Some(PURCHASES_SHOWN));
    }
}
