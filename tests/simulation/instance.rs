//! One instance: the driver of the loop as `engine/turn.rs` has it, over the model journal and in virtual time. What is
//! decided, and what follows from a commit, is the engine's own code; what a crash forgets is only here.

use super::broken::WorldRule;
use super::keys::Claimed;
use super::life::{Event, Life, SECOND};
use super::tally::Fault;
use paygate::engine::clock::{Face, Moment, READ_EVERY};
use paygate::engine::decide::{Batch, Draft};
use paygate::engine::door::{Submitted, Verdict};
use paygate::engine::intake::{Meaning, Reading, purchase_id};
use paygate::engine::settle::{Aftermath, Text};
use paygate::engine::under_way::Touched;
use paygate::engine::work::{Decision, Known, Work};
use paygate::journal::rows::{Committed, Seen, Unit};
use paygate::purchase::record::{Micros, Purchase, State};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;

/// How long a claimed row is this instance's.
const LEASE: Micros = 30 * SECOND;
/// Between two tries while the journal is down.
const JOURNAL_PAUSE: Micros = SECOND / 5;

/// What a process holds in memory. A crash leaves nothing of it.
#[derive(Default)]
pub(crate) struct Instance {
    pub(crate) epoch: u32,
    pub(crate) is_up: bool,
    pub(crate) paused_until: Micros,
    pub(crate) inbox: Vec<Work>,
    face: Option<Face>,
    read_at: Micros,
    later: Vec<Work>,
    held: Vec<Work>,
    open: Open,
    pub(crate) under_way: Option<UnderWay>,
    cache: BTreeMap<String, Purchase>,
    /// Doors that wait for a verdict.
    pub(crate) waiting: Vec<(Door, Receiver<Verdict>)>,
    turn_is_due: bool,
    poll_at: Option<Micros>,
}

/// At which door somebody waits, and for what.
#[derive(Clone, Copy)]
pub(crate) enum Door {
    Message(usize),
    Payment(usize),
    Order(usize),
    Consent(usize),
}

#[derive(Default)]
struct Open {
    draft: Draft,
    known: Known,
    moment: Option<Moment>,
    works: usize,
}

pub(crate) struct UnderWay {
    touched: Touched,
    decided: Vec<(Decision, Option<Arc<Purchase>>)>,
    known: Known,
    moment: Moment,
}

impl Instance {
    /// A process that is gone, and whose next start is another one.
    pub(crate) fn killed(epoch: u32) -> Self {
        Self { epoch: epoch + 1, ..Self::default() }
    }
}

impl Life<'_> {
    pub(crate) fn start(&mut self, at: usize) {
        let (instant, reading) = (self.instant(self.now), self.journal_time(self.now));
        let landing = self.desk.landing();
        let instance = &mut self.instances[at];
        instance.is_up = true;
        instance.face = Some(Face::new(reading, instant, landing));
        instance.read_at = self.now;
        self.note(|| format!("instance {at} starts"));
        self.schedule_polls();
    }

    /// What the journal's clock shows.
    pub(crate) fn journal_time(&self, at: Micros) -> Micros {
        let skew = self.clock.iter().rev().find(|(since, _)| *since <= at).map_or(0, |(_, skew)| *skew);
        at + skew
    }

    /// The instance's own time, after all the readings that it has made by now.
    pub(crate) fn moment(&mut self, at: usize) -> Moment {
        let every = Micros::try_from(READ_EVERY.as_micros()).unwrap_or(Micros::MAX);
        let (mut read_at, now) = (self.instances[at].read_at, self.now);
        // Readings between two settings of the clock say nothing new.
        let settings: Vec<Micros> = self.clock.iter().map(|(since, _)| *since).filter(|it| *it > read_at).collect();
        for wanted in settings.into_iter().chain([now - every + 1]) {
            let rounds = ((wanted - read_at).max(0) + every - 1) / every;
            let reading_at = read_at + rounds * every;
            if rounds > 0 && reading_at <= now {
                let (reading, instant) = (self.journal_time(reading_at), self.instant(reading_at));
                if let Some(face) = &mut self.instances[at].face {
                    face.set(reading, instant);
                }
                read_at = reading_at;
            }
        }
        self.instances[at].read_at = read_at;
        let (instant, fallback) = (self.instant(now), self.journal_time(now));
        let face = self.instances[at].face;
        face.map_or(Moment { now: fallback, at: instant, called_at: fallback, began: (fallback, instant) }, |face| {
            face.show(instant)
        })
    }

    pub(crate) fn hear(&mut self, at: usize, epoch: u32, work: Box<Work>) {
        let instance = &mut self.instances[at];
        if instance.epoch != epoch || !instance.is_up {
            return;
        }
        if instance.paused_until > self.now {
            let until = instance.paused_until;
            return self.at(until, Event::Hear { instance: at, epoch, work });
        }
        if let Work::Answer { id, input, .. } = work.as_ref() {
            self.count_findings(&id.clone(), &input.clone());
        }
        self.instances[at].inbox.push(*work);
        self.schedule_turn(at, 0);
        self.maybe_crash(at);
    }

    pub(crate) fn schedule_turn(&mut self, at: usize, pause: Micros) {
        let instance = &mut self.instances[at];
        if !instance.turn_is_due && instance.is_up {
            instance.turn_is_due = true;
            let epoch = instance.epoch;
            let busy = self.chance.up_to(self.weather.busy);
            self.after(pause + busy, Event::Turn { instance: at, epoch });
        }
    }

    pub(crate) fn turn(&mut self, at: usize) {
        let instance = &mut self.instances[at];
        instance.turn_is_due = false;
        let mut works = std::mem::take(&mut instance.later);
        works.append(&mut instance.inbox);
        if let Some(under_way) = &instance.under_way {
            let (held, free): (Vec<_>, Vec<_>) = works.into_iter().partition(|work| under_way.touched.holds_back(work));
            instance.held.extend(held);
            works = free;
        }
        if !works.is_empty() {
            self.take_up(at, works);
        }
        if self.instances[at].under_way.is_none() && self.instances[at].open.works > 0 {
            self.begin_commit(at);
        }
        self.tell_doors(at);
        self.maybe_crash(at);
    }

    fn take_up(&mut self, at: usize, mut works: Vec<Work>) {
        works.sort_by_key(|work| !matches!(work, Work::Due { .. }));
        let moment = self.moment(at);
        if self.now < self.store_down_until {
            let mut aftermath = Aftermath::default();
            aftermath.put_off(works);
            return self.carry_out(at, aftermath, moment);
        }
        let known = self.know(at, &works);
        let mut nonces: Vec<u64> = (0..2 * works.len()).map(|_| self.chance.below(u64::MAX)).collect();
        let mut nonce = || {
            let mut word = || nonces.pop().unwrap_or_default();
            format!("{:016x}{:016x}", word(), word())
        };
        let instance = &mut self.instances[at];
        instance.open.known.add(known);
        instance.open.works += works.len();
        instance.open.moment = Some(moment);
        let Open { draft, known, .. } = &mut instance.open;
        let mut batch = Batch::new(self.desk, known, moment, &mut nonce, draft);
        works.into_iter().for_each(|work| batch.take(work));
        instance.held.append(&mut instance.open.draft.later);
    }

    /// What `engine/turn/know.rs` asks.
    fn know(&mut self, at: usize, works: &[Work]) -> Known {
        let mut known = Known::default();
        for work in works {
            match work {
                Work::Message { reading, .. } => self.know_message(at, reading, &mut known),
                Work::Answer { id, .. } => self.know_purchase(at, id, &mut known),
                Work::Payment { payment, .. } => self.know_purchase(at, &purchase_id(&payment.key, 0), &mut known),
                Work::Notify { notify, .. } => self.know_purchase(at, notify.purchase_id(), &mut known),
                Work::Owed { reply } => {
                    let id = reply.row.purchase_id.as_ref();
                    let purchase = id.and_then(|id| self.store.purchases.get(id));
                    known.purchases.extend(purchase.map(|purchase| (purchase.id.clone(), purchase.clone())));
                }
                _ => {}
            }
        }
        known
    }

    fn know_purchase(&self, at: usize, id: &str, known: &mut Known) {
        let cached = self.instances[at].cache.get(id).or_else(|| self.store.purchases.get(id));
        known.purchases.extend(cached.map(|purchase| (id.to_owned(), purchase.clone())));
    }

    fn know_message(&mut self, at: usize, reading: &Reading, known: &mut Known) {
        if self.broken.is(WorldRule::KeysDecideNothing) && self.keys.is_shared {
            if self.is_doubtful(at, &reading.key) {
                let seen = Seen { key: reading.key.clone(), generation: 0, at: self.now, purchase_id: None };
                known.seen.insert(reading.key.clone(), seen);
            }
        } else if self.is_doubtful(at, &reading.key) {
            known.seen.extend(self.store.seen(&reading.key).map(|seen| (reading.key.clone(), seen)));
        } else {
            known.claimed.insert(reading.key.clone());
        }
        let subscriber = match &reading.meaning {
            Meaning::Request { sender, .. } | Meaning::Agreed { sender, .. } => Some(*sender),
            Meaning::Order(order) => order.msisdn,
            Meaning::Invalid { .. } | Meaning::Kept(_) => None,
        };
        let of_subscriber = subscriber.map(|subscriber| (subscriber, self.store.purchases_of(&subscriber)));
        known.of_subscriber.extend(of_subscriber);
    }

    /// Whether the journal is asked about this message, or the key store has said that it is new.
    fn is_doubtful(&mut self, at: usize, key: &str) -> bool {
        if !self.keys.is_shared {
            return true;
        }
        let owner = format!("{at}-{}", self.chance.below(u64::MAX));
        let life = self.desk.redelivery_window;
        let claimed = self.keys.claim(format!("mo:{key}"), &owner, self.now, life);
        claimed != Claimed::Fresh
    }

    fn begin_commit(&mut self, at: usize) {
        let open = std::mem::take(&mut self.instances[at].open);
        let touched = Touched::by(&open.draft);
        let moment = match open.moment {
            Some(moment) => moment,
            None => self.moment(at),
        };
        let (mut units, mut decided) = (Vec::new(), Vec::new());
        for mut decision in open.draft.decisions {
            let unit = std::mem::take(&mut decision.unit);
            let purchase = unit.purchase.as_ref().map(|row| Arc::new(row.purchase.clone()));
            if self.broken.is(WorldRule::IntentFirst) {
                let effects = std::mem::take(&mut decision.effects);
                for (purchase, effect) in purchase.iter().flat_map(|it| effects.iter().map(move |effect| (it, effect)))
                {
                    self.perform(at, Arc::clone(purchase), effect, moment);
                }
            }
            decided.push((decision, purchase));
            units.push(unit);
        }
        self.instances[at].under_way = Some(UnderWay { touched, decided, known: open.known, moment });
        self.hand_to_journal(at, units);
    }

    /// The commit's way there and back: it may be slow, it may not arrive, and its answer may be lost either way.
    fn hand_to_journal(&mut self, at: usize, units: Vec<Unit>) {
        let epoch = self.instances[at].epoch;
        let way = if self.chance.percent(97) { self.chance.up_to(SECOND / 100) } else { self.chance.up_to(4 * SECOND) };
        let arrives = self.now + way >= self.store_down_until && !self.chance.percent(1);
        if arrives {
            let answered_after = self.chance.up_to(SECOND / 100);
            self.after(way, Event::Reach { instance: at, epoch, units, answered_after });
        } else {
            let outcomes = self.broken.is(WorldRule::AmbiguousCommit).then(|| vec![Committed::Durable; units.len()]);
            self.after(way + 2 * SECOND, Event::Committed { instance: at, epoch, outcomes });
        }
    }

    /// It stands from here on, whatever becomes of the instance.
    pub(crate) fn reach(&mut self, at: usize, epoch: u32, units: &[Unit], answered_after: Micros) {
        let killed = self.instances[at].epoch != epoch;
        if killed && self.chance.percent(50) {
            return;
        }
        let (stale, outcomes) = (self.store.stale, self.store.commit(units));
        for _ in stale..self.store.stale {
            self.tally.saw(Fault::F62);
        }
        for (unit, outcome) in units.iter().zip(&outcomes) {
            self.committed_unit(unit, *outcome);
        }
        // Found out by asking for the commit's number, or not at all.
        let is_lost = self.chance.percent(2);
        if is_lost {
            self.tally.saw(Fault::F52);
        }
        let answered_after = if is_lost { 2 * SECOND } else { answered_after };
        let outcomes = (!is_lost || self.chance.percent(60)).then_some(outcomes);
        self.after(answered_after, Event::Committed { instance: at, epoch, outcomes });
        self.schedule_polls();
    }

    fn committed_unit(&mut self, unit: &Unit, outcome: Committed) {
        if outcome == Committed::Refused {
            self.wrong("the journal refused a step that its rules forbid");
        }
        if outcome != Committed::Durable {
            return;
        }
        for event in &unit.events {
            self.mix(&event.body);
            self.note(|| {
                format!("{}: {} -> {} by {}", event.purchase_id, event.state_from, event.state_to, event.body)
            });
            self.tally
                .reached
                .entry((event.state_from.clone(), event.kind.clone()))
                .and_modify(|it| *it += 1)
                .or_insert(1);
            let was_over = State::ALL.iter().any(|it| it.as_str() == event.state_from && super::wires::is_over(*it));
            if was_over && event.body.contains("\"finding\":\"charged\"") {
                self.tally.saw(Fault::F40);
            }
        }
    }

    pub(crate) fn committed(&mut self, at: usize, epoch: u32, outcomes: Option<Vec<Committed>>) {
        let instance = &self.instances[at];
        if instance.epoch != epoch || !instance.is_up {
            return;
        }
        if instance.paused_until > self.now {
            return self.at(instance.paused_until, Event::Committed { instance: at, epoch, outcomes });
        }
        let Some(UnderWay { decided, known, moment, .. }) = self.instances[at].under_way.take() else { return };
        let mut aftermath = Aftermath::default();
        match outcomes {
            Some(outcomes) => {
                for ((decision, purchase), outcome) in decided.into_iter().zip(outcomes) {
                    aftermath.add(self.desk, decision, purchase, outcome, &known);
                }
            }
            None => {
                decided.into_iter().for_each(|(decision, purchase)| aftermath.undecided(decision, purchase.as_deref()))
            }
        }
        self.carry_out(at, aftermath, moment);
        let held = std::mem::take(&mut self.instances[at].held);
        self.instances[at].later.extend(held);
        self.schedule_turn(at, 0);
        self.maybe_crash(at);
    }

    fn carry_out(&mut self, at: usize, aftermath: Aftermath, moment: Moment) {
        for (done, verdict) in aftermath.verdicts {
            let _ = done.send(verdict);
        }
        for text in aftermath.texts {
            self.submit(at, text);
        }
        let cache = &mut self.instances[at].cache;
        aftermath.doubtful.iter().for_each(|id| drop(cache.remove(id)));
        for purchase in aftermath.standing {
            match purchase.state.is_end() || purchase.state == State::Offered {
                true => drop(cache.remove(&purchase.id)),
                false => drop(cache.insert(purchase.id.clone(), Purchase::clone(&purchase))),
            }
        }
        for (purchase, effect) in aftermath.effects {
            self.perform(at, purchase, &effect, moment);
        }
        let epoch = self.instances[at].epoch;
        for (work, pause) in aftermath.after {
            let pause = Micros::try_from(pause.as_micros()).unwrap_or(SECOND);
            self.after(pause, Event::Hear { instance: at, epoch, work: Box::new(work) });
        }
        if !aftermath.later.is_empty() {
            self.instances[at].later.extend(aftermath.later);
            self.schedule_turn(at, JOURNAL_PAUSE);
        }
        self.tell_doors(at);
    }

    /// Doors that have heard a verdict tell their peer; one that was dropped says "later".
    fn tell_doors(&mut self, at: usize) {
        let waiting = std::mem::take(&mut self.instances[at].waiting);
        for (door, mut verdict) in waiting {
            let early = self.broken.is(WorldRule::AckWhenDurable).then_some(Verdict::Fresh);
            let heard = match (early, verdict.try_recv()) {
                (Some(early), _) => early,
                (None, Ok(heard)) => heard,
                (None, Err(TryRecvError::Closed)) => Verdict::Later,
                (None, Err(TryRecvError::Empty)) => {
                    self.instances[at].waiting.push((door, verdict));
                    continue;
                }
            };
            let told = match door {
                Door::Message(sms) => Event::Acknowledged { sms, verdict: heard },
                Door::Payment(payment) => Event::PaymentHeard { payment, verdict: heard },
                Door::Order(order) => Event::OrderHeard { order, verdict: heard },
                Door::Consent(consent) => Event::ConsentHeard { consent, verdict: heard },
            };
            self.after(1_000, told);
        }
    }

    /// A text on its way to the phone. The journal hears what became of it, if the instance lives to say so.
    fn submit(&mut self, at: usize, text: Text) {
        let (epoch, row) = (self.instances[at].epoch, text.row);
        let number = row.to.digits();
        let luck = self.chance.below(100);
        let submitted = match luck {
            0..=3 => Submitted::NotSent("the link is down"),
            4..=8 => Submitted::Unknown("no answer"),
            _ => Submitted::Accepted { message_id: String::new() },
        };
        let arrives = !matches!(submitted, Submitted::NotSent(_)) && luck != 4;
        if let Some(subscriber) = self.subscribers.iter().position(|it| it.number == number).filter(|_| arrives) {
            let way = SECOND / 10 + self.chance.up_to(2 * SECOND);
            self.after(way, Event::Read { subscriber, key: row.key.clone(), code: text.code });
        }
        let took = if matches!(submitted, Submitted::Unknown(_)) { 10 * SECOND } else { self.chance.up_to(SECOND) };
        let work = Work::Reply { key: row.key, kind: row.kind, sends: text.sends + 1, submitted };
        self.after(took, Event::Hear { instance: at, epoch, work: Box::new(work) });
    }

    /// Each instance that runs looks when something is due by its own clock.
    pub(crate) fn schedule_polls(&mut self) {
        let Some(due) = self.store.next_due() else { return };
        for at in 0..self.instances.len() {
            if !self.instances[at].is_up {
                continue;
            }
            let behind = self.now - self.moment(at).now;
            let look_at = (due + behind).max(self.now) + self.chance.up_to(SECOND / 10);
            let instance = &mut self.instances[at];
            if instance.poll_at.is_none_or(|planned| look_at < planned) {
                instance.poll_at = Some(look_at);
                let epoch = instance.epoch;
                self.at(look_at, Event::Poll { instance: at, epoch });
            }
        }
    }

    pub(crate) fn poll(&mut self, at: usize) {
        // Another look was planned in the meantime, or this one has been made.
        if self.instances[at].poll_at.is_none_or(|planned| planned > self.now) {
            return;
        }
        self.instances[at].poll_at = None;
        if self.now < self.store_down_until {
            let (until, epoch) = (self.store_down_until, self.instances[at].epoch);
            self.instances[at].poll_at = Some(until);
            return self.at(until, Event::Poll { instance: at, epoch });
        }
        let now = self.moment(at).now;
        let due = self.store.claim_due(now, LEASE);
        let replies = match self.broken.is(WorldRule::OutboxIsDue) {
            true => Vec::new(),
            false => self.store.claim_replies(now, self.desk.reply_lease),
        };
        let works = due.into_iter().map(|purchase| Work::Due { purchase: Box::new(purchase) });
        let works: Vec<Work> = works.chain(replies.into_iter().map(|reply| Work::Owed { reply })).collect();
        if !works.is_empty() {
            self.instances[at].inbox.extend(works);
            self.schedule_turn(at, 0);
        }
        self.schedule_polls();
    }
}
