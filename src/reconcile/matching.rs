//! A row of a statement held against what the journal knows. Pure: the law of reconciliation in one place. The channel's
//! word is the strongest evidence (design.md, rule 7), but it moves nothing here: it says how a row stands.

use crate::journal::reconciliation::{ChargeRef, Kind, KnownCharge, NewDiscrepancy, Standing, StatementRow};
use crate::purchase::record::{AttemptStatus, Micros};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// What is noted of a row whose phone is not the charge's.
pub(super) const NUMBER: &str = "it names another number";

/// What the journal knows of the rows of one batch.
#[derive(Default)]
pub(super) struct Known {
    by_key: HashMap<String, KnownCharge>,
    by_reference: HashMap<String, KnownCharge>,
    /// Refunds by the charge that they give back, and by the channel's reference.
    refunds: HashMap<ChargeRef, KnownCharge>,
    refunds_by_reference: HashMap<String, KnownCharge>,
}

impl Known {
    pub(super) fn charges(&mut self, charges: Vec<KnownCharge>) {
        for charge in charges {
            if let Some(reference) = &charge.reference {
                self.by_reference.insert(reference.clone(), charge.clone());
            }
            self.by_key.insert(charge.of.key.clone(), charge);
        }
    }

    pub(super) fn refunds(&mut self, refunds: Vec<KnownCharge>) {
        for refund in refunds {
            if let Some(reference) = &refund.reference {
                self.refunds_by_reference.insert(reference.clone(), refund.clone());
            }
            self.refunds.insert(refund.of.clone(), refund);
        }
    }

    /// The charge that a row is of: by our key, which only we make, before the channel's reference.
    pub(super) fn charge(&self, row: &StatementRow) -> Option<&KnownCharge> {
        let by_key =
            row.key.as_ref().and_then(|key| self.by_key.get(key).or_else(|| self.by_key.get(&charge_key(key))));
        by_key.or_else(|| row.reference.as_ref().and_then(|reference| self.by_reference.get(reference)))
    }

    /// The refund that a reversal is of.
    fn refund(&self, row: &StatementRow) -> Option<&KnownCharge> {
        let of_charge = self.charge(row).and_then(|charge| self.refunds.get(&charge.of));
        of_charge.or_else(|| row.reference.as_ref().and_then(|reference| self.refunds_by_reference.get(reference)))
    }
}

/// Some channels know a purchase by its bare id, as the first charge's key without its count.
fn charge_key(key: &str) -> String {
    format!("{key}-c1")
}

/// How a row stands, and what is left of it to somebody.
pub(super) fn judge(row: &mut StatementRow, known: &Known, day: &Range<Micros>) -> Option<NewDiscrepancy> {
    let mut closed = false;
    (row.standing, row.charge, row.note) = match row.kind {
        Kind::Bad => (Standing::Bad, None, std::mem::take(&mut row.note)),
        Kind::Ignored => (Standing::Ignored, None, String::new()),
        Kind::Charge => {
            let (standing, charge, note) = charged(row, known.charge(row), day);
            // A charge about the day's cut is where it should be, on the other side.
            closed = standing == Standing::Carried;
            (standing, charge, note)
        }
        Kind::Reversal => {
            let (standing, charge, note, carried) = reversed(row, known, day);
            closed = carried;
            (standing, charge, note)
        }
    };
    if matches!(row.standing, Standing::Matched | Standing::Ignored) {
        return None;
    }
    let amount = row.money.map_or(0, |money| money.amount);
    Some(NewDiscrepancy {
        row: Some((row.file, row.line)),
        standing: row.standing,
        charge: row.charge.clone(),
        theirs: if row.kind == Kind::Reversal { -amount } else { amount },
        currency: row.money.map(|money| money.currency),
        note: row.note.clone(),
        closed,
    })
}

type Stands = (Standing, Option<ChargeRef>, String);

fn charged(row: &StatementRow, charge: Option<&KnownCharge>, day: &Range<Micros>) -> Stands {
    let Some(charge) = charge else {
        return (Standing::Long, None, "no charge of ours is known by it".to_owned());
    };
    let of = Some(charge.of.clone());
    let differences = differences(row, charge);
    if charge.status != AttemptStatus::Succeeded {
        let says = match charge.status {
            AttemptStatus::Failed => "our journal says that it was not charged",
            AttemptStatus::Intended | AttemptStatus::Reserved | AttemptStatus::Unknown => {
                "our journal does not know whether it was charged"
            }
            AttemptStatus::Succeeded => "",
        };
        let note = if differences.is_empty() { says.to_owned() } else { format!("{says}; {differences}") };
        return (Standing::Long, of, note);
    }
    if !differences.is_empty() {
        return (Standing::Differs, of, differences);
    }
    if !day.contains(&charge.intended_at) {
        return (Standing::Carried, of, "charged on another day in our journal".to_owned());
    }
    (Standing::Matched, of, String::new())
}

/// Amount, currency and subscriber must be ours (design.md, rule 7).
fn differences(row: &StatementRow, charge: &KnownCharge) -> String {
    let mut found = Vec::new();
    if let Some(money) = row.money.filter(|money| *money != charge.money) {
        found.push(format!("it says {money}, our journal {}", charge.money));
    }
    if row.msisdn.zip(charge.msisdn).is_some_and(|(theirs, ours)| theirs != ours) {
        found.push(NUMBER.to_owned());
    }
    found.join("; ")
}

/// The last says that it is a refund of ours on another day, which needs nobody.
fn reversed(row: &StatementRow, known: &Known, day: &Range<Micros>) -> (Standing, Option<ChargeRef>, String, bool) {
    let refund = known.refund(row);
    let of = refund.map(|refund| &refund.of).or_else(|| known.charge(row).map(|charge| &charge.of)).cloned();
    let Some(refund) = refund.filter(|refund| refund.status == AttemptStatus::Succeeded) else {
        let why = if of.is_some() { "our journal has no refund for it" } else { "no charge of ours is known by it" };
        return (Standing::Reversal, of, format!("the channel gave it back, and {why}"), false);
    };
    match row.money {
        Some(money) if money != refund.money => {
            let note = format!("it gave back {money}, our journal {}", refund.money);
            (Standing::Reversal, of, note, false)
        }
        _ if !day.contains(&refund.intended_at) => {
            (Standing::Reversal, of, "given back on another day in our journal".to_owned(), true)
        }
        _ => (Standing::Matched, of, String::new(), false),
    }
}

/// The one charge that a row without key and reference may be: the same phone and amount, near enough in time, and no
/// other row's. Of several none: a person looks.
pub(super) fn weakly<'c>(
    row: &StatementRow,
    candidates: &'c [KnownCharge],
    taken: &HashSet<ChargeRef>,
    within: Micros,
) -> Option<&'c KnownCharge> {
    let (money, msisdn, at) = (row.money?, row.msisdn?, row.at?);
    let mut fitting = candidates.iter().filter(|charge| {
        charge.msisdn == Some(msisdn)
            && charge.money == money
            && (charge.intended_at - at).abs() <= within
            && !taken.contains(&charge.of)
    });
    let only = fitting.next()?;
    fitting.next().is_none().then_some(only)
}

/// What the statement lacks. About the day's cut it may stand in the neighbour's.
pub(super) fn lacking(charge: &KnownCharge, day: &Range<Micros>, carry: Micros) -> NewDiscrepancy {
    let before = charge.intended_at < day.start + carry;
    let after = charge.intended_at >= day.end - carry;
    let (standing, note) = if after {
        (Standing::Carried, "expected in the next day's statement")
    } else if before {
        (Standing::Carried, "expected in the statement of the day before")
    } else {
        (Standing::Short, "our journal says charged; the statement has no such row")
    };
    missing(charge, standing, note)
}

pub(super) fn unreturned(refund: &KnownCharge) -> NewDiscrepancy {
    missing(refund, Standing::Unreturned, "our journal says given back; the statement has no such row")
}

fn missing(charge: &KnownCharge, standing: Standing, note: &str) -> NewDiscrepancy {
    NewDiscrepancy {
        row: None,
        standing,
        charge: Some(charge.of.clone()),
        theirs: 0,
        currency: Some(charge.money.currency),
        note: note.to_owned(),
        closed: false,
    }
}
