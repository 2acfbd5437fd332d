//! A purchase that begins paid: a partner has charged the subscriber and tells us. Moves no money and has no way to end
//! without the package: what cannot be granted is a person's, with the evidence.

use super::turn::Turn;
use crate::law::{Rule, holds};
use crate::purchase::evidence::{CheckAnswer, Reason};
use crate::purchase::input::Payment;
use crate::purchase::money::Money;
use crate::purchase::offer::{Asks, Consent, ConsentBy, Offer};
use crate::purchase::record::{Attempt, AttemptStatus, ReviewReason, State};

impl Turn<'_> {
    /// The first event. A channel that is frozen lets no new charge begin; this one is made already.
    pub(super) fn on_paid(&mut self, payment: &Payment, answer: &CheckAnswer) {
        if self.purchase.version != 1 {
            return;
        }
        let given_at = payment.charged_at.min(self.now);
        self.purchase.consent = Some(Consent { given_at, by: ConsentBy::Partner });
        self.purchase.charge = Some(self.charged_elsewhere(payment));
        self.wake_for_inquiry(&self.rules.grant);
        self.settle_sale(answer);
    }

    /// A charge that no request of ours made: there is none under way, and none is ever sent.
    fn charged_elsewhere(&self, payment: &Payment) -> Attempt {
        Attempt {
            key: format!("{}-c1", self.purchase.id),
            sends: 0,
            status: AttemptStatus::Succeeded,
            amount: payment.amount,
            intended_at: self.now,
            send_by: self.now,
            in_flight_until: self.now,
            handle: Some(payment.fingerprint.clone()),
            peer_reference: Some(payment.reference.clone()),
        }
    }

    /// What the package manager says to a further question. Once it has said that this is sold, or a person is to judge a
    /// difference, an answer that comes late means nothing.
    pub(super) fn on_prepaid_check(&mut self, answer: &CheckAnswer) {
        let asked = match self.state() {
            State::Requested => true,
            State::Review => {
                matches!(self.purchase.review, Some(ReviewReason::CheckUnknown | ReviewReason::NotSold))
            }
            State::Offered
            | State::Charging
            | State::ChargeUnknown
            | State::AwaitingUser
            | State::Granting
            | State::GrantUnknown
            | State::Refunding
            | State::RefundUnknown
            | State::Done
            | State::Declined
            | State::Expired
            | State::Cancelled
            | State::Refunded
            | State::Refused => false,
        };
        if asked {
            self.settle_sale(answer);
        }
    }

    /// Sold at the price that was paid: owed from now on. Otherwise a person's; where nothing was said, it is asked again.
    fn settle_sale(&mut self, answer: &CheckAnswer) {
        match answer {
            CheckAnswer::Allowed { package_name, price, days } => {
                self.purchase.offer = Some(self.sold(package_name, *price, *days));
                if self.is_price(*price) { self.grant() } else { self.review(ReviewReason::Mismatch) }
            }
            // A package manager that is busy, or refuses us, has said nothing about the account or the package.
            CheckAnswer::Refused { reason: Reason::Busy | Reason::Maintenance | Reason::Config, .. }
            | CheckAnswer::Unavailable { .. } => {}
            CheckAnswer::Refused { .. } if self.purchase.review == Some(ReviewReason::NotSold) => {}
            CheckAnswer::Refused { .. } => self.review(ReviewReason::NotSold),
        }
    }

    fn is_price(&self, price: Money) -> bool {
        let paid = self.purchase.charge.as_ref().map(|charge| charge.amount);
        paid == Some(price) || !holds(Rule::AmountIsCompared)
    }

    /// What was sold. It was never offered here, and nothing is asked for it.
    fn sold(&self, package_name: &str, price: Money, days: i64) -> Offer {
        Offer {
            package_name: package_name.to_owned(),
            price,
            days,
            asks: Asks::Yes,
            nonce: String::new(),
            digits: self.rules.otp_length,
            answered: None,
            pay_url: None,
            expires_at: self.now,
            tries_left: 0,
            sends: 0,
            last_sent_at: self.now,
        }
    }
}
