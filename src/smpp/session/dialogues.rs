//! Phones that dial: each hop is acknowledged at once and handed on, its screen comes back as a submit. Knows no menu, and
//! of a dialogue no more than how many hops are under way.

#[cfg(test)]
mod tests;

use paygate_parsers::smpp::status;
use paygate_parsers::smpp::ussd::Back;

use super::Session;
use crate::smpp::acks::Ack;
use crate::smpp::ussd::Asks;
use crate::smpp::window::Outgoing;
use crate::ussd::Hop;

impl Session {
    /// Not journalled, so that nothing is to be waited for; one too many is to be sent again.
    pub(super) fn hop(&mut self, ack: Ack, asks: Asks) {
        let max = self.settings.ussd.as_ref().map_or(0, |link| link.concurrency);
        let status = match asks {
            Asks::Nothing => status::ESME_ROK,
            Asks::Step(_) if self.hops_under_way() >= max => status::ESME_RX_T_APPN,
            Asks::Step(hop) => {
                self.hops.push_back(*hop);
                status::ESME_ROK
            }
        };
        self.acknowledge(ack, status);
    }

    pub(super) fn hops_under_way(&self) -> usize {
        self.hops.len() + self.screens_owed
    }

    /// The next hop to be answered by [`Self::screen`], oldest first.
    pub(in crate::smpp) fn next_hop(&mut self) -> Option<(Hop, Back)> {
        let hop = self.hops.pop_front()?;
        self.screens_owed += 1;
        Some(hop)
    }

    /// The screen of a hop that was taken; `None` where nobody would see one.
    pub(in crate::smpp) fn screen(&mut self, screen: Option<Outgoing>) {
        self.screens_owed = self.screens_owed.saturating_sub(1);
        self.submit(screen);
    }
}
