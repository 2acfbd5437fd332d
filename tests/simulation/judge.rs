//! When nothing more can happen: each purchase by the peers' books, by the phones and by the journal. What was wrong on the
//! way is counted where it happened, before anything could repair it.

use super::app::Sent;
use super::life::Life;
use super::peers::PRICE;
use paygate::journal::rows::ReplyStatus;
use paygate::purchase::Purchase;
use paygate::purchase::record::State;
use std::collections::BTreeMap;

impl Life<'_> {
    /// What is wrong in the end.
    pub(crate) fn judged(&mut self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut told = self.told();
        for purchase in self.store.purchases.values() {
            *self.tally.ends.entry(purchase.state.as_str().to_owned()).or_default() += 1;
            let told = told.remove(&purchase.id).unwrap_or_default();
            let found = self.of_purchase(purchase, &told).into_iter().chain(self.of_story(purchase));
            wrong.extend(found.map(|what| format!("{}, {}: {what}", purchase.id, purchase.state.as_str())));
        }
        self.tally.purchases = self.store.purchases.len() as u64;
        let unknown = self.books.purchases().into_iter().filter(|id| !self.store.purchases.contains_key(id));
        let moved = unknown.filter(|id| self.books.sums(id) != Default::default());
        wrong.extend(moved.map(|id| format!("{id}: money moved for a purchase that the journal does not hold")));
        wrong.extend(self.twice_written());
        let lost = self.messages.iter().filter(|sms| !sms.acknowledged).count();
        wrong.extend((lost > 0).then(|| format!("{lost} messages were never acknowledged")));
        let untaken = self.payments.iter().filter(|told| !told.is_heard).count();
        wrong.extend((untaken > 0).then(|| format!("{untaken} payments of a partner were never taken")));
        let unanswered = self.orders.iter().filter(|sent| !sent.is_heard).count();
        wrong.extend((unanswered > 0).then(|| format!("{unanswered} orders of an app were never answered")));
        wrong.extend(self.of_dialogues());
        wrong
    }

    /// A message with an id of its peer's stands once, however often it was delivered, and an order as often as it was sent.
    fn twice_written(&self) -> Option<String> {
        let keyed = self.messages.iter().enumerate().filter(|(_, sms)| sms.peer_id.is_some());
        let keys = keyed.filter_map(|(at, _)| self.keys_of.get(&at)).map(String::as_str);
        let mut keys = keys.chain(self.orders.iter().map(Sent::key));
        let twice = keys.any(|key| self.store.seen(key).is_some_and(|seen| seen.generation > 0));
        twice.then(|| "a message that was delivered again counts as two".to_owned())
    }

    /// Outcomes told of each purchase: its texts by kind.
    fn told(&self) -> BTreeMap<String, BTreeMap<&'static str, u32>> {
        let mut told: BTreeMap<String, BTreeMap<&'static str, u32>> = BTreeMap::new();
        for owed in self.store.replies.values() {
            let outcome = match owed.row.kind.as_str() {
                "done" => "done",
                "refunded" => "refunded",
                "checking" => "checking",
                "declined" | "codes_used_up" => "declined",
                "expired" => "expired",
                "cancelled" => "cancelled",
                "refused" | "busy" => "refused",
                _ => continue,
            };
            if let Some(id) = &owed.row.purchase_id {
                *told.entry(id.clone()).or_default().entry(outcome).or_default() += 1;
            }
        }
        told
    }

    fn of_purchase(&self, purchase: &Purchase, told: &BTreeMap<&'static str, u32>) -> Vec<&'static str> {
        let sums = self.books.sums(&purchase.id);
        let is_texted = purchase.order.is_texted();
        let nobody_is = told.is_empty() && !is_texted;
        let told = |kind: &str| told.get(kind).copied().unwrap_or(0);
        let is_told = |kind: &str| nobody_is || told(kind) == 1;
        let is_somebodys = purchase.order.msisdn.is_some();
        let as_agreed = purchase.charge.as_ref().is_none_or(|charge| {
            !(is_somebodys && self.books.is_a_strangers(&charge.key))
                && self.books.debits(&charge.key).is_none_or(|it| it == charge.amount)
        });
        let at_its_price = !purchase.is_prepaid() || purchase.charge.as_ref().is_none_or(|it| it.amount == PRICE);
        let (charged, granted, back) = (sums.charges > 0, sums.grants > 0, sums.refunds > 0);
        let unpaid = !charged && !granted;
        let stands = match purchase.state {
            State::Done => charged && granted && !back && is_told("done"),
            State::Refunded => back && !granted && is_told("refunded"),
            State::Declined => unpaid && is_told("declined"),
            State::Expired => unpaid && is_told("expired"),
            State::Cancelled => unpaid && is_told("cancelled"),
            State::Refused => unpaid && is_told("refused"),
            State::Review => is_told("checking") || told("done") + told("refunded") == 1,
            _ => false,
        };
        let rules = [
            (sums.charges <= 1 || self.is_known_twice(purchase), "charged twice"),
            (sums.grants <= 1, "granted twice"),
            (sums.refunds <= sums.charges, "more given back than charged"),
            (!granted || charged, "granted and not paid"),
            (!granted || !back, "the package and its money both"),
            (as_agreed || !granted || purchase.state == State::Review, "granted for another amount or subscriber"),
            (at_its_price || !granted, "granted though the partner took another price"),
            (stands, "its state is not what the books and the phone say"),
            (
                ["done", "refunded", "checking", "declined", "expired", "cancelled", "refused"]
                    .iter()
                    .all(|kind| told(kind) <= 1),
                "an outcome is told twice",
            ),
        ];
        rules.into_iter().filter(|(holds, _)| !holds).map(|(_, rule)| rule).collect()
    }

    /// Charged anew after the channel had denied a charge that it had made: a person has both.
    fn is_known_twice(&self, purchase: &Purchase) -> bool {
        self.was_denied(&purchase.id) && purchase.state == State::Review
    }

    /// The journal's own story: each event begins where the one before ended, and no text is owed for ever or unread.
    fn of_story(&self, purchase: &Purchase) -> Vec<&'static str> {
        let events = self.store.events.get(&purchase.id).map_or(&[][..], Vec::as_slice);
        let unbroken =
            events.windows(2).all(|pair| pair[0].state_to == pair[1].state_from && pair[0].seq < pair[1].seq);
        let last = events.last().is_some_and(|event| event.state_to == purchase.state.as_str());
        let own = self.store.replies.values().filter(|it| it.row.purchase_id.as_deref() == Some(&purchase.id));
        let (mut owed, mut unread) = (false, false);
        for reply in own {
            owed |= reply.status == ReplyStatus::Queued;
            let read = self.subscribers.iter().any(|it| it.read.contains_key(&reply.row.key));
            unread |= reply.status == ReplyStatus::Sent && !read;
        }
        let rules = [
            (unbroken && last, "its events do not lead to where it stands"),
            (!owed, "a text is owed for ever"),
            (!unread, "a text counts as sent and was never read"),
        ];
        rules.into_iter().filter(|(holds, _)| !holds).map(|(_, rule)| rule).collect()
    }
}
