//! Holds the journal against the neighbours' own books when a test is over. The laws here are the six sentences on money
//! in the interface; they hold for every world, whatever its story was.

use super::{PATIENCE, World};
use paygate::journal::Journal;
use paygate::journal::rows::{AttemptRow, Filter, Listed, MessageFilter};
use paygate::purchase::State;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What the operator and the package manager have in their books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) debits: u64,
    pub(crate) refunds: u64,
    pub(crate) grants: u64,
}

impl Books {
    pub(crate) const NOTHING: Self = Self { debits: 0, refunds: 0, grants: 0 };
    pub(crate) const BOUGHT: Self = Self::bought(1);
    pub(crate) const GIVEN_BACK: Self = Self { debits: 1, refunds: 1, grants: 0 };

    pub(crate) const fn bought(times: u64) -> Self {
        Self { debits: times, refunds: 0, grants: times }
    }
}

impl World {
    pub(crate) fn books(&self) -> Books {
        use paygate::sandbox::billing::EntryKind::Refunded;
        let refunds = self.billing.entries().iter().filter(|entry| entry.kind == Refunded).count() as u64;
        let debits = self.billing.debits_in_all() + self.pay123.debits_in_all() + self.partner.debits_in_all();
        Books { debits, refunds, grants: self.packages.grants_in_all() }
    }

    /// The journal as an operator reads it, oldest first.
    pub(crate) async fn purchases(&self) -> Vec<Listed> {
        let mut listed = self.journal().await.list(&Filter { limit: 1_000, ..Filter::default() }).await.unwrap();
        listed.reverse();
        listed
    }

    /// Waits until the newest purchase is in this state.
    pub(crate) async fn comes_to(&self, state: &str) {
        let end = Instant::now() + PATIENCE;
        let journal = self.journal().await;
        let newest = Filter { limit: 1, ..Filter::default() };
        loop {
            let stands = journal.list(&newest).await.unwrap().pop().map(|listed| listed.purchase.state.as_str());
            if stands == Some(state) {
                return;
            }
            assert!(Instant::now() < end, "the purchase is {stands:?} and never came to {state}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the texts of the one purchase stand so, each as `kind status`.
    pub(crate) async fn replies_stand(&self, wanted: &[&str]) {
        let id = self.purchases().await[0].purchase.id.clone();
        let (end, journal) = (Instant::now() + PATIENCE, self.journal().await);
        loop {
            let replies = journal.story(&id).await.unwrap().unwrap().replies;
            let stand: Vec<String> = replies.iter().map(|(row, status)| format!("{} {status}", row.kind)).collect();
            if stand == wanted {
                return;
            }
            assert!(Instant::now() < end, "the replies are {stand:?} and never came to {wanted:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn journal(&self) -> Journal {
        Journal::open_for_reading(&self.store.config).await.unwrap()
    }

    /// Stops the daemons and holds everything against everything: the states of the purchases, oldest first, the
    /// neighbours' books, the laws, and that no text is left that the test has not read.
    pub(crate) async fn ends(mut self, states: &[&str], books: Books) {
        self.stop_daemons().await;
        self.ends_alike(states, books).await;
        self.has_no_text_unread().await;
    }

    /// The same where the daemon was killed: a text may have come twice.
    pub(crate) async fn ends_though_killed(self, states: &[&str], books: Books) {
        self.ends_alike(states, books).await;
    }

    async fn ends_alike(&self, states: &[&str], books: Books) {
        let purchases = self.purchases().await;
        let stand: Vec<&str> = purchases.iter().map(|listed| listed.purchase.state.as_str()).collect();
        let is_as_wanted = (stand.as_slice(), self.books()) == (states, books);
        let stories = if is_as_wanted { String::new() } else { self.stories(&purchases).await };
        assert_eq!((stand.as_slice(), self.books()), (states, books), "{stories}");
        self.obeys_the_laws(&purchases);
        self.kept_every_message().await;
    }

    /// What happened to each, for whoever reads why a test failed.
    async fn stories(&self, purchases: &[Listed]) -> String {
        let (mut stories, journal) = (String::new(), self.journal().await);
        for Listed { purchase, .. } in purchases {
            for event in journal.events(&purchase.id, 0).await.unwrap() {
                let after = (event.at - purchase.created_at) / 1_000;
                let moved = format!("{} -> {}", event.state_from, event.state_to);
                stories.push_str(&format!("\n{} {after} ms {} {moved} {}", purchase.id, event.kind, event.body));
            }
        }
        stories
    }

    pub(crate) fn obeys_the_laws(&self, purchases: &[Listed]) {
        let mut known = Books::NOTHING;
        for listed in purchases {
            let one = self.books_of(listed);
            let (id, state) = (&listed.purchase.id, listed.purchase.state);
            let fits = match state {
                State::Requested if listed.purchase.is_prepaid() => one == Books { debits: 1, ..Books::NOTHING },
                State::Done => one == Books::BOUGHT,
                State::Refunded => one == Books::GIVEN_BACK,
                State::Requested
                | State::Offered
                | State::Declined
                | State::Expired
                | State::Cancelled
                | State::Refused => one == Books::NOTHING,
                State::Charging | State::ChargeUnknown | State::AwaitingUser => one.debits <= 1 && one.grants == 0,
                State::Granting | State::GrantUnknown => one.debits == 1 && one.refunds == 0 && one.grants <= 1,
                State::Refunding | State::RefundUnknown => one.debits == 1 && one.grants == 0 && one.refunds <= 1,
                State::Review => one.debits <= 1 && one.refunds <= one.debits && one.grants <= one.debits,
            };
            assert!(fits, "{id} is {state:?} in the journal and {one:?} in the books");
            known.debits += one.debits;
            known.refunds += one.refunds;
            known.grants += one.grants;
        }
        assert_eq!(self.books(), known, "the neighbours have done what no purchase stands for");
    }

    fn books_of(&self, listed: &Listed) -> Books {
        let purchase = &listed.purchase;
        let by_partner = |charge: &AttemptRow| {
            let reference = charge.attempt.peer_reference.as_deref();
            u64::from(reference.is_some_and(|reference| self.partner.payment(reference).is_some()))
        };
        let under = |key: &str| u64::from(self.billing.debits(key) + self.pay123.debits(key));
        let by_channel = |charge: &AttemptRow| under(&charge.attempt.key);
        let prepaid = purchase.is_prepaid();
        let debits = |charge| if prepaid { by_partner(charge) } else { by_channel(charge) };
        let debits = listed.charges.iter().map(debits).sum();
        let refunds = purchase.refund.as_ref().map_or(0, |refund| u64::from(self.billing.refunds(&refund.key)));
        Books { debits, refunds, grants: self.packages.grants_of(&purchase.id).into() }
    }

    /// A message acknowledged to a peer is never lost.
    async fn kept_every_message(&self) {
        let filter = MessageFilter { limit: 10_000, ..MessageFilter::default() };
        let kept = self.journal().await.messages(&filter).await.unwrap();
        // Other alphabets have other octets; what was sent as a part has its header in front.
        let plain = |text: &&str| text.len() <= 160 && text.is_ascii();
        for sent in self.smsc.messages().iter().filter(|sent| sent.acknowledged()) {
            let text = sent.text.split_at_checked(6).filter(|(udh, _)| udh.starts_with("\u{5}\0\u{3}"));
            let Some(text) = Some(text.map_or(sent.text.as_str(), |(_, text)| text)).filter(plain) else { continue };
            let found = kept.iter().any(|row| row.from.ends_with(&sent.from) && holds(&row.raw, text.as_bytes()));
            assert!(found, "{text:?} of {} was acknowledged and is not in the journal", sent.from);
        }
    }

    /// Every text that a phone got is one that the test has read: one for each outcome, and none twice.
    async fn has_no_text_unread(&self) {
        let mut phones: std::collections::BTreeSet<String> =
            self.smsc.messages().into_iter().map(|sent| sent.from).collect();
        // A partner's subscribers have written nothing.
        let known = self.purchases().await.into_iter().filter_map(|listed| listed.purchase.order.msisdn);
        phones.extend(known.map(|msisdn| msisdn.digits()));
        for phone in phones {
            let unread = self.smsc.next_text_to(&phone, Duration::ZERO).await;
            assert_eq!(unread, None, "a text too many");
        }
    }
}

fn holds(raw: &[u8], part: &[u8]) -> bool {
    part.is_empty() || raw.windows(part.len()).any(|window| window == part)
}
