//! A message, an app's order or a consent on a menu's screen, decided: a redelivery, a text, a step of a purchase or the first
//! step of a new one. Drops none: what cannot be acted on is kept for a person.

use super::{Batch, answer_done};
use crate::engine::door::Verdict;
use crate::engine::intake::{Meaning, Reading, purchase_id};
use crate::engine::work::{Decision, Done, Work};
use crate::law::{Rule, holds};
use crate::purchase::input::Input;
use crate::purchase::record::{Order, Purchase};
use crate::purchase::subscriber::{Answer, Route, may_be_sent_a_code, route, route_agreed};
use paygate_parsers::msisdn::Msisdn;
use std::sync::Arc;

impl Batch<'_> {
    /// A whole message: new, or a redelivery that starts nothing.
    pub(super) fn message(&mut self, reading: Arc<Reading>, done: Done, parts: Option<(String, i64)>) {
        let waits_for_its_like = match (reading.meaning.sender(), &reading.meaning) {
            (Some(sender), _) => !self.draft.subscribers.insert(*sender),
            // An order without a phone is like none but itself.
            (None, Meaning::Order(_)) => self.draft.by_purchase.contains_key(&purchase_id(&reading.key, 0)),
            (None, _) => false,
        };
        if waits_for_its_like {
            self.draft.later.push(Work::Message { reading, done, parts });
            return;
        }
        let seen = self.known.seen.get(&reading.key);
        let again = seen.is_some_and(|seen| {
            reading.keyed_by_peer || self.moment.now < seen.at.saturating_add(self.desk.redelivery_window)
        });
        if again && holds(Rule::RedeliveryStartsNothing) {
            metrics::counter!("paygate_redeliveries_total", "door" => reading.message.door.as_str()).increment(1);
            answer_done(done, Verdict::Again);
            return;
        }
        let generation = seen.map_or(0, |seen| seen.generation + 1);
        let again = Work::Message { reading: reading.clone(), done: None, parts: parts.clone() };
        let mut decision = Decision { again: vec![again], ..Decision::default() };
        decision.done.extend(done);
        decision.unit.parts_done = parts;
        self.act_on(&reading, generation, decision);
    }

    fn act_on(&mut self, reading: &Reading, generation: i64, mut decision: Decision) {
        let now = self.moment.now;
        match &reading.meaning {
            Meaning::Kept(verdict) => {
                metrics::counter!("paygate_messages_kept_total", "verdict" => *verdict).increment(1);
                decision.unit.message = Some(reading.row(generation, now, None));
                self.draft.decisions.push(decision);
            }
            Meaning::Order(order) if self.is_one_code_too_many(reading, order) => {
                decision.done.into_iter().for_each(|done| answer_done(Some(done), Verdict::TooMany));
            }
            Meaning::Order(order) => self.start(reading, generation, Order::clone(order), &Input::Asked, decision),
            Meaning::Invalid { sender, invalid } => {
                self.tell(reading, generation, decision, *sender, &Answer::Invalid(invalid.clone()), &[]);
            }
            Meaning::Request { sender, request } => {
                let purchases = self.purchases_of(*sender);
                let own_number = sender.national(&self.desk.reader.country);
                let route = route(&self.desk.rules, &purchases, request, &own_number, now);
                self.follow(route, reading, generation, *sender, &purchases, decision);
            }
            Meaning::Agreed { sender, order, .. } => {
                let purchases = self.purchases_of(*sender);
                let route = route_agreed(&self.desk.rules, &purchases, order, now);
                self.follow(route, reading, generation, *sender, &purchases, decision);
            }
        }
    }

    fn follow(
        &mut self,
        route: Route,
        reading: &Reading,
        generation: i64,
        sender: Msisdn,
        purchases: &[Purchase],
        mut decision: Decision,
    ) {
        match route {
            Route::Answer(answer) => self.tell(reading, generation, decision, sender, &answer, purchases),
            Route::Apply { at, input } => {
                let purchase = purchases[at].clone();
                decision.unit.message = Some(reading.row(generation, self.moment.now, Some(purchase.id.clone())));
                self.apply(purchase, &input, Some(decision));
            }
            Route::Start { service, package, account, repeat } => {
                let (order, first) = match &reading.meaning {
                    Meaning::Agreed { order, terms, screen, .. } => {
                        let (terms, screen) = (terms.clone(), screen.clone());
                        let agreed = Input::Agreed { terms, screen, nonce: String::new() };
                        (Order { repeat, ..Order::clone(order) }, agreed)
                    }
                    Meaning::Request { .. } | Meaning::Invalid { .. } | Meaning::Order(_) | Meaning::Kept(_) => {
                        (self.order(reading, sender, service, package, account, repeat), Input::Asked)
                    }
                };
                self.start(reading, generation, order, &first, decision);
            }
        }
    }

    /// The first step of a purchase, whose id follows from what asked for it.
    fn start(&mut self, reading: &Reading, generation: i64, order: Order, first: &Input, mut decision: Decision) {
        let purchase = Purchase::unasked(purchase_id(&reading.key, generation), order, self.moment.now);
        decision.unit.message = Some(reading.row(generation, self.moment.now, Some(purchase.id.clone())));
        self.apply(purchase, first, Some(decision));
    }

    /// An app is no way around the codes that a subscriber may be texted in an hour. An order that stands is none more, though
    /// the key store has forgotten its key.
    fn is_one_code_too_many(&self, reading: &Reading, order: &Order) -> bool {
        let rules = &self.desk.rules;
        let asks = rules.channels.get(&order.channel).is_some_and(|channel| channel.link_ttl.is_none());
        let Some(subscriber) = order.msisdn.filter(|_| asks && order.is_texted()) else { return false };
        let (own, id) = (self.purchases_of(subscriber), purchase_id(&reading.key, 0));
        !may_be_sent_a_code(rules, &own, self.moment.now) && own.iter().all(|purchase| purchase.id != id)
    }

    fn order(
        &self,
        reading: &Reading,
        msisdn: Msisdn,
        service: String,
        package: String,
        account: String,
        repeat: bool,
    ) -> Order {
        let link = &reading.message.link;
        Order {
            msisdn: Some(msisdn),
            account,
            service,
            package,
            channel: self.desk.link_channels.get(link).cloned().unwrap_or_default(),
            door: reading.message.door.as_str().to_owned(),
            link: link.clone(),
            short_code: reading.message.to.clone(),
            repeat,
            app: None,
        }
    }

    /// The subscriber's purchases as this batch has them by now, newest first. What another instance has overtaken is
    /// not how a purchase stands: the journal will refuse it, but not the text that was decided by it.
    fn purchases_of(&self, sender: Msisdn) -> Vec<Purchase> {
        let known = self.known.of_subscriber.get(&sender).map_or(&[][..], Vec::as_slice);
        let newest = |read: &Purchase| match self.row(&read.id).filter(|row| row.seen >= read.version) {
            Some(row) => row.purchase.clone(),
            None => read.clone(),
        };
        known.iter().map(newest).collect()
    }

    /// A text that changes no purchase.
    pub(super) fn tell(
        &mut self,
        reading: &Reading,
        generation: i64,
        mut decision: Decision,
        to: Msisdn,
        answer: &Answer,
        purchases: &[Purchase],
    ) {
        let (now, message) = (self.moment.now, &reading.message);
        let about = about(answer).and_then(|at| purchases.get(at));
        let text = self.desk.replies.answer(answer, about, &message.to);
        let key = format!("{}-{generation}", reading.key);
        let row = self.desk.answer_row(key, to, &message.link, &message.to, (answer.kind(), text), now);
        decision.unit.message = Some(reading.row(generation, now, about.map(|purchase| purchase.id.clone())));
        decision.unit.replies.push(row.clone());
        decision.replies.push((row, 0));
        self.draft.decisions.push(decision);
    }
}

const fn about(answer: &Answer) -> Option<usize> {
    match answer {
        Answer::Status { at }
        | Answer::LateCode { at }
        | Answer::CodeNeeded { at }
        | Answer::YesNeeded { at }
        | Answer::CannotCancel { at } => Some(*at),
        Answer::Help
        | Answer::Invalid(_)
        | Answer::NothingBought
        | Answer::NoCodeWaiting
        | Answer::NothingToCancel
        | Answer::TooManyCodes
        | Answer::Incomplete => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use crate::engine::decide::tests::{BUY, PRICE, SECOND, SENDER, START, decide, desk, known, message, sms};
    use crate::engine::door::{DialledIn, Verdict};
    use crate::engine::intake::Reading;
    use crate::engine::work::{Known, Work};
    use crate::journal::rows::Seen;
    use crate::purchase::State;
    use crate::purchase::input::{ChannelCall, Effect};
    use crate::purchase::offer::Terms;
    use paygate_parsers::msisdn::{Country, Msisdn};
    use std::sync::Arc;
    use tokio::sync::oneshot;

    fn dialled(dialogue: &str) -> (Work, oneshot::Receiver<Verdict>) {
        let word = str::to_owned;
        let dialled = DialledIn {
            dialogue: word(dialogue),
            gateway: word("aggregator"),
            link: word("viettel"),
            channel: word("viettel"),
            from: Msisdn::parse(&Country::new("84").unwrap(), SENDER).unwrap(),
            short_code: word("9029"),
            service: word("VIP"),
            package: word("NAP1"),
            account: word("0854689520"),
            terms: Terms { package_name: word("VIP 30 ngay"), price: PRICE, days: 30 },
            screen: word("VIP 30 ngay 10000d\n1. Dong y"),
        };
        let (done, verdict) = oneshot::channel();
        (Work::Message { reading: Arc::new(Reading::dialled(dialled)), done: Some(done), parts: None }, verdict)
    }

    #[test]
    fn a_consent_on_a_screen_is_kept_with_its_words_and_the_intent_to_charge_in_one_commit() {
        let (decisions, _) = decide(&desk(), &Known::default(), START, vec![dialled("d-1").0]);
        let unit = &decisions[0].unit;
        let purchase = &unit.purchase.as_ref().unwrap().purchase;
        assert_eq!((purchase.state, purchase.order.door.as_str()), (State::Charging, "ussd"));
        let body: serde_json::Value = serde_json::from_str(&unit.events[0].body).unwrap();
        assert_eq!((&body["input"], &body["screen"]), (&"agreed".into(), &"VIP 30 ngay 10000d\n1. Dong y".into()));
        assert!(body.get("intends_charge").is_some() && unit.charge.is_some());
        let message = unit.message.as_ref().unwrap();
        assert_eq!((message.verdict.as_str(), message.raw.as_slice()), ("agreed", &b"VIP NAP1 0854689520"[..]));
        assert_eq!(decisions[0].effects, [Effect::Call { call: ChannelCall::Charge }]);
        assert_eq!(unit.replies.len(), 0, "the screen has said it");
    }

    #[test]
    fn one_dialogue_buys_once_however_often_its_last_step_comes() {
        let desk = desk();
        let (work, _first) = dialled("d-1");
        let Work::Message { reading, .. } = &work else { unreachable!() };
        let key = reading.key.clone();
        let (decisions, later) = decide(&desk, &Known::default(), START, vec![work, dialled("d-1").0]);
        assert_eq!((decisions.len(), later.len()), (1, 1));
        let mut known = known(&decisions[0].unit.purchase.as_ref().unwrap().purchase);
        known.seen.insert(key.clone(), Seen { key, generation: 0, at: START, purchase_id: None });
        let (again, mut verdict) = dialled("d-1");
        let (decisions, _) = decide(&desk, &known, START + 3_600 * SECOND, vec![again]);
        assert_eq!((decisions.len(), verdict.try_recv()), (0, Ok(Verdict::Again)));
    }

    #[test]
    fn a_second_dialogue_while_the_first_is_open_starts_nothing_and_texts_how_it_stands() {
        let desk = desk();
        let (decisions, _) = decide(&desk, &Known::default(), START, vec![dialled("d-1").0]);
        let known = known(&decisions[0].unit.purchase.as_ref().unwrap().purchase);
        for (work, _verdict) in [dialled("d-2"), message(&desk, sms(SENDER, BUY))] {
            let (decisions, _) = decide(&desk, &known, START + SECOND, vec![work]);
            let unit = &decisions[0].unit;
            assert_eq!((unit.purchase.is_none(), unit.replies.len()), (true, 1));
            assert_eq!(unit.replies[0].kind, "status");
        }
    }
}
