//! What may go wrong at the neighbours, in words that need no SMSC to be understood, and how each is switched on. The
//! simulators do the wrong; this only sets them.

use super::stage::Neighbours;
use crate::sandbox::faults::{Fault, FaultRule};
use crate::sandbox::gateways::DialogueFaults;
use crate::sandbox::pay123::NotifyFault;
use crate::sandbox::{billing, packages, pay123};
use serde::{Deserialize, Serialize};

/// The next so many submit_sms or notifies that "always" is: more than anybody will wait for.
const WITHOUT_END: u32 = u32::MAX;
const SLOW_MS: u64 = 8_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Switch {
    ChargeAnswerLost,
    ChargeRequestLost,
    ChargeSlow,
    ChargeRefused,
    InquiryFails,
    GrantErrorThoughGranted,
    GrantRefused,
    GrantSlow,
    CheckFails,
    OrderAnswerLost,
    NotifyMissing,
    NotifyForged,
    Throttled,
    ScreenLost,
    HopDoubled,
    DialogueDropped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Setting {
    Off,
    Once,
    Always,
}

/// A switch as the page shows it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    switch: Switch,
    neighbour: &'static str,
    /// What goes wrong.
    wrong: &'static str,
    /// What there is to see.
    see: &'static str,
    setting: Setting,
}

/// Where a fault sits.
enum Place {
    Billing(billing::Endpoint, Fault),
    Packages(packages::Endpoint, Fault),
    Pay123(pay123::Endpoint, Fault),
    Notify(NotifyFault),
    Smsc,
    /// On a dialogue's way; which count of it.
    Dialogue(fn(&mut DialogueFaults) -> &mut u32),
}

pub(super) fn all(neighbours: &Neighbours) -> Vec<Shown> {
    let shown = |switch: Switch| {
        let (neighbour, wrong, see) = switch.words();
        Shown { switch, neighbour, wrong, see, setting: switch.setting(neighbours) }
    };
    Switch::ALL.into_iter().map(shown).collect()
}

pub(super) fn all_off(neighbours: &Neighbours) {
    neighbours.billing.clear_faults();
    neighbours.packages.clear_faults();
    neighbours.bank.pay123.clear_faults();
    throttle(neighbours, 0);
    neighbours.gateways.faults(|faults| *faults = DialogueFaults::default());
}

impl Switch {
    const ALL: [Self; 16] = [
        Self::ChargeAnswerLost,
        Self::ChargeRequestLost,
        Self::ChargeSlow,
        Self::ChargeRefused,
        Self::InquiryFails,
        Self::GrantErrorThoughGranted,
        Self::GrantRefused,
        Self::GrantSlow,
        Self::CheckFails,
        Self::OrderAnswerLost,
        Self::NotifyMissing,
        Self::NotifyForged,
        Self::Throttled,
        Self::ScreenLost,
        Self::HopDoubled,
        Self::DialogueDropped,
    ];

    /// Whose fault, what goes wrong, and what there is to see.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        const TELCO: &str = "Telco";
        const MANAGER: &str = "Package manager";
        const DIALLED: &str = "Dialled menu (USSD)";
        const PAY123: &str = "Bank (123PAY)";
        match self {
            Self::ChargeAnswerLost => (
                TELCO,
                "It charges, but its answer is lost",
                "The outcome is unknown; paygate asks, finds the charge, and charges only once.",
            ),
            Self::ChargeRequestLost => (
                TELCO,
                "It never gets the request",
                "From outside it looks the same as a lost answer. paygate asks until it is proven that nothing was charged, and then sends it again.",
            ),
            Self::ChargeSlow => (
                TELCO,
                "It charges, but answers after 8 seconds",
                "Longer than paygate waits: unknown first, found by asking.",
            ),
            Self::ChargeRefused => {
                (TELCO, "It refuses: no money", "The subscriber is told so; nothing is charged or granted.")
            }
            Self::InquiryFails => (
                TELCO,
                "It does not answer questions either",
                "With a lost answer: paygate goes on asking, then calls a person.",
            ),
            Self::GrantErrorThoughGranted => {
                (MANAGER, "It grants, but answers with an error", "paygate asks what stands, and does not grant twice.")
            }
            Self::GrantRefused => {
                (MANAGER, "It refuses the grant after payment", "The money is given back, and the subscriber told.")
            }
            Self::GrantSlow => (MANAGER, "It grants, but answers after 8 seconds", "Unknown first, found by asking."),
            Self::CheckFails => {
                (MANAGER, "It is down when asked for the price", "Asked again a few times; nothing is offered.")
            }
            Self::OrderAnswerLost => (
                PAY123,
                "It makes the order, but its answer is lost",
                "The link is lost with it: nobody can pay there, and it is given up unpaid.",
            ),
            Self::NotifyMissing => {
                (PAY123, "It is paid, and never says so", "paygate asks by itself, finds the payment, and grants.")
            }
            Self::NotifyForged => (
                PAY123,
                "Somebody else says that it is paid",
                "The notify is not believed; a payment is only found by asking.",
            ),
            Self::Throttled => ("SMSC", "It throttles replies", "Texts come late, and none is lost or said twice."),
            Self::ScreenLost => (
                DIALLED,
                "The next screen is lost",
                "The dialogue dies on the way. What was not agreed to is not bought.",
            ),
            Self::HopDoubled => {
                (DIALLED, "The next step comes twice", "The same step gets the same screen; a consent twice buys once.")
            }
            Self::DialogueDropped => (
                DIALLED,
                "It breaks off after the consent",
                "The last screen is never shown. Agreed is agreed: it is bought once, and the result is texted.",
            ),
        }
    }

    fn place(self) -> Place {
        use billing::Endpoint::{ConfirmPayment, RetrievePayment};
        use packages::Endpoint::{CheckUser, Grant};
        let refuse = |status, code: &str| Fault::Refuse { status, code: code.to_owned() };
        match self {
            Self::ChargeAnswerLost => Place::Billing(ConfirmPayment, Fault::Lost),
            Self::ChargeRequestLost => Place::Billing(ConfirmPayment, Fault::LostBefore),
            Self::ChargeSlow => Place::Billing(ConfirmPayment, Fault::Slow { ms: SLOW_MS }),
            Self::ChargeRefused => Place::Billing(ConfirmPayment, refuse(403, "CARRIER_BILLING.PAYMENT_DENIED")),
            Self::InquiryFails => Place::Billing(RetrievePayment, refuse(503, "UNAVAILABLE")),
            Self::GrantErrorThoughGranted => Place::Packages(Grant, Fault::Failed { status: 500 }),
            Self::GrantRefused => Place::Packages(Grant, refuse(403, "NOT_ELIGIBLE")),
            Self::GrantSlow => Place::Packages(Grant, Fault::Slow { ms: SLOW_MS }),
            Self::CheckFails => Place::Packages(CheckUser, refuse(503, "INTERNAL")),
            Self::OrderAnswerLost => Place::Pay123(pay123::Endpoint::CreateOrder, Fault::Lost),
            Self::NotifyMissing => Place::Notify(NotifyFault::Missing),
            Self::NotifyForged => Place::Notify(NotifyFault::Forged),
            Self::Throttled => Place::Smsc,
            Self::ScreenLost => Place::Dialogue(|faults| &mut faults.lose_screens),
            Self::HopDoubled => Place::Dialogue(|faults| &mut faults.double_hops),
            Self::DialogueDropped => Place::Dialogue(|faults| &mut faults.drop_at_the_end),
        }
    }

    fn setting(self, neighbours: &Neighbours) -> Setting {
        match self.place() {
            Place::Billing(endpoint, fault) => set_in(&neighbours.billing.faults(), endpoint, &fault),
            Place::Packages(endpoint, fault) => set_in(&neighbours.packages.faults(), endpoint, &fault),
            Place::Pay123(endpoint, fault) => set_in(&neighbours.bank.pay123.faults(), endpoint, &fault),
            Place::Notify(fault) => Setting::of(neighbours.bank.pay123.notify_fault_left(fault)),
            Place::Dialogue(count) => Setting::of(neighbours.gateways.faults(|faults| *count(faults))),
            Place::Smsc => {
                let mut left = 0;
                neighbours.smsc.faults(|faults| left = faults.refuse_submits.0);
                Setting::of(left)
            }
        }
    }

    /// One fault at each endpoint: of two, a request could only meet the first.
    pub(super) fn turn(self, neighbours: &Neighbours, setting: Setting) {
        match self.place() {
            Place::Billing(endpoint, fault) => {
                let rules = turned(neighbours.billing.faults(), endpoint, fault, setting);
                neighbours.billing.clear_faults();
                // Never refused: there are fewer switches than faults that a simulator holds.
                for rule in rules {
                    let _ = neighbours.billing.fault(rule);
                }
            }
            Place::Packages(endpoint, fault) => {
                let rules = turned(neighbours.packages.faults(), endpoint, fault, setting);
                neighbours.packages.clear_faults();
                for rule in rules {
                    let _ = neighbours.packages.fault(rule);
                }
            }
            Place::Pay123(endpoint, fault) => {
                let rules = turned(neighbours.bank.pay123.faults(), endpoint, fault, setting);
                neighbours.bank.pay123.clear_endpoint_faults();
                for rule in rules {
                    let _ = neighbours.bank.pay123.fault(rule);
                }
            }
            Place::Notify(fault) => neighbours.bank.pay123.set_notify_fault(fault, setting.times()),
            Place::Smsc => throttle(neighbours, setting.times()),
            Place::Dialogue(count) => neighbours.gateways.faults(|faults| *count(faults) = setting.times()),
        }
    }
}

impl Setting {
    /// By how many are left.
    const fn of(left: u32) -> Self {
        match left {
            0 => Self::Off,
            1 => Self::Once,
            2.. => Self::Always,
        }
    }

    const fn times(self) -> u32 {
        match self {
            Self::Off => 0,
            Self::Once => 1,
            Self::Always => WITHOUT_END,
        }
    }
}

fn throttle(neighbours: &Neighbours, count: u32) {
    neighbours.smsc.faults(|faults| faults.throttle_next(count));
}

fn set_in<E: PartialEq>(rules: &[FaultRule<E>], endpoint: E, fault: &Fault) -> Setting {
    let endpoint = Some(endpoint);
    match rules.iter().find(|rule| rule.endpoint == endpoint && rule.fault == *fault) {
        None => Setting::Off,
        Some(rule) => rule.times.map_or(Setting::Always, |_| Setting::Once),
    }
}

fn turned<E: PartialEq>(
    mut rules: Vec<FaultRule<E>>,
    endpoint: E,
    fault: Fault,
    setting: Setting,
) -> Vec<FaultRule<E>> {
    let endpoint = Some(endpoint);
    let times = match setting {
        Setting::Off => {
            rules.retain(|rule| rule.endpoint != endpoint || rule.fault != fault);
            return rules;
        }
        Setting::Once => Some(1),
        Setting::Always => None,
    };
    rules.retain(|rule| rule.endpoint != endpoint);
    rules.push(FaultRule { endpoint, fault, times });
    rules
}
