//! The telephones on the page: whose they are, and what was written on each. A thread is what the telephone itself has
//! seen; what became of a message, the journal says.

use super::dialler::Call;
use super::gloss::gloss;
use crate::purchase::record::Micros;
use paygate_parsers::msisdn::Msisdn;
use serde::Serialize;

/// Messages kept on one telephone; the oldest go first.
const THREAD: usize = 300;

/// A subscriber one can play.
#[derive(Clone, Debug)]
pub(in crate::sandbox) struct Phone {
    pub(super) name: &'static str,
    /// National form, as it is read aloud.
    pub(super) number: &'static str,
    /// What is special about it.
    pub(super) note: &'static str,
    /// What it starts with, in dong.
    pub(super) opening_balance: i64,
    pub(super) bubbles: Vec<Bubble>,
    /// The dialogue on its screen.
    pub(super) call: Option<Call>,
    /// Dialogues that it ever had.
    pub(super) calls: u64,
    written: u64,
}

/// One message on a telephone.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Bubble {
    pub(super) id: u64,
    pub(super) at: Micros,
    pub(super) text: String,
    /// What a received text says, in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    gloss: Option<String>,
    #[serde(flatten)]
    pub(super) way: Way,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub(super) enum Way {
    /// From the telephone to the gateway, with how often the SMSC has delivered it.
    Sent {
        /// The short code that was written to.
        to: &'static str,
        #[serde(flatten)]
        taken: Taken,
        deliveries: u32,
    },
    Received,
}

/// What the gateway made of a message, as far as the SMSC and the journal can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "taken", content = "why", rename_all = "snake_case")]
pub(super) enum Taken {
    Sending,
    /// Acknowledged, and in the journal as a message of its own.
    New,
    /// Acknowledged, and known to the journal already: it starts nothing.
    Again,
    /// Not acknowledged, in words.
    Refused(String),
}

pub(in crate::sandbox) fn all() -> Vec<Phone> {
    let phone = |name, number, note, opening_balance| Phone {
        name,
        number,
        note,
        opening_balance,
        bubbles: Vec::new(),
        call: None,
        calls: 0,
        written: 0,
    };
    vec![
        phone("Lan", "0854689520", "plenty of money", 200_000),
        phone("Minh", "0850001111", "enough for one NAP1", 12_000),
        phone("Hoa", "0850002222", "no money", 500),
        phone("Tuan", crate::sandbox::packages::accounts::LOCKED, "account is locked", 50_000),
    ]
}

impl Phone {
    /// Without `+`, as the SMSC knows it.
    pub(super) fn digits(&self) -> String {
        format!("84{}", &self.number[1..])
    }

    pub(super) fn e164(&self) -> String {
        format!("+{}", self.digits())
    }

    pub(super) fn is(&self, msisdn: &Msisdn) -> bool {
        msisdn.digits() == self.digits()
    }

    /// Writes a message into the thread and returns its id.
    pub(super) fn write(&mut self, at: Micros, text: &str, way: Way) -> u64 {
        self.written += 1;
        if self.bubbles.len() >= THREAD {
            self.bubbles.remove(0);
        }
        let gloss = if matches!(way, Way::Received) { gloss(text) } else { None };
        self.bubbles.push(Bubble { id: self.written, at, text: text.to_owned(), gloss, way });
        self.written
    }

    pub(super) fn bubble(&mut self, id: u64) -> Option<&mut Bubble> {
        self.bubbles.iter_mut().find(|bubble| bubble.id == id)
    }

    /// The code in the newest text that reads like `template`, in which it stands as `{otp}`.
    pub(super) fn code_received(&self, template: &str) -> Option<String> {
        let received = self.bubbles.iter().rev().filter(|bubble| matches!(bubble.way, Way::Received));
        received.map(|bubble| code_in(template, &bubble.text)).find_map(|code| code.map(str::to_owned))
    }
}

fn code_in<'t>(template: &str, text: &'t str) -> Option<&'t str> {
    let (before, _) = template.split_once("{otp}")?;
    let rest = text.strip_prefix(before)?;
    let code = &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()];
    (!code.is_empty() && template.replace("{otp}", code) == text).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_from_its_own_offer_alone() {
        let template = "Ma {otp}: mua goi NAP1. Soan {otp} gui 9029";
        assert_eq!(code_in(template, "Ma 123456: mua goi NAP1. Soan 123456 gui 9029"), Some("123456"));
        for text in
            ["Ma 123456: mua goi NAP7. Soan 123456 gui 9029", "Ma 123456", "Ma : mua goi NAP1. Soan  gui 9029", ""]
        {
            assert_eq!(code_in(template, text), None, "{text}");
        }
        assert_eq!(code_in("no code here", "no code here"), None);
    }

    #[test]
    fn a_thread_forgets_its_oldest_messages() {
        let mut phone = all().remove(0);
        for at in 0..=THREAD as i64 {
            phone.write(at, "KT", Way::Received);
        }
        assert_eq!((phone.bubbles.len(), phone.bubbles[0].id), (THREAD, 2));
    }
}
