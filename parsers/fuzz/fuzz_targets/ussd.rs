//! Any text as a dialled string, as inputs and as a name to be shown: no panic, what is printed is read back, what is shown fits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paygate_parsers::text::{septets, shortened, shown};
use paygate_parsers::ussd::{Dialled, input, inputs};

fuzz_target!(|text: &str| {
    let _ = (inputs(text), input(text));
    if let Ok(dialled) = Dialled::parse(text) {
        assert_eq!(Dialled::parse(&dialled.to_string()), Ok(dialled));
    }
    let short = shortened(&shown(text), 182);
    assert!(septets(&short).is_some_and(|septets| septets <= 182), "{short:?}");
});
