//! Times as people type them, and as paygate prints them.

use crate::config::parse_duration;
use crate::purchase::record::Micros;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A moment that was typed; Unix microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(Micros);

impl Moment {
    pub(crate) const fn micros(self) -> Micros {
        self.0
    }
}

/// Reads `2026-11-22`, `2026-11-22T09:30` (this machine's time zone), `2026-11-22T02:30:00Z`, or `2h` for so long ago.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    read(text, Timestamp::now(), &TimeZone::system())
        .map(|time| Moment(time.as_microsecond()))
        .ok_or_else(|| "expected 2026-11-22, 2026-11-22T09:30, 2026-11-22T02:30:00Z or 2h (ago)".to_owned())
}

fn read(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Some(ago) = parse_duration(text) {
        return now.checked_sub(SignedDuration::try_from(ago).ok()?).ok();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let local: DateTime = text.parse().ok()?;
    local.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

/// `2026-11-22T02:30:00.5Z`, for programs.
pub(crate) fn utc(at: Micros) -> String {
    Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |time| time.to_string())
}

/// `2026-11-22 09:30:00`, in this machine's time zone, for people.
pub(crate) fn local(at: Micros) -> String {
    formatted(at, "%Y-%m-%d %H:%M:%S")
}

/// `2026-11-22`, in this machine's time zone.
pub(crate) fn day(at: Micros) -> String {
    formatted(at, "%Y-%m-%d")
}

/// `09:30:00.123`, in this machine's time zone.
pub(crate) fn clock(at: Micros) -> String {
    formatted(at, "%H:%M:%S%.3f")
}

fn formatted(at: Micros, format: &str) -> String {
    let zoned = |time: Timestamp| time.to_zoned(TimeZone::system()).strftime(format).to_string();
    Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), zoned)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn moments_are_read_as_people_type_them() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let hanoi = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        for (text, utc) in [
            ("2h", Some("2026-11-22T08:00:00Z")),
            ("2026-11-22", Some("2026-11-21T17:00:00Z")),
            ("2026-11-22T09:30", Some("2026-11-22T02:30:00Z")),
            ("2026-11-22T09:30:00Z", Some("2026-11-22T09:30:00Z")),
            ("2026-11-22T09:30:00+07:00", Some("2026-11-22T02:30:00Z")),
            ("yesterday", None),
            ("2026-02-30", None),
            ("99999999999d", None),
        ] {
            assert_eq!(read(text, now, &hanoi).map(|time| time.to_string()).as_deref(), utc, "{text}");
        }
    }
}
