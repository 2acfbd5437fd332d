//! Any octets as a user data header: no panic, the payload is the end of them, and the place is a possible one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paygate_parsers::concat::strip_udh;

fuzz_target!(|octets: &[u8]| {
    if let Ok((part, payload)) = strip_udh(octets) {
        assert!(octets.ends_with(payload));
        assert!(part.is_none_or(|part| part.total > 1 && (1..=part.total).contains(&part.number)));
    }
});
