//! Customer care's cases (seed 000, charging.md R000.16-25), each really produced: by texts, by the telco's shop, and by faults
//! that meet the case's own number alone. Nothing is written into the journal from here.

use super::stage::{Neighbours, Refusal, Stage};
use crate::engine::random_hex;
use crate::journal::rows::Filter;
use crate::purchase::State;
use crate::sandbox::configuration::SHORT_CODE;
use crate::sandbox::faults::{Fault, FaultRule};
use crate::sandbox::partner::Sale;
use crate::sandbox::{billing, packages};
use paygate_parsers::msisdn::Msisdn;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a text is waited for.
const TEXT_WITHIN: Duration = Duration::from_secs(10);
/// How long a case's faults stay at most; the plans of inquiry are through long before, and a person has had time to look.
const SETTLED_WITHIN: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// "One or two days" of the simulated operator.
const DAYS: Duration = Duration::from_secs(20);
/// Purchases among which a case's own is looked for.
const NEWEST: u32 = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Case {
    NoMoney,
    WrongAccount,
    ChargeNeverTold,
    GivenBackNow,
    GivenBackLater,
    NotGivenBack,
    CannotGrant,
    GrantedButError,
    NoTransaction,
    Repeated,
    AnotherWish,
    WrongStatus,
    WrongDuration,
}

impl Case {
    /// In the order of the table; a case that is left out here does not compile.
    const fn next(self) -> Option<Self> {
        Some(match self {
            Self::NoMoney => Self::WrongAccount,
            Self::WrongAccount => Self::ChargeNeverTold,
            Self::ChargeNeverTold => Self::GivenBackNow,
            Self::GivenBackNow => Self::GivenBackLater,
            Self::GivenBackLater => Self::NotGivenBack,
            Self::NotGivenBack => Self::CannotGrant,
            Self::CannotGrant => Self::GrantedButError,
            Self::GrantedButError => Self::NoTransaction,
            Self::NoTransaction => Self::Repeated,
            Self::Repeated => Self::AnotherWish,
            Self::AnotherWish => Self::WrongStatus,
            Self::WrongStatus => Self::WrongDuration,
            Self::WrongDuration => return None,
        })
    }

    /// As the page shows them.
    pub(super) fn all() -> Vec<Value> {
        let cases = std::iter::successors(Some(Self::NoMoney), |case| case.next());
        cases.map(|case| json!({ "case": case, "title": case.words().0, "did": case.words().1 })).collect()
    }

    /// The case, and what is done to whom.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NoMoney => ("User error: no money", "A phone with 500 VND buys NAP1; the telco refuses."),
            Self::WrongAccount => ("User error: no such account", "It buys for an account that nobody has."),
            Self::ChargeNeverTold => (
                "Debited, never notified",
                "The telco debits, its answer is lost, and it answers no question about it.",
            ),
            Self::GivenBackNow => (
                "Declined, money back at once",
                "The telco debits, answers that a limit is reached, and gives it back at once.",
            ),
            Self::GivenBackLater => (
                "Declined, money back in days",
                "The telco debits, answers that this phone may not pay, and gives it back later (20 s here).",
            ),
            Self::NotGivenBack => {
                ("Not given back", "Paid; the package manager refuses the package, and the telco refuses the refund.")
            }
            Self::CannotGrant => ("Paid, cannot be granted", "Paid; the package manager answers errors to each grant."),
            Self::GrantedButError => {
                ("Granted, answered an error", "Paid; the package manager grants and answers an error; paygate asks.")
            }
            Self::NoTransaction => {
                ("Debited, nothing known here", "The telco's shop takes the money, and tells paygate nothing.")
            }
            Self::Repeated => ("Charged twice", "The same package is bought and paid twice within minutes."),
            Self::AnotherWish => ("Two packages, both wanted", "Two different packages are bought and paid."),
            Self::WrongStatus => (
                "Declined, and money kept",
                "The telco debits, answers that the payment is denied, and gives nothing back.",
            ),
            Self::WrongDuration => {
                ("Wrong duration", "Paid and granted; the package manager adds one day instead of thirty.")
            }
        }
    }

    /// Set for the case's own digits alone.
    fn sets_faults(self, neighbours: &Neighbours, who: &str) -> bool {
        use billing::Endpoint::{ConfirmPayment, CreateRefund, RetrievePayment};
        use packages::Endpoint::Grant;
        let refuse = |status, code: &str| Fault::Refuse { status, code: code.to_owned() };
        let denied = |status, code: &str| Fault::Denied { status, code: code.to_owned() };
        let billing = |endpoint, fault, times| {
            neighbours.billing.fault_for(who, FaultRule { endpoint: Some(endpoint), fault, times })
        };
        let grants =
            |fault, times| neighbours.packages.fault_for(who, FaultRule { endpoint: Some(Grant), fault, times });
        match self {
            Self::NoMoney | Self::WrongAccount | Self::NoTransaction | Self::Repeated | Self::AnotherWish => true,
            Self::WrongDuration => {
                neighbours.packages.shortens(&format!("0{who}"));
                true
            }
            Self::WrongStatus => billing(ConfirmPayment, denied(403, "CARRIER_BILLING.PAYMENT_DENIED"), Some(1)),
            Self::ChargeNeverTold => {
                billing(ConfirmPayment, Fault::Lost, Some(1))
                    && billing(RetrievePayment, refuse(503, "UNAVAILABLE"), None)
            }
            Self::GivenBackNow => {
                billing(ConfirmPayment, denied(422, "CARRIER_BILLING.USER_AMOUNT_THRESHOLD_OVERPASSED"), Some(1))
            }
            Self::GivenBackLater => billing(ConfirmPayment, denied(422, "SERVICE_NOT_APPLICABLE"), Some(1)),
            Self::NotGivenBack => {
                grants(refuse(403, "NOT_ELIGIBLE"), Some(1))
                    && billing(CreateRefund, refuse(403, "CARRIER_BILLING_REFUND.REFUND_DENIED"), Some(1))
            }
            Self::CannotGrant => grants(refuse(500, "INTERNAL"), None),
            Self::GrantedButError => grants(Fault::Failed { status: 500 }, Some(1)),
        }
    }

    /// When the simulated operator gives back by itself what it took.
    const fn gives_back_after(self) -> Option<Duration> {
        match self {
            Self::GivenBackNow => Some(Duration::ZERO),
            Self::GivenBackLater => Some(DAYS),
            Self::NoMoney | Self::WrongAccount | Self::ChargeNeverTold | Self::NotGivenBack => None,
            Self::CannotGrant | Self::GrantedButError | Self::NoTransaction | Self::Repeated => None,
            Self::AnotherWish | Self::WrongStatus | Self::WrongDuration => None,
        }
    }
}

/// A phone that nobody had before.
struct Stranger {
    /// In national form.
    number: String,
    digits: String,
    msisdn: Msisdn,
}

impl Stage {
    /// Produced to its end though the browser may go away.
    pub(super) async fn case(self: &Arc<Self>, case: Case) -> Result<Value, Refusal> {
        let stage = Arc::clone(self);
        let produced = tokio::spawn(async move { stage.produce(case).await });
        produced.await.unwrap_or(Err(Refusal::Case("it broke off")))
    }

    async fn produce(self: &Arc<Self>, case: Case) -> Result<Value, Refusal> {
        let caller = self.stranger().await?;
        if !case.sets_faults(&self.neighbours, &caller.number[1..]) {
            self.forget(&caller);
            return Err(Refusal::Case("too many cases are under way; try again in a minute"));
        }
        let done = match case {
            // Other octets than the first message, or it would be taken for that one, delivered again.
            Case::Repeated => self.buys_both(&caller, "nap1").await,
            Case::AnotherWish => self.buys_both(&caller, "NAP7").await,
            Case::NoTransaction => {
                self.pays_unheard(&caller);
                Ok(())
            }
            Case::WrongAccount => self.texts(&caller, &format!("ON VIP NAP1 {}", packages::accounts::NOBODY)).await,
            Case::NoMoney => {
                self.neighbours.billing.set_balance(&format!("+{}", caller.digits), 500);
                self.buys(&caller, "NAP1").await
            }
            Case::ChargeNeverTold
            | Case::GivenBackNow
            | Case::GivenBackLater
            | Case::NotGivenBack
            | Case::CannotGrant
            | Case::GrantedButError
            | Case::WrongStatus
            | Case::WrongDuration => self.buys(&caller, "NAP1").await,
        };
        let told = json!({ "number": caller.number, "did": case.words().1 });
        let stage = Arc::clone(self);
        tokio::spawn(async move { stage.comes_to_rest(case, caller).await });
        done.map(|()| told)
    }

    /// Of ten millions, and not one that the journal knows.
    async fn stranger(&self) -> Result<Stranger, Refusal> {
        loop {
            let random: u64 = random_hex().bytes().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            let number = format!("087{:07}", random % 10_000_000);
            let digits = format!("84{}", &number[1..]);
            let Ok(msisdn) = format!("+{digits}").parse::<Msisdn>() else { continue };
            let known = self.journal.purchases_of(&[msisdn], i64::MIN).await;
            match known {
                Ok(known) if known.is_empty() => return Ok(Stranger { number, digits, msisdn }),
                Ok(_) => {}
                Err(_) => return Err(Refusal::Case("the journal cannot be read now")),
            }
        }
    }

    async fn texts(&self, caller: &Stranger, text: &str) -> Result<(), Refusal> {
        let status = self.neighbours.smsc.text(&caller.digits, SHORT_CODE, text).await;
        if status.is_ok() { Ok(()) } else { Err(Refusal::Case("the gateway did not take its message")) }
    }

    async fn buys(&self, caller: &Stranger, package: &str) -> Result<(), Refusal> {
        self.texts(caller, &format!("ON VIP {package}")).await?;
        let offer = self.neighbours.smsc.next_text_to(&caller.digits, TEXT_WITHIN).await;
        let offer = offer.ok_or(Refusal::Case("no offer came"))?;
        let code = offer.text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6);
        self.texts(caller, code.ok_or(Refusal::Case("nothing was offered"))?).await
    }

    /// NAP1, and when that is there another.
    async fn buys_both(&self, caller: &Stranger, another: &str) -> Result<(), Refusal> {
        self.buys(caller, "NAP1").await?;
        let told = self.neighbours.smsc.next_text_to(&caller.digits, TEXT_WITHIN).await;
        told.ok_or(Refusal::Case("the first purchase did not end in time"))?;
        self.buys(caller, another).await
    }

    /// In the telco's shop, which charges by itself and should tell us.
    fn pays_unheard(&self, caller: &Stranger) {
        let sale = Sale {
            msisdn: format!("+{}", caller.digits),
            account: None,
            service: "VIP".to_owned(),
            package: "NAP1".to_owned(),
            amount: 10_000,
            currency: "VND".to_owned(),
        };
        let (billing, msisdn) = (&self.neighbours.billing, &sale.msisdn);
        billing.set_balance(msisdn, billing.balance(msisdn) - sale.amount);
        self.neighbours.partner.charges(&sale);
    }

    /// The case's faults go when a person can see it, so that the remedy finds neighbours that are well.
    async fn comes_to_rest(&self, case: Case, caller: Stranger) {
        if case == Case::NoTransaction {
            return;
        }
        let end = Instant::now() + SETTLED_WITHIN;
        while Instant::now() < end && !self.is_at_rest(case, &caller).await {
            sleep(LOOK_EVERY).await;
        }
        self.forget(&caller);
        if let Some(after) = case.gives_back_after() {
            sleep(after).await;
            self.neighbours.billing.gives_back_by_itself(&format!("+{}", caller.digits));
            self.nudged.notify_one();
        }
    }

    async fn is_at_rest(&self, case: Case, caller: &Stranger) -> bool {
        let newest = self.journal.list(&Filter { limit: NEWEST, ..Filter::default() }).await.unwrap_or_default();
        let own = newest.into_iter().find(|listed| listed.purchase.order.msisdn == Some(caller.msisdn));
        own.is_some_and(|own| match own.purchase.state {
            // Asked again it would prove the charge: it is a person's only while the telco says nothing.
            State::Review => case != Case::ChargeNeverTold,
            State::Done | State::Declined | State::Refused => true,
            State::Expired | State::Cancelled | State::Refunded => true,
            State::Requested | State::Offered | State::AwaitingUser | State::Charging | State::ChargeUnknown => false,
            State::Granting | State::GrantUnknown | State::Refunding | State::RefundUnknown => false,
        })
    }

    fn forget(&self, caller: &Stranger) {
        self.neighbours.billing.clear_faults_for(&caller.number[1..]);
        self.neighbours.packages.clear_faults_for(&caller.number[1..]);
    }
}
