//! Any octets as lines of the USSD socket: no panic, and what could be read is written so that it is read the same again.
#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use paygate_parsers::ussd_line::{Line, cut};

fuzz_target!(|octets: &[u8]| {
    let mut input = BytesMut::from(octets);
    while let Ok(Some(line)) = cut(&mut input, 8192) {
        let Ok(read) = Line::read(&line) else { continue };
        let first = again(&read);
        assert_eq!(again(&first), first);
    }
});

/// The line as it is read from what we write of it.
fn again(line: &Line) -> Line {
    let mut out = BytesMut::new();
    line.write(&mut out);
    let cut = cut(&mut out, 1 << 20).expect("a line").expect("a whole one");
    assert!(out.is_empty(), "one line is written as one line");
    Line::read(&cut).expect("what we write can be read")
}
