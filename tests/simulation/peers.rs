//! A model channel and a model package manager, each with a book of its own that says what really happened. They never
//! look at the purchase; what they answer is true at the moment they act, but for the faults each life is dealt.

use super::chance::Chance;
use paygate::purchase::evidence::{Advice, Cause, ChannelAnswer, Decline, Finding, GrantAnswer, Reason};
use paygate::purchase::input::{ChannelCall, GrantCall, Input};
use paygate::purchase::money::{Currency, Money};
use paygate::purchase::record::Micros;

pub(crate) const PRICE: Money = Money::new(10_000, Currency::VND);
pub(crate) const NO_MONEY: Finding = Finding::NotCharged(Decline::new(Reason::NoMoney, Advice::Wait));
pub(crate) const BUSY: Finding = Finding::NotCharged(Decline::new(Reason::Busy, Advice::Technical));

/// The code that the channel texts; anything else is wrong.
pub(crate) const CHANNEL_CODE: &str = "135790";

/// The channel's books for one key.
#[derive(Clone, Debug)]
pub(crate) struct ChannelBook {
    pub(crate) texts_code: bool,
    pub(crate) recognises_keys: bool,
    /// What it really debits; sometimes not what was asked for.
    pub(crate) debits: Money,
    /// What is asked for.
    price: Money,
    refuses_refunds: bool,
    /// The subscriber pays at a page of the channel's own, which `charge` opens.
    pub(crate) has_page: bool,
    reserved: bool,
    cancelled: bool,
    denied: bool,
    pub(crate) charges: u32,
    pub(crate) refunds: u32,
}

impl ChannelBook {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let debits = if chance.percent(3) { Money::new(PRICE.amount + 1, PRICE.currency) } else { PRICE };
        Self {
            texts_code: chance.percent(50),
            recognises_keys: chance.percent(50),
            debits,
            price: PRICE,
            refuses_refunds: chance.percent(15),
            has_page: false,
            reserved: false,
            cancelled: false,
            denied: false,
            charges: 0,
            refunds: 0,
        }
    }

    /// The same book for something at another price.
    pub(crate) fn at(mut self, price: Money) -> Self {
        self.debits = Money::new(self.debits.amount - self.price.amount + price.amount, price.currency);
        self.price = price;
        self
    }

    /// A request arrives, and what it does is done whether or not its answer is ever heard.
    pub(crate) fn act(&mut self, chance: &mut Chance, call: ChannelCall, code: Option<&str>) -> Finding {
        match call {
            ChannelCall::Prepare => self.prepare(chance),
            ChannelCall::Charge => self.charge(chance, code),
            ChannelCall::InquireCharge => self.says(),
            ChannelCall::CancelCharge => self.cancel(),
            ChannelCall::Refund => self.refund(chance),
            ChannelCall::InquireRefund => self.says_of_refund(),
        }
    }

    fn prepare(&mut self, chance: &mut Chance) -> Finding {
        match chance.below(20) {
            0 => BUSY,
            1 => {
                self.denied = true;
                NO_MONEY
            }
            _ => {
                self.reserved = true;
                self.says()
            }
        }
    }

    /// A page that stands already is not opened a second time, and its address is not told again.
    fn open(&mut self, chance: &mut Chance) -> Finding {
        if self.reserved || self.denied {
            return Finding::Unknown { cause: Cause::UnknownCode };
        }
        if chance.percent(15) {
            return BUSY;
        }
        self.reserved = true;
        Finding::AwaitsPayment { url: Some("https://bank.example/pay/1".to_owned()), begun: false }
    }

    /// The subscriber at the page: whether money moved.
    pub(crate) fn pay(&mut self, chance: &mut Chance) -> bool {
        if !self.can_be_paid() {
            return false;
        }
        if chance.percent(20) {
            self.denied = true;
        } else {
            self.charges += 1;
        }
        self.charges > 0
    }

    /// Whether the page stands and nothing has been decided there.
    pub(crate) const fn can_be_paid(&self) -> bool {
        self.reserved && !self.denied && self.charges == 0
    }

    fn charge(&mut self, chance: &mut Chance, code: Option<&str>) -> Finding {
        if self.has_page {
            return self.open(chance);
        }
        if self.cancelled || self.denied || (self.charges > 0 && self.recognises_keys) {
            return self.says();
        }
        match chance.below(20) {
            0..=2 => return BUSY,
            3 => {
                self.denied = true;
                return NO_MONEY;
            }
            _ => self.reserved = true,
        }
        match code {
            _ if !self.texts_code => {}
            None => return Finding::CodeSent,
            Some(CHANNEL_CODE) => {}
            Some(_) => return Finding::WrongCode(Decline::new(Reason::OtpWrong, Advice::NewCode)),
        }
        self.charges += 1;
        self.says()
    }

    fn cancel(&mut self) -> Finding {
        if self.charges == 0 && self.reserved {
            self.cancelled = true;
        }
        self.says()
    }

    fn says(&self) -> Finding {
        match (self.charges, self.cancelled || self.denied, self.reserved, self.texts_code) {
            (0, false, true, _) if self.has_page => Finding::AwaitsPayment { url: None, begun: false },
            (1.., _, _, _) => Finding::Charged { amount: self.debits, msisdn: None },
            (0, true, _, _) => NO_MONEY,
            (0, false, true, true) => Finding::CodeSent,
            (0, false, true, false) => Finding::Reserved,
            (0, false, false, _) => Finding::NotFound,
        }
    }

    fn refund(&mut self, chance: &mut Chance) -> Finding {
        if self.refuses_refunds || (self.refunds > 0 && self.recognises_keys) {
            return self.says_of_refund();
        }
        if chance.percent(15) {
            return BUSY;
        }
        self.refunds += 1;
        self.says_of_refund()
    }

    fn says_of_refund(&self) -> Finding {
        match (self.refunds, self.refuses_refunds) {
            (1.., _) => Finding::Refunded { amount: self.price },
            (0, true) => Finding::NotRefunded(Decline::new(Reason::Declined, Advice::CallOperator)),
            (0, false) => Finding::NotFound,
        }
    }
}

/// The package manager's books for one purchase.
#[derive(Clone, Debug)]
pub(crate) struct PackageBook {
    pub(crate) recognises_keys: bool,
    refuses_percent: u64,
    /// Calls some of its grants refused (seed 000: granted, but answered as a failure).
    lies: bool,
    pub(crate) grants: u32,
}

impl PackageBook {
    /// Recognises its keys, and refuses as often as not.
    pub(crate) const fn hard() -> Self {
        Self { recognises_keys: true, refuses_percent: 50, lies: false, grants: 0 }
    }

    pub(crate) fn new(chance: &mut Chance) -> Self {
        let refuses_percent = *chance.one_of(&[0, 0, 40, 100]);
        Self { recognises_keys: chance.percent(50), refuses_percent, lies: chance.percent(20), grants: 0 }
    }

    pub(crate) fn act(&mut self, chance: &mut Chance, call: GrantCall) -> GrantAnswer {
        match call {
            GrantCall::Grant if self.grants > 0 && self.recognises_keys => self.says(),
            GrantCall::Grant if chance.percent(self.refuses_percent) => refusal(),
            GrantCall::Grant => {
                self.grants += 1;
                if self.lies && chance.percent(50) { refusal() } else { self.says() }
            }
            GrantCall::InquireGrant if chance.percent(5) => GrantAnswer::InProgress,
            GrantCall::InquireGrant => self.says(),
        }
    }

    fn says(&self) -> GrantAnswer {
        match self.grants {
            0 => GrantAnswer::NotFound,
            number => GrantAnswer::Granted { grant_id: format!("g-{number}"), heard: String::new(), runs_until: None },
        }
    }
}

fn refusal() -> GrantAnswer {
    GrantAnswer::Refused { reason: Reason::NoAccount, heard: String::new() }
}

/// What is heard of a call to the channel about the charge or refund under `key`; it may name its payment.
pub(crate) fn heard_from(
    call: ChannelCall,
    key: &str,
    sends: u32,
    called_at: Micros,
    finding: Finding,
    names_its_payment: bool,
) -> Input {
    let handle = names_its_payment.then(|| "pay-1".to_owned());
    let answer = ChannelAnswer { finding, handle, peer_reference: None, heard: String::new() };
    Input::Channel { call, key: key.to_owned(), sends, called_at, answer }
}
