//! Rows of the database to values. The columns of each value are named here once, beside what reads them, in the same
//! order. Trusts nothing: a row that this program would not have written is an error, never a default.

use super::error::Cause;
use super::rows::{AttemptRow, EventRow, MessageRow, OwedReply, PartRow, ReplyRow};
use crate::purchase::money::{Currency, Money};
use crate::purchase::record::{Attempt, AttemptStatus, Purchase};
use paygate_parsers::msisdn::Msisdn;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{Any, Decode, Row, Type};

/// Reads a row from left to right.
pub(super) struct Columns<'r> {
    row: &'r AnyRow,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) const fn new(row: &'r AnyRow) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn take<T: Decode<'r, Any> + Type<Any>>(&mut self) -> Result<T, Cause> {
        let value = self.row.try_get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// A word of an enum, or a value in its serialised form.
    pub(super) fn word<T: DeserializeOwned>(&mut self) -> Result<T, Cause> {
        let column = self.next;
        let word = self.take::<String>()?;
        serde_json::from_value(word.into())
            // What stands there may be a phone number, so only its place is told.
            .map_err(|_| Cause::Unreadable(format!("column {column} holds no such value")))
    }

    /// The same, where an empty text stands for none.
    fn maybe_word<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Cause> {
        let empty = self.row.try_get::<String, _>(self.next)?.is_empty();
        if empty {
            self.next += 1;
            return Ok(None);
        }
        self.word().map(Some)
    }

    fn small<T: TryFrom<i64>>(&mut self) -> Result<T, Cause> {
        let column = self.next;
        T::try_from(self.take()?).map_err(|_| Cause::Unreadable(format!("column {column} is out of range")))
    }
}

pub(super) const PURCHASE: &str = "purchase.body, purchase.version, purchase.due_at";

/// The columns win over the body, since a claim moves them on.
pub(super) fn purchase(columns: &mut Columns<'_>) -> Result<Purchase, Cause> {
    let body: String = columns.take()?;
    let mut purchase: Purchase = serde_json::from_str(&body)
        // serde's own text may quote the value; its place is enough to find it.
        .map_err(|error| Cause::Unreadable(format!("the body of a purchase at {}:{}", error.line(), error.column())))?;
    purchase.version = columns.take()?;
    purchase.due_at = columns.take()?;
    Ok(purchase)
}

/// The columns of a row that belongs to a purchase: as they are read, with the purchase's id, and as they are written, with
/// the number that stands for it in the journal alone.
macro_rules! of_purchase {
    ($read:ident, $write:ident, $others:literal) => {
        pub(super) const $read: &str = concat!("(SELECT id FROM purchase WHERE number = purchase_number), ", $others);
        pub(super) const $write: &str = concat!("purchase_number, ", $others);
    };
}

of_purchase!(EVENT, NEW_EVENT, "seq, at, kind, state_from, state_to, body");

pub(super) fn event(columns: &mut Columns<'_>) -> Result<EventRow, Cause> {
    Ok(EventRow {
        purchase_id: columns.take()?,
        seq: columns.take()?,
        at: columns.take()?,
        kind: columns.take()?,
        state_from: columns.take()?,
        state_to: columns.take()?,
        body: columns.take()?,
    })
}

of_purchase!(
    ATTEMPT,
    NEW_ATTEMPT,
    "msisdn, channel, key, sends, status, amount, currency, intended_at, send_by, in_flight_until, handle, \
     peer_reference, request, fingerprint, updated_at"
);

/// [`NEW_ATTEMPT`] and the key of the charge that is given back.
pub(super) const NEW_REFUND: &str = "purchase_number, msisdn, channel, key, sends, status, amount, currency, \
                                     intended_at, send_by, in_flight_until, handle, peer_reference, request, \
                                     fingerprint, updated_at, charge_key";

pub(super) fn attempt(columns: &mut Columns<'_>) -> Result<AttemptRow, Cause> {
    Ok(AttemptRow {
        purchase_id: columns.take()?,
        msisdn: columns.maybe_word::<Msisdn>()?,
        channel: columns.take()?,
        attempt: Attempt {
            key: columns.take()?,
            sends: columns.small()?,
            status: columns.word::<AttemptStatus>()?,
            amount: Money::new(columns.take()?, columns.word::<Currency>()?),
            intended_at: columns.take()?,
            send_by: columns.take()?,
            in_flight_until: columns.take()?,
            handle: columns.take()?,
            peer_reference: columns.take()?,
        },
        request: columns.take()?,
        fingerprint: columns.take()?,
        at: columns.take()?,
    })
}

// The last two, `status` and `updated_at`, are read by those who ask for them.
of_purchase!(
    REPLY,
    NEW_REPLY,
    "key, at, link, sender, recipient, kind, text, not_after, due_at, sends, status, updated_at"
);

/// A reply that is no longer due has the time 0 there.
pub(super) fn reply(columns: &mut Columns<'_>) -> Result<ReplyRow, Cause> {
    Ok(ReplyRow {
        purchase_id: columns.take()?,
        key: columns.take()?,
        at: columns.take()?,
        link: columns.take()?,
        from: columns.take()?,
        to: columns.word::<Msisdn>()?,
        kind: columns.take()?,
        text: columns.take()?,
        not_after: columns.take()?,
        due_at: columns.take::<Option<i64>>()?.unwrap_or_default(),
    })
}

/// A reply after a claim, which counted `sends` up.
pub(super) fn owed_reply(columns: &mut Columns<'_>) -> Result<OwedReply, Cause> {
    Ok(OwedReply { row: reply(columns)?, sends: columns.take::<i64>()? - 1 })
}

pub(super) const MESSAGE: &str =
    "key, generation, at, door, link, sender, recipient, data_coding, raw, verdict, purchase_id";

pub(super) fn message(columns: &mut Columns<'_>) -> Result<MessageRow, Cause> {
    Ok(MessageRow {
        key: columns.take()?,
        generation: columns.take()?,
        at: columns.take()?,
        door: columns.take()?,
        link: columns.take()?,
        from: columns.take()?,
        to: columns.take()?,
        data_coding: columns.take()?,
        raw: columns.take()?,
        verdict: columns.take()?,
        purchase_id: columns.take()?,
    })
}

/// The last, `done`, is read by those who ask for it.
pub(super) const PART: &str =
    "set_key, generation, number, total, at, data_coding, raw, door, link, sender, recipient, done";

pub(super) fn part(columns: &mut Columns<'_>) -> Result<PartRow, Cause> {
    Ok(PartRow {
        set: columns.take()?,
        generation: columns.take()?,
        number: columns.small()?,
        total: columns.small()?,
        at: columns.take()?,
        data_coding: columns.take()?,
        raw: columns.take()?,
        door: columns.take()?,
        link: columns.take()?,
        from: columns.take()?,
        to: columns.take()?,
    })
}

/// Every row, read alike.
pub(super) fn all<T>(rows: &[AnyRow], read: impl Fn(&mut Columns<'_>) -> Result<T, Cause>) -> Result<Vec<T>, Cause> {
    rows.iter().map(|row| read(&mut Columns::new(row))).collect()
}
