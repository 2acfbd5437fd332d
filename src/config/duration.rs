//! Durations as people write them: `250ms`, `30s`, `5m`, `1h`, `2d`. One number, one unit, no fractions.

use std::time::Duration;

pub(super) const MS: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// `None` where the text is not one whole number and one unit, or is beyond what a duration holds.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, factor) = UNITS.into_iter().find(|(name, _)| *name == unit.trim_start())?;
    Some(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(factor)?))
}

/// The shortest spelling that [`parse_duration`] reads back; whole milliseconds.
#[must_use]
pub fn spell_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let whole = |factor: u64| millis.is_multiple_of(u128::from(factor)) && millis > 0;
    match UNITS.into_iter().find(|(_, factor)| whole(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", millis / u128::from(factor)),
        None => "0s".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_they_are_written() {
        for (text, millis) in [("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("2d", 172_800_000)]
        {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(spell_duration(Duration::from_millis(millis)), text);
        }
        assert_eq!(parse_duration(" 5 m "), Some(Duration::from_mins(5)));
    }

    #[test]
    fn a_duration_without_a_unit_or_beyond_its_range_is_refused() {
        for text in ["", "5", "m", "5 minutes", "1.5h", "-5s", "99999999999999999999s", "18446744073709551615d", "５s"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
