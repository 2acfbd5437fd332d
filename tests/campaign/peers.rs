//! The peers' part of the havoc: hang, lie, refuse, do and not say, say after the timeout. Every switch is good for a few
//! requests, so that what was dealt can be counted.

use super::dice::Dice;
use super::ground::{Ground, HELD_MAX};
use paygate::sandbox::billing::Endpoint as At;
use paygate::sandbox::faults::{Fault, FaultRule};
use paygate::sandbox::packages::Endpoint as Of;
use paygate::sandbox::pay123::{Endpoint as To, NotifyFault};
use std::collections::BTreeMap;

const BILLING: [At; 6] = [
    At::PreparePayment,
    At::ConfirmPayment,
    At::ConfirmPayment,
    At::RetrievePayment,
    At::RetrievePayments,
    At::CreateRefund,
];
const PACKAGES: [Of; 3] = [Of::CheckUser, Of::Grant, Of::InquireGrant];

const PAY123: [To; 3] = [To::CreateOrder, To::QueryOrder, To::QueryOrder];
const NOTIFIES: [NotifyFault; 6] = [
    NotifyFault::Late { ms: 3_000 },
    NotifyFault::Stale { ms: 600_000 },
    NotifyFault::Doubled,
    NotifyFault::Forged,
    NotifyFault::Missing,
    NotifyFault::Garbage,
];

pub(super) const REFUSED: &str = "package refused after the charge";

/// What was set and not yet counted.
#[derive(Default)]
pub(super) struct Dealt(pub(super) BTreeMap<&'static str, u64>);

impl Dealt {
    /// A handful of faults, for `times` requests each.
    pub(super) fn strike(&mut self, ground: &Ground, dice: &mut Dice, times: u32) {
        for _ in 0..3 {
            let (name, fault) = fault(dice);
            let times = if is_lie(&fault) { 1 } else { times };
            let rule = FaultRule { endpoint: Some(*dice.pick(&BILLING)), fault, times: Some(times) };
            self.count(name, ground.billing.fault(rule), times);
            let (name, fault) = self::fault(dice);
            let times = if is_lie(&fault) { 1 } else { times };
            let rule = FaultRule { endpoint: Some(*dice.pick(&PACKAGES)), fault, times: Some(times) };
            self.count(name, ground.packages.fault(rule), times);
        }
        let (name, fault) = self::fault(dice);
        let times = if is_lie(&fault) { 1 } else { times };
        let rule = FaultRule { endpoint: Some(*dice.pick(&PAY123)), fault, times: Some(times) };
        self.count(name, ground.pay123.fault(rule), times);
        let fault = *dice.pick(&NOTIFIES);
        ground.pay123.notify_fault(fault, times);
        self.count(notify_name(fault), true, times);
        // Money has been taken by then, so that it must be given back.
        let fault = Fault::Refuse { status: 403, code: "NOT_ELIGIBLE".to_owned() };
        let rule = FaultRule { endpoint: Some(Of::Grant), fault, times: Some(times) };
        self.count(REFUSED, ground.packages.fault(rule), times);
        match dice.roll(4) {
            0 => {
                ground.smsc.faults(|faults| faults.throttle_next(times));
                self.count("SMSC throttles", true, times);
            }
            1 => {
                ground.smsc.faults(|faults| faults.swallow_responses += times);
                self.count("SMSC takes and says nothing", true, times);
            }
            2 => {
                ground.smsc.drop_connections();
                ground.bank_smsc.drop_connections();
                self.count("SMSC cuts its links", true, 1);
            }
            _ => {}
        }
    }

    /// All well again; what was not dealt is not counted.
    pub(super) fn relent(&mut self, ground: &Ground) {
        let billing = ground.billing.faults().into_iter().map(|rule| (rule.fault, rule.times));
        let packages = ground.packages.faults().into_iter().map(|rule| (rule.fault, rule.times));
        let pay123 = ground.pay123.faults().into_iter().map(|rule| (rule.fault, rule.times));
        let left: Vec<_> = billing.chain(packages).chain(pay123).collect();
        for (fault, times) in ground.pay123.notify_faults() {
            let count = self.0.entry(notify_name(fault)).or_default();
            *count = count.saturating_sub(times.into());
        }
        ground.billing.clear_faults();
        ground.packages.clear_faults();
        ground.pay123.clear_faults();
        for (fault, times) in left {
            let count = self.0.entry(name(&fault)).or_default();
            *count = count.saturating_sub(times.unwrap_or(0).into());
        }
        ground.smsc.faults(|faults| {
            let swallowed = self.0.entry("SMSC takes and says nothing").or_default();
            *swallowed = swallowed.saturating_sub(std::mem::take(&mut faults.swallow_responses).into());
            let throttled = self.0.entry("SMSC throttles").or_default();
            *throttled = throttled.saturating_sub(std::mem::take(&mut faults.refuse_submits.0).into());
        });
    }

    fn count(&mut self, name: &'static str, taken: bool, times: u32) {
        *self.0.entry(name).or_default() += if taken { u64::from(times) } else { 0 };
    }
}

fn fault(dice: &mut Dice) -> (&'static str, Fault) {
    let held = HELD_MAX.as_millis() as u64;
    let busy = |status, code: &str| Fault::Refuse { status, code: code.to_owned() };
    let all = [
        Fault::Slow { ms: 100 + dice.roll(1_500) },
        Fault::Lost,
        Fault::Silent,
        Fault::LostBefore,
        busy(503, "UNAVAILABLE"),
        busy(429, "TOO_MANY_REQUESTS"),
        Fault::Failed { status: 500 },
        Fault::Garbage,
        Fault::Truncated,
        Fault::Late { ms: 100 + dice.roll(held - 100) },
        Fault::WrongAmount,
        Fault::OthersData,
    ];
    let fault = dice.pick(&all).clone();
    (name(&fault), fault)
}

/// Lies are for a person, who need not see thousands of them.
const fn is_lie(fault: &Fault) -> bool {
    matches!(fault, Fault::WrongAmount | Fault::OthersData)
}

const fn name(fault: &Fault) -> &'static str {
    match fault {
        Fault::Slow { .. } => "peer done, answers slowly",
        Fault::Lost => "peer done, answer lost",
        Fault::Silent => "peer done, hangs",
        Fault::LostBefore => "peer not done, connection lost",
        Fault::Refuse { status: 403, .. } => REFUSED,
        Fault::Refuse { .. } => "peer not done, 503 or 429",
        Fault::Failed { .. } => "peer done, 500",
        Fault::Garbage => "peer done, answers rubbish",
        Fault::Truncated => "peer done, answer breaks off",
        Fault::Late { .. } => "peer holds it and does it late",
        Fault::WrongAmount => "peer lies about the amount",
        Fault::OthersData => "peer answers about another",
        Fault::Denied { .. } => "peer done, and refused",
    }
}

const fn notify_name(fault: NotifyFault) -> &'static str {
    match fault {
        NotifyFault::Late { .. } => "notify late",
        NotifyFault::Stale { .. } => "notify of an old time",
        NotifyFault::Doubled => "notify doubled",
        NotifyFault::Forged => "notify forged",
        NotifyFault::Missing => "notify never sent",
        NotifyFault::Garbage => "notify of rubbish",
    }
}
