//! 123PAY's checksum as 123PAY computes it: SHA1 over the values and the shared key, in lower-case hex. On its own, so that a
//! mistake on paygate's side is noticed here.

use sha1::{Digest, Sha1};

pub(super) fn sign(values: &[&str], key: &str) -> String {
    let text = values.concat() + key;
    Sha1::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn a_notify_is_signed_as_seed_004_says() {
        let values = ["V20170711001", "123PVTB", "1", "1499789401525"];
        assert_eq!(sign(&values, "MIKEY"), "25ec3dad7b9a4a5c70d1119d8c21fe9425343ffd");
    }
}
