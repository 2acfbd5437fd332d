//! The pure half of the loop: what the journal knew, and a batch of work, to units that can be committed. Chains several
//! inputs on one purchase into one unit; performs nothing and keeps no clock.

use super::clock::Moment;
use super::desk::Desk;
use super::door::{MessageIn, NotifyIn, Submitted, Verdict};
use super::intake::{Meaning, Reading, part_row, set_key};
use super::order::Answered;
use super::parts;
use super::work::{Decision, Done, Known, Work};
use crate::journal::rows::{
    ActDone, ActOutcome, ActRow, Deed, EventRow, OwedReply, PartRow, PurchaseRow, ReplyStatus, ReplyUpdate,
};
use crate::purchase::input::{ChannelCall, Effect, GrantCall, Input, Person};
use crate::purchase::record::{Attempt, AttemptStatus, Purchase, State};
use crate::purchase::rules::Rules;
use crate::purchase::subscriber::Answer;
use crate::purchase::{Step, found_extra_charge, is_taken, next, objection, questions};
use paygate_parsers::msisdn::Msisdn;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use written::{attempts, held_charge, surplus_look};

mod message;
mod payment;
mod written;

/// A reply that left without an answer is let out once more at most, and only if it is not an offer.
const REPLY_SENDS: i64 = 2;

/// What one commit will hold, as far as it is decided. It grows while the commit before it is under way.
#[derive(Debug, Default)]
pub struct Draft {
    pub decisions: Vec<Decision>,
    /// Which decision a purchase stands in.
    by_purchase: HashMap<String, usize>,
    /// Whose messages it holds, or an act about whose purchase.
    pub subscribers: HashSet<Msisdn>,
    /// Messages of a subscriber who has one in this draft already: they see its outcome in a later one.
    pub later: Vec<Work>,
}

/// Work being decided into a draft.
pub struct Batch<'a> {
    desk: &'a Desk,
    known: &'a Known,
    moment: Moment,
    /// A fresh random nonce each time it is asked, in hex.
    nonce: &'a mut dyn FnMut() -> String,
    draft: &'a mut Draft,
}

impl<'a> Batch<'a> {
    pub fn new(
        desk: &'a Desk,
        known: &'a Known,
        moment: Moment,
        nonce: &'a mut dyn FnMut() -> String,
        draft: &'a mut Draft,
    ) -> Self {
        Self { desk, known, moment, nonce, draft }
    }

    pub fn take(&mut self, work: Work) {
        match work {
            Work::Message { reading, done, parts } => self.message(reading, done, parts),
            Work::Payment { payment, done } => self.payment(payment, done),
            Work::Part { message, done } => self.part(&message, done),
            Work::Assemble { set } => self.assemble(&set),
            Work::LeftOver { parts } => self.left_over(&parts),
            Work::Answer { id, input, tries } => self.answer(&id, input, tries),
            Work::Due { purchase } => self.due(*purchase),
            Work::Owed { reply } => self.owed(reply),
            Work::Reply { key, kind, sends, submitted } => self.reply(key, &kind, sends, submitted),
            Work::Receipt { receipt, tries, done } => self.receipt(receipt, tries, done),
            Work::Notify { notify, done } => self.notify(notify, done),
            Work::Act { purchase, act } => self.act(&purchase, act),
        }
    }

    /// A purchase that an earlier input of this batch has already changed.
    fn current(&self, id: &str) -> Option<&Purchase> {
        self.row(id).map(|row| &row.purchase)
    }

    fn row(&self, id: &str) -> Option<&PurchaseRow> {
        let decision = self.draft.by_purchase.get(id).and_then(|at| self.draft.decisions.get(*at))?;
        decision.unit.purchase.as_ref()
    }

    fn answer(&mut self, id: &str, input: Input, tries: u8) {
        let Some(purchase) = self.current(id).or_else(|| self.known.purchases.get(id)).cloned() else {
            tracing::error!(
                purchase = id,
                "an answer came for a purchase that the journal does not have; it is dropped"
            );
            return;
        };
        let again = Work::Answer { id: id.to_owned(), input: input.clone(), tries };
        self.apply(purchase, &input, Some(Decision { again: vec![again], ..Decision::default() }));
    }

    /// What a channel says by itself. Taken once; where the charge's outcome is settled it says nothing new.
    fn notify(&mut self, notify: Arc<NotifyIn>, done: Done) {
        let id = notify.purchase_id();
        if self.row(id).is_some() {
            // What is not durable yet is no reason to say that it was taken before.
            return self.draft.later.push(Work::Notify { notify, done });
        }
        let Some(purchase) = self.known.purchases.get(id).cloned() else {
            return answer_done(done, Verdict::Unknown);
        };
        let charge = purchase.charge.iter().chain(&purchase.former).find(|charge| charge.key == notify.key);
        match charge.filter(|_| purchase.order.channel == notify.channel) {
            None => return answer_done(done, Verdict::Unknown),
            Some(charge) if is_old_news(&purchase, charge, &notify) => return answer_done(done, Verdict::Again),
            Some(_) => {}
        }
        let input = Input::Notified {
            key: notify.key.clone(),
            paid: notify.paid,
            digest: notify.digest.clone(),
            heard: notify.heard.clone(),
        };
        let mut decision = Decision { again: vec![Work::Notify { notify, done: None }], ..Decision::default() };
        decision.done.extend(done);
        self.apply(purchase, &input, Some(decision));
    }

    /// An operator's act. It shares a commit with no message of the purchase's subscriber: a unit whose act was carried out
    /// elsewhere is not written, and a message must not go with it.
    fn act(&mut self, id: &str, act: Box<ActRow>) {
        let Some(purchase) = self.current(id).or_else(|| self.known.purchases.get(id)).cloned() else {
            tracing::error!(
                purchase = id,
                act = act.number,
                "an act is about a purchase that the journal does not have"
            );
            return;
        };
        let subscriber = purchase.order.msisdn;
        if self.draft.by_purchase.contains_key(id)
            || subscriber.is_some_and(|subscriber| !self.draft.subscribers.insert(subscriber))
        {
            self.draft.later.push(Work::Act { purchase: id.to_owned(), act });
            return;
        }
        let Some((input, outcome)) = taken(&self.desk.rules, &purchase, &act, self.moment) else { return };
        let mut decision = Decision::default();
        decision.unit.act = Some(ActDone { number: act.number, at: self.moment.now, outcome });
        decision.again.push(Work::Act { purchase: id.to_owned(), act });
        self.apply(purchase, &input, Some(decision));
    }

    /// A purchase that this batch has changed already was claimed twice: the copy here is another one's past or future,
    /// and the journal would refuse the two together.
    fn due(&mut self, purchase: Purchase) {
        if self.current(&purchase.id).is_none() {
            self.apply(purchase, &Input::Timer, None);
        }
    }

    /// One turn of the core, folded into the purchase's unit of this batch.
    fn apply(&mut self, before: Purchase, input: &Input, decision: Option<Decision>) {
        let input = self.with_nonce(input);
        let Step { purchase: after, effects } = next(&self.desk.rules, &before, &input, self.moment.now);
        let at = self.unit_of(&before, decision);
        let decision = &mut self.draft.decisions[at];
        decision.extra_charges += u64::from(found_extra_charge(&before, &input));
        decision.unit.events.push(event(&before, &after, &input, self.moment.now));
        // What an earlier input of this batch asked for has not left yet: a later one may have made it wrong.
        decision.effects.retain(|effect| still_stands(effect, &after));
        decision.effects.extend(effects.iter().filter(|effect| !matches!(effect, Effect::Tell { .. })).cloned());
        for (count, effect) in effects.iter().enumerate() {
            // Nobody is texted where no link leads to the subscriber.
            if let Effect::Tell { notice } = effect
                && let Some(row) = self.desk.notice_row(&after, *notice, count, self.moment.now)
            {
                decision.unit.replies.push(row.clone());
                decision.replies.push((row, 0));
            }
        }
        attempts(self.desk, decision, &before, &after, self.moment);
        decision.unit.surplus = surplus_look(&self.desk.rules, &after, self.moment.now);
        if let Some(row) = &mut decision.unit.purchase {
            row.purchase = after;
        }
    }

    /// The random part of a check's answer is put in where the clock is: at the moment of deciding.
    fn with_nonce(&mut self, input: &Input) -> Input {
        match input {
            Input::Checked { answer, nonce } if nonce.is_empty() => {
                Input::Checked { answer: answer.clone(), nonce: (self.nonce)() }
            }
            Input::Agreed { terms, screen, .. } => {
                Input::Agreed { terms: terms.clone(), screen: screen.clone(), nonce: (self.nonce)() }
            }
            other => other.clone(),
        }
    }

    fn unit_of(&mut self, before: &Purchase, decision: Option<Decision>) -> usize {
        let mut decision = decision.unwrap_or_default();
        if let Some(at) = self.draft.by_purchase.get(&before.id).copied() {
            let held = &mut self.draft.decisions[at];
            held.done.append(&mut decision.done);
            held.again.append(&mut decision.again);
            held.unit.message = held.unit.message.take().or(decision.unit.message);
            held.unit.parts_done = held.unit.parts_done.take().or(decision.unit.parts_done);
            held.unit.act = held.unit.act.take().or(decision.unit.act);
            return at;
        }
        decision.unit.purchase = Some(PurchaseRow { purchase: before.clone(), seen: before.version });
        self.draft.by_purchase.insert(before.id.clone(), self.draft.decisions.len());
        self.draft.decisions.push(decision);
        self.draft.decisions.len() - 1
    }

    fn part(&mut self, message: &MessageIn, done: Done) {
        let Some(part) = message.part else { return answer_done(done, Verdict::Later) };
        let set = set_key(message, part);
        let held = self.known.parts.get(&set).map_or(&[][..], Vec::as_slice);
        let Some(generation) = parts::generation_for(held, part.number, self.moment.now, self.desk.parts_window) else {
            metrics::counter!("paygate_redeliveries_total", "door" => "part").increment(1);
            return answer_done(done, Verdict::Again);
        };
        let mut decision = Decision { assemble: Some(set), ..Decision::default() };
        decision.done.extend(done);
        decision.unit.part = Some(part_row(message, part, generation, self.moment.now));
        self.draft.decisions.push(decision);
    }

    /// A whole set becomes a message, under a key of its own, so that it is one message whoever puts it together.
    fn assemble(&mut self, set: &str) {
        let held = self.known.parts.get(set).map_or(&[][..], Vec::as_slice);
        let Some(message) = parts::whole(held) else { return };
        let Some(generation) = held.first().map(|part| part.row.generation) else { return };
        let reading = parts::reading(&self.desk.reader, message, set, generation);
        self.message(Arc::new(reading), None, Some((set.to_owned(), generation)));
    }

    /// A crash came between the last part and the message they make; or the rest never came: then it is kept for a
    /// person, and the sender is asked once to write again.
    fn left_over(&mut self, rows: &[PartRow]) {
        let Some((message, set, generation)) = parts::left_over(rows) else { return };
        let reading = parts::reading(&self.desk.reader, message, &set, generation);
        if parts::is_whole(rows) {
            return self.message(Arc::new(reading), None, Some((set, generation)));
        }
        let sender = Msisdn::parse_sender(&self.desk.reader.country, &reading.message.from);
        let mut decision = Decision::default();
        decision.unit.parts_done = Some((set, generation));
        let kept = Reading { meaning: Meaning::Kept("incomplete"), ..reading };
        metrics::counter!("paygate_messages_kept_total", "verdict" => "incomplete").increment(1);
        match sender {
            Ok(sender) => self.tell(&kept, 0, decision, sender, &Answer::Incomplete, &[]),
            Err(_) => {
                decision.unit.message = Some(kept.row(0, self.moment.now, None));
                self.draft.decisions.push(decision);
            }
        }
    }

    fn owed(&mut self, reply: OwedReply) {
        let mut decision = Decision::default();
        if self.moment.now >= reply.row.not_after {
            decision.unit.reply_update = Some(ReplyUpdate {
                key: reply.row.key,
                at: self.moment.now,
                status: ReplyStatus::Lapsed,
                message_id: None,
                due_at: None,
            });
        } else {
            decision.replies.push((reply.row, reply.sends));
        }
        self.draft.decisions.push(decision);
    }

    fn reply(&mut self, key: String, kind: &str, sends: i64, submitted: Submitted) {
        let now = self.moment.now;
        let (status, message_id, due_at) = match submitted {
            Submitted::Accepted { message_id } => (ReplyStatus::Sent, Some(message_id), None),
            Submitted::Refused { .. } => (ReplyStatus::Refused, None, None),
            Submitted::NotSent(_) => (ReplyStatus::Queued, None, Some(now + self.desk.reply_pause)),
            // It may be on the phone already: an offer is not sent twice, what became of the money is.
            Submitted::Unknown(_) if kind != "offer" && sends < REPLY_SENDS => {
                (ReplyStatus::Queued, None, Some(now + self.desk.reply_doubt))
            }
            Submitted::Unknown(_) => (ReplyStatus::Unknown, None, None),
        };
        metrics::counter!("paygate_replies_total", "outcome" => status.as_str()).increment(1);
        let mut decision = Decision::default();
        decision.unit.reply_update = Some(ReplyUpdate { key, at: now, status, message_id, due_at });
        self.draft.decisions.push(decision);
    }

    /// A receipt may come before the answer that tells us its id: it waits a little for it.
    fn receipt(&mut self, receipt: super::door::ReceiptIn, tries: u8, done: Done) {
        let known = self.known.receipts.get(&(receipt.link.clone(), receipt.message_id.clone()));
        let (Some(key), Some(status)) = (known, receipt_status(receipt.state)) else {
            answer_done(done, Verdict::Fresh);
            if receipt_status(receipt.state).is_some() {
                self.draft.later.push(Work::Receipt { receipt, tries: tries + 1, done: None });
            }
            return;
        };
        let mut decision = Decision::default();
        decision.done.extend(done);
        decision.unit.reply_update =
            Some(ReplyUpdate { key: key.clone(), at: self.moment.now, status, message_id: None, due_at: None });
        self.draft.decisions.push(decision);
    }
}

fn is_old_news(purchase: &Purchase, charge: &Attempt, notify: &NotifyIn) -> bool {
    let settled = charge.status == AttemptStatus::Succeeded || purchase.state.is_end() && !notify.paid;
    settled || purchase.has_taken(&notify.digest)
}

/// What an act is to the core, and whether the purchase takes it as it stands.
fn taken(rules: &Rules, purchase: &Purchase, row: &ActRow, moment: Moment) -> Option<(Input, ActOutcome)> {
    let act = &row.act;
    let evidence = act.evidence.as_deref();
    let by = Person {
        act: row.number,
        operator: act.operator.clone(),
        reason: act.reason.clone(),
        evidence: act.evidence.clone(),
        second: row.second.as_ref().map(|(second, _)| second.clone()),
    };
    let (input, taken) = match &act.deed {
        Deed::Inquire { .. } => (Input::Inquire { by }, !questions(purchase).is_empty()),
        Deed::Resolve { verdict, .. } => {
            (Input::Resolve { verdict: *verdict, by }, objection(purchase, *verdict, evidence).is_none())
        }
        Deed::Remedy { remedy, overrides, .. } => {
            let called_at = moment.asked_at(purchase.grant.as_ref(), &rules.grant);
            let taken = is_taken(rules, purchase, *remedy, *overrides, &by, called_at);
            (Input::Remedy { remedy: *remedy, called_at, overrides: *overrides, by }, taken)
        }
        Deed::Freeze { .. } | Deed::Thaw { .. } => return None,
    };
    Some((input, if taken { ActOutcome::CarriedOut } else { ActOutcome::Refused }))
}

/// Whether what was asked for by an earlier step is still right for the purchase after a later one. What moves nothing may
/// always be done.
fn still_stands(effect: &Effect, after: &Purchase) -> bool {
    let intended = |attempt: &Option<Attempt>| attempt.as_ref().is_some_and(|it| it.status == AttemptStatus::Intended);
    match effect {
        Effect::Call { call: ChannelCall::Charge } => after.state == State::Charging && intended(&after.charge),
        Effect::Call { call: ChannelCall::Refund } => after.state == State::Refunding && intended(&after.refund),
        Effect::Give { call: GrantCall::Grant } => after.state == State::Granting && intended(&after.grant),
        Effect::Call { call: ChannelCall::Prepare } => after.state == State::Offered,
        Effect::Check
        | Effect::Tell { .. }
        | Effect::Give { call: GrantCall::InquireGrant }
        | Effect::Call { call: ChannelCall::InquireCharge | ChannelCall::CancelCharge | ChannelCall::InquireRefund } => {
            true
        }
    }
}

fn event(before: &Purchase, after: &Purchase, input: &Input, now: i64) -> EventRow {
    // The channel's own code is a secret of the subscriber's: the event says that one was answered, not which.
    let masked = match input {
        Input::ChannelCode { .. } => Input::ChannelCode { code: "***".to_owned() },
        other => other.clone(),
    };
    let mut body = serde_json::to_string(&masked).unwrap_or_default();
    for intent in intents(before, after, now) {
        // The request that may leave now and until when: the attempt's own row only holds its newest.
        let body_end = body.len().saturating_sub(1);
        body.insert_str(body_end, &intent);
    }
    if let Some(answer) = Answered::by(before, after) {
        // What its app is answered, now and whenever it asks again.
        let body_end = body.len().saturating_sub(1);
        body.insert_str(body_end, &answer.as_field());
    }
    EventRow {
        purchase_id: after.id.clone(),
        seq: after.version,
        at: now,
        kind: input.kind().to_owned(),
        state_from: before.state.as_str().to_owned(),
        state_to: after.state.as_str().to_owned(),
        body,
    }
}

/// The sends that a step intended, each as a field of the event's body.
fn intents(before: &Purchase, after: &Purchase, now: i64) -> Vec<String> {
    let charge = after.charge.as_ref().and_then(|charge| held_charge(before, charge));
    let attempts = [
        ("charge", charge, &after.charge),
        ("grant", before.grant.as_ref(), &after.grant),
        ("refund", before.refund.as_ref(), &after.refund),
    ];
    let sent_more = |(what, before, after): (&str, Option<&Attempt>, &Option<Attempt>)| {
        let after = after.as_ref()?;
        // A partner's charge was sent by nobody here, and what counts as a send of its own may have left already.
        let more = before.map_or(0, |before| before.sends) < after.sends && now < after.send_by;
        let field = || json!({ "key": after.key, "send": after.sends, "send_by": after.send_by });
        more.then(|| format!(",\"intends_{what}\":{}", field()))
    };
    attempts.into_iter().filter_map(sent_more).collect()
}

const fn receipt_status(state: paygate_parsers::smpp::receipt::State) -> Option<ReplyStatus> {
    use paygate_parsers::smpp::receipt::State;
    match state {
        State::Delivered => Some(ReplyStatus::Delivered),
        State::Expired | State::Deleted | State::Undeliverable | State::Rejected => Some(ReplyStatus::Undelivered),
        State::Enroute | State::Accepted | State::Unknown => None,
    }
}

fn answer_done(done: Done, verdict: Verdict) {
    // A door that no longer waits has answered its peer already; the redelivery will find the message.
    let _ = done.map(|done| done.send(verdict));
}

#[cfg(test)]
pub(super) mod tests;
