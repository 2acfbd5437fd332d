//! Phones that dial over a link, as far as its session sees them: hops in, screens out, and no menu.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use bytes::Bytes;
use paygate_parsers::smpp::ussd::{self, Dialect, Event, Handset};
use paygate_parsers::smpp::{Body, Pdu};

use super::*;
use crate::engine::door::Submitted;
use crate::smpp::session::tests::{Bench, SECOND, submit_resp};
use crate::smpp::ussd::Screens;
use crate::smpp::window::Ticket;
use crate::smpp::{LinkSettings, UssdLink};
use crate::ussd::{HopInput, Screen};

fn dials(link: &mut LinkSettings) {
    let (gateway, dialect) = ("viettel".to_owned(), Dialect::STANDARD);
    link.ussd = Some(UssdLink { gateway, dialect, concurrency: 2, screen_ttl: 20 * SECOND });
}

fn hop(event: Event, text: &str) -> Body {
    let handset = Handset { msisdn: "84912345678".to_owned(), code: "*098#".to_owned(), number: 0x0700 };
    Body::DeliverSm(ussd::deliver(&Dialect::STANDARD, &handset, 1, event, text))
}

impl Bench {
    /// Says what comes of a hop's being taken: its screen, on its way back.
    fn show(&mut self, text: &str) -> Ticket {
        let (hop, back) = self.session.next_hop().unwrap();
        self.ticket += 1;
        let settings = &self.session.settings;
        let (link, screen) = (settings.ussd.as_ref().unwrap(), Screen::Ask(text.to_owned()));
        let outgoing = Screens::new(settings).open(link, self.ticket, &back, &screen, self.now);
        self.session.screen(&hop.session, Some(outgoing));
        self.advance();
        self.ticket
    }
}

#[test]
fn a_hop_is_acknowledged_at_once_and_is_no_message() {
    let mut bench = Bench::bound(dials);
    for event in [Event::Begins, Event::Over, Event::Notice] {
        bench.say(7, 0, hop(event, "*098#"));
        assert_eq!(bench.written(), [Pdu::new(7, Body::DeliverSmResp(Bytes::new()))], "{event:?}");
    }
    assert!(!bench.session.has_deliveries());
    let (begun, _) = bench.session.next_hop().unwrap();
    assert_eq!((begun.session.as_str(), begun.begins, begun.input), ("84912345678+0700", true, dialled("*098#")));
    assert!(bench.session.next_hop().is_none(), "a phone that hangs up does not overtake what it said before");
    bench.session.screen(&begun.session, None);
    assert_eq!(bench.session.next_hop().unwrap().0.input, HopInput::Ended);
    bench.session.screen(&begun.session, None);
    assert!(bench.session.next_hop().is_none(), "a phone's confirmation asks for nothing");
}

fn dialled(text: &str) -> HopInput {
    HopInput::Dialled(text.to_owned())
}

#[test]
fn a_link_without_menus_takes_a_hop_for_a_message() {
    let mut bench = Bench::bound(|_| {});
    bench.say(7, 0, hop(Event::Begins, "*098#"));
    assert!(bench.written().is_empty() && bench.session.has_deliveries());
}

#[test]
fn more_hops_than_are_allowed_at_once_are_to_be_sent_again() {
    let mut bench = Bench::bound(dials);
    for sequence in 1..=3 {
        bench.say(sequence, 0, hop(Event::Answers, "1"));
    }
    let statuses = |bench: &mut Bench| bench.written().iter().map(|pdu| pdu.status).collect::<Vec<_>>();
    assert_eq!(statuses(&mut bench), [0, 0, status::ESME_RX_T_APPN]);
    bench.show("1. VIP");
    assert_eq!(bench.texts(), ["1. VIP"]);
    bench.say(4, 0, hop(Event::Answers, "1"));
    assert_eq!(statuses(&mut bench), [0]);
}

#[test]
fn a_screen_whose_dialogue_is_gone_is_not_sent_again() {
    let mut bench = Bench::bound(dials);
    bench.say(1, 0, hop(Event::Answers, "1"));
    let ticket = bench.show("1. VIP");
    let (sequence, _) = bench.submitted().pop().unwrap();
    bench.say(sequence, status::VENDOR_FIRST, submit_resp());
    assert_eq!(bench.session.take_outcomes(), [(ticket, Submitted::Refused { status: status::VENDOR_FIRST })]);
    bench.wait(60 * SECOND);
    assert!(bench.texts().is_empty());
}

#[test]
fn a_link_that_stops_lets_the_screens_out_that_it_owes() {
    let mut bench = Bench::bound(dials);
    bench.say(1, 0, hop(Event::Answers, "1"));
    bench.session.shutdown(bench.now);
    bench.advance();
    bench.say(2, 0, hop(Event::Answers, "2"));
    bench.written();
    bench.show("Dang xu ly");
    let (sequence, text) = bench.submitted().pop().unwrap();
    assert_eq!(text, "Dang xu ly");
    bench.say(sequence, 0, submit_resp());
    assert!(bench.written().iter().any(|pdu| pdu.body == Body::Unbind), "then it unbinds");
}
