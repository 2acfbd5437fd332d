//! The rules that keep the money right, by name: each is asked for at the one place in the code that keeps it. In every
//! program that is built to be used all of them hold, by a constant that costs nothing. Only a build with the feature
//! `mutants`, which is the tests', can break one of them, for one thread, to show that the suite notices.

/// A rule, and with it the place in the code that asks [`holds`] for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A charge whose outcome is unknown is asked about, never made again.
    UnknownIsAskedAbout,
    /// All sends of a charge go under one key.
    OneKeyForACharge,
    /// "Not found" proves a charge absent only when none can be under way any more,
    ChargeNotFoundIsTimed,
    /// and a refund,
    RefundNotFoundIsTimed,
    /// and a grant, before its money is given back.
    GrantNotFoundIsTimed,
    /// A grant is not made again at a package manager that does not recognise its key, while one may be under way.
    GrantIsNotRepeated,
    /// No count of tries turns unknown into "not charged".
    UnknownNeverAges,
    /// The amount that was charged is the amount that was agreed,
    AmountIsCompared,
    /// and it was charged to the subscriber who agreed.
    SubscriberIsCompared,
    /// Proof of a charge is not undone by a later "declined".
    ProofIsNotUndone,
    /// A grant that is called refused is asked about before its money is given back.
    RefusedGrantIsAskedAbout,
    /// An answer to an earlier send proves nothing absent.
    OldAnswersDisproveNothing,
    /// No answer, or one that cannot be read, proves nothing.
    UnknownProvesNothing,
    /// A question that was itself refused proves nothing about what it asked.
    RefusedQuestionProvesNothing,
    /// A charge that comes to light after the end is granted or given back.
    LateChargeIsHeard,
    /// Nothing is charged on a consent that is no longer valid.
    ConsentLapses,
    /// A charge is made anew only where the one before is proven to have moved nothing,
    RetryStandsOnProof,
    /// and while the consent still stands for it.
    RetryStandsOnConsent,
    /// A code confirms the offer it was made for, and no other.
    CodeIsItsOffers,
    /// What is being charged can no longer be cancelled.
    ConsentEndsCancelling,
    /// "It is being checked" is told once.
    CheckingIsToldOnce,
    /// A link that was handed out can be paid at until its end.
    LinkCanBePaidAt,
    /// Whatever is open has a time at which it is looked at.
    OpenIsDue,
    /// A message that is known already starts nothing.
    RedeliveryStartsNothing,
    /// A menu's dialogue buys once by its own name, whatever else was said and whenever its consent comes.
    OneDialogueBuysOnce,
    /// What an app was answered about its order is what it is answered again.
    OrderKeepsItsAnswer,
    /// A partner's id stands for one payment, and for no other.
    PaymentKeepsItsWords,
    /// A message whose commit is in doubt is not acknowledged.
    DoubtIsNotAcknowledged,
    /// A clock that leapt forward makes no early "not found" a proof,
    LeapProvesNothing,
    /// nor does a start,
    StartProvesNothing,
    /// nor a clock that is ahead of the journal's.
    SetBackProvesNothing,
}

impl Rule {
    pub const ALL: [Self; 31] = [
        Self::UnknownIsAskedAbout,
        Self::OneKeyForACharge,
        Self::ChargeNotFoundIsTimed,
        Self::RefundNotFoundIsTimed,
        Self::GrantNotFoundIsTimed,
        Self::GrantIsNotRepeated,
        Self::UnknownNeverAges,
        Self::AmountIsCompared,
        Self::SubscriberIsCompared,
        Self::ProofIsNotUndone,
        Self::RefusedGrantIsAskedAbout,
        Self::OldAnswersDisproveNothing,
        Self::UnknownProvesNothing,
        Self::RefusedQuestionProvesNothing,
        Self::LateChargeIsHeard,
        Self::ConsentLapses,
        Self::RetryStandsOnProof,
        Self::RetryStandsOnConsent,
        Self::CodeIsItsOffers,
        Self::ConsentEndsCancelling,
        Self::CheckingIsToldOnce,
        Self::LinkCanBePaidAt,
        Self::OpenIsDue,
        Self::RedeliveryStartsNothing,
        Self::OneDialogueBuysOnce,
        Self::OrderKeepsItsAnswer,
        Self::PaymentKeepsItsWords,
        Self::DoubtIsNotAcknowledged,
        Self::LeapProvesNothing,
        Self::StartProvesNothing,
        Self::SetBackProvesNothing,
    ];
}

/// Whether the rule holds. It does.
#[cfg(not(feature = "mutants"))]
#[must_use]
pub const fn holds(_rule: Rule) -> bool {
    true
}

#[cfg(feature = "mutants")]
pub use broken::{broken, holds};

#[cfg(feature = "mutants")]
mod broken {
    use super::Rule;
    use std::cell::Cell;

    std::thread_local! {
        static BROKEN: Cell<Option<Rule>> = const { Cell::new(None) };
    }

    /// Whether the rule holds in this thread.
    #[must_use]
    pub fn holds(rule: Rule) -> bool {
        BROKEN.get() != Some(rule)
    }

    /// Does something in a world where this rule is broken, in this thread alone.
    pub fn broken<T>(rule: Option<Rule>, work: impl FnOnce() -> T) -> T {
        BROKEN.set(rule);
        let done = work();
        BROKEN.set(None);
        done
    }
}
