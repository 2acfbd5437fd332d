//! Phone numbers: every spelling of a number is that number, and no text makes up another.

use paygate_parsers::msisdn::{Country, Msisdn};
use proptest::prelude::*;

fn vietnam() -> Country {
    Country::new("84").expect("84 is a country code")
}

proptest! {
    #[test]
    fn every_way_of_writing_a_number_comes_to_the_same(
        subscriber in "[1-9][0-9]{8}",
        prefix in prop::sample::select(vec!["0", "84", "+84", "0084", "+84 (0)", "(+84) ", "+840"]),
        separators in prop::collection::vec(prop::sample::select(vec!["", " ", ".", "-", ") ", "("]), 9),
    ) {
        let spaced: String = subscriber.chars().zip(separators).flat_map(|(digit, gap)| [digit.to_string(), gap.to_owned()]).collect();
        let msisdn = Msisdn::parse(&vietnam(), &format!("{prefix}{spaced}"));
        let expected = format!("+84{subscriber}");
        prop_assert_eq!(msisdn.as_ref().map(Msisdn::e164), Ok(expected));
        let msisdn = msisdn.expect("compared above");
        for spelling in [msisdn.e164(), msisdn.digits(), msisdn.national(&vietnam())] {
            prop_assert_eq!(Msisdn::parse(&vietnam(), &spelling), Ok(msisdn));
            prop_assert_eq!(Msisdn::parse_sender(&vietnam(), &spelling), Ok(msisdn));
        }
    }

    #[test]
    fn any_text_is_an_error_or_a_number_made_of_its_own_digits(text in any::<String>(), code in "[1-9][0-9]{0,2}") {
        let country = Country::new(&code).expect("one to three digits, the first not 0");
        for msisdn in [Msisdn::parse(&country, &text), Msisdn::parse_sender(&country, &text)].into_iter().flatten() {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let national = msisdn.national(&country);
            prop_assert!(digits.ends_with(&national[1..]), "{national} from {text:?}");
            prop_assert!((4..=15).contains(&msisdn.digits().len()));
        }
    }

    #[test]
    fn a_number_prints_without_three_of_its_digits(digits in "[1-9][0-9]{6,14}") {
        let msisdn: Msisdn = format!("+{digits}").parse().expect("E.164");
        let hidden = format!("+{}***{}", &digits[..digits.len() - 6], &digits[digits.len() - 3..]);
        prop_assert_eq!(msisdn.to_string(), hidden);
    }
}
