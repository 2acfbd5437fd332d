//! What goes wrong around the instances: kill -9 and SIGSTOP, stores that go away and forget, clocks that are set. Counts
//! what each crash interrupted.

use super::chance::Chance;
use super::instance::{Door, Instance};
use super::life::{Event, Life, MINUTE, SECOND};
use super::store::is_intended;
use super::tally::Fault;
use super::wires::{Question, finding_of};
use paygate::engine::work::Work;
use paygate::journal::rows::ReplyStatus;
use paygate::purchase::input::{ChannelCall, GrantCall, Input};
use paygate::purchase::record::Micros;

/// How often what happens, in a thousand moments. Each life has a weather of its own, so that rare things meet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    kills: u64,
    pauses: u64,
    store: u64,
    keys: u64,
    clock: u64,
    /// Requests and answers in a hundred that take long.
    pub(crate) held: u64,
    /// How long a loop may be busy before it takes up what has come.
    pub(crate) busy: Micros,
    ambush: Option<Ambush>,
    /// The package manager recognises its keys and refuses much.
    pub(crate) refuses_grants: bool,
}

/// What waits for an instance whose charge has just left: meetings too rare to leave to luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ambush {
    /// It is killed, the clock leaps forward, and it starts again while the charge is under way.
    Leap,
    /// The clock is set back and another instance starts by it; from then on
    SetBack,
    /// whoever goes by the new clock is killed with a charge under way.
    NewClock,
}

impl Weather {
    pub(crate) fn dealt(chance: &mut Chance) -> Self {
        let mild = Self {
            kills: 8,
            pauses: 5,
            store: 3,
            keys: 3,
            clock: 2,
            held: 15,
            busy: SECOND / 1_000,
            ambush: None,
            refuses_grants: false,
        };
        let calm = Self { kills: 0, pauses: 0, store: 0, keys: 0, clock: 0, ..mild };
        match chance.below(12) {
            0 => Self { kills: 40, held: 40, ..mild },
            1 => Self { pauses: 40, ..mild },
            2 => Self { store: 25, ..mild },
            3 => Self { kills: 25, clock: 25, held: 50, ..mild },
            4 => Self { keys: 30, ..mild },
            5 => calm,
            6 => Self { held: 60, busy: 2 * SECOND, ..mild },
            7 => Self { ambush: Some(Ambush::Leap), held: 60, ..calm },
            8 => Self { ambush: Some(Ambush::SetBack), held: 60, ..calm },
            9 => Self { refuses_grants: true, held: 60, ..calm },
            _ => mild,
        }
    }
}

impl Weather {
    /// Whether several instances and several subscribers are needed for what it has in store.
    pub(crate) fn needs_a_crowd(self) -> bool {
        self.ambush == Some(Ambush::SetBack)
    }
}

impl Life<'_> {
    /// Now and then something happens to an instance that has just done something.
    pub(crate) fn maybe_crash(&mut self, at: usize) {
        let Weather { kills, pauses, store, keys, clock, .. } = self.weather;
        match self.chance.below(1_000) {
            luck if luck < kills => self.crash(at),
            luck if luck < kills + pauses => self.pause(at),
            luck if luck < kills + pauses + store => self.lose_the_store(),
            luck if luck < kills + pauses + store + keys => self.trouble_the_keys(),
            luck if luck < kills + pauses + store + keys + clock => {
                let back = self.chance.percent(50);
                self.set_the_clock(back);
            }
            _ => {}
        }
    }

    /// A charge has just left this instance.
    pub(crate) fn ambush(&mut self, at: usize) {
        let goes_by_the_new_clock = self.moment(at).now - self.journal_time(self.now) < SECOND;
        match self.weather.ambush {
            None => {}
            Some(Ambush::Leap) => {
                self.kill(at);
                self.set_the_clock(false);
                let down = self.chance.up_to(5 * SECOND);
                self.start_after(at, down);
            }
            Some(Ambush::SetBack) if self.instances.len() > 1 => {
                self.set_the_clock(true);
                let other = (at + 1) % self.instances.len();
                self.kill(other);
                self.start_after(other, 0);
                self.weather.ambush = Some(Ambush::NewClock);
            }
            Some(Ambush::NewClock) if goes_by_the_new_clock => {
                self.kill(at);
                self.start_after(at, 2 * MINUTE);
            }
            Some(Ambush::SetBack | Ambush::NewClock) => {}
        }
    }

    fn crash(&mut self, at: usize) {
        if !self.instances[at].is_up {
            return;
        }
        self.kill(at);
        let longest = *self.chance.one_of(&[10 * SECOND, 10 * SECOND, 2 * MINUTE, 2 * MINUTE, 120 * MINUTE]);
        let down = self.chance.up_to(longest);
        if self.weather.clock > 10 && self.chance.percent(60) {
            self.set_the_clock(false);
        }
        self.start_after(at, down);
    }

    fn kill(&mut self, at: usize) {
        self.count_interrupted(at);
        self.tally.crashes += 1;
        self.note(|| format!("instance {at} is killed"));
        self.instances[at] = Instance::killed(self.instances[at].epoch);
    }

    fn start_after(&mut self, at: usize, down: Micros) {
        let down = down.max(self.clock_is_read_at() - self.now);
        self.after(down, Event::Start { instance: at });
    }

    /// When every instance that runs has read the journal's clock since it was last set: a start before that is a limit
    /// that `engine::clock` names.
    fn clock_is_read_at(&self) -> Micros {
        let others_run = self.instances.iter().any(|it| it.is_up);
        let set_at = self.clock.last().filter(|_| others_run && self.clock.len() > 1);
        set_at.map_or(0, |(since, _)| since + 11 * SECOND)
    }

    fn pause(&mut self, at: usize) {
        let pause = self.chance.up_to(90 * SECOND);
        self.note(|| format!("instance {at} is stopped for {} s", pause / SECOND));
        self.instances[at].paused_until = self.now + pause;
    }

    fn lose_the_store(&mut self) {
        let down = self.chance.up_to(30 * SECOND);
        self.tally.saw(Fault::F57);
        self.note(|| format!("the store is down for {} s", down / SECOND));
        self.store_down_until = self.now + down;
    }

    fn trouble_the_keys(&mut self) {
        if !self.keys.is_shared {
            return;
        }
        self.tally.saw(Fault::F60);
        match self.chance.percent(50) {
            true => self.keys.flush(),
            false => self.keys.silent_until = self.now + self.chance.up_to(MINUTE),
        }
    }

    /// Forward at any time, and back while everybody runs.
    fn set_the_clock(&mut self, back: bool) {
        if back && self.instances.iter().any(|it| !it.is_up || it.paused_until > self.now) {
            return;
        }
        self.tally.saw(Fault::F64);
        let skew = self.clock.last().map_or(0, |(_, skew)| *skew);
        let step = self.chance.up_to(60 * MINUTE);
        let skew = if back { skew - step } else { skew + step };
        self.note(|| format!("the journal's clock is set to {} s off", skew / SECOND));
        self.clock.push((self.now, skew));
    }

    fn count_interrupted(&mut self, at: usize) {
        let mut seen = Vec::new();
        let instance = &self.instances[at];
        for (door, _) in &instance.waiting {
            let Door::Message(sms) = door else { continue };
            let key = &self.keys_of.get(sms).cloned().unwrap_or_default();
            seen.push(if self.store.seen(key).is_some() { Fault::F2 } else { Fault::F1 });
        }
        for work in &instance.inbox {
            match work {
                Work::Answer { input: Input::Channel { call: ChannelCall::Charge, .. }, .. } => seen.push(Fault::F8),
                Work::Reply { .. } => seen.push(Fault::F4),
                _ => {}
            }
        }
        for owed in self.store.replies.values().filter(|owed| owed.status == ReplyStatus::Queued) {
            match owed.row.kind.as_str() {
                "offer" => seen.push(Fault::F3),
                "done" | "refunded" | "declined" => seen.push(Fault::F11),
                _ => {}
            }
        }
        for request in self.requests.iter().filter(|it| it.instance == at && it.epoch == instance.epoch && !it.is_heard)
        {
            match (request.question, request.left_at) {
                (Question::Channel(ChannelCall::Charge), None) if is_intended(request.purchase.charge.as_ref()) => {
                    seen.push(Fault::F6);
                }
                (Question::Channel(ChannelCall::Charge), Some(_)) => seen.push(Fault::F7),
                (Question::Grant(GrantCall::Grant), None) => seen.push(Fault::F9),
                (Question::Grant(GrantCall::Grant), Some(_)) => seen.push(Fault::F10),
                (Question::Channel(ChannelCall::Refund), _) => seen.push(Fault::F12),
                _ => {}
            }
        }
        seen.sort_unstable();
        seen.dedup();
        seen.into_iter().for_each(|fault| self.tally.saw(fault));
    }

    /// Findings of one charge that contradict each other over time.
    pub(crate) fn count_findings(&mut self, id: &str, input: &Input) {
        use paygate::purchase::evidence::Finding;
        let Some((call, finding)) = finding_of(input) else { return };
        let said = self.said.entry((id.to_owned(), call.is_of_refund())).or_default();
        let (found_nothing, denied) = (said.found_nothing, said.denied);
        match finding {
            Finding::NotFound => said.found_nothing = true,
            Finding::NotCharged(_) | Finding::NotRefunded(_) => said.denied = true,
            Finding::Charged { .. } if found_nothing => self.tally.saw(Fault::F29),
            Finding::Charged { .. } if denied => self.tally.saw(Fault::F27),
            Finding::Refunded { .. } if denied || found_nothing => self.tally.saw(Fault::F49),
            _ => {}
        }
    }
}

/// What was said of one purchase's charge or refund so far.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) found_nothing: bool,
    denied: bool,
}
