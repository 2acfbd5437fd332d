//! What happened in the lives so far: each fault of the catalogue (docs/faults.md) that the world models, and how often.
//! Counts what was seen to happen, not what was meant to.

use std::collections::BTreeMap;

/// A fault of the catalogue, by its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    F1,
    F2,
    F3,
    F4,
    F6,
    F7,
    F8,
    F9,
    F10,
    F11,
    F12,
    F16,
    F17,
    F18,
    F19,
    F20,
    F24,
    F25,
    F26,
    F27,
    F29,
    F30,
    F31,
    F40,
    F44,
    F45,
    F48,
    F49,
    F52,
    F57,
    F60,
    F62,
    F63,
    F64,
    F65,
    F66,
    /// No fault: a charge that was made anew took place.
    Anew,
}

impl Fault {
    pub(crate) const ALL: [(Self, &str); 37] = [
        (Self::F1, "killed with a message read and not committed"),
        (Self::F2, "killed with a message committed and not acknowledged"),
        (Self::F3, "killed with an offer committed and not sent"),
        (Self::F4, "killed with a text sent and its answer not recorded"),
        (Self::F6, "killed between the intent to charge and its send"),
        (Self::F7, "killed between a charge's send and its answer"),
        (Self::F8, "killed with a charge's answer heard and not committed"),
        (Self::F9, "killed between the charge's proof and the grant's send"),
        (Self::F10, "killed between a grant's send and its answer"),
        (Self::F11, "killed with the last text committed and not sent"),
        (Self::F12, "killed with a refund intended or under way"),
        (Self::F16, "not a byte of a charge, grant or refund left"),
        (Self::F17, "a request that moves was lost on its way"),
        (Self::F18, "it was charged and the answer was lost"),
        (Self::F19, "a charge's answer came after the timeout and was heard"),
        (Self::F20, "a request was held and acted after an inquiry had found nothing"),
        (Self::F24, "a charge was answered busy, or with an error though it was made"),
        (Self::F25, "an answer could not be read"),
        (Self::F26, "charged for another amount"),
        (Self::F27, "declined by one answer, charged by another"),
        (Self::F29, "an inquiry found nothing, and a later one a charge"),
        (Self::F30, "a peer said that it had no verdict yet"),
        (Self::F31, "charged for another subscriber"),
        (Self::F40, "a charge came to light after the purchase had ended or gone to a person"),
        (Self::F44, "a grant was called refused though it was made"),
        (Self::F45, "a grant was refused while an earlier one was under way"),
        (Self::F48, "a refund's answer did not come in time"),
        (Self::F49, "a refund was called not made and then found made"),
        (Self::F52, "the answer of a commit was lost"),
        (Self::F57, "the journal's store was down"),
        (Self::F60, "the key store was flushed or gone"),
        (Self::F62, "two owners had one purchase, and the journal refused the second"),
        (Self::F63, "a paused instance came too late to send"),
        (Self::F64, "the journal's clock was set"),
        (Self::F65, "a right code was answered twice, or as it expired"),
        (Self::F66, "a message was delivered again, or written twice"),
        (Self::Anew, "a charge was made anew under a key of its own"),
    ];
}

/// Who came by another way than an SMS, and what they did besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Came {
    Partner,
    PaymentAgain,
    OtherPayment,
    AppWithPhone,
    App,
    OrderAgain,
    OtherOrder,
    Dialled,
    DialledAgain,
    DiedAtService,
    DiedAtPackage,
    DiedAtForWhom,
    DiedAtConsent,
    DiedAgreed,
    LostMemory,
    HopAgain,
    ConsentAgain,
    ConsentElsewhere,
    ScreenBought,
    RepeatAsked,
}

impl Came {
    pub(crate) const ALL: [(Self, &str); 20] = [
        (Self::Partner, "payments of a partner that charges by itself"),
        (Self::PaymentAgain, "of these were told again"),
        (Self::OtherPayment, "other payments under a taken id"),
        (Self::AppWithPhone, "orders of an app that names its customer's phone"),
        (Self::App, "orders of an app that does not"),
        (Self::OrderAgain, "of these were sent again under their key"),
        (Self::OtherOrder, "other orders under a taken key"),
        (Self::Dialled, "dialogues of a menu that was dialled"),
        (Self::DialledAgain, "of these were dialled because the one before had died"),
        (Self::DiedAtService, "died before the service was chosen"),
        (Self::DiedAtPackage, "died before the package was"),
        (Self::DiedAtForWhom, "died before it was said for whom"),
        (Self::DiedAtConsent, "died before the consent"),
        (Self::DiedAgreed, "died after it, with no last screen"),
        (Self::LostMemory, "steps of a dialogue that nothing was remembered of"),
        (Self::HopAgain, "steps before the consent came twice"),
        (Self::ConsentAgain, "consents were handed in more than once"),
        (Self::ConsentElsewhere, "of these at another instance, or after a start"),
        (Self::ScreenBought, "purchases began with a consent on a screen"),
        (Self::RepeatAsked, "of these were the same once more, and asked about by SMS"),
    ];
}

/// Counts over one life or many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) faults: BTreeMap<Fault, u64>,
    pub(crate) came: BTreeMap<Came, u64>,
    /// (state, kind of input) and how often it was committed.
    pub(crate) reached: BTreeMap<(String, String), u64>,
    /// How purchases came to rest.
    pub(crate) ends: BTreeMap<String, u64>,
    pub(crate) events: u64,
    pub(crate) crashes: u64,
    pub(crate) purchases: u64,
}

impl Tally {
    pub(crate) fn saw(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    pub(crate) fn came(&mut self, how: Came) {
        *self.came.entry(how).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        add(&mut self.faults, &other.faults);
        add(&mut self.came, &other.came);
        add(&mut self.reached, &other.reached);
        add(&mut self.ends, &other.ends);
        self.events += other.events;
        self.crashes += other.crashes;
        self.purchases += other.purchases;
    }
}

fn add<K: Ord + Clone>(sums: &mut BTreeMap<K, u64>, others: &BTreeMap<K, u64>) {
    for (key, count) in others {
        *sums.entry(key.clone()).or_default() += count;
    }
}
