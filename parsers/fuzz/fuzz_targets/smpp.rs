//! Any octets as a stream of PDUs: no panic, each PDU takes exactly its own length, and what could be read is written so
//! that it is read the same again.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use paygate_parsers::smpp::receipt::Receipt;
use paygate_parsers::smpp::{Body, HEADER_LENGTH, MAX_PDU, Pdu, Quirks, frame};

fuzz_target!(|octets: &[u8]| {
    let mut input = BytesMut::from(octets);
    let mut before = input.len();
    while let Ok(Some(frame)) = frame(&mut input, MAX_PDU) {
        assert_eq!(before - input.len(), HEADER_LENGTH + frame.body.len());
        before = input.len();
        let Ok(pdu) = Pdu::read(frame) else { continue };
        if let Body::DeliverSm(message) | Body::DataSm(message) | Body::SubmitSm(message) = &pdu.body {
            let _ = Receipt::of_message(message);
        }
        let first = again(&pdu);
        assert_eq!(again(&first), first);
    }
});

/// The PDU as it is read from what we write of it; written once, it has no oddity left.
fn again(pdu: &Pdu) -> Pdu {
    let mut out = BytesMut::new();
    pdu.write(&mut out);
    let Ok(Some(frame)) = frame(&mut out, 2 * MAX_PDU) else { panic!("what we write is no PDU: {pdu:?}") };
    let mut read = Pdu::read(frame).expect("what we write can be read");
    read.quirks = Quirks::default();
    read
}
