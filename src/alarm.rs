//! What an operator on call is to be woken for (charging.md R002.4, reliability.md §4.9): figures against bounds, as plain data
//! for the journal, `/metrics` and the care page alike. Decides nothing about money and asks nobody.

use crate::config;
use crate::journal::reconciliation::{OpenDiscrepancies, Standing};
use crate::journal::rows::Backlog;
use crate::purchase::record::{Micros, Purchase};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

const HOUR: Micros = 3_600_000_000;

/// One thing that is wrong now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// What became of somebody's money is not known for longer than the bound.
    OldestUnknown { minutes: i64 },
    /// More purchases wait for a person than the bound,
    Review { waiting: i64 },
    /// or within an hour so many more came than went.
    ReviewGrows { by: i64 },
    /// So many pairs of charges for the same within an hour.
    Surplus { pairs: i64 },
    /// This channel was paid at its page again and again and has told us of none of it: its callback is not set, or is lost
    /// on the way (seed 002).
    NotifySilent { channel: String, paid: usize },
    /// Rows of this channel's statements that we know nothing of,
    Long { channel: String, rows: i64 },
    /// or charges of ours that its statements lack, are still nobody's settled business.
    Short { channel: String, rows: i64 },
}

impl Alarm {
    /// Its name in `/metrics`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OldestUnknown { .. } => "oldest_unknown",
            Self::Review { .. } => "review",
            Self::ReviewGrows { .. } => "review_grows",
            Self::Surplus { .. } => "surplus",
            Self::NotifySilent { .. } => "notify_silent",
            Self::Long { .. } => "long",
            Self::Short { .. } => "short",
        }
    }

    /// The channel it is about; empty where it is about all.
    #[must_use]
    pub fn channel(&self) -> &str {
        match self {
            Self::NotifySilent { channel, .. } | Self::Long { channel, .. } | Self::Short { channel, .. } => channel,
            Self::OldestUnknown { .. } | Self::Review { .. } | Self::ReviewGrows { .. } | Self::Surplus { .. } => "",
        }
    }

    /// What is wrong and what to do, in one sentence.
    #[must_use]
    pub fn says(&self) -> String {
        match self {
            Self::OldestUnknown { minutes } => {
                format!("a charge, grant or refund is unknown for {minutes} min: look at `paygate purchases list`")
            }
            Self::Review { waiting } => format!("{waiting} purchases wait for a person: see `paygate review list`"),
            Self::ReviewGrows { by } => {
                format!("{by} more purchases wait for a person than an hour ago: a peer is ill")
            }
            Self::Surplus { pairs } => {
                format!("{pairs} packages were charged twice within an hour: `paygate purchases list --surplus`")
            }
            Self::NotifySilent { channel, paid } => {
                format!("{channel} told of none of its last {paid} payments: ask it whether its callback is set to us")
            }
            Self::Long { channel, rows } => {
                format!("{channel} took money {rows} times that we do not know of: see `paygate reconcile list`")
            }
            Self::Short { channel, rows } => {
                format!("{rows} charges of ours are missing in {channel}'s statements: see `paygate reconcile list`")
            }
        }
    }

    /// The same alarm with other figures.
    fn is_like(&self, other: &Self) -> bool {
        self.name() == other.name() && self.channel() == other.channel()
    }
}

/// All names, for metrics that begin at nought.
pub const NAMES: [&str; 4] = ["oldest_unknown", "review", "review_grows", "surplus"];

/// What is known at one look.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub now: Micros,
    pub backlog: Backlog,
    /// Pairs found within the last hour.
    pub surplus: i64,
    /// Payments at each channel's page since it last told us anything.
    pub untold: BTreeMap<String, usize>,
    /// What is open of the statements.
    pub discrepancies: Vec<OpenDiscrepancies>,
}

/// Look after look, what is wrong.
#[derive(Debug)]
pub struct Watch {
    bounds: config::Alarms,
    /// How many were in review at each look of the last hour.
    reviews: VecDeque<(Micros, i64)>,
    raised: Vec<Alarm>,
}

/// What changed with a look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub raised: Vec<Alarm>,
    pub over: Vec<Alarm>,
}

impl Watch {
    #[must_use]
    pub const fn new(bounds: config::Alarms) -> Self {
        Self { bounds, reviews: VecDeque::new(), raised: Vec::new() }
    }

    /// What is wrong now, and what was not at the look before.
    pub fn look(&mut self, figures: &Figures) -> Change {
        let now = self.wrong(figures);
        let missing = |among: &[Alarm], alarm: &Alarm| !among.iter().any(|other| other.is_like(alarm));
        let raised = now.iter().filter(|alarm| missing(&self.raised, alarm)).cloned().collect();
        let over = self.raised.iter().filter(|alarm| missing(&now, alarm)).cloned().collect();
        self.raised = now;
        Change { raised, over }
    }

    #[must_use]
    pub fn raised(&self) -> &[Alarm] {
        &self.raised
    }

    fn wrong(&mut self, figures: &Figures) -> Vec<Alarm> {
        let bounds = &self.bounds;
        let micros = i64::try_from(bounds.oldest_unknown.as_micros()).unwrap_or(i64::MAX);
        let age = figures.backlog.oldest_unknown.map_or(0, |since| figures.now - since);
        let waiting = figures.backlog.review;
        while self.reviews.front().is_some_and(|(at, _)| *at < figures.now - HOUR) {
            self.reviews.pop_front();
        }
        let by = waiting - self.reviews.iter().map(|(_, count)| *count).min().unwrap_or(waiting);
        self.reviews.push_back((figures.now, waiting));
        let mut wrong = Vec::new();
        wrong.extend((age > micros).then_some(Alarm::OldestUnknown { minutes: age / 60_000_000 }));
        wrong.extend((waiting > bounds.review).then_some(Alarm::Review { waiting }));
        wrong.extend((by > bounds.review_growth).then_some(Alarm::ReviewGrows { by }));
        wrong.extend((figures.surplus > bounds.surplus).then_some(Alarm::Surplus { pairs: figures.surplus }));
        let silent = |(channel, paid): (&String, &usize)| {
            (*paid >= bounds.notify_silence).then(|| Alarm::NotifySilent { channel: channel.clone(), paid: *paid })
        };
        wrong.extend(figures.untold.iter().filter_map(silent));
        let unmatched = |open: &OpenDiscrepancies| {
            let (channel, rows) = (open.channel.clone(), open.rows);
            match open.standing {
                Standing::Long if rows > bounds.long => Some(Alarm::Long { channel, rows }),
                Standing::Short if rows > bounds.short => Some(Alarm::Short { channel, rows }),
                _ => None,
            }
        };
        wrong.extend(figures.discrepancies.iter().filter_map(unmatched));
        wrong
    }
}

/// Payments at channels' pages that nothing was told of, as this instance sees them.
#[derive(Debug, Default)]
pub struct Notifies(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    untold: BTreeMap<String, usize>,
    /// Who has told something since that was last asked.
    heard: BTreeSet<String>,
}

impl Notifies {
    /// A notify was believed.
    pub fn heard(&self, channel: &str) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.untold.remove(channel);
        if !told.heard.contains(channel) {
            told.heard.insert(channel.to_owned());
        }
    }

    /// Another instance has heard it.
    pub fn heard_elsewhere(&self, channel: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).untold.remove(channel);
    }

    /// A purchase moved; it counts where it was just found paid at a channel's page.
    pub fn moved(&self, purchase: &Purchase, was_found_paid: bool) {
        let by_page = purchase.offer.as_ref().is_some_and(|offer| offer.pay_url.is_some());
        if was_found_paid && by_page && purchase.notified.is_none() {
            let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *told.untold.entry(purchase.order.channel.clone()).or_default() += 1;
        }
    }

    #[must_use]
    pub fn untold(&self) -> BTreeMap<String, usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).untold.clone()
    }

    /// The channels that told something since this was last asked.
    #[must_use]
    pub fn take_heard(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MINUTE: Micros = 60_000_000;

    fn watch() -> Watch {
        Watch::new(config::Alarms {
            oldest_unknown: Duration::from_secs(600),
            review: 10,
            review_growth: 5,
            surplus: 2,
            notify_silence: 3,
            long: 5,
            short: 5,
        })
    }

    fn at(now: Micros, review: i64) -> Figures {
        Figures { now, backlog: Backlog { review, ..Backlog::default() }, ..Figures::default() }
    }

    #[test]
    fn each_bound_is_kept_and_the_alarm_is_raised_once_and_then_over() {
        let mut watch = watch();
        let quiet = at(HOUR, 0);
        let mut figures = quiet.clone();
        assert_eq!(watch.look(&figures), Change::default());
        figures.backlog.oldest_unknown = Some(HOUR - 11 * MINUTE);
        figures.surplus = 3;
        figures.untold.insert("bank".to_owned(), 3);
        let raised = [
            Alarm::OldestUnknown { minutes: 11 },
            Alarm::Surplus { pairs: 3 },
            Alarm::NotifySilent { channel: "bank".to_owned(), paid: 3 },
        ];
        assert_eq!(watch.look(&figures).raised, raised);
        figures.surplus = 4;
        assert_eq!(watch.look(&figures), Change::default(), "another figure is no other alarm");
        assert_eq!(watch.raised()[1], Alarm::Surplus { pairs: 4 }, "and is the one that is shown");
        assert_eq!(watch.look(&quiet).over.len(), 3);
        assert_eq!(watch.raised(), []);
    }

    #[test]
    fn a_figure_at_its_bound_wakes_nobody() {
        let mut figures = at(HOUR, 10);
        figures.backlog.oldest_unknown = Some(HOUR - 10 * MINUTE);
        figures.surplus = 2;
        figures.untold.insert("bank".to_owned(), 2);
        assert_eq!(watch().look(&figures), Change::default());
    }

    #[test]
    fn what_statements_and_journal_do_not_agree_on_is_an_alarm_of_its_channel() {
        let open = |standing, rows| OpenDiscrepancies { channel: "bank".to_owned(), standing, rows, oldest: HOUR };
        let mut figures = at(HOUR, 0);
        figures.discrepancies = vec![open(Standing::Long, 6), open(Standing::Short, 5), open(Standing::Bad, 900)];
        assert_eq!(watch().look(&figures).raised, [Alarm::Long { channel: "bank".to_owned(), rows: 6 }]);
        figures.discrepancies = vec![open(Standing::Short, 6)];
        assert_eq!(watch().look(&figures).raised, [Alarm::Short { channel: "bank".to_owned(), rows: 6 }]);
    }

    #[test]
    fn a_review_that_grows_is_told_before_it_is_long() {
        let mut watch = watch();
        let mut raised = Vec::new();
        for minute in 0..10 {
            raised.extend(watch.look(&at(HOUR + minute * MINUTE, minute)).raised);
        }
        assert_eq!(raised, [Alarm::ReviewGrows { by: 6 }]);
        let later = watch.look(&at(4 * HOUR, 9));
        assert_eq!((later.raised, later.over.len()), (vec![], 1), "an hour ago is forgotten");
    }

    #[test]
    fn what_is_told_of_here_or_elsewhere_is_not_silent() {
        let notifies = Notifies::default();
        notifies.0.lock().unwrap_or_else(PoisonError::into_inner).untold.insert("bank".to_owned(), 7);
        notifies.heard_elsewhere("bank");
        assert_eq!(notifies.untold().len(), 0);
        notifies.heard("bank");
        assert_eq!((notifies.take_heard().len(), notifies.take_heard().len()), (1, 0));
    }
}
