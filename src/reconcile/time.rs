//! A time as a channel writes it. Pure: the zone comes with the column map, never from this machine.

use crate::purchase::record::Micros;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// Forms that are understood where none is configured, besides RFC 3339 and Unix time.
const USUAL: [&str; 4] = ["%Y%m%d%H%M%S", "%d/%m/%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S"];

pub(super) fn time(text: &str, format: Option<&str>, zone: &TimeZone) -> Option<Micros> {
    let found = match format {
        Some(format) => by_format(text, format, zone),
        None => usual(text, zone),
    };
    found.map(Timestamp::as_microsecond)
}

fn by_format(text: &str, format: &str, zone: &TimeZone) -> Option<Timestamp> {
    let parsed = strtime::parse(format, text).ok()?;
    match parsed.to_timestamp() {
        Ok(time) => Some(time),
        Err(_) => local(parsed.to_datetime().ok()?, zone),
    }
}

fn usual(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.len() {
        10 if digits => return Timestamp::from_second(text.parse().ok()?).ok(),
        13 if digits => return Timestamp::from_millisecond(text.parse().ok()?).ok(),
        _ => {}
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(time) = text.parse::<DateTime>().ok().filter(|_| !digits).ok_or(()) {
        return local(time, zone);
    }
    USUAL.iter().find_map(|format| by_format(text, format, zone))
}

fn local(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn the_usual_forms_are_understood_in_the_channels_zone() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let noon: Timestamp = "2026-11-24T05:00:00Z".parse().unwrap();
        for text in [
            "2026-11-24 12:00:00",
            "2026-11-24T12:00:00",
            "2026-11-24T05:00:00Z",
            "2026-11-24T14:00:00+09:00",
            "20261124120000",
            "24/11/2026 12:00:00",
            "24-11-2026 12:00:00",
            "2026/11/24 12:00:00",
            "1795496400",
            "1795496400000",
        ] {
            assert_eq!(time(text, None, &zone), Some(noon.as_microsecond()), "{text}");
        }
        assert_eq!(time("24.11.26 12h00", Some("%d.%m.%y %Hh%M"), &zone), Some(noon.as_microsecond()));
        for text in ["", "noon", "2026-13-01 00:00:00", "31/02/2026 00:00:00", "11/24/2026 12:00:00"] {
            assert_eq!(time(text, None, &zone), None, "{text}");
        }
    }
}
