//! What the care people filed, what the page answered, and what the journal has of it; holds the two against each other.
//! Files nothing.

use super::ground::Ground;
use super::life::PRICE;
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

/// What must not be among the acts, looked for when all has settled.
pub(crate) const OF_ACTS: [&str; 6] = [
    "acts filed and lost",
    "acts refused and done",
    "own acts confirmed",
    "acts done twice",
    "done without a second",
    "another amount given back",
];
/// Each kind of act; a campaign must have seen all but the last carried out. That one needs a purchase that was charged, was
/// never granted and waits for a person, and paygate gives the money back by itself before it comes to that.
pub(crate) const KINDS: [&str; 8] =
    ["inquire", "grant", "mark_paid", "mark_granted", "resolve", "grant, overriding", "refund, overriding", "refund"];

/// What a page answered to a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// As the act of this number.
    Written(i64),
    /// The same form was taken before.
    SentBefore,
    /// With this status.
    Refused(u16),
    /// It was of a session that is over, and nobody looked at it.
    LoggedOut,
    /// The connection broke, or the daemon could not say.
    Lost,
}

/// One form, with what was answered each time that it was sent.
#[derive(Clone, Debug)]
struct Form {
    reason: String,
    by: &'static str,
    verb: &'static str,
    answers: Vec<Answer>,
}

/// A second person's word on an act.
#[derive(Clone, Copy, Debug)]
struct Word {
    act: i64,
    by: &'static str,
    confirms: bool,
    answer: Answer,
}

/// All that people know of what they did.
#[derive(Default)]
pub(super) struct Acts {
    forms: Mutex<Vec<Form>>,
    words: Mutex<Vec<Word>>,
}

/// An act as the journal has it.
#[derive(Clone, Debug)]
pub(super) struct Journalled {
    number: i64,
    account: String,
    operator: String,
    verb: String,
    overrides: bool,
    reason: String,
    amount: Option<i64>,
    second: Option<String>,
    needs_second: bool,
    outcome: Option<String>,
    withdrawn_by: Option<String>,
}

/// What people did, for the report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Filed, refused by the page, carried out, refused by the daemon; by kind.
    pub(crate) kinds: BTreeMap<&'static str, [u64; 4]>,
    pub(crate) logins: u64,
    /// Purchases that were made to need a person and that nobody came to.
    pub(crate) left_alone: u64,
    pub(crate) confirmed: u64,
    pub(crate) taken_back: u64,
    pub(crate) waiting: u64,
    pub(crate) own_refused: u64,
    /// Forms whose answer was lost, sent once more.
    pub(crate) sent_again: u64,
    pub(crate) broken: BTreeMap<&'static str, u64>,
    pub(crate) described: Vec<String>,
}

impl Journalled {
    fn is_carried_out(&self) -> bool {
        self.outcome.as_deref() == Some("carried_out")
    }

    fn kind(&self) -> &'static str {
        let is_kind = |kind: &&str| {
            let (verb, overrides) = kind.split_once(',').map_or((*kind, false), |(verb, _)| (verb, true));
            verb == self.verb && overrides == self.overrides
        };
        KINDS.into_iter().find(is_kind).unwrap_or("another")
    }
}

/// What persons have decided about an account's purchase, as far as it was carried out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Decided {
    /// Two different people want both the package and the money back.
    pub(super) both: bool,
    /// Somebody wants it granted as it is.
    pub(super) grant: bool,
}

pub(super) fn decided(acts: &[Journalled]) -> HashMap<String, Decided> {
    let mut all: HashMap<String, Decided> = HashMap::new();
    for act in acts.iter().filter(|act| act.is_carried_out()) {
        let two = act.second.as_ref().is_some_and(|second| *second != act.operator);
        let decided = all.entry(act.account.clone()).or_default();
        decided.both |= act.overrides && two;
        decided.grant |= act.verb == "grant";
    }
    all
}

impl Acts {
    /// A reason that no other form has, so that the journal's act can be told by it.
    pub(super) fn begin(&self, by: &'static str, verb: &'static str, why: &str) -> String {
        let mut forms = self.forms.lock().unwrap();
        let reason = format!("#{}: {why}", forms.len());
        forms.push(Form { reason: reason.clone(), by, verb, answers: Vec::new() });
        reason
    }

    pub(super) fn answered(&self, reason: &str, answer: Answer) {
        let number: usize = reason[1..].split(':').next().unwrap().parse().unwrap();
        self.forms.lock().unwrap()[number].answers.push(answer);
    }

    pub(super) fn said(&self, act: i64, by: &'static str, confirms: bool, answer: Answer) {
        self.words.lock().unwrap().push(Word { act, by, confirms, answer });
    }

    /// Holds what the pages answered against the journal.
    pub(super) async fn judged(&self, ground: &Ground) -> Tally {
        let (acts, done) = (ground.acts().await, ground.steps_of_acts().await);
        let (forms, words) = (self.forms.lock().unwrap().clone(), self.words.lock().unwrap().clone());
        let mut tally = Tally::default();
        forms.iter().for_each(|form| tally.add_form(form, &acts));
        // Whoever was heard before, or does not know, cannot say what a later refusal of the same word means.
        let unsure = |word: &Word| {
            let mut same = words.iter().filter(|other| other.act == word.act && other.by == word.by);
            same.any(|other| matches!(other.answer, Answer::Lost | Answer::Written(_)))
        };
        words.iter().for_each(|word| tally.add_word(*word, unsure(word), &acts));
        acts.iter().for_each(|act| tally.add_act(act, done.get(&act.number).map_or(&[], Vec::as_slice)));
        tally
    }
}

impl Tally {
    fn add_form(&mut self, form: &Form, acts: &[Journalled]) {
        let of_it: Vec<&Journalled> = acts.iter().filter(|act| act.reason == form.reason).collect();
        self.sent_again += u64::from(form.answers.len() > 1);
        let (mut lost, mut refused) = (false, true);
        for answer in &form.answers {
            match answer {
                Answer::Written(number) => {
                    let is_it = |act: &&&Journalled| act.number == *number && act.operator == form.by;
                    lost |= of_it.iter().find(is_it).is_none_or(|act| act.verb != form.verb);
                    refused = false;
                }
                Answer::Refused(_) | Answer::LoggedOut => {}
                Answer::SentBefore | Answer::Lost => refused = false,
            }
        }
        if refused && !form.answers.is_empty() {
            self.kinds.entry(kind_of(form.verb)).or_default()[1] += 1;
        }
        // Peers may be asked twice, and a grant that was refused again may be tried again; anything else is done once for a
        // form, however often it was sent.
        let once = |act: &&&Journalled| act.is_carried_out() && !["inquire", "grant"].contains(&act.verb.as_str());
        let done = of_it.iter().filter(once).count();
        self.breaks("acts filed and lost", lost, &(form, &of_it));
        self.breaks("acts refused and done", refused && !of_it.is_empty(), &(form, &of_it));
        self.breaks("acts done twice", done > 1, &(form, &of_it));
    }

    fn add_word(&mut self, word: Word, unsure: bool, acts: &[Journalled]) {
        let act = acts.iter().find(|act| act.number == word.act);
        let holds = |act: &Journalled| {
            let by = if word.confirms { &act.second } else { &act.withdrawn_by };
            by.as_deref() == Some(word.by)
        };
        let (taken, holds) = (matches!(word.answer, Answer::Written(_)), act.is_some_and(holds));
        let own = act.is_some_and(|act| act.operator == word.by);
        self.own_refused += u64::from(word.confirms && own && matches!(word.answer, Answer::Refused(403)));
        self.breaks("acts filed and lost", taken && !holds, &(word, act));
        let refused = matches!(word.answer, Answer::Refused(_)) && !unsure;
        self.breaks("acts refused and done", refused && holds, &(word, act));
        self.breaks("own acts confirmed", word.confirms && own && taken, &(word, act));
    }

    /// `steps`: from and to which state, for each step of the purchase's that this act led to.
    fn add_act(&mut self, act: &Journalled, steps: &[(String, String)]) {
        let is_ready = !act.needs_second || act.second.is_some();
        let refused = act.outcome.as_deref() == Some("refused");
        let counts = self.kinds.entry(act.kind()).or_default();
        counts[0] += 1;
        counts[2] += u64::from(act.is_carried_out());
        counts[3] += u64::from(refused && act.withdrawn_by.is_none());
        self.confirmed += u64::from(act.second.is_some());
        self.taken_back += u64::from(act.withdrawn_by.is_some());
        self.waiting += u64::from(act.outcome.is_none() && !is_ready);
        let own = act.second.as_ref().is_some_and(|second| *second == act.operator);
        let moved = steps.iter().any(|(from, to)| from != to);
        self.breaks("acts filed and lost", act.outcome.is_none() && is_ready, act);
        self.breaks("acts filed and lost", act.is_carried_out() && steps.is_empty(), act);
        self.breaks("acts refused and done", refused && moved, &(act, steps));
        self.breaks("own acts confirmed", own, act);
        self.breaks("acts done twice", steps.len() > 1, &(act, steps));
        let unlike = act.amount.is_some_and(|amount| amount != PRICE);
        self.breaks("another amount given back", unlike && act.is_carried_out(), act);
        self.breaks("done without a second", act.needs_second && act.is_carried_out() && act.second.is_none(), act);
    }

    fn breaks(&mut self, promise: &'static str, broken: bool, what: &dyn std::fmt::Debug) {
        if broken {
            *self.broken.entry(promise).or_default() += 1;
            self.described.push(format!("{promise}: {what:?}"));
        }
    }

    pub(crate) fn violations(&self) -> u64 {
        self.broken.values().sum()
    }

    /// Kinds that nobody saw carried out, and refusals that nobody saw.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let carried_out = |kind: &&str| self.kinds.get(kind).is_some_and(|counts| counts[2] > 0);
        let never = KINDS[..7].iter().copied().filter(|kind| !carried_out(kind));
        never.chain((self.own_refused == 0).then_some("an own act that is not let confirm")).collect()
    }
}

fn kind_of(verb: &str) -> &'static str {
    KINDS.into_iter().find(|kind| *kind == verb).unwrap_or("another")
}

impl Ground {
    /// What the journal has of people's acts, read past the daemons.
    pub(super) async fn acts(&self) -> Vec<Journalled> {
        let sql = "SELECT act.number, account, operator, verb, overrides, reason, second, needs_second, outcome, \
                   withdrawn_by, act.amount FROM act JOIN purchase ON purchase.number = act.purchase_number ORDER BY act.number";
        let flag = |row: &AnyRow, at: usize| row.get::<i64, _>(at) == 1;
        let act = |row: &AnyRow| Journalled {
            number: row.get(0),
            account: row.get(1),
            operator: row.get(2),
            verb: row.get(3),
            overrides: flag(row, 4),
            reason: row.get(5),
            second: row.get(6),
            needs_second: flag(row, 7),
            outcome: row.get(8),
            withdrawn_by: row.get(9),
            amount: row.get(10),
        };
        self.rows(sql).await.iter().map(act).collect()
    }

    /// Every step that an act led to, by the act's number.
    async fn steps_of_acts(&self) -> HashMap<i64, Vec<(String, String)>> {
        let sql = "SELECT body, state_from, state_to FROM event WHERE kind IN ('inquire', 'resolve', 'remedy')";
        let mut steps: HashMap<i64, Vec<(String, String)>> = HashMap::new();
        for row in self.rows(sql).await {
            let body: Value = serde_json::from_str(&row.get::<String, _>(0)).unwrap();
            let act = body["by"]["act"].as_i64().unwrap();
            steps.entry(act).or_default().push((row.get(1), row.get(2)));
        }
        steps
    }
}
