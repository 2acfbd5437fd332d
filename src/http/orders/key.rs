//! The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header-07): a structured string, which many clients write
//! without its quotes. Never makes one up.

use axum::http::HeaderMap;

/// Characters that a key may have.
const KEY_MAX: usize = 255;
/// The header's name.
const NAME: &str = "idempotency-key";

/// The key, or what is wrong with it.
pub(super) fn read(headers: &HeaderMap) -> Result<String, &'static str> {
    let mut given = headers.get_all(NAME).iter();
    let value = match (given.next(), given.next()) {
        (None, _) => return Err("is missing"),
        (Some(_), Some(_)) => return Err("is given twice"),
        (Some(value), None) => value.to_str().map_err(|_| "has characters in it that are not ASCII")?,
    };
    let value = value.trim_matches([' ', '\t']);
    let key = match value.strip_prefix('"') {
        Some(rest) => quoted(rest).ok_or("is no quoted string (RFC 8941)")?,
        None if value.contains(['"', ',', ';', ' ', '\t']) => {
            return Err("has a quote, comma, semicolon or space in it");
        }
        None => value.to_owned(),
    };
    if (1..=KEY_MAX).contains(&key.len()) { Ok(key) } else { Err("has not 1 to 255 characters") }
}

/// sf-string of RFC 8941 §3.3.3, behind its first quote. Parameters have no meaning here and are refused with the rest.
fn quoted(text: &str) -> Option<String> {
    let mut key = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return rest.as_str().is_empty().then_some(key),
            '\\' => key.push(rest.next().filter(|c| matches!(c, '"' | '\\'))?),
            c if c == ' ' || c.is_ascii_graphic() => key.push(c),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn key(values: &[&str]) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, value.parse().unwrap());
        }
        read(&headers)
    }

    #[test]
    fn a_key_is_the_same_with_its_quotes_and_without() {
        for value in ["8e03978e-40d5-43e8-bc93-6894a57f9324", "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", " a-1\t"] {
            assert_eq!(key(&[value]).unwrap(), value.trim_matches(['"', ' ', '\t']), "{value}");
        }
        assert_eq!(key(&[r#""a \"b\" \\ c""#]).unwrap(), r#"a "b" \ c"#);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "k".repeat(256);
        let cases =
            ["", "\"\"", "\"open", "\"a\"b", "\"a\";p=1", r#""\a""#, "a,b", "a b", "a;b", "a\"", "\"a\tb\"", &long];
        for value in cases {
            assert!(key(&[value]).is_err(), "{value}");
        }
        assert!(key(&[]).is_err());
        assert!(key(&["a", "b"]).is_err());
    }
}
