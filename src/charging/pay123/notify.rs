//! The Merchant Notify Listener of seed 004 as a pure function: octets and the time in, a checked notify or the signed refusal
//! out. A notify names no amount, so it grants nothing: it is a reason to ask.

use super::banks::name_of;
use super::checksum::{checksum, is_signed};
use super::codes::{Place, Proof, row_of};
use crate::charging::{Ack, Listener, Notified, Refusal, Refused};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Characters of 123PAY's own words that are kept.
const WORDS_LIMIT: usize = 200;
/// Characters of an id: mTransactionID has no more.
const KEY_LIMIT: usize = 50;
/// Digits of a time in milliseconds: enough for 30,000 years.
const TS_DIGITS: usize = 15;

pub(super) struct NotifyListener {
    secret_key: SecretString,
    max_age: Duration,
}

/// What was sent, each absent value empty.
#[derive(Default)]
struct Fields {
    key: String,
    bank: String,
    status: String,
    description: String,
    ts: String,
    checksum: String,
}

impl NotifyListener {
    pub(super) const fn new(secret_key: SecretString, max_age: Duration) -> Self {
        Self { secret_key, max_age }
    }

    fn refusal(&self, why: Refused, key: &str, ack: Ack, now: Timestamp) -> Refusal {
        let shown = key.chars().filter(|char| !char.is_control()).take(KEY_LIMIT).collect();
        Refusal { why, key: shown, answer: self.answer(key, ack, now) }
    }
}

impl Listener for NotifyListener {
    /// The time is looked at after the checksum, so that a clock that is wrong shows as that and not as a forgery.
    fn notified(&self, body: &[u8], now: Timestamp) -> Result<Notified, Refusal> {
        let fields = Fields::read(body);
        let Fields { key, bank, status, ts, .. } = &fields;
        if !is_signed([key, bank, status, ts].map(String::as_str), self.secret_key.expose_secret(), &fields.checksum) {
            return Err(self.refusal(Refused::BadChecksum, key, Ack::BadChecksum, now));
        }
        let Some(sent) = milliseconds(ts) else {
            return Err(self.refusal(Refused::Unreadable, key, Ack::Failed, now));
        };
        if now.as_millisecond().abs_diff(sent) > u64::try_from(self.max_age.as_millis()).unwrap_or(u64::MAX) {
            return Err(self.refusal(Refused::Stale, key, Ack::BadChecksum, now));
        }
        match row_of(Place::Status, status).filter(|_| is_bank(bank)) {
            Some(row) => Ok(Notified {
                key: key.clone(),
                paid: matches!(row.proof, Proof::Paid | Proof::Undetermined),
                digest: fields.digest(),
                heard: heard(row.means, &fields),
            }),
            None => Err(self.refusal(Refused::Unreadable, key, Ack::Failed, now)),
        }
    }

    /// `{"mTransactionID", "returnCode", "ts", "checksum"}`, all texts.
    fn answer(&self, key: &str, ack: Ack, now: Timestamp) -> String {
        let (code, ts) = (return_code(ack), now.as_millisecond().to_string());
        let sum = checksum([key, code, &ts], self.secret_key.expose_secret());
        json!({"mTransactionID": key, "returnCode": code, "ts": ts, "checksum": sum}).to_string()
    }
}

const fn return_code(ack: Ack) -> &'static str {
    match ack {
        Ack::Taken => "1",
        Ack::Again => "2",
        Ack::BadChecksum => "-1",
        Ack::Failed => "-3",
    }
}

impl Fields {
    /// A form, or a JSON object; seed 004 does not say which of the two.
    fn read(body: &[u8]) -> Self {
        let mut fields = Self::default();
        match serde_json::from_slice::<Map<String, Value>>(body) {
            Ok(object) => object.into_iter().for_each(|(name, value)| match value {
                Value::String(text) => fields.set(&name, text),
                Value::Number(number) => fields.set(&name, number.to_string()),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {}
            }),
            Err(_) => form_urlencoded::parse(body).for_each(|(name, value)| fields.set(&name, value.into_owned())),
        }
        fields
    }

    fn set(&mut self, name: &str, value: String) {
        match name {
            "mTransactionID" => self.key = value,
            "bankCode" => self.bank = value,
            "transactionStatus" => self.status = value,
            "description" => self.description = value,
            "ts" => self.ts = value,
            "checksum" => self.checksum = value,
            _ => {}
        }
    }

    /// The same call twice has the same; one that is sent again later has a `ts` of its own, and is a new reason to ask.
    fn digest(&self) -> String {
        let values = [&self.key, &self.bank, &self.status, &self.ts];
        let hash = values.iter().fold(Sha256::new_with_prefix("123pay notify\0"), |hash, value| {
            hash.chain_update(value.as_bytes()).chain_update([0])
        });
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn heard(means: &str, fields: &Fields) -> String {
    let words = format!("notify: status {} {means}, {}, {}", fields.status, name_of(&fields.bank), fields.description);
    words.chars().map(|char| if char.is_control() { ' ' } else { char }).take(WORDS_LIMIT).collect()
}

/// Written in the one way there is. The checksum does not tell where one value ends and the next begins: status `10` and ts
/// `149…` hash as status `1` and ts `0149…`.
fn milliseconds(text: &str) -> Option<i64> {
    let fits = text.len() <= TS_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| fits)
}

/// Letters and digits. We sign refusals with the same key: an answer of -1 to a made-up id hashes as a notify of status 1
/// from a bank whose code ends in a dash.
fn is_bank(code: &str) -> bool {
    (1..=20).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    const TS: i64 = 1_499_789_401_525;
    const MINUTE: i64 = 60_000;

    fn listener() -> NotifyListener {
        NotifyListener::new("MIKEY".into(), Duration::from_secs(300))
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    /// A form with the checksum that belongs to it.
    fn form(key: &str, bank: &str, status: &str, ts: &str) -> String {
        let sum = checksum([key, bank, status, ts], "MIKEY");
        format!("mTransactionID={key}&bankCode={bank}&transactionStatus={status}&description=ok&ts={ts}&checksum={sum}")
    }

    fn refused(body: &str, now: i64) -> Refusal {
        listener().notified(body.as_bytes(), at(now)).unwrap_err()
    }

    #[test]
    fn the_vector_is_taken_as_form_and_as_json_with_ts_as_text_or_number() {
        let sum = "25ec3dad7b9a4a5c70d1119d8c21fe9425343ffd";
        let form = form("V20170711001", "123PVTB", "1", "1499789401525");
        assert!(form.ends_with(sum));
        let json = |ts: &str| {
            format!(
                r#" {{"mTransactionID":"V20170711001","bankCode":"123PVTB","transactionStatus":1,"ts":{ts},"checksum":"{sum}"}}"#
            )
        };
        for body in [form, json("1499789401525"), json("\"1499789401525\"")] {
            let notified = listener().notified(body.as_bytes(), at(TS)).unwrap();
            assert_eq!((notified.key.as_str(), notified.paid), ("V20170711001", true), "{body}");
            assert!(notified.heard.contains("paid") && notified.heard.contains("Vietinbank"), "{}", notified.heard);
        }
    }

    #[test]
    fn each_answer_has_the_checksum_of_the_vectors() {
        for (ack, code, sum) in [
            (Ack::Taken, "1", "6c24ac5b788cd4f25833a559157b7d148c118391"),
            (Ack::Again, "2", "e9c9348fc295053ef55980dd7b7a795f390cece4"),
            (Ack::BadChecksum, "-1", "e555b3534e70c25cf9a2112f831a94d062c4693b"),
            (Ack::Failed, "-3", "d5ef349cb0c30916ea98190650eee896e2860578"),
        ] {
            let answer: Value = serde_json::from_str(&listener().answer("V20170711001", ack, at(TS))).unwrap();
            let expected =
                json!({"mTransactionID": "V20170711001", "returnCode": code, "ts": "1499789401525", "checksum": sum});
            assert_eq!(answer, expected);
        }
    }

    #[test]
    fn a_notify_is_stale_beyond_its_age_on_either_side_and_not_a_moment_before() {
        let body = form("V1", "123PVTB", "1", &TS.to_string());
        for now in [TS - 5 * MINUTE, TS, TS + 5 * MINUTE] {
            assert!(listener().notified(body.as_bytes(), at(now)).is_ok(), "{now}");
        }
        for now in [TS - 5 * MINUTE - 1, TS + 5 * MINUTE + 1, TS / 1000] {
            let refusal = refused(&body, now);
            assert_eq!(refusal.why, Refused::Stale, "{now}");
            assert!(refusal.answer.contains(r#""returnCode":"-1""#), "{}", refusal.answer);
        }
    }

    #[test]
    fn a_wrong_checksum_is_told_before_a_wrong_time() {
        let body = form("V1", "123PVTB", "1", &TS.to_string());
        for forged in [body.replace("V1", "V2"), body.replace("transactionStatus=1", "transactionStatus=0")] {
            for now in [TS, TS + 60 * MINUTE] {
                let refusal = refused(&forged, now);
                assert_eq!(refusal.why, Refused::BadChecksum, "{forged}");
                assert!(refusal.answer.contains(r#""returnCode":"-1""#));
            }
        }
        for nothing in ["", "{}", "null", "[1]", "\u{0}=&&&", "checksum=", "{\"checksum\":{}}"] {
            assert_eq!(refused(nothing, TS).why, Refused::BadChecksum, "{nothing:?}");
        }
    }

    #[test]
    fn the_values_cannot_be_cut_otherwise_under_the_same_checksum() {
        let now = TS.to_string();
        let checking = form("V1", "123PVTB", "10", &now);
        let paid = checking.replace("transactionStatus=10", "transactionStatus=1").replace("ts=", "ts=0");
        assert_eq!(refused(&paid, TS).why, Refused::Unreadable, "10 and 149… is not 1 and 0149…");
        // Whoever has us refuse a made-up id gets our checksum over that id, -1 and the time.
        let ours: Value = serde_json::from_str(&listener().answer("V1123PVTB", Ack::BadChecksum, at(TS))).unwrap();
        let sum = ours["checksum"].as_str().unwrap();
        for (bank, status) in [("123PVTB-", "1"), ("123PVTB", "-1")] {
            let made = format!("mTransactionID=V1&bankCode={bank}&transactionStatus={status}&ts={now}&checksum={sum}");
            assert_eq!(refused(&made, TS).why, Refused::Unreadable, "our own refusal is no notify: {made}");
        }
    }

    #[test]
    fn what_is_signed_and_not_understood_is_answered_as_not_stored() {
        let now = TS.to_string();
        for body in [form("V1", "123PVTB", "9999", &now), form("V1", "", "1", &now), form("V1", "123PVTB", "1", "soon")]
        {
            let refusal = refused(&body, TS);
            assert_eq!(refusal.why, Refused::Unreadable, "{body}");
            assert!(refusal.answer.contains(r#""returnCode":"-3""#), "{}", refusal.answer);
        }
    }

    #[test]
    fn paid_is_said_of_what_is_paid_or_may_be() {
        for row in super::super::codes::ROWS.iter().filter(|row| row.place == Place::Status) {
            let body = form("V1", "123PVTB", row.code, &TS.to_string());
            let notified = listener().notified(body.as_bytes(), at(TS)).unwrap();
            assert_eq!(notified.paid, matches!(row.code, "1" | "20" | "5000" | "7300"), "{}", row.code);
        }
    }

    #[test]
    fn the_same_notify_has_one_digest_and_another_time_or_status_another() {
        let digest = |status: &str, ts: i64| {
            let body = form("V1", "123PVTB", status, &ts.to_string());
            listener().notified(body.as_bytes(), at(TS)).unwrap().digest
        };
        assert_eq!(digest("1", TS), digest("1", TS));
        assert_ne!(digest("1", TS), digest("1", TS + 1));
        assert_ne!(digest("1", TS), digest("20", TS));
    }
}
