//! Dialled strings: nothing panics, and how one is written changes nothing of what was dialled.

use paygate_parsers::text::{septets, shortened, shown};
use paygate_parsers::ussd::{Dialled, input, inputs};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), "[*#0-9 ]{0,60}", "[*＊#＃0-9０-９]{0,60}"]) {
        let _ = (inputs(&text), input(&text));
        if let Ok(dialled) = Dialled::parse(&text) {
            prop_assert_eq!(Dialled::parse(&dialled.to_string()), Ok(dialled), "what is printed is read back");
        }
    }

    #[test]
    fn what_was_dialled_is_what_stands_behind_the_code(code in "[0-9]{1,5}", behind in vec("[A-Z0-9]{1,12}", 0..6)) {
        let dialled = format!("*{}#", [std::slice::from_ref(&code), behind.as_slice()].concat().join("*"));
        let dialled = Dialled::parse(&dialled).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let code = Dialled::parse(&format!("*{code}#")).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(dialled.behind(&code), Some(behind.as_slice()));
    }

    #[test]
    fn inputs_only_grow_from_step_to_step(answers in vec("[A-Za-z0-9 ]{1,12}", 1..8), next in "[0-9]{1,3}") {
        let before = inputs(&answers.join("*")).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let after = inputs(&format!("{}*{next}", answers.join("*"))).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(after.strip_prefix(before.as_slice()), Some(&[next][..]));
    }

    #[test]
    fn whatever_is_shown_is_gsm_on_one_line_and_as_short_as_asked(text in any::<String>(), most in 0_usize..200) {
        let line = shown(&text);
        prop_assert!(septets(&line).is_some() && !line.contains(['\n', '\r']), "{line:?}");
        let short = shortened(&line, most);
        prop_assert!(septets(&short).is_some_and(|septets| septets <= most), "{short:?}");
    }
}
