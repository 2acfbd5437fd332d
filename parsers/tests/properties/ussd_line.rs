//! Lines of the USSD socket: any octets at all, and whole lines there and back.

use bytes::BytesMut;
use paygate_parsers::ussd_line::{Kind, Line, Login, Ussd, cut};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A field without blanks at its ends, which are no part of it.
fn field() -> impl Strategy<Value = String> {
    "[!-~àđ]{0,8}( [!-~]{1,8})?".prop_map(|text| text.trim().to_owned())
}

fn ussd() -> impl Strategy<Value = Ussd> {
    let kind = (any::<bool>(), any::<bool>(), any::<bool>());
    let fields = (vec(field(), 7), "[ -~\n]{0,190}", option::of(any::<u8>()), option::of(kind), any::<Option<u16>>());
    fields.prop_map(|(mut fields, text, data_coding, kind, error)| {
        let mut next = || fields.pop().unwrap_or_default();
        Ussd {
            msg_id: next(),
            trans_id: next(),
            otid: next(),
            dtid: next(),
            msisdn: next(),
            text,
            data_coding,
            kind: kind.map(|(push, first, ends)| Kind { push, first, ends }),
            error,
            spid: next(),
            short_code: next(),
        }
    })
}

fn line() -> impl Strategy<Value = Line> {
    let login = (field(), field(), any::<Option<u16>>());
    prop_oneof![
        login.prop_map(|(spid, password, error)| Line::Login(Login { spid, password, error })),
        Just(Line::Ack),
        ussd().prop_map(Line::Ussd),
    ]
}

fn written(lines: &[Line]) -> BytesMut {
    let mut out = BytesMut::new();
    lines.iter().for_each(|line| line.write(&mut out));
    out
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_the_same_however_it_is_split(lines in vec(line(), 1..4), at in any::<prop::sample::Index>()) {
        let octets = written(&lines);
        let (first, second) = octets.split_at(at.index(octets.len()));
        let (mut input, mut read) = (BytesMut::new(), Vec::new());
        for piece in [first, second] {
            input.extend_from_slice(piece);
            while let Some(line) = cut(&mut input, 8192).expect("what is written can be read") {
                read.push(Line::read(&line).expect("what is written can be read"));
            }
        }
        prop_assert_eq!(read, lines);
    }

    #[test]
    fn no_octets_make_it_panic_and_what_is_read_settles_when_written(
        octets in vec(any::<u8>(), 0..300), line in line(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut nearly = written(&[line]).to_vec();
        for (index, octet) in changes {
            let index = index.index(nearly.len());
            nearly[index] = octet;
        }
        for octets in [[octets, nearly.clone()].concat(), nearly] {
            let mut input = BytesMut::from(octets.as_slice());
            while let Ok(Some(line)) = cut(&mut input, 8192) {
                let Ok(read) = Line::read(&line) else { continue };
                let again = |line: &Line| Line::read(written(std::slice::from_ref(line)).trim_ascii()).expect("what is written can be read");
                prop_assert_eq!(again(&again(&read)), again(&read));
            }
        }
    }
}
