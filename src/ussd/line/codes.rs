//! The socket's error codes (charging.md §1.4, "USSD GW"): what each means, whose turn it is, and what follows for the
//! socket. Says nothing of a purchase: no code is an answer to one.

use std::fmt;

use paygate_parsers::ussd_line::NO_NUMBER;

/// Somebody else, or we ourselves, are logged in already.
pub(super) const OTHER_SOCKET: u16 = 203;

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) code: u16,
    what: &'static str,
    /// Whose turn it is.
    advice: &'static str,
    /// The socket is of no use any more: it is closed and another one is tried.
    pub(super) ends: bool,
    /// Trying again soon is of no use: somebody must change something first.
    pub(super) stays: bool,
}

/// Nothing but the number is known of any other.
const KNOWN: [Meaning; 11] = [
    meaning(
        OTHER_SOCKET,
        "another socket holds this spid",
        "end the other instance, or give it a spid of its own",
        true,
        true,
    ),
    meaning(204, "the login is wrong", "check spid and password with the telco", true, true),
    meaning(205, "our address is not allowed", "the telco must open its gateway to this address", true, true),
    meaning(
        206,
        "a value is not allowed",
        "compare spid, short code and line with the telco's description",
        true,
        true,
    ),
    meaning(207, "we are not logged in", "paygate logs in anew", true, false),
    meaning(208, "the spid is not that of the login", "check spid with the telco", false, true),
    meaning(209, "the coding of the text is not taken", "keep the screens within GSM 7-bit", false, true),
    meaning(210, "too many messages a second", "the screen is lost; ask the telco for more throughput", false, false),
    meaning(211, "the spid is not active", "the telco must activate it", true, true),
    meaning(212, "the message's id does not begin with the spid", "check spid with the telco", false, true),
    meaning(213, "a message of this direction is not taken", "the dialogue was over, or is not ours", false, true),
];

const fn meaning(code: u16, what: &'static str, advice: &'static str, ends: bool, stays: bool) -> Meaning {
    Meaning { code, what, advice, ends, stays }
}

/// What a code other than 0 means.
pub(super) fn meaning_of(code: u16) -> Meaning {
    let unknown = meaning(code, "an error the telco must explain", "ask the telco for its meaning", false, false);
    KNOWN.into_iter().find(|known| known.code == code).unwrap_or(unknown)
}

impl fmt::Display for Meaning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            NO_NUMBER => write!(out, "an error code that is no number; {}", self.advice),
            code => write!(out, "{code}, {}; {}", self.what, self.advice),
        }
    }
}
