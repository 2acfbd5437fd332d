//! What an operator asks for: an inquiry out of turn, and a person's verdict on a purchase in review. Moves no money: a
//! verdict says what happened, and what has to be done by it was done by that person.

use super::turn::Turn;
use crate::purchase::evidence::{Decline, Reason};
use crate::purchase::input::{ChannelCall, Effect, GrantCall, Notice};
use crate::purchase::record::{Attempt, AttemptStatus, Purchase, ReviewReason, State, Verdict};

/// What can be asked of the peers now: what is unknown, or in another review each attempt there is.
#[must_use]
pub fn questions(purchase: &Purchase) -> Vec<Effect> {
    const CHARGE: Effect = Effect::Call { call: ChannelCall::InquireCharge };
    const GRANT: Effect = Effect::Give { call: GrantCall::InquireGrant };
    const REFUND: Effect = Effect::Call { call: ChannelCall::InquireRefund };
    match (purchase.state, purchase.review) {
        (State::ChargeUnknown | State::AwaitingUser, _) | (State::Review, Some(ReviewReason::ChargeUnknown)) => {
            vec![CHARGE]
        }
        (State::GrantUnknown, _) | (State::Review, Some(ReviewReason::GrantUnknown)) => vec![GRANT],
        (State::RefundUnknown, _) | (State::Review, Some(ReviewReason::RefundUnknown)) => vec![REFUND],
        // What was refused may be on sale by now, or the account put right.
        (State::Review, Some(ReviewReason::CheckUnknown | ReviewReason::NotSold)) => vec![Effect::Check],
        (State::Review, _) => {
            let attempts = [(&purchase.charge, CHARGE), (&purchase.grant, GRANT), (&purchase.refund, REFUND)];
            // A partner has told of its charge itself; there is nobody to ask about it.
            let can_be_asked = |(attempt, question): &(&Option<Attempt>, Effect)| {
                attempt.is_some() && !(purchase.is_prepaid() && *question == CHARGE)
            };
            attempts.into_iter().filter(can_be_asked).map(|(_, question)| question).collect()
        }
        (
            State::Requested
            | State::Offered
            | State::Charging
            | State::Granting
            | State::Refunding
            | State::Done
            | State::Declined
            | State::Expired
            | State::Cancelled
            | State::Refunded
            | State::Refused,
            _,
        ) => Vec::new(),
    }
}

/// Why a person's verdict cannot be taken, if it cannot.
#[must_use]
pub fn objection(purchase: &Purchase, verdict: Verdict, evidence: Option<&str>) -> Option<&'static str> {
    let proven = |attempt: &Option<Attempt>| is(attempt, AttemptStatus::Succeeded);
    let named = evidence.is_some_and(|evidence| !evidence.trim().is_empty());
    match verdict {
        _ if purchase.state != State::Review => Some("only a purchase in review can be resolved"),
        Verdict::Declined if proven(&purchase.charge) && !named => {
            Some("the channel has proven the charge; name the evidence against it")
        }
        Verdict::Done if proven(&purchase.refund) && !named => {
            Some("the channel has proven the refund; name the evidence against it")
        }
        Verdict::Done | Verdict::Refunded | Verdict::Declined => None,
    }
}

fn is(attempt: &Option<Attempt>, status: AttemptStatus) -> bool {
    attempt.as_ref().is_some_and(|attempt| attempt.status == status)
}

impl Turn<'_> {
    /// The plan goes on as it was: this is one question more.
    pub(super) fn on_inquire(&mut self) {
        for question in questions(&self.purchase) {
            match question {
                Effect::Call { call } => self.call(call),
                Effect::Give { call } => self.give(call),
                Effect::Check => self.check_effect(),
                Effect::Tell { .. } => {}
            }
        }
    }

    pub(super) fn on_resolve(&mut self, verdict: Verdict, evidence: Option<&str>) {
        if objection(&self.purchase, verdict, evidence).is_some() {
            return;
        }
        self.believe(verdict);
        self.forget_code();
        self.purchase.verdict = Some(verdict);
        let (decline, notice) = match verdict {
            Verdict::Done => (None, Notice::Done),
            Verdict::Refunded => (None, Notice::Refunded),
            Verdict::Declined => {
                let decline = Decline::of(Reason::Declined);
                (Some(decline), Notice::Declined { decline })
            }
        };
        self.end_once(verdict.end(), decline, notice);
    }

    /// The attempts as the verdict says they were. A grant that a peer has spoken of finally stays as it is: the package
    /// may have come, or gone, by another way.
    fn believe(&mut self, verdict: Verdict) {
        let (charged, granted, refunded) = match verdict {
            Verdict::Done => (AttemptStatus::Succeeded, AttemptStatus::Succeeded, AttemptStatus::Failed),
            Verdict::Refunded => (AttemptStatus::Succeeded, AttemptStatus::Failed, AttemptStatus::Succeeded),
            Verdict::Declined => (AttemptStatus::Failed, AttemptStatus::Failed, AttemptStatus::Failed),
        };
        let purchase = &mut self.purchase;
        purchase.charge.iter_mut().for_each(|charge| charge.status = charged);
        purchase.refund.iter_mut().for_each(|refund| refund.status = refunded);
        let open = |grant: &&mut Attempt| {
            matches!(grant.status, AttemptStatus::Intended | AttemptStatus::Reserved | AttemptStatus::Unknown)
        };
        purchase.grant.iter_mut().filter(open).for_each(|grant| grant.status = granted);
    }
}
