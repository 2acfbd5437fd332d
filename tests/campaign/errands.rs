//! What the care people do by plan beside what they do at random, so that each kind of act is carried out in every campaign:
//! a purchase is brought into the state that asks for it, and the act is done; once more with another purchase where a kill
//! or a colleague came between.

use super::agents::{ACCOUNTANT, AGENT, Agents, OTHER_SUPERVISOR, SUPERVISOR};
use super::desk::{Desk, Sheet};
use super::ground::Ground;
use super::judge::Books;
use super::life::{Door, Life};
use paygate::sandbox::faults::{Fault, FaultRule};
use paygate::sandbox::packages::Endpoint;
use paygate::sandbox::pay123::NotifyFault;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A purchase that is not where it should be by then is left to itself.
const COMES_WITHIN: Duration = Duration::from_secs(45);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(200);
/// Before an errand is run once more, where there is time for it.
const PAUSE: Duration = Duration::from_secs(20);
pub(super) const ERRANDS: u32 = 7;
/// Where a purchase stays.
const ENDS: [&str; 6] = ["done", "declined", "expired", "cancelled", "refunded", "refused"];

impl Agents {
    /// One errand until it is done, and again while the office is open.
    pub(super) async fn errand(self: Arc<Self>, errand: u32) {
        loop {
            while !self.is_late() && !self.runs(errand).await {}
            if self.is_closed() {
                return;
            }
            sleep(PAUSE).await;
        }
    }

    async fn runs(&self, errand: u32) -> bool {
        let done = match errand {
            0 => self.has_a_refused_grant_repeated().await,
            1 => self.marks_as_granted_elsewhere().await,
            2 => self.resolves_a_review().await,
            3 => self.asks_and_marks_as_paid().await,
            4 => self.gives_money_back_beside_the_package().await,
            5 => self.grants_beside_the_money_back().await,
            _ => self.grants_at_another_price().await,
        };
        let done = done.unwrap_or(false);
        // What was refused on purpose may yet come to a person, and none comes.
        self.left_alone.fetch_add((!done).into(), Ordering::Relaxed);
        done
    }

    /// Paid at the bank, where nothing can be given back, and refused by the package manager, so that a person has it.
    async fn refused_at_the_bank(&self, desk: &Desk) -> Option<(Life, Sheet)> {
        let life = self.subscribers.stage(Door::SmsToBank, false, |life| refuses_its_grant(&self.ground, life));
        let sheet = comes_to(desk, &life, "review").await?;
        Some((life, sheet))
    }

    async fn has_a_refused_grant_repeated(&self) -> Option<bool> {
        let desk = &self.people[SUPERVISOR];
        let (_, sheet) = self.refused_at_the_bank(desk).await?;
        let act = self.files(desk, &sheet, "grant", &[], true).await?;
        self.is_carried_out(desk, &sheet.id, act).await
    }

    async fn marks_as_granted_elsewhere(&self) -> Option<bool> {
        let desk = &self.people[ACCOUNTANT];
        let (life, sheet) = self.refused_at_the_bank(desk).await?;
        let act = self.files(desk, &sheet, "mark_granted", &[], false).await;
        Some(self.grants_elsewhere(desk, &sheet.id, &life, act).await)
    }

    async fn resolves_a_review(&self) -> Option<bool> {
        let desk = &self.people[OTHER_SUPERVISOR];
        let (life, sheet) = self.refused_at_the_bank(desk).await?;
        let act = self.files(desk, &sheet, "resolve", &[("verdict", "done")], false).await;
        Some(self.grants_elsewhere(desk, &sheet.id, &life, act).await)
    }

    /// Paid at the bank, whose word is lost, and not asked about just now.
    async fn asks_and_marks_as_paid(&self) -> Option<bool> {
        let (agent, accountant) = (&self.people[AGENT], &self.people[ACCOUNTANT]);
        let life = self.subscribers.stage(Door::SmsToBank, true, |_| ());
        let sheet = comes_to(agent, &life, "awaiting_user").await?;
        let asked = self.files(agent, &sheet, "inquire", &[], false).await?;
        let asked = self.is_carried_out(agent, &sheet.id, asked).await?;
        self.ground.pay123.notify_fault(NotifyFault::Missing, 1);
        let page = self.ground.pay123.page_of(&format!("{}-c1", sheet.id))?;
        self.subscribers.pays(&page, false).await;
        let evidence = ("evidence", "seen at the bank");
        let is_paid = Books::looked_up(&self.ground, &life).debits == 1;
        let sheet = accountant.opens(&sheet.id).await.filter(|_| is_paid)?;
        let act = self.files(accountant, &sheet, "mark_paid", &[evidence], false).await?;
        Some(asked && self.is_carried_out(accountant, &sheet.id, act).await?)
    }

    /// After all that is refused: without a word for it, with a wrong amount, confirmed by oneself, taken back.
    async fn gives_money_back_beside_the_package(&self) -> Option<bool> {
        let [desk, other, third] = [SUPERVISOR, OTHER_SUPERVISOR, ACCOUNTANT].map(|at| &self.people[at]);
        let life = self.subscribers.stage(Door::Sms, false, |_| ());
        let sheet = comes_to(desk, &life, "done").await?;
        let (right, wrong, both) = (("amount", "10.000"), ("amount", "10.001"), ("override", "yes"));
        let unsaid = self.files(desk, &sheet, "refund", &[right], false).await;
        let unlike = self.files(desk, &sheet, "refund", &[wrong, both], false).await;
        // Neither is there, unless a rule is broken; then whoever is asked confirms what is.
        for act in unsaid.into_iter().chain(unlike) {
            self.says(third, &sheet.id, act, true).await;
        }
        self.files(desk, &sheet, "grant", &[], false).await;
        let act = self.files(desk, &sheet, "refund", &[right, both], false).await?;
        self.says(desk, &sheet.id, act, true).await?;
        self.says(other, &sheet.id, act, false).await?;
        let act = self.files(desk, &sheet, "refund", &[right, both], true).await?;
        self.says(third, &sheet.id, act, true).await?;
        self.is_carried_out(desk, &sheet.id, act).await
    }

    /// Refused by the package manager, and given back by paygate itself.
    async fn grants_beside_the_money_back(&self) -> Option<bool> {
        let [desk, other] = [OTHER_SUPERVISOR, SUPERVISOR].map(|at| &self.people[at]);
        let life = self.subscribers.stage(Door::Sms, false, |life| refuses_its_grant(&self.ground, life));
        let sheet = comes_to(desk, &life, "refunded").await?;
        self.files(desk, &sheet, "grant", &[], false).await;
        let act = self.files(desk, &sheet, "grant", &[("override", "yes")], false).await?;
        self.says(other, &sheet.id, act, true).await?;
        self.is_carried_out(desk, &sheet.id, act).await
    }

    /// What a partner has taken too much for is granted all the same.
    async fn grants_at_another_price(&self) -> Option<bool> {
        let desk = &self.people[SUPERVISOR];
        let life = self.subscribers.stage(Door::Partner, false, |_| ());
        let sheet = comes_to(desk, &life, "review").await?;
        let act = self.files(desk, &sheet, "grant", &[], false).await?;
        self.is_carried_out(desk, &sheet.id, act).await
    }
}

/// The purchase's page, once it is there and stands so.
async fn comes_to(desk: &Desk, life: &Life, state: &str) -> Option<Sheet> {
    let end = Instant::now() + COMES_WITHIN;
    while Instant::now() < end {
        match desk.finds(&life.account).await {
            Some(sheet) if sheet.state() == state => return Some(sheet),
            Some(sheet) if ENDS.contains(&sheet.state()) => return None,
            _ => sleep(LOOK).await,
        }
    }
    None
}

/// The package manager refuses the next grant to this account for good, though check-user sold it.
fn refuses_its_grant(ground: &Ground, life: &Life) {
    let refused = Fault::Refuse { status: 403, code: "NOT_ELIGIBLE".to_owned() };
    let rule = FaultRule { endpoint: Some(Endpoint::Grant), fault: refused, times: Some(1) };
    assert!(ground.packages.fault_for(&life.account[1..], rule));
}
