//! The subscribers and the SMSC between them and the gateway: who writes what, what is delivered again, and what each
//! phone has read. The phones' memory is a book of its own: the judge believes it, never the journal, on what was agreed.

use super::chance::Chance;
use super::peers::CHANNEL_CODE;
use paygate::config::Otp;
use paygate::purchase::record::Micros;
use std::collections::{BTreeMap, BTreeSet};

/// A short message on its way to the gateway. The SMSC keeps it until it is acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Sms {
    pub(crate) subscriber: usize,
    pub(crate) text: String,
    /// An aggregator's own id; SMPP has none.
    pub(crate) peer_id: Option<String>,
    pub(crate) acknowledged: bool,
}

#[derive(Debug)]
pub(crate) struct Subscriber {
    pub(crate) number: String,
    pub(crate) account: String,
    /// The code of each purchase's offer, as it was read first.
    codes: BTreeMap<String, String>,
    /// Purchases whose own code, or `Y`, this subscriber has sent.
    confirmed: BTreeSet<String>,
    /// A code of the channel's, or `Y`, which name no purchase.
    confirmed_by_word: bool,
    /// Keys of the texts that were read, and how often.
    pub(crate) read: BTreeMap<String, u32>,
}

/// A text as it is read on the phone.
pub(crate) struct Read<'a> {
    pub(crate) key: &'a str,
    pub(crate) purchase: Option<&'a str>,
    pub(crate) kind: &'a str,
    pub(crate) code: Option<&'a str>,
}

/// What a subscriber does about a text: these words, after this pause.
pub(crate) type Answer = (Micros, String);

impl Subscriber {
    pub(crate) fn new(number: usize) -> Self {
        Self {
            number: format!("8485400{number:04}"),
            account: format!("0912{number:06}"),
            codes: BTreeMap::new(),
            confirmed: BTreeSet::new(),
            confirmed_by_word: false,
            read: BTreeMap::new(),
        }
    }

    pub(crate) fn has_confirmed(&self, purchase: &str, by_word: bool) -> bool {
        if by_word { self.confirmed_by_word } else { self.confirmed.contains(purchase) }
    }

    /// What is written in answer. `Err` is a promise that the text breaks.
    pub(crate) fn reads(&mut self, chance: &mut Chance, otp: Otp, text: &Read<'_>) -> Result<Vec<Answer>, String> {
        *self.read.entry(text.key.to_owned()).or_default() += 1;
        if let (Some(purchase), Some(code)) = (text.purchase, text.code) {
            let first = self.codes.entry(purchase.to_owned()).or_insert_with(|| code.to_owned());
            if first != code {
                return Err("an offer that is sent twice has one code".to_owned());
            }
        }
        if text.kind == "put_off" && chance.percent(20) {
            return Ok(vec![(chance.up_to(1_200_000_000), "HUY VIP NAP1".to_owned())]);
        }
        if !matches!(text.kind, "offer" | "wrong_code" | "code_again") || chance.percent(8) {
            return Ok(Vec::new());
        }
        let Some(purchase) = text.purchase else { return Ok(Vec::new()) };
        let longest = if chance.percent(92) { 60_000_000 } else { 360_000_000 };
        let pause = 1_000_000 + chance.up_to(longest);
        let mut answers = vec![(pause, self.word(chance, otp, purchase))];
        if chance.percent(5) {
            answers.push((pause + chance.up_to(2_000_000), answers[0].1.clone()));
        }
        if chance.percent(5) {
            answers.push((pause + chance.up_to(5_000_000), "HUY VIP NAP1".to_owned()));
        }
        Ok(answers)
    }

    fn word(&mut self, chance: &mut Chance, otp: Otp, purchase: &str) -> String {
        match chance.below(25) {
            0 => return "HUY VIP NAP1".to_owned(),
            1 => return "KT".to_owned(),
            2 | 3 => return format!("{:06}", chance.below(1_000_000)),
            _ => {}
        }
        if let Some(code) = self.codes.get(purchase) {
            self.confirmed.insert(purchase.to_owned());
            // One code of ours in a million is the channel's as well.
            self.confirmed_by_word |= code == CHANNEL_CODE;
            return code.clone();
        }
        self.confirmed_by_word = true;
        if otp == Otp::Telco && chance.percent(97) { CHANNEL_CODE.to_owned() } else { "Y".to_owned() }
    }
}
