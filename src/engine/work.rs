//! What waits for the loop, and what the loop has decided. Plain values between the tokio half and the pure half.

use super::door::{MessageIn, NotifyIn, PaymentIn, ReceiptIn, Submitted, Verdict};
use super::intake::Reading;
use crate::journal::rows::{ActRow, HeldPart, OwedReply, PartRow, ReplyRow, Seen, Unit};
use crate::purchase::input::{Effect, Input};
use crate::purchase::record::Purchase;
use paygate_parsers::msisdn::Msisdn;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Where a door waits to hear that its delivery is durable; nobody waits for what the engine put together itself.
pub type Done = Option<oneshot::Sender<Verdict>>;

/// One thing for the loop to take up.
#[derive(Debug)]
pub enum Work {
    Message {
        reading: Arc<Reading>,
        done: Done,
        parts: Option<(String, i64)>,
    },
    /// A payment that a partner has made: new, or told once more.
    Payment {
        payment: Box<PaymentIn>,
        done: Done,
    },
    /// One part of a long message, to be kept.
    Part {
        message: Box<MessageIn>,
        done: Done,
    },
    /// Look whether a set of parts is whole now.
    Assemble {
        set: String,
    },
    /// A set of parts that waited too long, or that is whole and was never put together.
    LeftOver {
        parts: Vec<PartRow>,
    },
    /// A peer answered one of our calls. `tries` counts how often the journal refused it.
    Answer {
        id: String,
        input: Input,
        tries: u8,
    },
    /// A claimed purchase whose time has come.
    Due {
        purchase: Box<Purchase>,
    },
    /// A claimed reply that nobody has sent yet.
    Owed {
        reply: OwedReply,
    },
    /// What became of a reply at the SMSC.
    Reply {
        key: String,
        kind: String,
        sends: i64,
        submitted: Submitted,
    },
    Receipt {
        receipt: ReceiptIn,
        tries: u8,
        done: Done,
    },
    /// A channel spoke by itself.
    Notify {
        notify: Arc<NotifyIn>,
        done: Done,
    },
    /// A claimed act of an operator's about this purchase.
    Act {
        purchase: String,
        act: Box<ActRow>,
    },
}

/// What the journal knew before the batch was decided.
#[derive(Debug, Default)]
pub struct Known {
    pub seen: HashMap<String, Seen>,
    /// Keys that were new to the shared key store, and that the journal was therefore not asked about.
    pub claimed: HashSet<String>,
    /// Newest first.
    pub of_subscriber: HashMap<Msisdn, Vec<Purchase>>,
    pub purchases: HashMap<String, Purchase>,
    pub parts: HashMap<String, Vec<HeldPart>>,
    /// (link, message id) to the key of the reply that the SMSC named so.
    pub receipts: HashMap<(String, String), String>,
}

impl Known {
    /// What was read later takes the place of what was read before.
    pub fn add(&mut self, newer: Self) {
        self.seen.extend(newer.seen);
        self.claimed.extend(newer.claimed);
        self.of_subscriber.extend(newer.of_subscriber);
        self.purchases.extend(newer.purchases);
        self.parts.extend(newer.parts);
        self.receipts.extend(newer.receipts);
    }
}

/// A decided unit, with what is to be done once it is durable and what to take up again if it is stale.
#[derive(Debug, Default)]
pub struct Decision {
    pub unit: Unit,
    /// The purchase after the step and what follows from it.
    pub effects: Vec<Effect>,
    /// Texts to send at once; their rows stand in the unit.
    pub replies: Vec<(ReplyRow, i64)>,
    pub done: Vec<oneshot::Sender<Verdict>>,
    /// What they hear once it is durable, where that is more than `Fresh`.
    pub verdict: Option<Verdict>,
    /// Money that was found taken and nothing stood for.
    pub extra_charges: u64,
    /// Sets to look at once the part is durable.
    pub assemble: Option<String>,
    /// What to decide anew if another instance was first, or the journal could not say.
    pub again: Vec<Work>,
}
