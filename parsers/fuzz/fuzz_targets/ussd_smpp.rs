//! Any `deliver_sm` or `submit_sm` as a hop or a screen of each dialect: no panic, and the screen goes to the phone that
//! the hop came from.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use paygate_parsers::smpp::ussd::{Dialect, read, screen, shown};
use paygate_parsers::smpp::{Body, MAX_PDU, Pdu, frame};
use paygate_parsers::text::Alphabet;

fuzz_target!(|octets: &[u8]| {
    let mut input = BytesMut::from(octets);
    while let Ok(Some(frame)) = frame(&mut input, MAX_PDU) {
        let Ok(pdu) = Pdu::read(frame) else { continue };
        let (Body::DeliverSm(message) | Body::DataSm(message) | Body::SubmitSm(message)) = pdu.body else { continue };
        for dialect in Dialect::ALL {
            let _ = shown(&dialect, &message);
            let Some(hop) = read(&dialect, Alphabet::Gsm7, &message) else { continue };
            let screen = screen(&dialect, &hop.back, &hop.text, true);
            assert_eq!(screen.destination, message.source);
            assert!(shown(&dialect, &screen).is_some_and(|shown| shown.ends));
        }
    }
});
