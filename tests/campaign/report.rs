//! What a campaign shows while it runs, and what it says in the end.

use super::Settings;
use super::acts::{self, OF_ACTS};
use super::ground::Open;
use super::havoc::Tally;
use super::judge::{AT_ANY_TIME, IN_THE_END, Verdict};
use super::life::Door;
use super::orphans::Orphan;
use super::peers::REFUSED;
use super::recovery::Recovered;
use super::subscribers::Subscribers;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Characters of an event that are shown.
const LINE_MAX: usize = 400;
/// Purchases left that are shown one by one.
const SHOWN_MAX: usize = 10;

/// Kills beside which nothing else was hurt, and all.
const TURNS: [(&str, bool); 2] = [("nothing else hurt", true), ("all kills", false)];

/// A line each so often, until it is ended.
pub(super) async fn progress(every: Duration, tally: Arc<Mutex<Tally>>, subscribers: Arc<Subscribers>) {
    let started = Instant::now();
    loop {
        sleep(every).await;
        let (tally, seconds) = (tally.lock().unwrap().clone(), started.elapsed().as_secs());
        println!(
            "{:>3}:{:02}  {} kills  {} pauses  {} PostgreSQL  {} Redis  {} faults   {} begun  {} open  {} told",
            seconds / 60,
            seconds % 60,
            tally.kills,
            tally.pauses,
            tally.postgres,
            tally.redis.values().sum::<u64>(),
            tally.faults.values().sum::<u64>(),
            subscribers.begun(),
            subscribers.open(),
            subscribers.told(),
        );
    }
}

#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) settings: Settings,
    /// Until the havoc ended, and until all was settled.
    pub(crate) lasted: Duration,
    pub(crate) settled: Duration,
    pub(crate) tally: Tally,
    /// What partners and apps did besides, and how often.
    pub(crate) did: BTreeMap<&'static str, u64>,
    pub(crate) recovered: Vec<Recovered>,
    /// Kills after which something never moved on.
    pub(crate) unrecovered: usize,
    /// What a killed instance left, and when another took it up.
    pub(crate) orphans: Vec<Orphan>,
    pub(crate) before: Verdict,
    pub(crate) after: Verdict,
    /// What the care people did.
    pub(crate) acts: acts::Tally,
    pub(crate) left: Vec<Open>,
}

impl Report {
    pub(crate) fn violations(&self) -> u64 {
        self.before.violations() + self.after.violations() + self.acts.violations() + self.reviews_too_many()
    }

    /// A person is needed only where a peer lied, where a partner took another price, or where a package was refused that
    /// was paid for where nothing can be given back, on purpose, too: everything else can be found out.
    fn reviews_too_many(&self) -> u64 {
        let lies = self
            .tally
            .faults
            .iter()
            .filter(|(name, _)| name.contains("lies") || name.contains("about another") || **name == REFUSED);
        let wanted = lies.map(|(_, dealt)| dealt).sum::<u64>() + self.after.dear + self.acts.left_alone;
        self.after.in_review.saturating_sub(wanted)
    }

    fn reviews(&self) -> BTreeMap<&str, u64> {
        let mut reasons = BTreeMap::new();
        for reason in self.left.iter().filter_map(|open| open.review.as_deref()) {
            *reasons.entry(reason).or_default() += 1;
        }
        reasons
    }

    fn write_done(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (settings, tally, after) = (&self.settings, &self.tally, &self.after);
        let store = if settings.postgres { "PostgreSQL and Redis" } else { "SQLite" };
        let rate = after.purchases as f64 / self.lasted.as_secs_f64();
        writeln!(f, "{store}, {} daemon(s), seed {}", settings.instances, settings.seed)?;
        writeln!(
            f,
            "  havoc for {:.0} s, settled after {:.0} s",
            self.lasted.as_secs_f64(),
            self.settled.as_secs_f64()
        )?;
        writeln!(f, "  {:<36} {:>9}   ({rate:.0} a second)", "purchases begun", after.purchases)?;
        for (door, name) in Door::ALL {
            writeln!(f, "    {name:<34} {:>9}", after.by_door.get(&door).copied().unwrap_or_default())?;
        }
        let told = [
            ("told done", after.told_done),
            ("told not charged", after.told_not_charged),
            ("told refunded", after.told_refunded),
            ("in review", after.in_review),
            ("debits", after.debits),
            ("grants", after.grants),
            ("refunds", after.refunds),
            ("messages, payments, orders taken", after.acknowledged),
            ("partners' debits at another price", after.dear),
            ("kill -9", tally.kills),
            ("SIGSTOP for longer than a lease", tally.pauses),
            ("PostgreSQL killed and restarted", tally.postgres),
            ("daemons that ended by themselves", tally.ended),
        ];
        told.iter().try_for_each(|(name, count)| writeln!(f, "  {name:<36} {count:>9}"))?;
        for (name, count) in &tally.redis {
            writeln!(f, "  {:<36} {count:>9}", format!("Redis {name}"))?;
        }
        self.did.iter().try_for_each(|(name, count)| writeln!(f, "  {name:<36} {count:>9}"))?;
        tally.faults.iter().try_for_each(|(name, count)| writeln!(f, "  {name:<36} {count:>9}"))
    }

    fn write_acts(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let acts = &self.acts;
        writeln!(f, "  care people's acts, by kind:   filed, refused by the page, carried out, refused by a daemon")?;
        for (kind, [filed, refused, carried_out, too_late]) in &acts.kinds {
            writeln!(f, "    {kind:<34} {filed:>9} {refused:>9} {carried_out:>9} {too_late:>9}")?;
        }
        let overridden: u64 = acts.kinds.iter().filter(|(kind, _)| kind.contains("overriding")).map(|it| it.1[2]).sum();
        for (name, count) in [
            ("confirmed by a second person", acts.confirmed),
            ("own acts, not let confirm", acts.own_refused),
            ("overridden by two people", overridden),
            ("taken back", acts.taken_back),
            ("waiting for a second person", acts.waiting),
            ("forms sent more than once", acts.sent_again),
            ("logins", acts.logins),
            ("left in review", self.after.in_review),
        ] {
            writeln!(f, "    {name:<34} {count:>9}")?;
        }
        acts.missing().iter().try_for_each(|never| writeln!(f, "    never seen: {never}"))
    }

    fn write_recovery(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let lease = self.settings.lease;
        writeln!(f, "  from a kill until a purchase that the dead one held went on elsewhere (lease {lease:?}):")?;
        for (name, quiet) in TURNS {
            let took = self.orphans.iter().filter(|one| one.quiet || !quiet).map(|one| one.took);
            write_times(f, name, "purchases", took)?;
        }
        writeln!(f, "  from a kill until the last phone that waited then had been answered, whatever came after:")?;
        for (name, quiet) in TURNS {
            let took = self.recovered.iter().filter(|one| one.quiet || !quiet).map(|one| one.took);
            write_times(f, name, "kills", took)?;
        }
        let under_way: usize = self.recovered.iter().map(|one| one.under_way).sum();
        let each = under_way as f64 / self.recovered.len().max(1) as f64;
        writeln!(f, "    {each:.0} messages under way at a kill; {} kills with one never answered", self.unrecovered)
    }

    fn write_violations(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let n = self.after.purchases.max(1) as f64;
        writeln!(f, "  {:<36} {:>13} {:>9}   95 % bound", "broken promises", "before repair", "after")?;
        for name in AT_ANY_TIME.into_iter().chain(IN_THE_END) {
            let (before, after) = (self.before.count(name), self.after.count(name));
            let before = if AT_ANY_TIME.contains(&name) { before.to_string() } else { "-".to_owned() };
            // The rule of three holds for none of n.
            let bound = if after == 0 { format!("< {:.1e} of purchases", 3.0 / n) } else { "BROKEN".to_owned() };
            writeln!(f, "  {name:<36} {before:>13} {after:>9}   {bound}")?;
        }
        for name in OF_ACTS {
            let broken = self.acts.broken.get(name).copied().unwrap_or_default();
            writeln!(f, "  {name:<36} {:>13} {broken:>9}   {}", "-", if broken == 0 { "none" } else { "BROKEN" })?;
        }
        self.acts.described.iter().take(SHOWN_MAX).try_for_each(|line| writeln!(f, "  {line}"))?;
        if self.reviews_too_many() > 0 {
            writeln!(f, "  {} in review though no peer lied", self.reviews_too_many())?;
        }
        self.before.described.iter().chain(&self.after.described).try_for_each(|line| writeln!(f, "  {line}"))?;
        self.reviews().iter().try_for_each(|(reason, count)| writeln!(f, "  in review: {reason} {count}"))?;
        for Open { id, account, state, review, story } in self.left.iter().take(SHOWN_MAX) {
            writeln!(f, "  left: {id} for {account} {state} {}", review.as_deref().unwrap_or("stuck"))?;
            story.iter().try_for_each(|line| writeln!(f, "    {}", shortened(line)))?;
        }
        Ok(())
    }
}

fn write_times(f: &mut Formatter<'_>, name: &str, what: &str, took: impl Iterator<Item = Duration>) -> fmt::Result {
    let mut took: Vec<f64> = took.map(|took| took.as_secs_f64()).collect();
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took.get((took.len() as f64 * share) as usize).or(took.last()).copied().unwrap_or(f64::NAN);
    let (p50, p99, max) = (at(0.50), at(0.99), at(1.0));
    writeln!(f, "    {name:<20} {:>6} {what:<9}   p50 {p50:>6.2} s   p99 {p99:>6.2} s   max {max:>6.2} s", took.len())
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write_done(f)?;
        self.write_acts(f)?;
        self.write_recovery(f)?;
        self.write_violations(f)
    }
}

fn shortened(line: &str) -> String {
    line.chars().take(LINE_MAX).collect()
}
