//! Long messages: when a part is new, when a set is whole, and what message it is. Pure; a lone fragment is never read.

use super::door::{Door, MessageIn};
use super::intake::{Reader, Reading};
use crate::journal::rows::{HeldPart, PartRow};
use crate::purchase::record::Micros;
use bytes::Bytes;

/// Under which generation this part is kept; `None` if it is there already, or its set is whole and done.
pub(super) fn generation_for(held: &[HeldPart], number: u8, now: Micros, window: Micros) -> Option<i64> {
    let Some(first) = held.iter().map(|part| part.row.at).min() else { return Some(0) };
    let generation = held.first().map_or(0, |part| part.row.generation);
    if now >= first.saturating_add(window) {
        return Some(generation + 1);
    }
    let known = held.iter().any(|part| part.done || part.row.number == number);
    (!known).then_some(generation)
}

/// The message of a set that is whole and not yet done.
pub(super) fn whole(held: &[HeldPart]) -> Option<MessageIn> {
    let first = held.first()?;
    let mut rows: Vec<&PartRow> = held.iter().map(|part| &part.row).collect();
    rows.sort_by_key(|row| row.number);
    rows.dedup_by_key(|row| row.number);
    let complete = rows.len() == usize::from(first.row.total) && !held.iter().any(|part| part.done);
    complete.then(|| joined(&first.row, &rows))
}

/// Whether these parts of one set and generation are all of it.
pub(super) fn is_whole(rows: &[PartRow]) -> bool {
    rows.first().is_some_and(|first| rows.len() == usize::from(first.total))
}

/// What there is of a set that was left over, its key and its generation.
pub(super) fn left_over(rows: &[PartRow]) -> Option<(MessageIn, String, i64)> {
    let first = rows.first()?;
    let rows: Vec<&PartRow> = rows.iter().collect();
    Some((joined(first, &rows), first.set.clone(), first.generation))
}

fn joined(first: &PartRow, rows: &[&PartRow]) -> MessageIn {
    let payload: Vec<u8> = rows.iter().flat_map(|row| row.raw.iter().copied()).collect();
    MessageIn {
        door: Door::named(&first.door),
        link: first.link.clone(),
        from: first.from.clone(),
        to: first.to.clone(),
        peer_id: None,
        data_coding: first.data_coding.and_then(|coding| u8::try_from(coding).ok()),
        part: None,
        payload: Bytes::from(payload),
        unreadable: None,
    }
}

/// A joined message is keyed by its set, so that whoever joins it, and however often, it is one message.
pub(super) fn reading(reader: &Reader, message: MessageIn, set: &str, generation: i64) -> Reading {
    let mut reading = reader.read(message);
    reading.key = format!("parts:{set}:{generation}");
    reading.keyed_by_peer = true;
    reading
}
