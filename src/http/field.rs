//! A field of a request that names something: judged alike at each door. Reads no request.

/// Octets that such a field may have.
pub(super) const FIELD_OCTETS: usize = 255;

/// Not empty, bounded, printable.
pub(super) fn checked(name: &str, value: String) -> Result<String, String> {
    if value.is_empty() {
        Err(format!("{name:?} is empty"))
    } else if value.len() > FIELD_OCTETS {
        Err(format!("{name:?} is longer than {FIELD_OCTETS} octets"))
    } else if value.contains(char::is_control) {
        Err(format!("{name:?} has a control character in it"))
    } else {
        Ok(value)
    }
}
