//! 123PAY's checksum: lower-case hex of SHA1 over the values one after the other, with no mark between them, and the secret
//! key last (seed 004). Since nothing parts the values, whoever believes a checksum must also hold each value to its form:
//! status `10` before ts `149…` is hashed as status `1` before ts `0149…` would be.

use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

/// What an absent value is hashed as is the empty text.
pub(super) fn checksum<'a>(values: impl IntoIterator<Item = &'a str>, secret_key: &str) -> String {
    let hash = values.into_iter().fold(Sha1::new(), |hash, value| hash.chain_update(value));
    hash.chain_update(secret_key).finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `given` is the values' checksum; takes the same time wherever they differ. Either case of the digits is taken.
pub(super) fn is_signed<'a>(values: impl IntoIterator<Item = &'a str>, secret_key: &str, given: &str) -> bool {
    checksum(values, secret_key).as_bytes().ct_eq(given.to_ascii_lowercase().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "MIKEY";
    /// As seed 004 prints it.
    const URL: &str = "https://sandbox.123pay.vn/banksim/index.SMARTLINK.123P1707110106638.MICODE.accountNoName.100000.1499789401525.8d538c668ae7c6eac606f28b98aea13d70d14fe0.VjIwMTcwNzExMDAw.123PVTB.html";

    #[test]
    fn the_printed_samples_of_seed_004_have_their_printed_checksums() {
        let google = "https://www.google.com.vn/";
        let create = [
            "V20170711001",
            "MICODE",
            "123PVTB",
            "100000",
            "127.0.0.1",
            "",
            "",
            "M",
            "",
            "",
            "",
            google,
            google,
            google,
            "MIPASSCODE",
        ];
        for (values, sum) in [
            (&create[..], "50a98e764eb6ab1a00d80735fd37dcf582c6b217"),
            (&["1", "123P1707110106638", URL], "a57d2f10b8e04e9bc2bb8c3c9c9c70936f4c97c4"),
            (&["V20170711001", "MICODE", "127.0.0.1", "MIPASSCODE"], "a297d98f538840bac33a666d4d54ced219cebca1"),
        ] {
            assert_eq!(checksum(values.iter().copied(), KEY), sum, "{values:?}");
        }
    }

    #[test]
    fn the_printed_answer_of_query_order_is_signed_for_another_status_than_it_names() {
        let sample = |status| ["1", "123P1707110106640", status, "100000", "100000", "123PVTB"];
        let printed = "6a97a55e74b5d5827dc60494f4e6df5311939167";
        assert!(!is_signed(sample("1"), KEY, printed), "as printed it must be refused");
        assert!(is_signed(sample("10"), KEY, printed), "it is the checksum of an order that is not paid");
        assert!(is_signed(sample("1"), KEY, "9e705a1d90b4b689c10f67586f5eef56623b4489"));
    }

    #[test]
    fn a_notify_and_our_answers_to_it_have_the_checksums_of_the_vectors() {
        let ts = "1499789401525";
        let notify = ["V20170711001", "123PVTB", "1", ts];
        assert!(is_signed(notify, KEY, "25ec3dad7b9a4a5c70d1119d8c21fe9425343ffd"));
        for (code, sum) in [
            ("1", "6c24ac5b788cd4f25833a559157b7d148c118391"),
            ("2", "e9c9348fc295053ef55980dd7b7a795f390cece4"),
            ("-1", "e555b3534e70c25cf9a2112f831a94d062c4693b"),
            ("-3", "d5ef349cb0c30916ea98190650eee896e2860578"),
        ] {
            assert_eq!(checksum(["V20170711001", code, ts], KEY), sum, "{code}");
        }
    }

    #[test]
    fn a_checksum_is_believed_in_either_case_and_only_whole() {
        let sum = checksum(["a", "b"], KEY);
        assert!(is_signed(["a", "b"], KEY, &sum.to_uppercase()));
        for wrong in ["", &sum[1..], &format!("{sum}0"), "25ec3dad7b9a4a5c70d1119d8c21fe9425343ffd"] {
            assert!(!is_signed(["a", "b"], KEY, wrong), "{wrong:?}");
        }
    }
}
