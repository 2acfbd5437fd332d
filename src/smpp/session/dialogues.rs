//! Phones that dial: each hop is acknowledged at once and handed on, its screen comes back as a submit. Knows no menu, and
//! of a dialogue no more than how many hops are under way.

#[cfg(test)]
mod tests;

use metrics::counter;
use paygate_parsers::smpp::status;
use paygate_parsers::smpp::ussd::Back;

use super::Session;
use crate::smpp::acks::Ack;
use crate::smpp::ussd::Asks;
use crate::smpp::window::Outgoing;
use crate::telemetry::metrics::USSD_HOPS;
use crate::ussd::Hop;

impl Session {
    /// Not journalled, so that nothing is to be waited for; one too many is to be sent again.
    pub(super) fn hop(&mut self, ack: Ack, asks: Asks) {
        let max = self.settings.ussd.as_ref().map_or(0, |link| link.concurrency);
        let status = match asks {
            Asks::Nothing => status::ESME_ROK,
            Asks::Step(hop) if self.hops.len() >= max => {
                counter!(USSD_HOPS, "gateway" => hop.0.gateway, "outcome" => "put_off").increment(1);
                status::ESME_RX_T_APPN
            }
            Asks::Step(hop) => {
                let (hop, back) = *hop;
                self.hops.push(hop, back);
                status::ESME_ROK
            }
        };
        self.acknowledge(ack, status);
    }

    /// The next hop to be answered by [`Self::screen`].
    pub(in crate::smpp) fn next_hop(&mut self) -> Option<(Hop, Back)> {
        self.hops.take()
    }

    /// The screen of a dialogue's hop; `None` where nobody would see one.
    pub(in crate::smpp) fn screen(&mut self, session: &str, screen: Option<Outgoing>) {
        self.hops.done(session);
        self.submit(screen);
    }
}
