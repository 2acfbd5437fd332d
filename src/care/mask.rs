//! Whose phone it is, for those who may not read it in full: the number and an account that is one are masked wherever they
//! stand, also in the words of a peer or of a person. Shortens nothing else.

use crate::purchase::Purchase;
use paygate_parsers::msisdn::Country;

/// Digits from which on an account is taken for a number that is somebody's.
const LONG: usize = 7;

/// Replaces the numbers of one purchase.
pub(super) struct Mask {
    /// What stands for itself, and what is shown in its place; the longer ones first.
    hidden: Vec<(String, String)>,
}

impl Mask {
    /// Everything in full.
    pub(super) const fn none() -> Self {
        Self { hidden: Vec::new() }
    }

    pub(super) fn of(purchase: &Purchase, country: &Country) -> Self {
        let order = &purchase.order;
        let mut hidden = Vec::new();
        if let Some(msisdn) = order.msisdn {
            let national = msisdn.national(country);
            // Without trunk prefix and country code it stands inside each of its spellings.
            let (core, digits) = (national.trim_start_matches(['0', '+']), msisdn.digits());
            hidden.extend([core, &digits].map(|spelling| (spelling.to_owned(), masked(spelling))));
        }
        let digits = order.account.bytes().filter(u8::is_ascii_digit).count();
        if digits >= LONG && digits == order.account.trim_start_matches('+').len() {
            let core = order.account.trim_start_matches(['0', '+']);
            hidden.push((core.to_owned(), masked(core)));
        }
        hidden.sort_by_key(|(spelling, _)| std::cmp::Reverse(spelling.len()));
        Self { hidden }
    }

    pub(super) fn over(&self, text: &str) -> String {
        self.hidden.iter().fold(text.to_owned(), |text, (spelling, shown)| text.replace(spelling, shown))
    }
}

/// The last three digits are enough to see that it is the caller's.
fn masked(number: &str) -> String {
    let head = number.len().saturating_sub(6);
    format!("{}***{}", &number[..head], &number[number.len().saturating_sub(3)..])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_is_masked_in_each_spelling_and_an_account_too() {
        let purchase: Purchase = serde_json::from_value(json!({
            "id": "a", "version": 1, "state": "requested", "created_at": 0, "updated_at": 0,
            "order": { "msisdn": "+84854689520", "account": "0912345678", "service": "VIP", "package": "NAP1",
                "channel": "viettel", "door": "smpp", "link": "viettel", "short_code": "9029" },
        }))
        .unwrap();
        let mask = Mask::of(&purchase, &Country::new("84").unwrap());
        let text = "+84854689520 84854689520 0854689520 854689520 0912345678 +84912345678 VIP NAP1 9029";
        let shown = "+84854***520 84854***520 0854***520 854***520 0912***678 +84912***678 VIP NAP1 9029";
        assert_eq!(mask.over(text), shown);
        assert_eq!(Mask::none().over(text), text);
    }
}
