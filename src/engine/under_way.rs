//! What the commit that is under way touches. Work on the same waits for its end, so that nothing is decided on a past that
//! is just being left. Pure; another instance's commits are not known here, and the journal's versions fence those.

use super::decide::Draft;
use super::intake::purchase_id;
use super::work::Work;
use paygate_parsers::msisdn::Msisdn;
use std::collections::HashSet;

/// The purchases and subscribers of one commit.
#[derive(Debug, Default)]
pub struct Touched {
    purchases: HashSet<String>,
    subscribers: HashSet<Msisdn>,
    /// A commit that touches nothing of these is under way all the same.
    any: bool,
}

impl Touched {
    #[must_use]
    pub fn by(draft: &Draft) -> Self {
        let mut touched = Self { subscribers: draft.subscribers.clone(), any: true, ..Self::default() };
        for purchase in draft.decisions.iter().filter_map(|decision| decision.unit.purchase.as_ref()) {
            touched.purchases.insert(purchase.purchase.id.clone());
            touched.subscribers.extend(purchase.purchase.order.msisdn);
        }
        touched
    }

    /// Whether this work has to wait for the commit's end.
    #[must_use]
    pub fn holds_back(&self, work: &Work) -> bool {
        match work {
            Work::Message { reading, .. } => {
                reading.meaning.sender().is_some_and(|sender| self.subscribers.contains(sender))
            }
            Work::Payment { payment, .. } => {
                payment.order.msisdn.is_some_and(|subscriber| self.subscribers.contains(&subscriber))
                    || self.purchases.contains(&purchase_id(&payment.key, 0))
            }
            Work::Answer { id, .. } | Work::Act { purchase: id, .. } => self.purchases.contains(id),
            Work::Notify { notify, .. } => self.purchases.contains(notify.purchase_id()),
            Work::Due { purchase } => self.purchases.contains(&purchase.id),
            Work::Owed { reply } => reply.row.purchase_id.as_ref().is_some_and(|id| self.purchases.contains(id)),
            // Whose they are shows only when their parts have been read.
            Work::Assemble { .. } | Work::LeftOver { .. } => self.any,
            // Written under keys of their own, one commit after the other.
            Work::Part { .. } | Work::Reply { .. } | Work::Receipt { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Touched;
    use crate::engine::decide::tests::{
        BUY, SENDER, START, allowed, answer, decided, desk, known, message, purchase, sms,
    };
    use crate::engine::work::{Known, Work};

    #[test]
    fn what_touches_a_purchase_or_a_subscriber_of_the_commit_under_way_waits_for_its_end() {
        let desk = desk();
        let (of_sender, of_another) =
            (|text: &str| message(&desk, sms(SENDER, text)).0, message(&desk, sms("84854000001", BUY)).0);
        let open = purchase(&desk, vec![allowed()]);
        let touched = Touched::by(&decided(&desk, &known(&open), START, vec![answer(&open, allowed())]));
        let due = || Work::Due { purchase: Box::new(open.clone()) };
        for held in [of_sender("KT"), answer(&open, allowed()), due(), Work::Assemble { set: "any".to_owned() }] {
            assert!(touched.holds_back(&held), "{held:?}");
        }
        assert!(!touched.holds_back(&of_another));
        // A message that starts or changes nothing yet keeps its sender's next one waiting all the same.
        let touched = Touched::by(&decided(&desk, &Known::default(), START, vec![of_sender("KT")]));
        assert!(touched.holds_back(&of_sender(BUY)));
        assert!(!touched.holds_back(&due()));
    }
}
