//! What a step writes besides the purchase and its events: its attempts, and the look for a surplus charge. Pure.

use crate::engine::clock::Moment;
use crate::engine::desk::Desk;
use crate::engine::work::Decision;
use crate::journal::rows::{AttemptRow, SurplusLook};
use crate::purchase::Purchase;
use crate::purchase::record::{Attempt, AttemptStatus, Micros, Paid};
use crate::purchase::rules::Rules;

/// Rows of the attempts that this step changed; a new send carries its exact request.
pub(super) fn attempts(desk: &Desk, decision: &mut Decision, before: &Purchase, after: &Purchase, moment: Moment) {
    let now = moment.now;
    let sent_more =
        |before: &Option<Attempt>, after: &Attempt| before.as_ref().map_or(0, |before| before.sends) < after.sends;
    if let Some(charge) = after.charge.as_ref().filter(|_| before.charge != after.charge) {
        let more = held_charge(before, charge).map_or(0, |held| held.sends) < charge.sends;
        let request = if more { desk.charge_request(after, moment) } else { String::new() };
        let row = desk.attempt_row(after, charge, request, now);
        if let Some(other) = decision.unit.charge.take_if(|held| held.attempt.key != row.attempt.key) {
            keep_former(&mut decision.unit.former_charges, other);
        }
        keep_request(&mut decision.unit.charge, row);
    }
    for former in after.former.iter().filter(|former| is_changed(before, former)) {
        let row = desk.attempt_row(after, former, String::new(), now);
        keep_former(&mut decision.unit.former_charges, row);
    }
    if let Some(grant) = after.grant.as_ref().filter(|_| before.grant != after.grant) {
        let request = if sent_more(&before.grant, grant) { desk.grant_request(after, moment) } else { String::new() };
        keep_request(&mut decision.unit.grant, desk.attempt_row(after, grant, request, now));
    }
    if let Some(refund) = after.refund.as_ref().filter(|_| before.refund != after.refund) {
        let request =
            if sent_more(&before.refund, refund) { desk.refund_request(after, moment) } else { String::new() };
        keep_request(&mut decision.unit.refund, desk.attempt_row(after, refund, request, now));
    }
}

/// A purchase's way from its message to the offer takes no longer, whatever is down meanwhile.
const OFFERED_WITHIN: Micros = 24 * 3_600 * 1_000_000;

/// Each step of a paid purchase looks whether its subscriber has paid for the same package twice.
pub(super) fn surplus_look(rules: &Rules, after: &Purchase, now: Micros) -> Option<SurplusLook> {
    let charge = after.charge.as_ref().filter(|_| after.paid() == Paid::Yes && rules.surplus_window > 0)?;
    let channels = rules.channels.values().filter(|channel| !channel.retry.is_empty());
    let retried = channels.map(|channel| channel.retry_consent).max().unwrap_or(0);
    let reach = OFFERED_WITHIN + rules.otp_ttl + rules.consent_valid.max(retried);
    let (charged_at, window) = (charge.intended_at, rules.surplus_window);
    Some(SurplusLook { at: now, charged_at, window, created_from: charged_at - window - reach })
}

/// Whether a step has changed a charge that is not the present one.
fn is_changed(before: &Purchase, former: &Attempt) -> bool {
    held_charge(before, former).is_some_and(|held| held != former)
}

/// The same charge as it was before.
pub(super) fn held_charge<'p>(before: &'p Purchase, charge: &Attempt) -> Option<&'p Attempt> {
    before.charge.iter().chain(&before.former).find(|held| held.key == charge.key)
}

/// A former charge is not live in the journal: where it is found to have moved money beside another, the purchase's body
/// and its event say so.
fn keep_former(kept: &mut Vec<AttemptRow>, mut row: AttemptRow) {
    row.attempt.status = AttemptStatus::Failed;
    kept.retain(|held| held.attempt.key != row.attempt.key);
    kept.push(row);
}

/// A later step of the same batch must not lose the request that an earlier one intended.
fn keep_request(slot: &mut Option<AttemptRow>, mut row: AttemptRow) {
    if let Some(held) = slot.take().filter(|_| row.request.is_empty()) {
        row.request = held.request;
        row.fingerprint = held.fingerprint;
    }
    *slot = Some(row);
}
