//! What follows once the journal has spoken of a batch: who hears what, what is let out, and what is taken up again.
//! Plain values; carries none of it out.

use super::desk::Desk;
use super::door::Verdict;
use super::work::{Decision, Known, Work};
use crate::journal::rows::{Committed, ReplyRow};
use crate::law::{Rule, holds};
use crate::purchase::Purchase;
use crate::purchase::input::{Effect, Input};
use crate::telemetry::message_ids;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// An answer whose step the journal refuses is decided anew this often, this far apart; then its purchase's due time has it.
pub(super) const REFUSED_TRIES: u8 = 5;
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

/// A text that may leave now.
#[derive(Debug)]
pub struct Text {
    pub row: ReplyRow,
    /// How often it was let out before.
    pub sends: i64,
    /// Takes the place of `{otp}`. Stands in no row.
    pub code: Option<String>,
}

/// What a batch leads to, each kind in the order of its units.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Doors that wait, and what they hear.
    pub verdicts: Vec<(oneshot::Sender<Verdict>, Verdict)>,
    pub texts: Vec<Text>,
    /// What is to be performed, for a purchase as it was committed.
    pub effects: Vec<(Arc<Purchase>, Effect)>,
    /// Purchases that stand as they are here.
    pub standing: Vec<Arc<Purchase>>,
    /// Ids of purchases that may stand otherwise than they were known.
    pub doubtful: Vec<String>,
    /// To be taken up next.
    pub later: Vec<Work>,
    /// To be taken up after a pause.
    pub after: Vec<(Work, Duration)>,
}

impl Aftermath {
    /// Adds what follows from one unit: acknowledge and let out, or take up again.
    pub fn add(
        &mut self,
        desk: &Desk,
        decision: Decision,
        purchase: Option<Arc<Purchase>>,
        outcome: Committed,
        known: &Known,
    ) {
        match outcome {
            Committed::Durable => self.let_out(desk, decision, purchase, known),
            Committed::Duplicate => self.taken_elsewhere(decision, purchase.as_deref(), known),
            Committed::Stale => {
                metrics::counter!("paygate_fenced_writes_total").increment(1);
                self.again(decision, purchase.as_deref());
            }
            Committed::Refused => self.refused(decision, purchase.as_deref()),
        }
    }

    fn let_out(&mut self, desk: &Desk, decision: Decision, purchase: Option<Arc<Purchase>>, known: &Known) {
        let verdict = decision.verdict.unwrap_or(Verdict::Fresh);
        self.verdicts.extend(decision.done.into_iter().map(|done| (done, verdict)));
        self.later.extend(decision.assemble.map(|set| Work::Assemble { set }));
        for (row, sends) in decision.replies {
            let about = purchase.as_deref().or_else(|| row.purchase_id.as_ref().and_then(|id| known.purchases.get(id)));
            let code = about.filter(|_| row.text.contains("{otp}")).and_then(|purchase| code_of(desk, purchase));
            self.texts.push(Text { row, sends, code });
        }
        let Some(purchase) = purchase else { return };
        self.effects.extend(decision.effects.into_iter().map(|effect| (Arc::clone(&purchase), effect)));
        self.standing.push(purchase);
    }

    /// The message was there already, and with it nothing of its unit was written: the answers that had been folded in
    /// beside it are evidence of their own.
    fn taken_elsewhere(&mut self, mut decision: Decision, purchase: Option<&Purchase>, known: &Known) {
        if decision
            .again
            .iter()
            .any(|work| matches!(work, Work::Message { reading, .. } if known.claimed.contains(&reading.key)))
        {
            // Only the key store was asked, and it has forgotten: whether this is a redelivery, the journal says.
            return self.again(decision, purchase);
        }
        if decision.again.iter().any(|work| matches!(work, Work::Payment { .. } | Work::Notify { .. })) {
            // Whether what was taken elsewhere is this payment or another under its id, the journal says; and that a notify
            // was taken, only its own commit.
            return self.again(decision, purchase);
        }
        self.verdicts.extend(decision.done.drain(..).map(|done| (done, Verdict::Again)));
        // Likewise an act: it was carried out elsewhere, or it is claimed again.
        decision.again.retain(|work| !matches!(work, Work::Message { .. } | Work::Act { .. }));
        self.again(decision, purchase);
    }

    /// A rule above the journal failed, and the same rows would be refused again. What they were made of is not lost: each
    /// piece is decided anew by itself. A delivery that is neither message nor answer hears "later" by being dropped.
    fn refused(&mut self, mut decision: Decision, purchase: Option<&Purchase>) {
        tracing::error!(
            message_id = message_ids::STEP_REFUSED,
            purchase = purchase.map(|purchase| purchase.id.as_str()).unwrap_or_default(),
            "a constraint of the journal refused a step: a rule above it failed; nothing was let out"
        );
        metrics::counter!("paygate_refused_writes_total").increment(1);
        self.doubt(purchase);
        let alone = decision.again.len() == 1;
        let mut waiting = decision.done.drain(..);
        for (place, work) in (1..).zip(decision.again.drain(..)) {
            match work {
                Work::Message { reading, parts, .. } => {
                    let reading = if alone { reading.kept_as_refused().map(Arc::new) } else { Some(reading) };
                    let done = waiting.next();
                    // None where the journal takes no message at all: the peer keeps it, and hears "later".
                    self.later.extend(reading.map(|reading| Work::Message { reading, done, parts }));
                }
                Work::Answer { id, input, tries } => self.answer_refused(id, input, tries + 1, place),
                // Its peer keeps it, and hears "later" by its being dropped here.
                Work::Payment { .. }
                | Work::Notify { .. }
                // Their rows are due again by themselves.
                | Work::Part { .. }
                | Work::Assemble { .. }
                | Work::LeftOver { .. }
                | Work::Due { .. }
                | Work::Owed { .. }
                | Work::Reply { .. }
                | Work::Receipt { .. }
                | Work::Act { .. } => {}
            }
        }
    }

    /// Answers of one unit come back one after the other: the one at fault must not take the others with it again.
    fn answer_refused(&mut self, id: String, input: Input, tries: u8, place: u32) {
        if tries <= REFUSED_TRIES {
            self.after.push((Work::Answer { id, input, tries }, REFUSED_PAUSE * place));
        } else {
            tracing::error!(
                message_id = message_ids::STEP_REFUSED,
                purchase = id,
                answer = input.kind(),
                tries,
                "an answer could not be written down; its peer is asked anew when the purchase is due"
            );
        }
    }

    /// Another instance was first: forget what was read, and decide the same work anew on what stands now.
    fn again(&mut self, mut decision: Decision, purchase: Option<&Purchase>) {
        self.doubt(purchase);
        let mut waiting = decision.done.drain(..);
        for mut work in decision.again.drain(..) {
            if let Work::Message { done, .. } | Work::Payment { done, .. } | Work::Notify { done, .. } = &mut work {
                *done = waiting.next();
            }
            self.later.push(work);
        }
    }

    /// The journal could not say. A message, payment or notify is sent again by its peer; an answer is evidence and is kept.
    pub fn undecided(&mut self, mut decision: Decision, purchase: Option<&Purchase>) {
        let verdict = if holds(Rule::DoubtIsNotAcknowledged) { Verdict::Later } else { Verdict::Fresh };
        self.verdicts.extend(decision.done.drain(..).map(|done| (done, verdict)));
        // Parts were acknowledged one by one: nobody sends the message that they make again.
        decision.again.retain(|work| {
            !matches!(work, Work::Message { parts: None, .. } | Work::Payment { .. } | Work::Notify { .. })
        });
        self.again(decision, purchase);
    }

    /// Nothing could even be read: messages go back to their peers, the rest waits here.
    pub fn put_off(&mut self, works: Vec<Work>) {
        for work in works {
            match work {
                Work::Message { done: Some(done), .. }
                | Work::Payment { done: Some(done), .. }
                | Work::Notify { done: Some(done), .. }
                | Work::Part { done: Some(done), .. } => {
                    self.verdicts.push((done, Verdict::Later));
                }
                other => self.later.push(other),
            }
        }
    }

    fn doubt(&mut self, purchase: Option<&Purchase>) {
        self.doubtful.extend(purchase.map(|purchase| purchase.id.clone()));
    }
}

fn code_of(desk: &Desk, purchase: &Purchase) -> Option<String> {
    let offer = purchase.offer.as_ref()?;
    Some(desk.rules.code_key.code(&purchase.id, &offer.nonce, offer.digits))
}

#[cfg(test)]
mod tests;
