//! The care people while all goes wrong: each looks up purchases at random and does what can be done to them, rightly or
//! foolishly, and answers for what colleagues have ordered. Honest: whoever says what a peer did has looked into its books.

use super::acts::{Acts, Answer, Tally};
use super::desk::{Desk, Sheet};
use super::dice::Dice;
use super::errands::ERRANDS;
use super::ground::Ground;
use super::judge::Books;
use super::life::Life;
use super::subscribers::Subscribers;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const PEOPLE: [(&str, &str); 6] = [
    ("lan", "agent"),
    ("hoa", "agent"),
    ("minh", "supervisor"),
    ("tuan", "supervisor"),
    ("thu", "accountant"),
    ("binh", "administrator"),
];
pub(super) const AGENT: usize = 0;
pub(super) const SUPERVISOR: usize = 2;
pub(super) const OTHER_SUPERVISOR: usize = 3;
pub(super) const ACCOUNTANT: usize = 4;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// What came of an act is known by then, or nobody will ever know.
const KNOWN_WITHIN: Duration = Duration::from_secs(20);
/// Who has promised something looks so often.
const LOOKS: usize = 4;
/// What was begun may last so long after the office has closed.
const OVERTIME: Duration = Duration::from_secs(120);
/// So many purchases begun last are looked at more often: they are under way.
const NEW: u64 = 40;
/// One form or word is sent so often at most.
const SENDS: usize = 12;
/// What became of a form that was never answered is looked for so often.
const FORM_LOOKS: usize = 50;
const CHARGED: &str = "10.000";

/// What may be tried at random; the foolish things are among them.
const VERBS: [&str; 12] = [
    "inquire",
    "inquire",
    "grant",
    "grant",
    "grant both",
    "mark_paid",
    "mark_paid",
    "mark_granted",
    "refund",
    "refund wrongly",
    "refund both",
    "resolve",
];

pub(super) struct Agents {
    pub(super) ground: Arc<Ground>,
    pub(super) subscribers: Arc<Subscribers>,
    pub(super) people: Vec<Desk>,
    pub(super) left_alone: AtomicU64,
    acts: Acts,
    seed: u64,
    closed: OnceLock<Instant>,
}

impl Agents {
    pub(super) async fn hire(ground: &Arc<Ground>, subscribers: &Arc<Subscribers>, seed: u64) -> Arc<Self> {
        let mut people = Vec::new();
        for (name, role) in PEOPLE {
            people.push(Desk::hire(ground, name, role).await);
        }
        let (ground, subscribers) = (Arc::clone(ground), Arc::clone(subscribers));
        let (acts, left_alone, closed) = (Acts::default(), AtomicU64::default(), OnceLock::new());
        Arc::new(Self { ground, subscribers, people, left_alone, acts, seed, closed })
    }

    /// Everybody, until the office closes and what was begun is at its end.
    pub(super) fn work(self: &Arc<Self>) -> JoinSet<()> {
        let mut all = JoinSet::new();
        for at in 0..self.people.len() {
            all.spawn(Arc::clone(self).works(at));
        }
        for errand in 0..ERRANDS {
            all.spawn(Arc::clone(self).errand(errand));
        }
        all
    }

    /// Nothing new from now on.
    pub(super) fn close(&self) {
        self.closed.get_or_init(Instant::now);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get().is_some()
    }

    /// Whoever is not through by now goes home.
    pub(super) fn is_late(&self) -> bool {
        self.closed.get().is_some_and(|at| at.elapsed() > OVERTIME)
    }

    pub(super) async fn judged(&self) -> Tally {
        let mut tally = self.acts.judged(&self.ground).await;
        tally.logins = self.people.iter().map(|desk| desk.logins.load(Ordering::Relaxed)).sum();
        tally.left_alone = self.left_alone.load(Ordering::Relaxed);
        tally
    }

    async fn works(self: Arc<Self>, at: usize) {
        let (desk, mut dice) = (&self.people[at], Dice::new(self.seed ^ (at as u64 + 1) << 32));
        while !self.is_closed() {
            if dice.roll(12) == 0 {
                desk.closes();
            }
            match dice.roll(4) {
                0 => self.answers_for_others(desk, &mut dice).await,
                1 => self.looks_at_a_review(desk, &mut dice).await,
                _ => self.picks(desk, &mut dice).await,
            }
            sleep(PAUSE + Duration::from_millis(dice.roll(600))).await;
        }
    }

    /// By the number or the account that the caller says.
    async fn picks(&self, desk: &Desk, dice: &mut Dice) {
        let begun = self.subscribers.begun() as u64;
        if begun == 0 {
            return;
        }
        let at = if dice.roll(2) == 0 { begun - 1 - dice.roll(begun.min(NEW)) } else { dice.roll(begun) };
        let life = self.subscribers.life(at as usize);
        let words = if dice.roll(2) == 0 { &life.account } else { &life.number };
        if let Some(sheet) = desk.finds(words).await {
            self.tries(desk, dice, &life, &sheet).await;
        }
    }

    async fn looks_at_a_review(&self, desk: &Desk, dice: &mut Dice) {
        let waiting = desk.reviews().await;
        if waiting.is_empty() {
            return;
        }
        let Some(sheet) = desk.opens(dice.pick::<String>(&waiting)).await else { return };
        let life = sheet.account().and_then(|account| self.subscribers.life_for(account));
        if let Some(life) = life {
            self.tries(desk, dice, &life, &sheet).await;
        }
    }

    async fn tries(&self, desk: &Desk, dice: &mut Dice, life: &Life, sheet: &Sheet) {
        let Books { debits, grants, refunds } = Books::looked_up(&self.ground, life);
        let books = (debits, grants, refunds);
        let is_owed = books == (1, 0, 0) && sheet.paid() == "yes" && !life.dear;
        let (evidence, both) = (("evidence", "seen in the channel's own tool"), ("override", "yes"));
        let (verb, fields, elsewhere): (_, &[_], _) = match *dice.pick(&VERBS) {
            "grant both" => ("grant", &[both], false),
            "mark_paid" if debits == 1 && refunds == 0 => ("mark_paid", &[evidence], false),
            "mark_granted" if is_owed => ("mark_granted", &[], true),
            "refund" => ("refund", &[("amount", CHARGED)], false),
            "refund wrongly" => ("refund", &[("amount", "9.999"), both], false),
            "refund both" if dice.roll(3) == 0 => ("refund", &[("amount", CHARGED), both], false),
            "resolve" if books == (1, 1, 0) => ("resolve", &[("verdict", "done"), evidence], false),
            "resolve" if books == (1, 0, 1) => ("resolve", &[("verdict", "refunded"), evidence], false),
            "resolve" if is_owed => ("resolve", &[("verdict", "done")], true),
            verb @ ("inquire" | "grant") => (verb, &[], false),
            // Nothing that could be said with a good conscience.
            _ => return,
        };
        let act = self.files(desk, sheet, verb, fields, dice.roll(6) == 0).await;
        if elsewhere {
            self.grants_elsewhere(desk, &sheet.id, life, act).await;
        }
    }

    /// Confirms what a colleague ordered, or takes it back; tries it with the own orders, too.
    async fn answers_for_others(&self, desk: &Desk, dice: &mut Dice) {
        let waiting = desk.waiting().await;
        if waiting.is_empty() {
            return;
        }
        let Some(sheet) = desk.opens(dice.pick::<String>(&waiting)).await else { return };
        let acts = sheet.waiting();
        if !acts.is_empty() {
            self.says(desk, &sheet.id, *dice.pick(&acts), dice.roll(4) > 0).await;
        }
    }

    /// Confirms an act, or takes it back; says so until it is answered.
    pub(super) async fn says(&self, desk: &Desk, id: &str, act: i64, confirms: bool) -> Option<()> {
        for _ in 0..SENDS {
            let sheet = desk.opens(id).await?;
            let answer = desk.says(&sheet, act, if confirms { "confirm" } else { "withdraw" }).await;
            self.acts.said(act, desk.name, confirms, answer);
            if !matches!(answer, Answer::Lost | Answer::LoggedOut) {
                return Some(());
            }
            sleep(PAUSE).await;
        }
        None
    }

    /// Sends a form until it is answered, at once `twice` where somebody is impatient. The number of the act that it became,
    /// as far as the pages tell.
    pub(super) async fn files(
        &self,
        desk: &Desk,
        sheet: &Sheet,
        verb: &'static str,
        fields: &[(&str, &str)],
        twice: bool,
    ) -> Option<i64> {
        let reason = self.acts.begin(desk.name, verb, &format!("{verb} for a caller"));
        let fields = [fields, &[("reason", reason.as_str())]].concat();
        let sends = async || {
            let answer = desk.files(sheet, verb, &fields).await;
            self.acts.answered(&reason, answer);
            answer
        };
        let mut answer = if twice { tokio::join!(sends(), sends()).0 } else { sends().await };
        for _ in 1..SENDS {
            match answer {
                Answer::Written(number) if !twice => return Some(number),
                Answer::Lost | Answer::LoggedOut => {}
                _ => break,
            }
            sleep(PAUSE).await;
            // Whoever was logged out is logged in again by this look.
            desk.opens(&sheet.id).await;
            answer = sends().await;
        }
        self.became(desk, &sheet.id, &reason, answer).await
    }

    /// The act that a form became. One whose answer was lost may still be on its way, or nobody there to tell of it, so that
    /// it is looked for again.
    async fn became(&self, desk: &Desk, id: &str, reason: &str, answer: Answer) -> Option<i64> {
        for _ in 0..FORM_LOOKS {
            let sheet = desk.opens(id).await;
            let act = sheet.as_ref().and_then(|sheet| sheet.act_for(reason));
            if act.is_some() || sheet.is_some() && !matches!(answer, Answer::Lost | Answer::LoggedOut) {
                return act;
            }
            sleep(PAUSE).await;
        }
        None
    }

    /// Whether the act was carried out; `None` where nobody can tell.
    pub(super) async fn is_carried_out(&self, desk: &Desk, id: &str, act: i64) -> Option<bool> {
        let end = Instant::now() + KNOWN_WITHIN;
        while Instant::now() < end {
            if let Some(sheet) = desk.opens(id).await {
                match sheet.came_of(act) {
                    Some("carried out") => return Some(true),
                    Some(word) if word == "refused" || word.starts_with("taken back") => return Some(false),
                    _ => {}
                }
            }
            sleep(PAUSE).await;
        }
        None
    }

    /// What was said to have come by another way then comes by it: a person adds it in the package manager's own tool.
    /// Afterwards, so that no colleague has it granted beside it.
    pub(super) async fn grants_elsewhere(&self, desk: &Desk, id: &str, life: &Life, act: Option<i64>) -> bool {
        let Some(act) = act else { return false };
        // Nobody forgets what they have promised while nobody could say whether it was taken.
        let mut taken = None;
        for _ in 0..LOOKS {
            taken = taken.or(self.is_carried_out(desk, id, act).await);
            if taken.is_some() {
                break;
            }
        }
        if taken != Some(true) {
            return false;
        }
        let body = json!({
            "purchaseId": id, "account": life.account, "service": "VIP", "package": "NAP1", "amount": 10_000,
            "currency": "VND", "chargeReference": "by hand", "platform": "cms", "dtId": "care", "type": "purchase",
            "deviceType": "desk", "deviceId": "1", "payType": "telco", "payPartner": "care",
        });
        let url = format!("{}/v1/grants", self.ground.packages.base_url());
        loop {
            let request = self.subscribers.browser.post(&url).bearer_auth("secret").json(&body);
            let answer = request.header("idempotency-key", format!("cms-{id}")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return true;
            }
            sleep(PAUSE).await;
        }
    }
}
