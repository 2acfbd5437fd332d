//! A partner's payment, decided: the first step of a purchase that begins paid, the same payment told once more, or another
//! one under an id that is taken. Takes nothing back and refuses no money that is gone.

use super::{Batch, answer_done};
use crate::engine::door::{PARTNER, PaymentIn, Verdict};
use crate::engine::intake::purchase_id;
use crate::engine::work::{Decision, Done, Work};
use crate::journal::rows::MessageRow;
use crate::law::{Rule, holds};
use crate::purchase::Purchase;
use crate::purchase::input::Input;
use crate::purchase::record::Micros;

/// What the journal takes a payment for.
const VERDICT: &str = "payment";

impl Batch<'_> {
    pub(super) fn payment(&mut self, payment: Box<PaymentIn>, done: Done) {
        let id = purchase_id(&payment.key, 0);
        // What touches the same in this batch is durable before this is judged by it.
        let subscriber = payment.order.msisdn;
        if self.row(&id).is_some() || subscriber.is_some_and(|subscriber| !self.draft.subscribers.insert(subscriber)) {
            return self.draft.later.push(Work::Payment { payment, done });
        }
        match self.known.purchases.get(&id) {
            Some(standing) => answer_done(done, told_again(standing, &payment)),
            None => self.paid(id, payment, done),
        }
    }

    fn paid(&mut self, id: String, payment: Box<PaymentIn>, done: Done) {
        let purchase = Purchase::unasked(id, payment.order.clone(), self.moment.now);
        let input = Input::Paid { payment: payment.payment.clone(), answer: payment.check.clone() };
        let mut decision = Decision::default();
        decision.done.extend(done);
        decision.unit.message = Some(row(&payment, &purchase.id, self.moment.now));
        decision.again.push(Work::Payment { payment, done: None });
        let id = purchase.id.clone();
        self.apply(purchase, &input, Some(decision));
        let review = self.current(&id).and_then(|purchase| purchase.review);
        if let Some(at) = self.draft.by_purchase.get(&id).copied() {
            self.draft.decisions[at].verdict = review.map(Verdict::Review);
        }
    }
}

/// The same id with the same words is the same payment; with others it is somebody's to explain.
fn told_again(standing: &Purchase, payment: &PaymentIn) -> Verdict {
    let handle = standing.charge.as_ref().and_then(|charge| charge.handle.as_ref());
    let same = handle == Some(&payment.payment.fingerprint) || !holds(Rule::PaymentKeepsItsWords);
    if same { Verdict::Again } else { Verdict::Conflict }
}

/// Kept like a message: what came in, by whom, for ever.
fn row(payment: &PaymentIn, purchase_id: &str, now: Micros) -> MessageRow {
    let order = &payment.order;
    MessageRow {
        key: payment.key.clone(),
        generation: 0,
        at: now,
        door: PARTNER.to_owned(),
        link: order.channel.clone(),
        from: order.number(),
        // It was sent to no number.
        to: String::new(),
        data_coding: None,
        raw: payment.body.to_vec(),
        verdict: VERDICT.to_owned(),
        purchase_id: Some(purchase_id.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::engine::decide::tests::{
        BUY, SECOND, SENDER, START, decide, desk, message, partners_payment as payment, sms,
    };
    use crate::engine::intake::payment_key;
    use crate::engine::work::Known;
    use crate::purchase::evidence::{CheckAnswer, Reason};
    use crate::purchase::input::{Effect, GrantCall};
    use crate::purchase::record::{ReviewReason, State};
    use paygate_parsers::msisdn::{Country, Msisdn};
    use tokio::sync::oneshot;

    fn told(payment: PaymentIn) -> (Work, oneshot::Receiver<Verdict>) {
        let (done, verdict) = oneshot::channel();
        (Work::Payment { payment: Box::new(payment), done: Some(done) }, verdict)
    }

    /// The journal after this payment.
    fn known_after(payment: PaymentIn) -> Known {
        let (decisions, _) = decide(&desk(), &Known::default(), START, vec![told(payment).0]);
        let purchase = decisions[0].unit.purchase.as_ref().unwrap().purchase.clone();
        let mut known = Known::default();
        known.purchases.insert(purchase.id.clone(), purchase);
        known
    }

    #[test]
    fn a_payment_is_kept_with_its_charge_and_the_intent_to_grant_in_one_commit() {
        let (work, mut verdict) = told(payment("p-1", "viettel"));
        let (decisions, _) = decide(&desk(), &Known::default(), START, vec![work]);
        let decision = &decisions[0];
        let unit = &decision.unit;
        let row = unit.purchase.as_ref().unwrap();
        assert_eq!((row.seen, row.purchase.state), (0, State::Granting));
        assert_eq!(row.purchase.id, purchase_id(&payment_key("vinaphone", "p-1"), 0), "a lost journal gives it again");
        let charge = unit.charge.as_ref().unwrap();
        assert_eq!((charge.channel.as_str(), charge.request.as_str()), ("vinaphone", ""), "no request of ours made it");
        assert!(charge.attempt.key.starts_with(&row.purchase.id));
        let grant = &unit.grant.as_ref().unwrap().request;
        for word in [r#""platform":"partner""#, r#""dtId":"vinaphone""#, r#""chargeReference":"p-1""#] {
            assert!(grant.contains(word), "{word} is not in {grant}");
        }
        let message = unit.message.as_ref().unwrap();
        assert_eq!((message.door.as_str(), message.verdict.as_str()), (PARTNER, "payment"));
        let body: serde_json::Value = serde_json::from_str(&unit.events[0].body).unwrap();
        assert_eq!((&body["input"], body.get("intends_charge")), (&"paid".into(), None));
        assert!(body.get("intends_grant").is_some());
        assert_eq!(decision.effects, [Effect::Give { call: GrantCall::Grant }]);
        assert!(verdict.try_recv().is_err(), "nothing is promised before it is durable");
    }

    #[test]
    fn the_same_payment_is_known_and_another_under_its_id_is_a_conflict() {
        let known = known_after(payment("p-1", ""));
        let mut other = payment("p-1", "");
        other.payment.fingerprint = "f2".to_owned();
        for (payment, expected) in [(payment("p-1", ""), Verdict::Again), (other, Verdict::Conflict)] {
            let (work, mut verdict) = told(payment);
            let (decisions, later) = decide(&desk(), &known, START + SECOND, vec![work]);
            assert_eq!((decisions.len(), later.len(), verdict.try_recv()), (0, 0, Ok(expected)));
        }
    }

    #[test]
    fn two_partners_may_use_one_id() {
        let mut other = payment("p-1", "");
        other.key = payment_key("mobifone", "p-1");
        let (decisions, _) = decide(&desk(), &known_after(payment("p-1", "")), START, vec![told(other).0]);
        assert_eq!(decisions.len(), 1);
    }

    #[test]
    fn what_a_person_must_look_at_is_told_with_its_reason() {
        let mut wrong = payment("p-1", "");
        wrong.check = CheckAnswer::Refused { reason: Reason::NoAccount, heard: String::new() };
        let (decisions, _) = decide(&desk(), &Known::default(), START, vec![told(wrong).0]);
        assert_eq!(decisions[0].verdict, Some(Verdict::Review(ReviewReason::NotSold)));
        assert!(decisions[0].effects.is_empty());
    }

    #[test]
    fn a_payment_told_twice_in_one_batch_and_a_message_beside_it_wait_for_the_next() {
        let desk = desk();
        let mut other = payment("p-1", "");
        other.order.msisdn = Some(Msisdn::parse(&Country::new("84").unwrap(), "0912345678").unwrap());
        let works = || [told(payment("p-1", "")).0, told(payment("p-1", "")).0, told(other.clone()).0];
        let (decisions, later) = decide(&desk, &Known::default(), START, works().into());
        assert_eq!((decisions.len(), later.len()), (1, 2));
        let (decisions, later) = decide(
            &desk,
            &Known::default(),
            START,
            vec![message(&desk, sms(SENDER, BUY)).0, told(payment("p-1", "")).0],
        );
        assert_eq!((decisions.len(), later.len()), (1, 1));
    }

    #[test]
    fn nobody_is_texted_where_no_link_leads_to_the_subscriber() {
        for (link, texts) in [("viettel", 1), ("", 0)] {
            let mut late = payment("p-1", link);
            late.check = CheckAnswer::Unavailable { heard: String::new() };
            let waiting = known_after(late).purchases.into_values().next().unwrap();
            let due = Work::Due { purchase: Box::new(waiting) };
            let (decisions, _) = decide(&desk(), &Known::default(), START + 60 * SECOND, vec![due]);
            assert_eq!((decisions[0].effects.clone(), decisions[0].unit.replies.len()), (vec![Effect::Check], texts));
        }
    }
}
