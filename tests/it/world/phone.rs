//! A subscriber's phone: what is written on it goes to the simulated SMSC, what is read on it is that SMSC's own record.

use super::{PATIENCE, SHORT_CODE, World};
use paygate::sandbox::smsc::{AckStatus, Mo};

pub(crate) struct Phone<'w> {
    world: &'w World,
    /// Without `+`, as an SMSC writes it.
    digits: String,
}

impl<'w> Phone<'w> {
    /// `number` is national: `0854689520`.
    pub(super) fn new(world: &'w World, number: &str) -> Self {
        let national = number.strip_prefix('0').expect("a national number begins with 0");
        Self { world, digits: format!("84{national}") }
    }

    pub(crate) fn digits(&self) -> &str {
        &self.digits
    }

    pub(crate) fn e164(&self) -> String {
        format!("+{}", self.digits)
    }

    /// Sends a text, which the gateway must take.
    pub(crate) async fn texts(&self, text: &str) {
        let status = self.tries_to_text(text).await;
        assert!(status.is_ok(), "{text:?} was answered {status:?}");
    }

    pub(crate) async fn tries_to_text(&self, text: &str) -> AckStatus {
        self.world.smsc.text(&self.digits, SHORT_CODE, text).await
    }

    /// Sends one message of a longer text, which the gateway must take.
    pub(crate) async fn sends_part(&self, part: &Mo) {
        let status = self.world.smsc.send(part).await;
        assert!(status.is_ok(), "a part was answered {status:?}");
    }

    /// `text` as the messages that carry it, under this reference.
    pub(crate) fn parts(&self, text: &str, reference: u8) -> Vec<Mo> {
        Mo::parts(&self.digits, SHORT_CODE, text, reference)
    }

    /// The next text, whatever it says.
    pub(crate) async fn reads_on(&self) -> String {
        let text = self.world.smsc.next_text_to(&self.digits, PATIENCE).await;
        let text = text.unwrap_or_else(|| panic!("no further text came to {}", self.digits));
        assert_eq!(text.from, SHORT_CODE, "a reply comes from the number that was written to");
        text.text
    }

    /// The next text, which must have these words in it.
    pub(crate) async fn reads(&self, words: &str) -> String {
        let text = self.reads_on().await;
        assert!(text.contains(words), "{words:?} is not in {text:?}");
        text
    }

    /// The next text must be an offer; its code.
    pub(crate) async fn reads_offer(&self) -> String {
        let text = self.reads(": mua goi ").await;
        code_in(&text)
    }

    /// Asks for a package and reads the offer; its code.
    pub(crate) async fn asks(&self, text: &str) -> String {
        self.texts(text).await;
        self.reads_offer().await
    }

    /// Asks for a package and confirms it with its code.
    pub(crate) async fn buys(&self, text: &str) {
        let code = self.asks(text).await;
        self.texts(&code).await;
    }

    /// The next text must say where to pay; the address.
    pub(crate) async fn reads_link(&self) -> String {
        let text = self.reads("thanh toan tai ").await;
        let link = text.split_whitespace().find(|word| word.starts_with("http"));
        link.unwrap_or_else(|| panic!("no address in {text:?}")).to_owned()
    }

    pub(crate) async fn reads_done(&self) -> String {
        self.reads("Thanh cong: goi ").await
    }
}

/// The six digits in a row of an offer.
pub(crate) fn code_in(text: &str) -> String {
    let code = text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6);
    code.unwrap_or_else(|| panic!("no code in {text:?}")).to_owned()
}

/// A code that is not this one, another for each `step`.
pub(crate) fn wrong(code: &str, step: u32) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + step) % 1_000_000)
}
