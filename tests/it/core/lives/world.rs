//! One life: a purchase, its subscriber, its peers, the wires between them, crashes and clocks. Every step of the core is
//! held to the rules of `rules_of_money`; the world knows what is true and the core only what it is told.

use super::truth::{self, Told};
use crate::core::sample::{
    MINUTE, PRICE, REMEDIES, SECOND, START, agreed, asked, by_link, charged_elsewhere, checked, input_name, not_sold,
    notified, paid, remedy, rules, sold, somebody, unsaid,
};
use crate::simulation::chance::Chance;
use crate::simulation::peers::{CHANNEL_CODE, ChannelBook, PackageBook, heard_from};
use paygate::config::Otp;
use paygate::purchase::evidence::{Cause, CheckAnswer, Finding, GrantAnswer};
use paygate::purchase::input::{ChannelCall, Effect, GrantCall, Input, Notice, Person, Remedy};
use paygate::purchase::offer::Asks;
use paygate::purchase::record::{AttemptStatus, Micros, Purchase, State, Verdict};
use paygate::purchase::rules::Rules;
use paygate::purchase::{Step, next};
use std::collections::BTreeMap;

/// A peer's answer is waited for this long; after that the call counts as unanswered.
const CALL_TIMEOUT: Micros = 5 * SECOND;
/// A question may take several calls in a row.
const QUESTION_TIMEOUT: Micros = 12 * SECOND;
/// A life that takes more steps than this goes round in a circle.
const STEPS_AT_MOST: usize = 4_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Check,
    Channel(ChannelCall),
    Grant(GrantCall),
}

/// One request on its way: it may act, or be lost; its answer may be heard, late, twice or never.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) question: Question,
    /// Of the attempt it is about,
    key: String,
    /// and of the charge that stood when it was let out.
    charge_key: String,
    sends: u32,
    /// What the wall clock showed when it was let out.
    called_at: Micros,
    code: Option<String>,
    leaves_at: Micros,
    /// When it takes effect at the peer.
    pub(super) acts_at: Option<Micros>,
    /// Answers still to be heard, and when.
    heard: Vec<(Micros, Input)>,
    answer_takes: Micros,
    answer_is_bad: bool,
    heard_late: bool,
    repeated: bool,
}

/// All there is. Times are a steady clock's; `skew` is what the wall clock shows on top of it.
pub(super) struct World {
    pub(super) chance: Chance,
    pub(super) rules: Rules,
    pub(super) purchase: Purchase,
    /// The channel's book for the newest key that it has heard of, and for those before.
    pub(super) channel: ChannelBook,
    channel_key: String,
    /// The channel's book for a key that it has not heard of.
    blank: ChannelBook,
    pub(super) earlier: BTreeMap<String, ChannelBook>,
    pub(super) packages: PackageBook,
    pub(super) requests: Vec<Request>,
    pub(super) told: Told,
    pub(super) now: Micros,
    skew: Micros,
    /// By how much the wall clock leapt forward lately, and until when questions are dated as if it had not.
    leapt: Micros,
    leapt_until: Micros,
    /// Nobody runs the purchase until then.
    down_until: Micros,
    /// When the subscriber writes next.
    writes_at: Option<Micros>,
    /// Until when the link can be paid at, once it was handed out.
    pub(super) link_ends_at: Option<Micros>,
    /// When the subscriber pays at the page.
    pays_at: Option<Micros>,
    /// What the channel is going to say by itself, and when.
    notifies: Vec<(Micros, bool)>,
    reviewed: u32,
    /// It begins with a consent on a menu's screen.
    pub(super) begins_agreed: bool,
    /// Operators freeze and thaw the channel in this life.
    freezes: bool,
    /// A person has granted or given back outside of paygate.
    by_hand: bool,
    /// When a person looks at a purchase in review next.
    looked_at: Option<Micros>,
    born: Purchase,
    /// What was committed, of a life that is written down.
    events: Vec<(Input, Micros, bool)>,
    pub(super) seen: Vec<(State, &'static str)>,
    /// What happened, for a person; kept only when a life is replayed.
    pub(super) story: Option<Vec<String>>,
}

impl World {
    pub(super) fn new(seed: u64, tell_the_story: bool) -> Self {
        let mut chance = Chance::new(seed);
        let mut rules = rules(*chance.one_of(&[Otp::Gateway, Otp::Gateway, Otp::Telco, Otp::Telco, Otp::None]));
        rules.confirm_without_code = chance.percent(50);
        let mut channel = ChannelBook::new(&mut chance);
        let packages = PackageBook::new(&mut chance);
        rules.idempotent_grants = packages.recognises_keys;
        if let Some(promises) = rules.channels.get_mut("viettel") {
            promises.can_refund = chance.percent(90);
            promises.can_cancel = chance.percent(80);
            if chance.percent(50) {
                promises.retry = [5, 20, 60].map(|minutes| minutes * MINUTE).to_vec();
                promises.retry_consent = *chance.one_of(&[MINUTE, 40 * MINUTE, 180 * MINUTE]);
            }
        }
        if chance.percent(25) {
            rules.channels = by_link().channels;
            (channel.has_page, channel.texts_code) = (true, false);
        }
        // A partner that has charged before we hear of it has its own books, and they are the channel's here.
        let prepaid = chance.percent(12);
        let mut purchase = if prepaid { charged_elsewhere() } else { asked() };
        channel.charges = u32::from(prepaid);
        purchase.order.repeat = !prepaid && chance.percent(10);
        let begins_agreed = !prepaid && chance.percent(15);
        if begins_agreed {
            purchase.order.door = "ussd".to_owned();
            rules.menu_otp = *chance.one_of(&[Otp::None, Otp::None, Otp::Gateway, Otp::Telco]);
        }
        let born = purchase.clone();
        let freezes = chance.percent(15);
        let writes_at = chance.percent(20).then(|| START + chance.up_to(2 * MINUTE));
        Self {
            chance,
            rules,
            purchase,
            blank: channel.clone(),
            channel,
            channel_key: String::new(),
            earlier: BTreeMap::new(),
            packages,
            requests: Vec::new(),
            told: Told::default(),
            now: START,
            skew: 0,
            leapt: 0,
            leapt_until: START,
            down_until: START,
            writes_at,
            link_ends_at: None,
            pays_at: None,
            notifies: Vec::new(),
            reviewed: 0,
            begins_agreed,
            freezes,
            by_hand: false,
            looked_at: None,
            born,
            events: Vec::new(),
            seen: Vec::new(),
            story: tell_the_story.then(Vec::new),
        }
    }

    /// Lives until nothing more can happen. `Err` is the rule that was broken.
    pub(super) fn live(&mut self, written_down: bool) -> Result<(), String> {
        // A message that was not committed is sent again by its peer.
        while self.purchase.version == 0 {
            self.now = self.down_until;
            let first = self.first();
            self.step(first, written_down)?;
        }
        for _ in 0..STEPS_AT_MOST {
            let Some(moment) = self.next_moment() else { return self.rest(written_down) };
            self.now = self.now.max(moment);
            if self.chance.percent(4) {
                let noise = self.noise();
                self.step(noise, written_down)?;
            }
            if self.is_timer_due() {
                self.reviewed += u32::from(self.purchase.state == State::Review);
                self.step(Input::Timer, written_down)?;
            } else if let Some(input) = self.heard_now() {
                self.step(input, written_down)?;
            } else if self.writes_at.is_some_and(|at| at <= self.now) {
                let input = self.writes();
                self.step(input, written_down)?;
            } else if let Some(input) = self.notified_now() {
                self.step(input, written_down)?;
            } else if self.looked_at.is_some_and(|at| at <= self.now) {
                self.person(written_down)?;
            } else {
                self.act_now();
            }
        }
        Err(format!("{STEPS_AT_MOST} steps and no rest: a circle in {}", self.purchase.state.as_str()))
    }

    /// A partner asks the package manager itself before it charges, or does not; a menu has asked it before its last screen.
    fn first(&mut self) -> Input {
        if self.begins_agreed {
            return agreed();
        }
        if self.channel.charges == 0 { Input::Asked } else { paid(self.channel.debits, self.says_of_sale()) }
    }

    fn rest(&self, written_down: bool) -> Result<(), String> {
        if written_down {
            truth::folded(self, &self.born, &self.events)?;
        }
        truth::at_rest(self)
    }

    fn next_moment(&self) -> Option<Micros> {
        let at_rest = self.purchase.state == State::Review && self.reviewed >= 3;
        let timer = self.purchase.due_at.filter(|_| !at_rest).map(|due| (due - self.skew).max(self.down_until));
        let acts = self.requests.iter().filter_map(|request| request.acts_at);
        let heard = self.requests.iter().flat_map(|request| request.heard.iter().map(|(at, _)| *at));
        let notifies = self.notifies.iter().map(|(at, _)| *at);
        let others = self.writes_at.into_iter().chain(self.looked_at).chain(self.pays_at);
        acts.chain(heard).chain(timer).chain(notifies).chain(others).min()
    }

    fn is_timer_due(&self) -> bool {
        self.now >= self.down_until && self.purchase.due_at.is_some_and(|due| due - self.skew <= self.now)
    }

    fn heard_now(&mut self) -> Option<Input> {
        for request in &mut self.requests {
            if let Some(at) = request.heard.iter().position(|(at, _)| *at <= self.now) {
                let (_, input) = request.heard.swap_remove(at);
                return Some(input);
            }
        }
        None
    }

    fn notified_now(&mut self) -> Option<Input> {
        let at = self.notifies.iter().position(|(at, _)| *at <= self.now)?;
        let (_, paid) = self.notifies.swap_remove(at);
        Some(notified(paid))
    }

    /// The subscriber is at the page, in time or not. Sometimes the channel tells us of it by itself, sometimes twice.
    fn pay(&mut self) {
        self.pays_at = None;
        if self.link_ends_at.is_none_or(|end| self.now > end) {
            return;
        }
        let paid = self.channel.pay(&mut self.chance);
        self.note(|| format!("the subscriber is at the page: {}", if paid { "paid" } else { "not paid" }));
        for _ in 0..self.chance.below(3) {
            let longest = if self.chance.percent(80) { MINUTE } else { 120 * MINUTE };
            self.notifies.push((self.now + self.chance.up_to(longest), paid));
        }
    }

    /// A request arrives at its peer, which acts; the answer sets out.
    fn act_now(&mut self) {
        if self.pays_at.is_some_and(|at| at <= self.now) {
            return self.pay();
        }
        self.requests.retain(|request| request.acts_at.is_some() || !request.heard.is_empty());
        let now = self.now;
        let Some(at) = self.requests.iter().position(|request| request.acts_at.is_some_and(|at| at <= now)) else {
            return;
        };
        let mut request = self.requests.swap_remove(at);
        request.acts_at = None;
        let input = self.answered(&request);
        self.note(|| format!("the peer acts: {}", input_name(&input)));
        let answered_at = now + request.answer_takes;
        let in_time = answered_at <= request.leaves_at + timeout_of(request.question) && !request.answer_is_bad;
        if in_time {
            request.heard.clear();
        }
        if in_time || request.heard_late {
            request.heard.push((answered_at, input.clone()));
        }
        if request.repeated && in_time {
            request.heard.push((answered_at + SECOND, input));
        }
        self.requests.push(request);
    }

    fn answered(&mut self, request: &Request) -> Input {
        let (sends, called_at) = (request.sends, request.called_at);
        match request.question {
            Question::Check => checked(self.says_of_sale()),
            Question::Channel(call) => {
                let finding = self.asks_channel(call, &request.charge_key, request.code.as_deref());
                heard_from(call, &request.key, sends, called_at, finding, self.chance.percent(80))
            }
            Question::Grant(call) => {
                Input::Grant { call, sends, called_at, answer: self.packages.act(&mut self.chance, call) }
            }
        }
    }

    fn asks_channel(&mut self, call: ChannelCall, key: &str, code: Option<&str>) -> Finding {
        if let Some(book) = self.earlier.get_mut(key) {
            return book.act(&mut self.chance, call, code);
        }
        if self.channel_key.is_empty() {
            key.clone_into(&mut self.channel_key);
        }
        if key != self.channel_key {
            let before = std::mem::replace(&mut self.channel_key, key.to_owned());
            let book = std::mem::replace(&mut self.channel, self.blank.clone());
            self.earlier.insert(before, book);
        }
        self.channel.act(&mut self.chance, call, code)
    }

    fn says_of_sale(&mut self) -> CheckAnswer {
        match self.chance.below(20) {
            0 => not_sold(),
            1..=3 => unsaid(),
            _ => sold(),
        }
    }

    /// What the subscriber does about what the phone shows, or in spite of it.
    fn writes(&mut self) -> Input {
        self.writes_at = self.chance.percent(25).then(|| self.now + self.chance.up_to(MINUTE));
        let right = Input::ChannelCode { code: CHANNEL_CODE.to_owned() };
        let wrong = Input::ChannelCode { code: "000000".to_owned() };
        let asks = self.purchase.offer.as_ref().map(|offer| offer.asks);
        let fitting = match asks {
            Some(Asks::Code) => Input::CodeRight,
            Some(Asks::ChannelCode) => right.clone(),
            Some(Asks::Yes) => Input::Yes,
            Some(Asks::Payment) | None => Input::AskedAgain,
        };
        if self.purchase.retry.is_some() && self.chance.percent(50) {
            return Input::Cancel;
        }
        match self.chance.below(40) {
            0 => Input::Cancel,
            1 | 2 => Input::AskedAgain,
            3 | 4 => Input::CodeWrong,
            5 | 6 => wrong,
            7 => Input::Yes,
            // Nobody types the right code before it was made.
            8 if asks.is_some() => Input::CodeRight,
            9 => right,
            _ => fitting,
        }
    }

    /// A word that proves nothing, to a question that may never have been asked: it must change nothing for the worse.
    fn noise(&mut self) -> Input {
        use ChannelCall::{CancelCharge, Charge, InquireCharge, InquireRefund, Prepare, Refund};
        let cause = Cause::UnknownCode;
        let (sends, called_at) = (*self.chance.one_of(&[1, 2, u32::MAX]), self.called_at());
        if self.chance.percent(25) {
            return self.operator_in_passing();
        }
        if self.chance.percent(10) {
            return notified(self.chance.percent(50));
        }
        if self.chance.percent(25) {
            let call = *self.chance.one_of(&[GrantCall::Grant, GrantCall::InquireGrant]);
            return Input::Grant {
                call,
                sends,
                called_at,
                answer: GrantAnswer::Unknown { cause, heard: String::new() },
            };
        }
        let call = *self.chance.one_of(&[Prepare, Charge, InquireCharge, CancelCharge, Refund, InquireRefund]);
        let charges = self.purchase.charge.iter().chain(&self.purchase.former);
        let keys: Vec<String> = charges.map(|charge| charge.key.clone()).chain([String::new()]).collect();
        let key = self.chance.one_of(&keys[..]).clone();
        heard_from(call, &key, sends, called_at, Finding::Unknown { cause }, false)
    }

    /// An operator who asks where nothing may be known, or says what cannot be taken outside of a review.
    fn operator_in_passing(&mut self) -> Input {
        let may_be_remedied = matches!(self.purchase.state, State::ChargeUnknown | State::AwaitingUser | State::Review);
        if may_be_remedied
            && self.chance.percent(50)
            && let Some(remedied) = self.remedied()
        {
            return remedied;
        }
        if may_be_remedied || self.chance.percent(70) {
            return Input::Inquire { by: somebody() };
        }
        let called_at = self.called_at();
        match self.chance.percent(50) {
            true => Input::Resolve { verdict: *self.chance.one_of(&Verdict::ALL), by: with_evidence() },
            // Marking as paid is taken as true: a person with the books says so only where it is.
            false => remedy(
                *self.chance.one_of(&REMEDIES.map(|it| if it == Remedy::MarkPaid { Remedy::Grant } else { it })),
                called_at,
            ),
        }
    }

    /// What a person who knows the books has done for a purchase in review, or has asked for too early, or alone. `None` where
    /// nothing can be.
    fn remedied(&mut self) -> Option<Input> {
        let at_its_price = self.channel.charges == 1 && self.channel.debits == PRICE;
        // What a person has done by hand is not done by us, too.
        if !at_its_price || self.by_hand {
            return None;
        }
        let called_at = self.called_at();
        let charged = self.purchase.charge.as_ref().is_some_and(|charge| charge.status == AttemptStatus::Succeeded);
        let chosen = *self.chance.one_of(&[Remedy::Grant, Remedy::Refund { amount: PRICE }]);
        let mut input = remedy(if charged { chosen } else { Remedy::MarkPaid }, called_at);
        if let Input::Remedy { by, .. } = &mut input
            && self.chance.percent(10)
        {
            by.second = Some(by.operator.clone());
        }
        Some(input)
    }

    /// A person with the statements in hand: says what is so, when nothing is on its way any more.
    fn person(&mut self, written_down: bool) -> Result<(), String> {
        let under_way = self.requests.iter().any(|request| request.acts_at.is_some() && truth::moves(request.question))
            || self.link_is_good();
        if self.purchase.state != State::Review {
            self.looked_at = None;
            return Ok(());
        }
        self.looked_at = Some(self.now + 10 * MINUTE);
        if under_way {
            return Ok(());
        }
        if self.chance.percent(30)
            && let Some(remedied) = self.remedied()
        {
            return self.step(remedied, written_down);
        }
        let verdict = match (self.channel.charges, self.channel.refunds, self.packages.grants) {
            (0, ..) => Verdict::Declined,
            (_, 1.., _) => Verdict::Refunded,
            (_, _, 1..) => Verdict::Done,
            (_, 0, 0) if self.chance.percent(50) => {
                self.channel.refunds += 1;
                self.by_hand = true;
                Verdict::Refunded
            }
            (_, 0, 0) => {
                self.packages.grants += 1;
                self.by_hand = true;
                Verdict::Done
            }
        };
        self.step(Input::Resolve { verdict, by: with_evidence() }, written_down)
    }

    /// Money may move at the page without us.
    pub(super) fn link_is_good(&self) -> bool {
        self.link_ends_at.is_some_and(|end| self.now < end) && self.channel.can_be_paid()
    }

    pub(super) fn is_frozen(&self) -> bool {
        !self.rules.frozen.is_empty()
    }

    fn freeze_or_thaw(&mut self) {
        let frozen = self.is_frozen();
        self.note(|| if frozen { "thawed" } else { "frozen" }.to_owned());
        self.rules.frozen = if frozen { Default::default() } else { ["viettel".to_owned()].into() };
    }

    /// One turn of the core, committed, and what follows from it let out: unless this is the moment of a crash.
    fn step(&mut self, input: Input, written_down: bool) -> Result<(), String> {
        if self.now < self.down_until && !matches!(input, Input::Timer) {
            // Its door is closed: a message is sent again, an answer is lost.
            self.writes_at = self.writes_at.or(Some(self.down_until + SECOND));
            return Ok(());
        }
        if self.chance.percent(2) {
            self.note(|| format!("crash before the commit of {}", input_name(&input)));
            self.crash();
            return Ok(());
        }
        let wall = self.now + self.skew;
        if self.freezes && self.chance.percent(10) {
            self.freeze_or_thaw();
        }
        let step = next(&self.rules, &self.purchase, &input, wall);
        self.note(|| format!("{} -> {} {:?}", input_name(&input), step.purchase.state.as_str(), step.effects));
        self.seen.push((self.purchase.state, input.kind()));
        truth::of_step(self, &input, &step, wall)?;
        if written_down {
            truth::through_json(&input, &step.purchase)?;
            self.events.push((input, wall, self.is_frozen()));
        }
        let Step { purchase, effects } = step;
        let into_review = purchase.state == State::Review && self.purchase.state != State::Review;
        self.purchase = purchase;
        if into_review && self.chance.percent(60) {
            self.looked_at = Some(self.now + self.chance.up_to(12 * 60 * MINUTE));
        }
        self.let_out(effects);
        if self.chance.percent(1) && self.skew == 0 {
            self.skew = -self.chance.up_to(60 * MINUTE);
            self.note(|| "the wall clock is set back".to_owned());
        }
        if self.chance.percent(1) {
            self.leap();
        }
        Ok(())
    }

    /// The wall clock is set forward. The engine follows it, and dates its questions by the clock before until all that
    /// was intended by that one has landed.
    fn leap(&mut self) {
        let leap = self.chance.up_to(60 * MINUTE);
        let before = if self.now < self.leapt_until { self.leapt } else { 0 };
        let flight = &self.rules.grant;
        let link_ttl = self.rules.channels.get("viettel").and_then(|channel| channel.link_ttl).unwrap_or(0);
        (self.leapt, self.leapt_until) = (before + leap, self.now + flight.send_within + flight.max_flight + link_ttl);
        self.skew += leap;
        self.note(|| format!("the wall clock leaps forward by {} s", leap / SECOND));
    }

    const fn called_at(&self) -> Micros {
        let leapt = if self.now < self.leapt_until { self.leapt } else { 0 };
        self.now + self.skew - leapt
    }

    /// Texts are the journal's and survive; calls are the process's, and a crash may come between any two of them.
    fn let_out(&mut self, effects: Vec<Effect>) {
        let mut crashed = false;
        for effect in effects {
            crashed |= self.chance.percent(3);
            match effect {
                Effect::Tell { notice } => self.hears(notice),
                _ if crashed => {}
                Effect::Check => self.send(Question::Check),
                Effect::Call { call } => self.send(Question::Channel(call)),
                Effect::Give { call } => self.send(Question::Grant(call)),
            }
        }
        if crashed {
            self.note(|| "crash after the commit".to_owned());
            self.crash();
        }
    }

    fn hears(&mut self, notice: Notice) {
        self.told.count(notice);
        if notice == Notice::PayAt {
            self.link_ends_at = Some(self.now + 5 * MINUTE);
            self.pays_at = self.chance.percent(80).then(|| self.now + self.chance.up_to(6 * MINUTE));
        }
        let asks_for_an_answer = matches!(notice, Notice::Offer | Notice::WrongCode { .. } | Notice::CodeAgain);
        if asks_for_an_answer && self.chance.percent(90) {
            let pause = if self.chance.percent(90) { MINUTE } else { 6 * MINUTE };
            self.writes_at = Some(self.now + SECOND + self.chance.up_to(pause));
        }
        if matches!(notice, Notice::PutOff { .. }) && self.chance.percent(25) {
            self.writes_at = Some(self.now + SECOND + self.chance.up_to(20 * MINUTE));
        }
    }

    /// Nobody answers for a while. What had left goes on; what waited here is gone, or belongs to another process that is
    /// only paused and sends it later, if it is still in time.
    fn crash(&mut self) {
        let down = if self.chance.percent(90) { 2 * MINUTE } else { 120 * MINUTE };
        self.down_until = self.now + self.chance.up_to(down);
        let now = self.now;
        for request in &mut self.requests {
            if request.leaves_at > now && self.chance.percent(50) {
                request.acts_at = None;
            }
            let (keeps, down_until) = (self.chance.percent(20), self.down_until);
            request.heard.retain(|(at, _)| keeps || *at >= down_until);
            request.heard_late &= keeps;
        }
    }

    /// A request sets out within its send deadline, or never.
    fn send(&mut self, question: Question) {
        let moves = truth::attempt_of(&self.purchase, question);
        let (sends, called_at) = (moves.map_or(0, |attempt| attempt.sends), self.called_at());
        let key = moves.map_or_else(String::new, |attempt| attempt.key.clone());
        let charge_key = self.purchase.charge.as_ref().map_or_else(String::new, |charge| charge.key.clone());
        let deadline = moves.map_or(Micros::MAX, |attempt| attempt.send_by - self.skew);
        let latest = deadline.saturating_add(self.rules.grant.max_flight);
        let chance = &mut self.chance;
        let leaves_at = self.now + if chance.percent(95) { chance.up_to(SECOND) } else { chance.up_to(20 * SECOND) };
        let may_move = truth::moves(question);
        let sent = !chance.percent(6) && (!may_move || leaves_at <= deadline);
        let pause = if chance.percent(85) { chance.up_to(SECOND) } else { chance.up_to(45 * SECOND) };
        let acts_at = (sent && !chance.percent(8)).then(|| leaves_at + pause).filter(|at| !may_move || *at <= latest);
        let heard =
            if sent { silence(question, &key, sends, called_at) } else { not_sent(question, &key, sends, called_at) };
        // A process that was paused may tell what became of its request when that is long past.
        let longest = 180 * SECOND;
        let paused = if chance.percent(20) { chance.up_to(longest) } else { 0 };
        let heard_at = if sent { leaves_at + timeout_of(question) } else { leaves_at + paused };
        let code = self.purchase.offer.as_ref().and_then(|offer| offer.answered.clone());
        let request = Request {
            question,
            key,
            charge_key,
            sends,
            called_at,
            code,
            leaves_at,
            acts_at,
            heard: vec![(heard_at, heard)],
            answer_takes: if chance.percent(85) { chance.up_to(2 * SECOND) } else { chance.up_to(longest) },
            answer_is_bad: chance.percent(6),
            heard_late: chance.percent(30),
            repeated: chance.percent(5),
        };
        self.requests.push(request);
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let seconds = (self.now - START) / SECOND;
            story.push(format!("{seconds:>6} s  {}", line()));
        }
    }
}

fn with_evidence() -> Person {
    Person { evidence: Some("statement, line 12".to_owned()), ..somebody() }
}

const fn timeout_of(question: Question) -> Micros {
    if truth::moves(question) { CALL_TIMEOUT } else { QUESTION_TIMEOUT }
}

fn silence(question: Question, key: &str, sends: u32, called_at: Micros) -> Input {
    let (cause, heard) = (Cause::NoAnswer, String::new());
    match question {
        Question::Check => checked(unsaid()),
        Question::Channel(call) => heard_from(call, key, sends, called_at, Finding::Unknown { cause }, false),
        Question::Grant(call) => Input::Grant { call, sends, called_at, answer: GrantAnswer::Unknown { cause, heard } },
    }
}

fn not_sent(question: Question, key: &str, sends: u32, called_at: Micros) -> Input {
    let why = "connection refused".to_owned();
    match question {
        Question::Check => silence(question, key, sends, called_at),
        Question::Channel(call) => heard_from(call, key, sends, called_at, Finding::NotSent { why }, false),
        Question::Grant(call) => Input::Grant { call, sends, called_at, answer: GrantAnswer::NotSent { why } },
    }
}
