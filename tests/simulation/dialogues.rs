//! Subscribers who dial a menu: a dialogue of several steps that may die at each of them, whose steps and screens are lost,
//! come twice and come to another instance. The menu itself is not here: a step leads to the next.

use super::broken::WorldRule;
use super::chance::Chance;
use super::keys::Recalled;
use super::life::{Event, Life, MINUTE, SECOND, START};
use super::peers::PRICE;
use super::tally::Came;
use paygate::config::Otp;
use paygate::purchase::evidence::CheckAnswer;
use paygate::purchase::money::Money;
use paygate::purchase::offer::Terms;
use paygate::purchase::record::Micros;
use std::collections::BTreeMap;

/// Lives in which somebody dials, of a hundred. They are dealt apart, so that all others stay as they were.
const LIVES: u64 = 20;
/// So often it is dialled in one life.
const DIALOGUES: usize = 6;
/// So long a phone waits for a screen.
const PHONE_WAITS: Micros = 30 * SECOND;
/// One screen is agreed to so often, as long as it says "try again".
const PRESSES: u32 = 4;

/// A step of a dialogue: what is keyed in on the screen before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hop {
    Dials,
    Service,
    Package,
    ForWhom,
    Agrees,
}

impl Hop {
    const fn next(self) -> Option<Self> {
        match self {
            Self::Dials => Some(Self::Service),
            Self::Service => Some(Self::Package),
            Self::Package => Some(Self::ForWhom),
            Self::ForWhom => Some(Self::Agrees),
            Self::Agrees => None,
        }
    }
}

/// A dialogue as the doors remember it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(super) name: String,
    /// The step that is to come; `None` when it is over.
    pub(super) awaits: Option<Hop>,
    /// What its last screen named.
    pub(super) terms: Option<Terms>,
}

/// A screen.
#[derive(Debug)]
pub(crate) enum Shown {
    Asks(Hop),
    /// The consent's, of the dialogue with this name.
    Consent(String, Terms),
    TryAgain,
    End,
}

/// A dialogue as its phone has it.
#[derive(Debug)]
pub(crate) struct Dialogue {
    pub(super) subscriber: usize,
    pub(super) package: &'static str,
    pub(super) account: String,
    price: Money,
    /// The instance of its gateway, where instances share no memory.
    home: usize,
    keyed: Hop,
    presses: u32,
    /// Names that doors gave it: one that is forgotten and begins anew has another.
    names: u32,
    on_screen: Option<(String, Terms)>,
    /// What was agreed to, by the name of the dialogue on that screen.
    pub(super) agreed: BTreeMap<String, Terms>,
    is_over: bool,
}

impl Life<'_> {
    pub(crate) fn begin_dialogues(&mut self, seed: u64) {
        self.desk.rules.menu_otp = Otp::None;
        let mut chance = Chance::new(seed ^ 0xd1a1_098d_d1a1_098d);
        if !chance.percent(LIVES) {
            return;
        }
        self.desk.rules.menu_otp = *chance.one_of(&[Otp::None, Otp::None, Otp::None, Otp::Gateway]);
        for _ in 0..=chance.below(2) {
            let subscriber = usize::try_from(chance.below(self.subscribers.len() as u64)).unwrap_or(0);
            self.at(START + chance.up_to(3 * MINUTE), Event::Dials { subscriber, instead_of: None });
        }
    }

    pub(crate) fn dials(&mut self, subscriber: usize, instead_of: Option<usize>) {
        if self.dialogues.len() >= DIALOGUES {
            return;
        }
        self.tally.came(if instead_of.is_some() { Came::DialledAgain } else { Came::Dialled });
        let phone = &self.subscribers[subscriber];
        let texted = ("NAP1", phone.account.clone(), PRICE);
        let other = ("NAP7", format!("0{}", &phone.number[2..]), Money::new(3_000, PRICE.currency));
        let (package, account, price) = match instead_of.and_then(|at| self.dialogues.get(at)) {
            Some(before) => (before.package, before.account.clone(), before.price),
            None if self.chance.percent(60) => texted,
            None => other,
        };
        let home = usize::try_from(self.chance.below(self.instances.len() as u64)).unwrap_or(0);
        self.note(|| format!("phone {subscriber} dials for {package}"));
        self.dialogues.push(Dialogue {
            subscriber,
            package,
            account,
            price,
            home,
            keyed: Hop::Dials,
            presses: 0,
            names: 0,
            on_screen: None,
            agreed: BTreeMap::new(),
            is_over: false,
        });
        self.keys_in(self.dialogues.len() - 1, Hop::Dials);
    }

    /// The gateway passes it on, or loses it, and now and then passes it on twice.
    fn keys_in(&mut self, at: usize, hop: Hop) {
        let dialogue = &mut self.dialogues[at];
        dialogue.keyed = hop;
        if let (Hop::Agrees, Some((name, terms))) = (hop, dialogue.on_screen.clone()) {
            dialogue.presses += 1;
            dialogue.agreed.insert(name, terms);
        }
        let mut way = self.chance.up_to(SECOND / 2);
        if !self.chance.percent(4) {
            self.pass_on(at, hop, way);
        }
        if self.chance.percent(if hop == Hop::Agrees { 30 } else { 10 }) {
            if hop != Hop::Agrees {
                self.tally.came(Came::HopAgain);
            }
            let longest = if self.chance.percent(70) { 3 * SECOND } else { 170 * SECOND };
            way += self.chance.up_to(longest);
            self.pass_on(at, hop, way);
        }
        self.after(PHONE_WAITS, Event::Waits { dialogue: at, hop });
    }

    fn pass_on(&mut self, at: usize, hop: Hop, way: Micros) {
        if let Some(instance) = self.door_of(at) {
            self.after(way, Event::Hop { dialogue: at, hop, instance });
        }
    }

    /// Where instances share no memory, a gateway that knows it keeps to one.
    fn door_of(&mut self, at: usize) -> Option<usize> {
        let up: Vec<usize> = (0..self.instances.len()).filter(|at| self.instances[*at].is_up).collect();
        let home = self.dialogues[at].home;
        if up.is_empty() || !self.keys.is_shared && self.chance.percent(95) {
            return up.contains(&home).then_some(home);
        }
        Some(*self.chance.one_of(&up))
    }

    /// A step at a door, as `ussd/answer.rs` takes it.
    pub(crate) fn hop(&mut self, at: usize, hop: Hop, instance: usize) {
        let process = (instance, self.instances[instance].epoch);
        if !self.instances[instance].is_up {
            return;
        }
        if self.instances[instance].paused_until > self.now {
            let until = self.instances[instance].paused_until;
            return self.at(until, Event::Hop { dialogue: at, hop, instance });
        }
        let session = match self.keys.recall(process, at, self.now) {
            Recalled::Unavailable => return self.show(at, Shown::End),
            Recalled::Found(session) if hop != Hop::Dials || session.awaits.is_some() => session,
            Recalled::Found(_) | Recalled::Nothing if hop == Hop::Dials => {
                self.dialogues[at].names += 1;
                let name = format!("d{at}.{}", self.dialogues[at].names);
                Session { name, awaits: Some(Hop::Dials), terms: None }
            }
            Recalled::Found(_) | Recalled::Nothing => {
                self.tally.came(Came::LostMemory);
                return self.show(at, Shown::End);
            }
        };
        match session.awaits {
            None => self.show(at, Shown::End),
            Some(Hop::Agrees) if hop == Hop::Agrees => self.hand_in(at, &session, process),
            Some(awaits) if hop == awaits => self.lead(at, hop, session, process),
            Some(awaits) if hop < awaits => self.show_again(at, &session),
            Some(_) => self.show(at, Shown::End),
        }
    }

    fn lead(&mut self, at: usize, hop: Hop, mut session: Session, process: (usize, u32)) {
        session.awaits = hop.next();
        if session.awaits == Some(Hop::Agrees) {
            let dialogue = &self.dialogues[at];
            let (package_name, price) = (format!("VIP {}", dialogue.package), dialogue.price);
            match self.says_of_sale() {
                CheckAnswer::Allowed { days, .. } => session.terms = Some(Terms { package_name, price, days }),
                CheckAnswer::Refused { .. } | CheckAnswer::Unavailable { .. } => session.awaits = None,
            }
        }
        match self.keys.remember(process, at, session.clone(), self.now) {
            true => self.show_again(at, &session),
            false => self.show(at, Shown::End),
        }
        if session.awaits == Some(Hop::Agrees) && self.broken.is(WorldRule::ScreenIsAnswered) {
            self.hand_in(at, &session, process);
        }
    }

    fn show_again(&mut self, at: usize, session: &Session) {
        let shown = match (session.awaits, &session.terms) {
            (Some(Hop::Agrees), Some(terms)) => Shown::Consent(session.name.clone(), terms.clone()),
            (Some(awaits), _) => Shown::Asks(awaits),
            (None, _) => Shown::End,
        };
        self.show(at, shown);
    }

    /// On its way to the phone, unless it is lost.
    pub(super) fn show(&mut self, at: usize, shown: Shown) {
        let way = self.chance.up_to(SECOND);
        if !self.chance.percent(5) {
            self.after(way, Event::Shows { dialogue: at, shown });
        }
    }

    pub(crate) fn shows(&mut self, at: usize, shown: Shown) {
        let (keyed, presses) = (self.dialogues[at].keyed, self.dialogues[at].presses);
        if self.dialogues[at].is_over {
            return;
        }
        let (next, on_screen) = match shown {
            Shown::End => return self.reads_the_last(at),
            Shown::TryAgain if presses < PRESSES && self.chance.percent(70) => return self.keys_in(at, Hop::Agrees),
            Shown::TryAgain => return self.dies(at, None),
            Shown::Asks(next) => (next, None),
            Shown::Consent(name, terms) => (Hop::Agrees, Some((name, terms))),
        };
        // The screen of a step that came twice is there already.
        if next <= keyed {
            return;
        }
        self.dialogues[at].on_screen = on_screen;
        match self.chance.percent(9) {
            true => self.dies(at, Some(next)),
            false => self.keys_in(at, next),
        }
    }

    fn reads_the_last(&mut self, at: usize) {
        self.dialogues[at].is_over = true;
        if self.chance.percent(20) {
            self.dials_again(at);
        }
    }

    /// Nothing came in answer to this step.
    pub(crate) fn waits(&mut self, at: usize, hop: Hop) {
        if !self.dialogues[at].is_over && self.dialogues[at].keyed == hop {
            self.dies(at, hop.next());
        }
    }

    /// Before this step. Its gateway may say so, at whichever instance.
    fn dies(&mut self, at: usize, before: Option<Hop>) {
        self.dialogues[at].is_over = true;
        let has_agreed = !self.dialogues[at].agreed.is_empty();
        self.note(|| format!("dialogue {at} dies before {before:?}"));
        self.tally.came(match before {
            _ if has_agreed => Came::DiedAgreed,
            Some(Hop::Dials | Hop::Service) => Came::DiedAtService,
            Some(Hop::Package) => Came::DiedAtPackage,
            Some(Hop::ForWhom) => Came::DiedAtForWhom,
            Some(Hop::Agrees) | None => Came::DiedAtConsent,
        });
        if let Some(instance) = self.door_of(at).filter(|_| self.chance.percent(50)) {
            let way = self.chance.up_to(SECOND);
            self.after(way, Event::HangsUp { dialogue: at, instance });
        }
        if self.chance.percent(60) {
            self.dials_again(at);
        }
    }

    fn dials_again(&mut self, at: usize) {
        let longest = *self.chance.one_of(&[10 * SECOND, 2 * MINUTE, 15 * MINUTE]);
        let (pause, subscriber) = (SECOND + self.chance.up_to(longest), self.dialogues[at].subscriber);
        self.after(pause, Event::Dials { subscriber, instead_of: Some(at) });
    }

    pub(crate) fn hangs_up(&mut self, at: usize, instance: usize) {
        let process = (instance, self.instances[instance].epoch);
        if let Recalled::Found(session) = self.keys.recall(process, at, self.now)
            && self.instances[instance].is_up
        {
            self.keys.remember(process, at, Session { awaits: None, ..session }, self.now);
        }
    }
}
