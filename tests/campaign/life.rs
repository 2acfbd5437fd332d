//! One purchase as whoever makes it knows it, and what the texts say. Judges nothing.

use super::dice::Dice;

/// What the simulated operator starts each subscriber with, and what the package costs.
pub(super) const BALANCE: i64 = 50_000;
pub(super) const PRICE: i64 = 10_000;

/// The first one's account, after its two digits.
const FIRST_ACCOUNT: usize = 50_000_000;

/// One in so many has no money,
const POOR: u64 = 20;
/// one in so many pays at 123PAY's page,
const BANK: u64 = 5;
/// one in so many has paid a partner that charges by itself, and as many order in the content service's app.
const OTHERS: u64 = 10;

/// How a purchase comes in, and where it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Door {
    /// A text, charged at the operator's billing,
    Sms,
    /// or paid at 123PAY's page.
    SmsToBank,
    /// A telco that has charged by itself.
    Partner,
    /// The content service's app: the phone is charged at the operator's billing,
    App,
    /// or somebody pays at 123PAY's page.
    AppToBank,
}

impl Door {
    pub(super) const ALL: [(Self, &'static str); 5] = [
        (Self::Sms, "by SMS, the operator's billing"),
        (Self::SmsToBank, "by SMS, 123PAY's page"),
        (Self::Partner, "by a partner that charges itself"),
        (Self::App, "in the app, the operator's billing"),
        (Self::AppToBank, "in the app, 123PAY's page"),
    ];

    pub(super) const fn is_app(self) -> bool {
        matches!(self, Self::App | Self::AppToBank)
    }
}

/// A debit that a partner has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Debit {
    pub(super) reference: String,
    pub(super) amount: i64,
}

/// How an order stands: state, paid and granted.
pub(super) type Stands = [String; 3];

/// What became of one purchase as its subscriber, its partner or its app knows it.
#[derive(Clone, Debug)]
pub(super) struct Life {
    /// E.164 without `+`; nobody else's.
    pub(super) number: String,
    /// Nobody else's.
    pub(super) account: String,
    pub(super) door: Door,
    /// Has no money, or thinks better of it.
    pub(super) poor: bool,
    /// The partner takes another price than the package's.
    pub(super) dear: bool,
    /// Is sent to the bank's page and does not go there by itself.
    pub(super) absent: bool,
    /// Is told by text how it ended; an order without a phone is asked about instead.
    pub(super) is_texted: bool,
    /// The first message, payment or order was acknowledged.
    pub(super) request_acknowledged: bool,
    pub(super) code_acknowledged: bool,
    pub(super) debit: Option<Debit>,
    /// The purchase that the partner or the app was told of.
    pub(super) purchase: Option<String>,
    /// What the app read in the end.
    pub(super) seen: Option<Stands>,
    /// Promises to the partner or the app that were broken on the way.
    pub(super) broken: Vec<&'static str>,
}

impl Life {
    pub(super) fn begun(at: usize, dice: &mut Dice) -> Self {
        let (poor, bank) = (dice.roll(POOR) == 0, dice.roll(BANK) == 0);
        let door = match dice.roll(OTHERS) {
            0 => Door::Partner,
            1 => *dice.pick(&[Door::App, Door::AppToBank]),
            _ if bank => Door::SmsToBank,
            _ => Door::Sms,
        };
        Self {
            number: format!("849{at:08}"),
            account: format!("09{:08}", at + FIRST_ACCOUNT),
            door,
            poor,
            dear: poor && door == Door::Partner,
            absent: false,
            is_texted: door != Door::AppToBank || dice.roll(2) == 0,
            request_acknowledged: false,
            code_acknowledged: false,
            debit: None,
            purchase: None,
            seen: None,
            broken: Vec::new(),
        }
    }

    /// Begun on purpose, for the care people to have something of this kind: with money, and as willing as it can be.
    pub(super) fn staged(at: usize, door: Door, absent: bool) -> Self {
        let begun = Self::begun(at, &mut Dice::new(0));
        // A partner that takes what it should leaves nothing for a person to do.
        Self { door, absent, poor: false, dear: door == Door::Partner, is_texted: true, ..begun }
    }

    /// Where it stands among the others; none where the account is nobody's, or is not shown whole.
    pub(super) fn at(account: &str) -> Option<usize> {
        account.strip_prefix("09")?.parse::<usize>().ok()?.checked_sub(FIRST_ACCOUNT)
    }

    /// An account that no request names but those that must be refused.
    pub(super) fn strangers_account(&self) -> String {
        format!("07{}", &self.account[2..])
    }
}

/// What a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Offer,
    /// Where to pay.
    PayAt,
    /// It is still under way.
    Wait,
    Done,
    NotCharged,
    Refunded,
    /// Nothing that should ever be said to one who does everything right.
    Nonsense,
}

impl Told {
    pub(super) fn of(text: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
        if says(&[": thanh toan tai http"]) {
            Self::PayAt
        } else if says(&[": mua goi ", "VUA MUA"]) {
            Self::Offer
        } else if says(&["Thanh cong: goi", "da mua thanh cong"]) {
            Self::Done
        } else if says(&["da hoan", "Da hoan"]) {
            Self::Refunded
        } else if says(&["hai lan", "dang cap goi", "dang kiem tra", "dang cho quy khach"]) {
            Self::Wait
        } else if says(&[
            "Khong du tien",
            "He thong ban",
            "Khong thanh toan duoc",
            "khong mua",
            "Da het han",
            "Vuot han muc",
            "khong duoc mua",
            "chua bi tru tien",
        ]) {
            Self::NotCharged
        } else {
            Self::Nonsense
        }
    }

    /// What an order's state says to whoever is not texted.
    pub(super) fn by_state(state: &str) -> Self {
        match state {
            "done" => Self::Done,
            "refunded" => Self::Refunded,
            "declined" | "expired" | "cancelled" | "refused" => Self::NotCharged,
            _ => Self::Wait,
        }
    }

    pub(super) const fn is_last(self) -> bool {
        matches!(self, Self::Done | Self::NotCharged | Self::Refunded)
    }
}
