//! USSD over SMPP: any message at all, and whole hops through both sides of each dialect.

use paygate_parsers::smpp::message::{Address, Message};
use paygate_parsers::smpp::tlv::{self, Tlvs};
use paygate_parsers::smpp::ussd::{Dialect, Event, Handset, deliver, read, screen, shown};
use paygate_parsers::text::Alphabet;
use proptest::collection::vec;
use proptest::prelude::*;

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL.to_vec())
}

fn event() -> impl Strategy<Value = Event> {
    prop::sample::select(vec![Event::Begins, Event::Answers, Event::Over, Event::Notice])
}

/// A dialogue's number of the kind that every dialect has room for.
fn handset() -> impl Strategy<Value = Handset> {
    ("849[0-9]{8}", 1..=255_u16).prop_map(|(msisdn, number)| Handset {
        msisdn,
        code: "*098#".to_owned(),
        number: number << 8,
    })
}

proptest! {
    #[test]
    fn a_hop_is_read_as_its_gateway_meant_it_and_its_screen_finds_the_phone(
        dialect in dialect(), handset in handset(), hops in 0..128_u16, event in event(), key in "[0-9]{1,9}",
        text in "[ -?A-Za-z\n]{0,180}", ends in any::<bool>(),
    ) {
        let keyed = if event == Event::Begins { "*098*1#" } else { key.as_str() };
        let hop = read(&dialect, Alphabet::Gsm7, &deliver(&dialect, &handset, hops, event, keyed)).expect("what is written can be read");
        prop_assert_eq!((hop.event, hop.text.as_str(), &hop.msisdn), (event, keyed, &handset.msisdn));
        prop_assert!(hop.sequence.is_none_or(|sequence| sequence == u32::from(hops)));
        let shown = shown(&dialect, &screen(&dialect, &hop.back, &text, ends)).expect("what is written can be read");
        prop_assert_eq!((&shown.msisdn, &shown.text), (&handset.msisdn, &text));
        // A dialogue that its gateway ended stays so whatever we answer; nobody sees that screen.
        prop_assert!(shown.ends == ends || event == Event::Over);
        prop_assert!(shown.number.is_none_or(|number| number == handset.number));
    }

    #[test]
    fn one_dialogue_has_one_name_through_all_its_hops(
        dialect in dialect(), handset in handset(), other in 1..=255_u16, hops in vec(0..128_u16, 2..5),
    ) {
        let session = |handset: &Handset, hop| {
            read(&dialect, Alphabet::Gsm7, &deliver(&dialect, handset, hop, Event::Answers, "1")).expect("what is written can be read").session
        };
        let first = session(&handset, 0);
        for hop in hops {
            prop_assert_eq!(&session(&handset, hop), &first);
        }
        let other = Handset { number: other << 8, ..handset.clone() };
        if other.number != handset.number && dialect != Dialect::MSISDN {
            prop_assert_ne!(session(&other, 0), first);
        }
    }

    #[test]
    fn no_message_makes_it_panic_or_answer_somebody_else(
        dialect in dialect(), from in vec(any::<u8>(), 0..30), to in vec(any::<u8>(), 0..30), data_coding in any::<u8>(),
        text in vec(any::<u8>(), 0..200), operation in any::<u8>(), info in any::<u16>(), esm_class in any::<u8>(),
    ) {
        let mut tlvs = Tlvs::default();
        tlvs.push(tlv::USSD_SERVICE_OP, vec![operation]);
        tlvs.push(tlv::ITS_SESSION_INFO, info.to_be_bytes().to_vec());
        tlvs.push(tlv::USER_MESSAGE_REFERENCE, info.to_be_bytes().to_vec());
        let message = Message {
            source: Address::new(1, 1, from),
            destination: Address::new(0, 0, to),
            esm_class,
            data_coding,
            short_message: text.into(),
            tlvs,
            ..Message::default()
        };
        if let Some(hop) = read(&dialect, Alphabet::Gsm7, &message) {
            let screen = screen(&dialect, &hop.back, "OK", true);
            prop_assert_eq!(&screen.destination, &message.source);
            prop_assert_eq!(&screen.source, &message.destination);
        }
        let _ = shown(&dialect, &message);
    }
}
