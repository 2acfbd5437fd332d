//! Octets under any data coding: no panic, no NUL, folding settles at once, and what is sent again reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paygate_parsers::text::{Alphabet, decode, fold, segments, split};

fuzz_target!(|input: (u8, &[u8])| {
    let (data_coding, octets) = input;
    for default in [Alphabet::Gsm7, Alphabet::Latin1, Alphabet::Ascii, Alphabet::Ucs2] {
        let Some(text) = decode(data_coding, default, octets).text else { continue };
        assert!(!text.contains('\0'));
        let folded = fold(&text);
        assert_eq!(fold(&folded), folded);
        let counted = segments(&text).parts;
        assert_eq!(split(&text, 0).map_or_else(|too_long| too_long.parts, |parts| parts.len()), counted);
    }
});
