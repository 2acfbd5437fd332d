//! Subscribers who each buy one package for one account: they write, answer the code that they are sent or pay at the page
//! that they are sent to, and read until they are told how it ended. The network delivers again what was not acknowledged.

use super::dice::Dice;
use super::ground::{BANK_CODE, Ground, SHORT_CODE};
use super::recovery::Recovery;
use paygate::sandbox::pay123::card;
use paygate::sandbox::smsc::Smsc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

/// One in so many has no money,
const POOR: u64 = 20;
/// and one in so many pays at 123PAY's page.
const BANK: u64 = 5;
/// Tries to have the bank's page answer.
const PAGE_TRIES: u32 = 20;
/// More are not let in at once: the daemon must get through what there is first.
const OPEN_MAX: usize = 6_000;
/// Between two looks of a subscriber at whether it is all over.
const LOOK: Duration = Duration::from_secs(1);

/// What became of one purchase as its subscriber knows it.
#[derive(Clone, Debug)]
pub(super) struct Life {
    /// E.164 without `+`; nobody else's.
    pub(super) number: String,
    /// Nobody else's.
    pub(super) account: String,
    /// Pays at 123PAY's page.
    pub(super) bank: bool,
    /// Has no money, or thinks better of it.
    pub(super) poor: bool,
    pub(super) request_acknowledged: bool,
    pub(super) code_acknowledged: bool,
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
        } else if says(&["da hoan"]) {
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

    pub(super) const fn is_last(self) -> bool {
        matches!(self, Self::Done | Self::NotCharged | Self::Refunded)
    }
}

pub(super) struct Subscribers {
    ground: Arc<Ground>,
    seed: u64,
    closed: AtomicBool,
    dismissed: AtomicBool,
    lives: Mutex<Vec<Life>>,
    open: AtomicUsize,
    told: AtomicUsize,
    browser: reqwest::Client,
    pub(super) recovery: Recovery,
}

impl Subscribers {
    pub(super) fn new(ground: &Arc<Ground>, seed: u64) -> Self {
        Self {
            ground: Arc::clone(ground),
            seed,
            closed: AtomicBool::new(false),
            dismissed: AtomicBool::new(false),
            lives: Mutex::default(),
            open: AtomicUsize::new(0),
            told: AtomicUsize::new(0),
            browser: reqwest::Client::builder().no_proxy().timeout(LOOK * 5).build().unwrap(),
            recovery: Recovery::default(),
        }
    }

    /// The SMSC of a subscriber of this kind.
    pub(super) fn smsc(&self, bank: bool) -> &Smsc {
        if bank { &self.ground.bank_smsc } else { &self.ground.smsc }
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn told(&self) -> usize {
        self.told.load(Ordering::Relaxed)
    }

    pub(super) fn begun(&self) -> usize {
        self.lives.lock().unwrap().len()
    }

    pub(super) fn lives(&self) -> Vec<Life> {
        self.lives.lock().unwrap().clone()
    }

    /// Nobody new from now on.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Whoever still waits gives up.
    pub(super) fn dismiss(&self) {
        self.dismissed.store(true, Ordering::Relaxed);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// `rate` new ones a second until closed; ends when the last one has read the last text or given up.
    pub(super) async fn arrive(self: Arc<Self>, rate: f64) {
        let (mut all, mut dice, mut next) = (JoinSet::new(), Dice::new(self.seed ^ 0x5EED), Instant::now());
        while !self.is_closed() {
            if self.open() < OPEN_MAX {
                let at = self.begins(dice.roll(POOR) == 0, dice.roll(BANK) == 0);
                let everybody = Arc::clone(&self);
                all.spawn(async move { everybody.buys(at).await });
            }
            next = (next + Duration::from_secs_f64(1.0 / rate)).max(Instant::now() - Duration::from_secs(1));
            sleep_until(next.into()).await;
            while all.try_join_next().is_some() {}
        }
        all.join_all().await;
    }

    fn begins(&self, poor: bool, bank: bool) -> usize {
        let mut lives = self.lives.lock().unwrap();
        let at = lives.len();
        let (number, account) = (format!("849{at:08}"), format!("09{:08}", at + 50_000_000));
        if poor && !bank {
            self.ground.billing.set_balance(&format!("+{number}"), 0);
        }
        lives.push(Life { number, account, bank, poor, request_acknowledged: false, code_acknowledged: false });
        self.open.fetch_add(1, Ordering::Relaxed);
        at
    }

    async fn buys(&self, at: usize) {
        let life = self.lives.lock().unwrap()[at].clone();
        let taken = self.texts(at, &life, &format!("ON VIP NAP1 {}", life.account)).await;
        self.lives.lock().unwrap()[at].request_acknowledged = taken;
        let mut answered = false;
        loop {
            if let Some(text) = self.smsc(life.bank).next_text_to(&life.number, LOOK).await {
                self.recovery.answered(at);
                match Told::of(&text.text) {
                    Told::Offer if !answered => {
                        answered = true;
                        let code = text.text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6);
                        let taken = self.texts(at, &life, code.unwrap_or_default()).await;
                        self.lives.lock().unwrap()[at].code_acknowledged = taken;
                    }
                    Told::PayAt if !answered => {
                        answered = true;
                        self.pays(&text.text, life.poor).await;
                    }
                    told if told.is_last() => {
                        self.told.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                    _ => {}
                }
            }
            if self.dismissed.load(Ordering::Relaxed) {
                break;
            }
        }
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// At the bank's page as a browser would: the card and then its OTP, or the button that cancels.
    async fn pays(&self, text: &str, cancels: bool) {
        let Some(url) = text.split_whitespace().find(|word| word.starts_with("http")) else { return };
        let form = |fields: &'static [(&'static str, &'static str)]| self.submits(url, fields);
        if cancels {
            return form(&[("do", "cancel")]).await;
        }
        form(&[("do", "card"), ("holder", card::HOLDER), ("number", card::NUMBER)]).await;
        form(&[("do", "otp"), ("otp", card::OTP)]).await;
    }

    async fn submits(&self, url: &str, fields: &[(&str, &str)]) {
        for _ in 0..PAGE_TRIES {
            if self.browser.post(url).form(fields).send().await.is_ok_and(|page| page.status().is_success()) {
                return;
            }
            sleep(LOOK).await;
        }
    }

    async fn texts(&self, at: usize, life: &Life, text: &str) -> bool {
        let short_code = if life.bank { BANK_CODE } else { SHORT_CODE };
        let taken = self.smsc(life.bank).text(&life.number, short_code, text).await.is_ok();
        if taken {
            self.recovery.acknowledged(at);
        } else {
            // The network has given up; so has this message, but not what it may have started.
            sleep(LOOK).await;
        }
        taken
    }
}
