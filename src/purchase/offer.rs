//! Offer, code and consent: what a subscriber is told and how the answer is judged. Codes exist only while they are
//! compared or texted; what is kept is the random number they are derived from.

use super::money::Money;
use super::record::Micros;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// What the subscriber was told: this package, this price, until then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub package_name: String,
    pub price: Money,
    pub days: i64,
    pub asks: Asks,
    /// What our own code is derived from: 16 bytes of the OS generator, in hex.
    pub nonce: String,
    /// Digits in our own code.
    pub digits: u8,
    /// The code answered to `ChannelCode`, kept until the channel has judged it: it may come before the channel's own
    /// answer to prepare, and a restart must not lose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
    pub expires_at: Micros,
    /// Wrong answers still allowed.
    pub tries_left: u8,
    /// Where the subscriber pays, once the channel has said it; `expires_at` is then the link's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_url: Option<String>,
    /// Offer texts sent so far, the first included.
    pub sends: u8,
    pub last_sent_at: Micros,
}

/// What is sold, and for how much: as the package manager said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub package_name: String,
    pub price: Money,
    pub days: i64,
}

/// How the subscriber is to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Our own code.
    Code,
    /// The channel texted a code, and judges it.
    ChannelCode,
    /// `Y`.
    Yes,
    /// To pay at the channel's own page: paying there is agreeing.
    Payment,
}

/// The subscriber's own agreement to exactly this offer; stored with the purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub given_at: Micros,
    pub by: ConsentBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentBy {
    Code,
    ChannelCode,
    Yes,
    /// The configuration asks for no confirmation: the message itself.
    Message,
    /// A menu's screen that named package and price, on the subscriber's own phone.
    Screen,
    /// The subscriber pays at the channel's own page, or does not.
    Payment,
    /// The word of the partner that charged before we heard of it (`[partner.NAME] otp = "partner"`).
    Partner,
    /// The journal lost the consent; the charge under the purchase's own key stands on it.
    Lost,
}

/// The secret that codes are derived with.
#[derive(Clone)]
pub struct CodeKey([u8; 32]);

impl CodeKey {
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The code of a nonce: a keyed hash, cut to decimal digits (RFC 4226 §5.3 in spirit), bound to the purchase and
    /// with it to subscriber, package, account and price.
    #[must_use]
    pub fn code(&self, purchase_id: &str, nonce: &str, digits: u8) -> String {
        // HMAC takes a key of any length, so a 32-byte one is never refused.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC accepts every key length");
        for part in ["paygate code", purchase_id, nonce] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        let hash = mac.finalize().into_bytes();
        let number = hash.iter().take(16).fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
        let digits = digits.clamp(4, 10);
        let code = number % 10_u128.pow(u32::from(digits));
        format!("{code:0width$}", width = usize::from(digits))
    }

    /// Whether `answer` is the code of this nonce; takes the same time wherever they differ.
    #[must_use]
    pub fn matches(&self, purchase_id: &str, nonce: &str, digits: u8, answer: &str) -> bool {
        self.code(purchase_id, nonce, digits).as_bytes().ct_eq(answer.as_bytes()).into()
    }
}

impl std::fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeKey([REDACTED])")
    }
}
