//! Subscribers who each buy one package for one account: they write, have paid a partner or order in the app, answer the code
//! that they are sent or pay at the page that they are sent to, and read until they are told how it ended. The network
//! delivers again what was not acknowledged.

use super::dice::Dice;
use super::ground::{BANK_CODE, Ground, SHORT_CODE};
use super::life::{Door, Life, Told};
use super::recovery::Recovery;
use paygate::sandbox::pay123::card;
use paygate::sandbox::smsc::Smsc;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

/// Tries to have the bank's page answer.
const PAGE_TRIES: u32 = 20;
/// More are not let in at once: the daemon must get through what there is first.
const OPEN_MAX: usize = 6_000;
/// Between two looks of a subscriber at whether it is all over.
pub(super) const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Subscribers {
    pub(super) ground: Arc<Ground>,
    pub(super) seed: u64,
    closed: AtomicBool,
    dismissed: AtomicBool,
    lives: Mutex<Vec<Life>>,
    open: AtomicUsize,
    told: AtomicUsize,
    pub(super) browser: reqwest::Client,
    /// What partners and apps did, and how often.
    did: Mutex<BTreeMap<&'static str, u64>>,
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
            did: Mutex::default(),
            recovery: Recovery::default(),
        }
    }

    /// The SMSC of a subscriber of this kind.
    pub(super) fn smsc(&self, door: Door) -> &Smsc {
        if door == Door::SmsToBank { &self.ground.bank_smsc } else { &self.ground.smsc }
    }

    pub(super) fn did(&self, what: &'static str) {
        *self.did.lock().unwrap().entry(what).or_default() += 1;
    }

    pub(super) fn done(&self) -> BTreeMap<&'static str, u64> {
        self.did.lock().unwrap().clone()
    }

    /// What this purchase's subscriber, partner or app knows from now on.
    pub(super) fn knows(&self, at: usize, change: impl FnOnce(&mut Life)) {
        change(&mut self.lives.lock().unwrap()[at]);
    }

    /// The one that the partner or the app was told of.
    pub(super) fn purchase_of(&self, at: usize) -> Option<String> {
        self.lives.lock().unwrap()[at].purchase.clone()
    }

    /// A promise to the partner or the app that was not kept.
    pub(super) fn broken(&self, at: usize, promise: &'static str, heard: &dyn std::fmt::Debug) {
        println!("{promise}: purchase {at} heard {heard:?}");
        self.knows(at, |life| life.broken.push(promise));
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

    pub(super) fn life(&self, at: usize) -> Life {
        self.lives.lock().unwrap()[at].clone()
    }

    pub(super) fn life_for(&self, account: &str) -> Option<Life> {
        self.lives.lock().unwrap().get(Life::at(account)?).cloned()
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

    pub(super) fn is_dismissed(&self) -> bool {
        self.dismissed.load(Ordering::Relaxed)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// `rate` new ones a second until closed; ends when the last one has read the last text or given up.
    pub(super) async fn arrive(self: Arc<Self>, rate: f64) {
        let (mut all, mut dice, mut next) = (JoinSet::new(), Dice::new(self.seed ^ 0x5EED), Instant::now());
        while !self.is_closed() {
            if self.open() < OPEN_MAX {
                let at = self.begins(|at| Life::begun(at, &mut dice));
                let everybody = Arc::clone(&self);
                all.spawn(async move { everybody.buys(at).await });
            }
            next = (next + Duration::from_secs_f64(1.0 / rate)).max(Instant::now() - Duration::from_secs(1));
            sleep_until(next.into()).await;
            while all.try_join_next().is_some() {}
        }
        all.join_all().await;
    }

    /// One more, of a kind that is wanted.
    pub(super) fn stage(self: &Arc<Self>, door: Door, absent: bool, before: impl FnOnce(&Life)) -> Life {
        let at = self.begins(|at| Life::staged(at, door, absent));
        let life = self.life(at);
        before(&life);
        let everybody = Arc::clone(self);
        tokio::spawn(async move { everybody.buys(at).await });
        life
    }

    fn begins(&self, life: impl FnOnce(usize) -> Life) -> usize {
        let mut lives = self.lives.lock().unwrap();
        let at = lives.len();
        let life = life(at);
        if life.poor && matches!(life.door, Door::Sms | Door::App) {
            self.ground.billing.set_balance(&format!("+{}", life.number), 0);
        }
        lives.push(life);
        self.open.fetch_add(1, Ordering::Relaxed);
        at
    }

    async fn buys(&self, at: usize) {
        let life = self.life(at);
        match life.door {
            Door::Sms | Door::SmsToBank => {
                let taken = self.texts(at, &life, &format!("ON VIP NAP1 {}", life.account)).await;
                self.knows(at, |life| life.request_acknowledged = taken);
                self.reads(at, &life).await;
            }
            Door::Partner => self.is_sold_to(at, &life).await,
            Door::App | Door::AppToBank => self.orders(at, &life).await,
        }
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Reads, and answers what asks for it, until the last text.
    pub(super) async fn reads(&self, at: usize, life: &Life) {
        // Whoever orders in the app goes to the page from there.
        let mut answered = life.door == Door::AppToBank || life.absent;
        while !self.is_dismissed() {
            let Some(text) = self.smsc(life.door).next_text_to(&life.number, LOOK).await else { continue };
            self.recovery.answered(at);
            match Told::of(&text.text) {
                Told::Offer if !answered => {
                    answered = true;
                    let code = text.text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6);
                    let taken = self.texts(at, life, code.unwrap_or_default()).await;
                    self.knows(at, |life| life.code_acknowledged = taken);
                }
                Told::PayAt if !answered => {
                    answered = true;
                    if let Some(url) = text.text.split_whitespace().find(|word| word.starts_with("http")) {
                        self.pays(url, life.poor).await;
                    }
                }
                told if told.is_last() => return self.was_told(),
                _ => {}
            }
        }
    }

    pub(super) fn was_told(&self) {
        self.told.fetch_add(1, Ordering::Relaxed);
    }

    /// At the bank's page as a browser would: the card and then its OTP, or the button that cancels.
    pub(super) async fn pays(&self, url: &str, cancels: bool) {
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
        let short_code = if life.door == Door::SmsToBank { BANK_CODE } else { SHORT_CODE };
        let taken = self.smsc(life.door).text(&life.number, short_code, text).await.is_ok();
        if taken {
            self.recovery.acknowledged(at);
        } else {
            // The network has given up; so has this message, but not what it may have started.
            sleep(LOOK).await;
        }
        taken
    }
}
