//! Requests: what is written rightly is read so, and what is not comes with an example that would be.

use paygate_parsers::msisdn::Country;
use paygate_parsers::request::{AccountForm, Request, Syntax, parse};
use proptest::prelude::*;

fn vietnam() -> Country {
    Country::new("84").expect("84 is a country code")
}

/// Texts near the grammar: its words, numbers, separators and a little noise in any order.
fn near_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "(ON|DK|ĐK|OFF|HUY|KT|HD|HELP|OTP|XN|Y|YES|DONG|VIP|NAP1|NAP)",
        "[0+84]{0,4}[0-9]{1,10}",
        "[A-Z0-9@]{1,22}",
        any::<char>().prop_map(String::from),
    ];
    let separator = prop::sample::select(vec![" ", "", "-", "_", "*", ".", "\u{200b}", "\n", ": ", "("]);
    prop::collection::vec((word, separator), 0..8)
        .prop_map(|words| words.into_iter().flat_map(|(word, separator)| [word, separator.to_owned()]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_example_would_be_understood(
        text in prop_oneof![near_text(), any::<String>()],
        code in prop_oneof![Just("84".to_owned()), "[1-9][0-9]{0,2}"],
        account in prop::sample::select(vec![AccountForm::Number, AccountForm::Word]),
    ) {
        let country = Country::new(&code).expect("one to three digits, the first not 0");
        let syntax = Syntax { account, ..Syntax::default() };
        if let Err(invalid) = parse(&syntax, &country, &text) {
            prop_assert!(parse(&syntax, &country, &invalid.example).is_ok(), "{text:?} gave {:?}", invalid.example);
        }
    }

    #[test]
    fn no_reason_repeats_what_was_typed(text in "[a-z]{3,20} ?[a-z0-9]{6,20} ?[a-z0-9 ]{6,40}") {
        if let Err(invalid) = parse(&Syntax::default(), &vietnam(), &text) {
            let long = text.split(' ').filter(|word| word.chars().any(|c| c.is_ascii_digit()));
            for word in long.filter(|word| word.len() > 3) {
                prop_assert!(!invalid.reason.to_lowercase().contains(word), "{}", invalid.reason);
            }
        }
    }

    #[test]
    fn an_order_written_out_is_read_back(
        keyword in prop::sample::select(vec!["ON", "dk", "Đk"]),
        service in "[A-Za-z][A-Za-z0-9]{0,19}",
        package in "[A-Za-z][A-Za-z0-9]{0,19}",
        subscriber in prop::option::of("[1-9][0-9]{8}"),
        separator in prop::sample::select(vec![" ", "*", "_", "-", "  ", "\u{a0}", " - "]),
    ) {
        let account = subscriber.map(|subscriber| format!("0{subscriber}"));
        let words = [Some(keyword), Some(&service), Some(&package), account.as_deref()];
        let text = words.into_iter().flatten().collect::<Vec<_>>().join(separator);
        let Ok(Request::Buy { service: read_service, package: read_package, account: read_account }) =
            parse(&Syntax::default(), &vietnam(), &text)
        else {
            return Err(TestCaseError::fail(text));
        };
        prop_assert_eq!(read_service, service.to_uppercase());
        prop_assert_eq!(read_package, package.to_uppercase());
        prop_assert_eq!(read_account.map(String::from), account);
    }

    #[test]
    fn a_code_written_out_is_read_back(
        keyword in prop::sample::select(vec!["", "OTP ", "xn "]),
        digits in "[0-9]{4,10}",
        gap in prop::sample::select(vec!["", " ", ".", "-"]),
    ) {
        let spaced: Vec<String> = digits.chars().map(String::from).collect();
        let text = format!("{keyword}{}", spaced.join(gap));
        match parse(&Syntax::default(), &vietnam(), &text) {
            Ok(Request::Confirm { code }) => prop_assert_eq!(code.as_str(), digits),
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        }
    }

    #[test]
    fn letters_before_a_number_never_become_an_order(text in "ON VIP NAP1 [a-z]{1,3}[0-9]{8,11}") {
        prop_assert!(parse(&Syntax::default(), &vietnam(), &text).is_err());
    }
}
