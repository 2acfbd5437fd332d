//! An amount as people write it to minor units. Pure; guesses nothing: what could be read in two ways is refused.

/// `10,000`, `10.000,00`, `10 000 VND`, `-5.50`. `exponent` is how many digits the currency has behind its point.
///
/// A mark that stands more than once, or before three digits, separates thousands; the last one of another kind, or
/// before other than three digits, is the point. A currency of three digits behind its point is ambiguous there, and has
/// to be written with both marks or none.
pub(super) fn amount(text: &str, exponent: u32, currency: &str) -> Result<i64, String> {
    let bare = without_currency(text.trim(), currency);
    let (negative, digits) = match bare.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, bare.strip_prefix('+').unwrap_or(bare)),
    };
    let digits: String = digits.chars().filter(|c| !c.is_whitespace() && *c != '\'').collect();
    if digits.is_empty() {
        return Err("has no amount".to_owned());
    }
    let (whole, fraction) = split(&digits, exponent)?;
    let minor =
        minor_units(&whole, &fraction, exponent).ok_or_else(|| format!("{text:?} is no amount of {currency}"))?;
    Ok(if negative { -minor } else { minor })
}

fn without_currency<'t>(text: &'t str, currency: &str) -> &'t str {
    let text = text.strip_suffix(currency).or_else(|| text.strip_prefix(currency)).unwrap_or(text).trim();
    if currency == "VND" { text.strip_suffix(['đ', 'Đ', '₫', 'd']).unwrap_or(text).trim() } else { text }
}

/// The digits before and behind the point.
fn split(text: &str, exponent: u32) -> Result<(String, String), String> {
    let marks: Vec<(usize, char)> = text.char_indices().filter(|(_, c)| matches!(c, '.' | ',')).collect();
    let Some((last, mark)) = marks.last().copied() else { return Ok((text.to_owned(), String::new())) };
    let behind = text.len() - last - 1;
    let same = marks.iter().filter(|(_, other)| *other == mark).count();
    let point = match (same, marks.len()) {
        (1, 1) if behind == 3 && exponent == 3 => {
            return Err(format!("{text:?} could be thousands or a fraction"));
        }
        (1, 1) => behind != 3,
        // Two kinds of marks: the last is the point.
        (1, _) => true,
        (_, _) => false,
    };
    let (whole, fraction) = if point { (&text[..last], &text[last + 1..]) } else { (text, "") };
    if !grouped_rightly(whole) {
        return Err(format!("{text:?} is no amount"));
    }
    Ok((whole.replace(['.', ','], ""), fraction.to_owned()))
}

/// Thousands stand in threes.
fn grouped_rightly(whole: &str) -> bool {
    let mut groups = whole.split(['.', ',']);
    let first = groups.next().unwrap_or_default();
    let mut grouped = false;
    let rest = groups.all(|group| {
        grouped = true;
        group.len() == 3
    });
    rest && (!grouped || (1..=3).contains(&first.len()))
}

fn minor_units(whole: &str, fraction: &str, exponent: u32) -> Option<i64> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let places = exponent as usize;
    // What stands behind the minor unit must be nothing.
    let (kept, lost) = fraction.split_at(fraction.len().min(places));
    if lost.bytes().any(|byte| byte != b'0') {
        return None;
    }
    format!("{whole}{kept:0<places$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn an_amount_is_read_as_people_write_it() {
        for (text, exponent, currency, minor) in [
            ("10000", 0, "VND", 10_000),
            ("10,000", 0, "VND", 10_000),
            ("10.000", 0, "VND", 10_000),
            ("10.000,00", 0, "VND", 10_000),
            ("1,234,567", 0, "VND", 1_234_567),
            (" 10 000 VND ", 0, "VND", 10_000),
            ("10.000đ", 0, "VND", 10_000),
            ("-10000.0", 0, "VND", -10_000),
            ("12.5", 2, "USD", 1_250),
            ("1,234.56", 2, "USD", 123_456),
            ("USD 1.000", 2, "USD", 100_000),
            ("1.000,5", 3, "KWD", 1_000_500),
            ("+7", 2, "USD", 700),
        ] {
            assert_eq!(amount(text, exponent, currency), Ok(minor), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_or_could_be_two_is_refused() {
        for (text, exponent, currency) in [
            ("", 0, "VND"),
            ("-", 0, "VND"),
            ("ten", 0, "VND"),
            ("10.5", 0, "VND"),
            ("1,23,456", 0, "VND"),
            ("10000 USD", 0, "VND"),
            ("1.000", 3, "KWD"),
            ("99999999999999999999", 0, "VND"),
            ("1e5", 0, "VND"),
            ("1..5", 2, "USD"),
        ] {
            assert!(amount(text, exponent, currency).is_err(), "{text}");
        }
    }
}
