//! Any text as a request: no panic, and every refusal comes with an example that would be understood.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paygate_parsers::msisdn::Country;
use paygate_parsers::request::{Syntax, parse};

fuzz_target!(|text: &str| {
    let syntax = Syntax::default();
    for country in ["84", "1"].into_iter().flat_map(Country::new) {
        if let Err(invalid) = parse(&syntax, &country, text) {
            assert!(parse(&syntax, &country, &invalid.example).is_ok(), "{:?}", invalid.example);
        }
    }
});
