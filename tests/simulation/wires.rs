//! Requests to the channel and to the package manager: they leave in time or not at all, may be held, lost or heard late,
//! and act at the peer whoever has died since. Judges each act at the moment it is done.

use super::books::Sums;
use super::broken::WorldRule;
use super::keys::Claimed;
use super::life::{Event, Life, SECOND};
use super::peers::{BUSY, NO_MONEY, PRICE, heard_from};
use super::tally::Fault;
use paygate::config::Otp;
use paygate::engine::clock::Moment;
use paygate::engine::door::Door;
use paygate::engine::work::Work;
use paygate::purchase::Purchase;
use paygate::purchase::evidence::{Cause, ChannelAnswer, CheckAnswer, Finding, GrantAnswer, Reason};
use paygate::purchase::input::{ChannelCall, Effect, GrantCall, Input};
use paygate::purchase::offer::Asks;
use paygate::purchase::record::{Attempt, AttemptStatus, Micros, State};
use std::sync::Arc;

/// What moves is waited for this long,
const CALL_TIMEOUT: Micros = 5 * SECOND;
/// and a question, which may take several calls in a row, this long.
const QUESTION_TIMEOUT: Micros = 12 * SECOND;
/// How long the witness of a charge is remembered.
const WITNESS_LIFE: Micros = 48 * 3_600 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Check,
    Channel(ChannelCall),
    Grant(GrantCall),
}

impl Question {
    pub(crate) const fn moves(self) -> bool {
        match self {
            Self::Channel(ChannelCall::Prepare | ChannelCall::Charge | ChannelCall::Refund)
            | Self::Grant(GrantCall::Grant) => true,
            Self::Check
            | Self::Channel(ChannelCall::InquireCharge | ChannelCall::CancelCharge | ChannelCall::InquireRefund)
            | Self::Grant(GrantCall::InquireGrant) => false,
        }
    }

    fn attempt_of(self, purchase: &Purchase) -> Option<&Attempt> {
        match self {
            Self::Check => None,
            Self::Grant(_) => purchase.grant.as_ref(),
            Self::Channel(call) => purchase.attempt_of(call),
        }
    }
}

/// One request, from the effect to the last that is heard of it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) instance: usize,
    pub(crate) epoch: u32,
    pub(crate) purchase: Arc<Purchase>,
    pub(crate) question: Question,
    sends: u32,
    called_at: Micros,
    /// By the steady clock.
    deadline: Micros,
    pub(crate) left_at: Option<Micros>,
    pub(crate) acts_at: Option<Micros>,
    pub(crate) is_heard: bool,
    timed_out: bool,
}

impl Request {
    fn key(&self) -> String {
        self.question.attempt_of(&self.purchase).map(|attempt| attempt.key.clone()).unwrap_or_default()
    }
}

impl Life<'_> {
    pub(crate) fn perform(&mut self, instance: usize, purchase: Arc<Purchase>, effect: &Effect, moment: Moment) {
        let question = match effect {
            Effect::Check => Question::Check,
            Effect::Call { call } => Question::Channel(*call),
            Effect::Give { call } => Question::Grant(*call),
            Effect::Tell { .. } => return,
        };
        if question == Question::Channel(ChannelCall::Charge) {
            self.judge_consent(&purchase);
        }
        let attempt = question.attempt_of(&purchase);
        let (sends, send_by) = attempt.map_or((0, Micros::MAX), |attempt| (attempt.sends, attempt.send_by));
        let called_at = moment.asked_at(attempt, &self.desk.rules.grant);
        let deadline = if send_by == Micros::MAX { send_by } else { self.steady(moment.instant_of(send_by)) };
        let request = Request {
            instance,
            epoch: self.instances[instance].epoch,
            purchase,
            question,
            sends,
            called_at,
            deadline,
            left_at: None,
            acts_at: None,
            is_heard: false,
            timed_out: false,
        };
        self.requests.push(request);
        let wait = if self.chance.percent(95) { self.chance.up_to(SECOND) } else { self.chance.up_to(20 * SECOND) };
        self.after(wait, Event::Leave { request: self.requests.len() - 1 });
    }

    /// The last look at the clock before the first byte.
    pub(crate) fn leave(&mut self, at: usize) {
        let (instance, epoch, question) =
            (self.requests[at].instance, self.requests[at].epoch, self.requests[at].question);
        let process = &self.instances[instance];
        if process.epoch != epoch || !process.is_up {
            return;
        }
        if process.paused_until > self.now {
            return self.at(process.paused_until, Event::Leave { request: at });
        }
        if question.moves() && self.now > self.requests[at].deadline && !self.broken.is(WorldRule::SendDeadline) {
            self.tally.saw(Fault::F63);
            return self.answer(at, 0, not_sent(&self.requests[at]));
        }
        if let Some(witnessed) = self.witness(at) {
            return self.answer(at, 0, witnessed);
        }
        if self.chance.percent(5) {
            if question.moves() {
                self.tally.saw(Fault::F16);
            }
            let pause = self.pause_of_a_process();
            return self.answer(at, pause, not_sent(&self.requests[at]));
        }
        self.send(at);
        self.maybe_crash(instance);
    }

    /// What a killed or paused process's socket does is told when it goes on.
    fn pause_of_a_process(&mut self) -> Micros {
        if self.chance.percent(25) { self.chance.up_to(90 * SECOND) } else { 0 }
    }

    fn send(&mut self, at: usize) {
        let question = self.requests[at].question;
        self.requests[at].left_at = Some(self.now);
        let timeout = if question.moves() { CALL_TIMEOUT } else { QUESTION_TIMEOUT };
        let silence = unknown(&self.requests[at], Cause::NoAnswer);
        self.say(at, timeout, silence, Telling::Silence);
        if self.chance.percent(7) {
            if question.moves() {
                self.tally.saw(Fault::F17);
            }
            return;
        }
        let flight = self.desk.rules.grant.max_flight;
        let is_held = self.chance.percent(self.weather.held);
        let held = self.chance.up_to(if is_held { 45 * SECOND } else { SECOND });
        let latest = self.requests[at].deadline.max(self.now).saturating_add(flight);
        let acts_at = (self.now + held).min(latest);
        self.requests[at].acts_at = Some(acts_at);
        self.at(acts_at, Event::Act { request: at });
        if question == Question::Channel(ChannelCall::Charge) {
            self.ambush(self.requests[at].instance);
        }
    }

    /// The key store's word on a charge or refund that the journal may have lost.
    fn witness(&mut self, at: usize) -> Option<Input> {
        let request = &self.requests[at];
        let Question::Channel(ChannelCall::Charge | ChannelCall::Refund) = request.question else { return None };
        let key = &request.question.attempt_of(&request.purchase)?.key;
        let owner = format!("{}-{}", request.instance, request.epoch);
        let key = format!("charge:{key}:{}", request.sends);
        match self.keys.claim(key, &owner, self.now, WITNESS_LIFE) {
            Claimed::Taken => Some(unknown(&self.requests[at], Cause::Witness)),
            Claimed::Fresh | Claimed::Unavailable => None,
        }
    }

    /// It arrives, and what it does is done whether or not its answer is ever heard.
    pub(crate) fn act(&mut self, at: usize) {
        self.requests[at].acts_at = None;
        let before = self.books.sums(&self.requests[at].purchase.id);
        let heard = self.done_by(at);
        let after = self.books.sums(&self.requests[at].purchase.id);
        self.judge_act(at, before, after);
        self.mix(&format!("{:?}{before:?}{after:?}", self.requests[at].question));
        let request = &self.requests[at];
        let (left_at, question) = (request.left_at.unwrap_or(self.now), request.question);
        self.note(|| format!("the peer acts on {question:?}: {before:?} -> {after:?}"));
        let took = self.answer_takes(question);
        let timeout = if question.moves() { CALL_TIMEOUT } else { QUESTION_TIMEOUT };
        let in_time = self.now + took <= left_at + timeout;
        let is_bad = self.chance.percent(6);
        let moved = before != after;
        self.count_answer(at, moved, in_time && !is_bad, is_bad, &heard);
        let charge = question == Question::Channel(ChannelCall::Charge);
        if charge && moved && in_time && !is_bad && self.chance.percent(2) {
            return self.deny_and_notify(at, took, heard);
        }
        if in_time && is_bad {
            return self.answer(at, took, unknown(&self.requests[at], Cause::BadAnswer));
        }
        if in_time || self.chance.percent(60) {
            if self.chance.percent(10) {
                let later = self.chance.up_to(10 * SECOND);
                self.answer(at, took + later, heard.clone());
            }
            self.answer(at, took, heard);
        }
    }

    /// Where grants are refused, refusals come about as late as the question after them.
    fn answer_takes(&mut self, question: Question) -> Micros {
        let is_slow = self.chance.percent(self.weather.held);
        let longest = match question {
            Question::Grant(GrantCall::Grant) if self.weather.refuses_grants => 30,
            Question::Grant(GrantCall::InquireGrant) if self.weather.refuses_grants => 11,
            _ if is_slow => *self.chance.one_of(&[12, 12, 180]),
            _ => 2,
        };
        self.chance.up_to(longest * SECOND)
    }

    fn done_by(&mut self, at: usize) -> Input {
        let request = &self.requests[at];
        let (sends, called_at, purchase) = (request.sends, request.called_at, Arc::clone(&request.purchase));
        match request.question {
            Question::Check => self.checked(),
            Question::Channel(call) => {
                let key = purchase.charge.as_ref().map(|charge| charge.key.clone()).unwrap_or_default();
                let asked = purchase.attempt_of(call).map(|attempt| attempt.key.clone()).unwrap_or_default();
                let code = purchase.offer.as_ref().and_then(|offer| offer.answered.as_deref());
                let price = purchase.offer.as_ref().map_or(PRICE, |offer| offer.price);
                let finding = self.books.channel(&mut self.chance, call, (&key, price), code, self.now);
                let finding = self.or_no_verdict(call, finding);
                heard_from(call, &asked, sends, called_at, finding, self.chance.percent(80))
            }
            Question::Grant(call) => {
                let answer = self.books.packages(&mut self.chance, call, &purchase.id);
                Input::Grant { call, sends, called_at, answer }
            }
        }
    }

    /// A question may be put off, or be refused for being one too many.
    fn or_no_verdict(&mut self, call: ChannelCall, finding: Finding) -> Finding {
        use ChannelCall::{CancelCharge, InquireCharge, InquireRefund};
        match (call, self.chance.below(100)) {
            (InquireCharge | InquireRefund, 0..=3) => {
                self.tally.saw(Fault::F30);
                Finding::Unknown { cause: Cause::Pending }
            }
            (InquireCharge | InquireRefund | CancelCharge, 4..=7) => {
                self.tally.saw(Fault::F24);
                BUSY
            }
            _ => finding,
        }
    }

    fn checked(&mut self) -> Input {
        Input::Checked { answer: self.says_of_sale(), nonce: String::new() }
    }

    pub(crate) fn says_of_sale(&mut self) -> CheckAnswer {
        match self.chance.below(20) {
            0 => CheckAnswer::Refused { reason: Reason::NoAccount, heard: String::new() },
            1 | 2 => CheckAnswer::Unavailable { heard: String::new() },
            _ => CheckAnswer::Allowed { package_name: "VIP 30 ngay".to_owned(), price: PRICE, days: 30 },
        }
    }

    fn judge_consent(&mut self, purchase: &Purchase) {
        let within = self.desk.rules.grant.send_within;
        let anew = self.desk.rules.channels.values().find(|_| !purchase.former.is_empty());
        let valid = anew.map_or(self.desk.rules.consent_valid, |channel| channel.retry_consent);
        let both = purchase.consent.as_ref().zip(purchase.charge.as_ref());
        let stands = both.is_some_and(|(consent, charge)| charge.send_by - within < consent.given_at + valid);
        if !stands {
            self.wrong(format!("{} is to be charged on a consent that is no longer valid", purchase.id));
        }
    }

    /// Gross: what no later repair takes back.
    fn judge_act(&mut self, at: usize, before: Sums, after: Sums) {
        let (purchase, question) = (Arc::clone(&self.requests[at].purchase), self.requests[at].question);
        let id = &purchase.id;
        if after.charges > before.charges {
            if self.said.get(&(id.clone(), false)).is_some_and(|said| said.found_nothing) {
                self.tally.saw(Fault::F20);
            }
            if !purchase.former.is_empty() {
                self.tally.saw(Fault::Anew);
            }
            // Nobody can know better than a channel that says "refused" and does not take it back in time.
            if before.charges > 0 && !self.was_denied(id) {
                self.wrong(format!("{id} is charged twice"));
            }
            if !self.is_agreed(&purchase) {
                self.wrong(format!("{id} is charged without its subscriber's own confirmation"));
            }
        }
        if after.grants > before.grants && before.grants > 0 {
            self.wrong(format!("{id} is granted twice"));
        }
        if after.grants > before.grants && before.charges <= before.refunds {
            self.wrong(format!("{id} is granted and not paid"));
        }
        if after.refunds > before.refunds && (before.refunds >= before.charges || before.grants > 0) {
            self.wrong(format!("{id} is given back twice, or beside its package"));
        }
        if after == before || question.attempt_of(&purchase).is_some() {
            return;
        }
        self.wrong(format!("{id}: money moved without an intent"));
    }

    fn is_agreed(&self, purchase: &Purchase) -> bool {
        let Some(offer) = &purchase.offer else { return false };
        let is_dialled = purchase.order.door == Door::Ussd.as_str();
        if is_dialled && !self.is_agreed_on_a_screen(purchase) {
            return false;
        }
        let rules = &self.desk.rules;
        let message_is_consent = rules.otp == Otp::None && !rules.confirm_without_code;
        let screen_is_consent = rules.menu_otp == Otp::None;
        let is_consent = if is_dialled { screen_is_consent } else { message_is_consent } && !purchase.order.repeat;
        let Some(number) = purchase.order.msisdn.map(|msisdn| msisdn.digits()) else { return false };
        let Some(subscriber) = self.subscribers.iter().find(|it| it.number == number) else { return false };
        match offer.asks {
            Asks::Code => subscriber.has_confirmed(&purchase.id, false),
            Asks::ChannelCode => subscriber.has_confirmed(&purchase.id, true),
            Asks::Payment => true,
            Asks::Yes => is_consent || subscriber.has_confirmed(&purchase.id, true),
        }
    }

    /// Whether the channel called a charge of this purchase refused that it had made.
    pub(crate) fn was_denied(&self, purchase: &str) -> bool {
        self.denied.iter().any(|key| key.starts_with(purchase))
    }

    /// The channel calls a charge refused that it has made, and says so later, as often as it takes to be believed.
    fn deny_and_notify(&mut self, at: usize, took: Micros, truth: Input) {
        self.tally.saw(Fault::F27);
        if let Input::Channel { call, key, sends, called_at, .. } = &truth {
            self.denied.insert(key.clone());
            self.answer(at, took, heard_from(*call, key, *sends, *called_at, NO_MONEY, true));
        }
        let pause = took + SECOND + self.chance.up_to(60 * SECOND);
        self.after(pause, Event::Notify { request: at, input: Box::new(truth) });
    }

    pub(crate) fn notify(&mut self, at: usize, input: Box<Input>) {
        let id = self.requests[at].purchase.id.clone();
        let purchase = self.store.purchases.get(&id);
        let mut charges = purchase.iter().flat_map(|purchase| purchase.charge.iter().chain(&purchase.former));
        let told = |key: &str| charges.any(|it| it.key == key && it.status == AttemptStatus::Succeeded);
        if matches!(input.as_ref(), Input::Channel { key, .. } if { told }(key)) {
            return;
        }
        let instance = usize::try_from(self.chance.below(self.instances.len() as u64)).unwrap_or(0);
        let work = Work::Answer { id, input: input.as_ref().clone(), tries: 0 };
        self.hear(instance, self.instances[instance].epoch, Box::new(work));
        self.after(30 * SECOND, Event::Notify { request: at, input });
    }

    fn count_answer(&mut self, at: usize, moved: bool, is_heard: bool, is_bad: bool, heard: &Input) {
        let question = self.requests[at].question;
        let charge = question == Question::Channel(ChannelCall::Charge);
        if charge && moved && !is_heard && !is_bad {
            self.tally.saw(Fault::F18);
        }
        if is_bad {
            self.tally.saw(Fault::F25);
            if charge {
                self.tally.saw(Fault::F24);
            }
        }
        if question == Question::Channel(ChannelCall::Refund) && !is_heard {
            self.tally.saw(Fault::F48);
        }
        if let Input::Channel { answer, .. } = heard
            && let Finding::Charged { amount, msisdn } = &answer.finding
            && moved
        {
            if self.requests[at].purchase.offer.as_ref().is_some_and(|offer| offer.price != *amount) {
                self.tally.saw(Fault::F26);
            }
            if msisdn.is_some() {
                self.tally.saw(Fault::F31);
            }
        }
        if let Input::Grant { call: GrantCall::Grant, answer: GrantAnswer::Refused { .. }, .. } = heard {
            if moved {
                self.tally.saw(Fault::F44);
            }
            let id = &self.requests[at].purchase.id;
            let under_way = |other: &Request| {
                other.question == Question::Grant(GrantCall::Grant)
                    && other.purchase.id == *id
                    && other.acts_at.is_some()
            };
            if self.requests.iter().any(under_way) {
                self.tally.saw(Fault::F45);
            }
        }
    }

    fn answer(&mut self, at: usize, after: Micros, input: Input) {
        self.say(at, after, input, Telling::Answer);
    }

    fn say(&mut self, at: usize, after: Micros, input: Input, telling: Telling) {
        let work = Work::Answer { id: self.requests[at].purchase.id.clone(), input, tries: 0 };
        self.after(after, Event::Tell { request: at, work: Box::new(work), telling });
    }

    /// A call has its answer, or its timeout; an answer after that is heard all the same.
    pub(crate) fn tell(&mut self, at: usize, work: Box<Work>, telling: Telling) {
        let request = &mut self.requests[at];
        match telling {
            Telling::Silence if request.is_heard => return,
            Telling::Silence => request.timed_out = true,
            Telling::Answer => request.is_heard = true,
        }
        let (instance, epoch) = (request.instance, request.epoch);
        if request.timed_out && request.is_heard && request.question == Question::Channel(ChannelCall::Charge) {
            self.tally.saw(Fault::F19);
        }
        self.hear(instance, epoch, work);
    }
}

/// What a call hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Its timeout, unless it has been answered.
    Silence,
    Answer,
}

/// Whether a purchase has ended or is in a person's hands.
pub(crate) fn is_over(state: State) -> bool {
    state.is_end() || state == State::Review
}

fn unknown(request: &Request, cause: Cause) -> Input {
    let (sends, called_at, heard) = (request.sends, request.called_at, String::new());
    match request.question {
        Question::Check => Input::Checked { answer: CheckAnswer::Unavailable { heard }, nonce: String::new() },
        Question::Channel(call) => {
            heard_from(call, &request.key(), sends, called_at, Finding::Unknown { cause }, false)
        }
        Question::Grant(call) => Input::Grant { call, sends, called_at, answer: GrantAnswer::Unknown { cause, heard } },
    }
}

fn not_sent(request: &Request) -> Input {
    let (sends, called_at, why) = (request.sends, request.called_at, "connection refused".to_owned());
    match request.question {
        Question::Check => unknown(request, Cause::NoAnswer),
        Question::Channel(call) => heard_from(call, &request.key(), sends, called_at, Finding::NotSent { why }, false),
        Question::Grant(call) => Input::Grant { call, sends, called_at, answer: GrantAnswer::NotSent { why } },
    }
}

/// What a channel is heard to say.
pub(crate) fn finding_of(input: &Input) -> Option<(ChannelCall, &Finding)> {
    match input {
        Input::Channel { call, answer: ChannelAnswer { finding, .. }, .. } => Some((*call, finding)),
        _ => None,
    }
}
