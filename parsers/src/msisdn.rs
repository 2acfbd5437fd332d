//! A phone number. Stand-in until the text branch lands.
use serde::{Deserialize, Serialize};
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country {
    pub code: String,
}
impl Country {
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned() }
    }
}
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Msisdn(String);
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MsisdnError;
impl std::fmt::Display for MsisdnError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a phone number")
    }
}
impl std::error::Error for MsisdnError {}
impl Msisdn {
    pub fn parse(_c: &Country, t: &str) -> Result<Self, MsisdnError> {
        Ok(Self(t.to_owned()))
    }
    pub fn e164(&self) -> String {
        self.0.clone()
    }
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }
    pub fn national(&self, _c: &Country) -> String {
        format!("0{}", &self.0[3..])
    }
}
impl std::fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
impl std::fmt::Display for Msisdn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
