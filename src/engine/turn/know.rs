//! What the journal is asked before a batch is decided, in as few questions as there are kinds. Only reads.

use super::{Cache, LOOK_BACK, Loop};
use crate::engine::door::MessageIn;
use crate::engine::intake::{Family, Meaning, Reading, purchase_id, random_hex, set_key};
use crate::engine::parts;
use crate::engine::work::{Known, Work};
use crate::idempotency::{Ask, Claim};
use crate::journal::JournalError;
use paygate_parsers::msisdn::Msisdn;
use std::collections::HashSet;
use std::time::Duration;

/// How long the shared key store remembers an order's key (design.md, "Idempotency keys"); the journal does for ever.
const ORDER_LIFE: Duration = Duration::from_hours(48);

impl Loop {
    /// Everything the journal must be asked before the batch can be decided, in as few questions as there are kinds.
    pub(super) async fn know(&self, works: &[Work]) -> Result<Known, JournalError> {
        let mut questions = Questions::default();
        let mut known = Known::default();
        for work in works {
            questions.note(work, &self.cache, &mut known);
        }
        let doubtful = self.doubtful(&questions.keys, &mut known.claimed).await;
        let since = self.clock.now() - LOOK_BACK;
        let (seen, of_subscriber, purchases, parts) = tokio::try_join!(
            self.journal.seen(&doubtful),
            self.journal.purchases_of(&questions.subscribers, since),
            self.journal.purchases(&questions.ids),
            self.journal.parts(&questions.sets),
        )?;
        known.seen.extend(seen.into_iter().map(|seen| (seen.key.clone(), seen)));
        for purchase in of_subscriber {
            let Some(msisdn) = purchase.order.msisdn else { continue };
            known.of_subscriber.entry(msisdn).or_default().push(purchase);
        }
        known.purchases.extend(purchases.into_iter().map(|purchase| (purchase.id.clone(), purchase)));
        for part in parts {
            known.parts.entry(part.row.set.clone()).or_default().push(part);
        }
        self.know_assembled(works, &mut known).await?;
        let keys = self.journal.replies_by_message_ids(&questions.receipts).await?;
        known.receipts.extend(questions.receipts.into_iter().zip(keys).filter_map(|(named, key)| Some((named, key?))));
        Ok(known)
    }

    /// A set that is whole reads like a message of its own: its key and its sender are known only now.
    async fn know_assembled(&self, works: &[Work], known: &mut Known) -> Result<(), JournalError> {
        for work in works {
            let Some((message, set, generation)) = assembled(work, known) else { continue };
            let reading = parts::reading(&self.desk.reader, message, &set, generation);
            known.seen.extend(
                self.journal
                    .seen(std::slice::from_ref(&reading.key))
                    .await?
                    .into_iter()
                    .map(|seen| (seen.key.clone(), seen)),
            );
            if let Some(sender) = reading.meaning.sender() {
                let purchases = self.journal.purchases_of(&[*sender], self.clock.now() - LOOK_BACK).await?;
                known.of_subscriber.insert(*sender, purchases);
            }
        }
        Ok(())
    }

    /// The ingest keys that the journal must be asked about. A key that is new to the shared store is taken for new: it
    /// saves the question, and if the store has only forgotten it, the journal's unique key says so at the commit. A hit
    /// is checked, and without an answer everything is asked.
    async fn doubtful(&self, keys: &[(Family, String)], claimed: &mut HashSet<String>) -> Vec<String> {
        let keys_alone = || keys.iter().map(|(_, key)| key.clone());
        if !self.keys.is_shared() || keys.is_empty() {
            return keys_alone().collect();
        }
        let names: Vec<String> = keys.iter().map(|(family, key)| family.named(key)).collect();
        // A token of this one look: what this instance claimed before is a hit like anybody else's.
        let owner = random_hex();
        let ask = |(key, family)| Ask { key, fingerprint: key, owner: &owner, life: self.life(family) };
        let families = keys.iter().map(|(family, _)| *family);
        let asks: Vec<Ask<'_>> = names.iter().map(String::as_str).zip(families).map(ask).collect();
        let claims = self.keys.claim_many(&asks).await;
        let (fresh, doubtful): (Vec<_>, Vec<_>) =
            keys_alone().zip(claims).partition(|(_, claim)| *claim == Claim::Fresh);
        claimed.extend(fresh.into_iter().map(|(key, _)| key));
        doubtful.into_iter().map(|(key, _)| key).collect()
    }

    fn life(&self, family: Family) -> Duration {
        match family {
            Family::Message => Duration::from_micros(u64::try_from(self.desk.redelivery_window).unwrap_or(0)),
            Family::Order => ORDER_LIFE,
        }
    }
}

/// The message that a set makes, with the set's key and generation, where all of it is there.
fn assembled(work: &Work, known: &Known) -> Option<(MessageIn, String, i64)> {
    match work {
        Work::Assemble { set } => {
            let held = known.parts.get(set)?;
            Some((parts::whole(held)?, set.clone(), held.first()?.row.generation))
        }
        Work::LeftOver { parts } if parts::is_whole(parts) => parts::left_over(parts),
        _ => None,
    }
}

/// What the journal has to be asked about a batch.
#[derive(Default)]
struct Questions {
    keys: Vec<(Family, String)>,
    subscribers: Vec<Msisdn>,
    ids: Vec<String>,
    sets: Vec<String>,
    receipts: Vec<(String, String)>,
}

impl Questions {
    fn note(&mut self, work: &Work, cache: &Cache, known: &mut Known) {
        match work {
            Work::Message { reading, .. } => self.note_reading(reading),
            Work::Part { message, .. } => self.sets.extend(message.part.map(|part| set_key(message, part))),
            Work::Assemble { set } => self.sets.push(set.clone()),
            Work::Answer { id, .. } | Work::Act { purchase: id, .. } => self.note_purchase(id, cache, known),
            // That it is here already is told its partner, so it is the journal that must say so.
            Work::Payment { payment, .. } => self.ids.push(purchase_id(&payment.key, 0)),
            Work::Notify { notify, .. } => self.note_purchase(notify.purchase_id(), cache, known),
            Work::Owed { reply } => self.ids.extend(reply.row.purchase_id.clone()),
            Work::Receipt { receipt, .. } => self.receipts.push((receipt.link.clone(), receipt.message_id.clone())),
            Work::LeftOver { .. } | Work::Due { .. } | Work::Reply { .. } => {}
        }
    }

    fn note_purchase(&mut self, id: &str, cache: &Cache, known: &mut Known) {
        match cache.get(id) {
            Some(purchase) => {
                known.purchases.insert(id.to_owned(), purchase);
            }
            None => self.ids.push(id.to_owned()),
        }
    }

    fn note_reading(&mut self, reading: &Reading) {
        self.keys.push((reading.family(), reading.key.clone()));
        match &reading.meaning {
            Meaning::Request { sender, .. } | Meaning::Agreed { sender, .. } => self.subscribers.push(*sender),
            Meaning::Order(order) => self.subscribers.extend(order.msisdn),
            Meaning::Invalid { .. } | Meaning::Kept(_) => {}
        }
    }
}
