//! The channel's own page: a subscriber who was told where to pay pays there, or does not, and the channel may speak of it
//! by itself, late, twice or never. Money moves here without the gateway.

use super::books::Sums;
use super::life::{Event, Life, MINUTE, SECOND};
use paygate::engine::door::NotifyIn;
use paygate::engine::work::Work;
use paygate::purchase::record::Micros;
use std::sync::Arc;

/// How long a link can be paid at, from when it was opened.
pub(crate) const LINK_TTL: Micros = 5 * MINUTE;

impl Life<'_> {
    /// A text with a link was read: whoever wants to pay does so in time or too late.
    pub(crate) fn goes_to_the_page(&mut self, purchase: &str) {
        if self.chance.percent(80) {
            let pause = SECOND + self.chance.up_to(6 * MINUTE);
            self.after(pause, Event::Pay { key: format!("{purchase}-c1") });
        }
    }

    pub(crate) fn pays(&mut self, key: &str) {
        let before = self.books.sums_of(key);
        let Some(paid) = self.books.pay(&mut self.chance, key, self.now) else { return };
        let after = self.books.sums_of(key);
        self.mix(&format!("pays{before:?}{after:?}"));
        self.note(|| format!("a subscriber is at the page of {key}: {}", if paid { "paid" } else { "not paid" }));
        self.judge_payment(key, before, after);
        for _ in 0..self.chance.below(3) {
            let longest = if self.chance.percent(80) { MINUTE } else { 120 * MINUTE };
            let pause = self.chance.up_to(longest);
            self.after(pause, Event::Notified { key: key.to_owned(), paid });
        }
    }

    fn judge_payment(&mut self, key: &str, before: Sums, after: Sums) {
        if after.charges > before.charges && before.charges > 0 {
            self.wrong(format!("{key} is charged twice"));
        }
    }

    /// At whichever instance it arrives; one that is down hears nothing.
    pub(crate) fn notified(&mut self, key: &str, paid: bool) {
        let instance = usize::try_from(self.chance.below(self.instances.len() as u64)).unwrap_or(0);
        let (channel, digest) = ("viettel".to_owned(), format!("{paid}"));
        let notify = NotifyIn { channel, key: key.to_owned(), paid, digest, heard: String::new() };
        let work = Work::Notify { notify: Arc::new(notify), done: None };
        self.hear(instance, self.instances[instance].epoch, Box::new(work));
    }
}
