//! A gateway as its dialogues need it: which codes it serves, how its steps are told apart, who charges and who texts. Speaks
//! no wire.

use super::{Hop, HopInput};
use crate::charging::Channels;
use crate::config::{Config, Ussd, UssdInput, UssdKind};
use paygate_parsers::ussd::{Dialled, inputs};

#[derive(Clone, Debug)]
pub(super) struct Gateway {
    pub(super) name: String,
    /// The SMSC that texts what comes of it.
    pub(super) link: String,
    /// The channel that charges.
    pub(super) channel: String,
    /// Where the texts leave from.
    pub(super) short_code: String,
    /// The channel hands out a link to pay at.
    pub(super) pays_by_link: bool,
    service_codes: Vec<Dialled>,
    /// The first text holds what was dialled behind the code.
    shortcuts: bool,
    /// Each step's text holds all inputs, by which it is told from the others.
    whole: bool,
}

/// What a dialogue begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// These inputs were dialled behind the code, most often none.
    Inputs(Vec<String>),
    /// It does not begin here: what it began with is lost.
    Lost,
    /// A code that is not served here, or none.
    UnknownCode,
}

impl Gateway {
    pub(super) fn new(name: &str, settings: &Ussd, config: &Config, channels: &Channels) -> Self {
        let smsc = config.smsc.iter().find(|smsc| smsc.name == settings.link);
        let channel = smsc.map_or_else(String::new, |smsc| smsc.charging.clone());
        let first_code = smsc.and_then(|smsc| smsc.short_codes.first().cloned());
        let (shortcuts, whole) = match &settings.kind {
            UssdKind::Http(http) => (http.shortcuts, http.input == UssdInput::Whole),
            UssdKind::Smpp(_) | UssdKind::Line(_) => (false, false),
        };
        Self {
            name: name.to_owned(),
            link: settings.link.clone(),
            short_code: settings.short_code.clone().or(first_code).unwrap_or_default(),
            pays_by_link: channels.get(&channel).is_some_and(|channel| channel.capabilities().link_ttl.is_some()),
            channel,
            service_codes: settings.service_codes.clone(),
            shortcuts,
            whole,
        }
    }

    /// What agrees on a consent's screen. Where a step that comes twice cannot be told from two steps, it is a choice that no
    /// other screen has: the doubled answer to the screen before must not agree to one that nobody has read.
    pub(super) const fn agree(&self, hop: &Hop) -> &'static str {
        if self.whole || hop.sequence.is_some() { "1" } else { "11" }
    }

    /// What a step begins, where no dialogue of it is known.
    pub(super) fn beginning(&self, hop: &Hop) -> Beginning {
        let dialled = match &hop.input {
            HopInput::Dialled(dialled) => Some(dialled),
            HopInput::Whole(_) | HopInput::Last(_) | HopInput::Ended => None,
        };
        let dialled = match dialled.map_or(hop.service_code.as_str(), String::as_str) {
            // A gateway with one code may leave it out.
            "" => None,
            text => match Dialled::parse(text) {
                Ok(dialled) => Some(dialled),
                Err(_) => return Beginning::UnknownCode,
            },
        };
        let Some(behind) = self.behind(hop, dialled.as_ref()) else { return Beginning::UnknownCode };
        match &hop.input {
            HopInput::Dialled(_) => Beginning::Inputs(behind.to_vec()),
            HopInput::Whole(text) | HopInput::Last(text) if hop.begins || self.shortcuts => match inputs(text) {
                Ok(inputs) => Beginning::Inputs([behind, &inputs].concat()),
                Err(_) => Beginning::Lost,
            },
            HopInput::Whole(_) | HopInput::Last(_) | HopInput::Ended => Beginning::Lost,
        }
    }

    /// What was dialled behind the code: the longest that is served here, or else the one that the gateway names.
    fn behind<'d>(&self, hop: &Hop, dialled: Option<&'d Dialled>) -> Option<&'d [String]> {
        let Some(dialled) = dialled else { return Some(&[]) };
        if self.service_codes.is_empty() {
            let named = Dialled::parse(&hop.service_code).ok();
            return Some(named.and_then(|code| dialled.behind(&code)).unwrap_or_else(|| dialled.behind_first()));
        }
        let served = self.service_codes.iter().filter_map(|code| Some((code.segments(), dialled.behind(code)?)));
        served.max_by_key(|(segments, _)| *segments).map(|(_, behind)| behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(codes: &[&str], shortcuts: bool) -> Gateway {
        Gateway {
            name: "aggregator".to_owned(),
            link: "viettel".to_owned(),
            channel: "viettel".to_owned(),
            short_code: "9029".to_owned(),
            pays_by_link: false,
            service_codes: codes.iter().flat_map(|code| Dialled::parse(code)).collect(),
            shortcuts,
            whole: true,
        }
    }

    fn hop(service_code: &str, input: HopInput) -> Hop {
        Hop {
            gateway: "aggregator".to_owned(),
            session: "s-1".to_owned(),
            from: "84854689520".to_owned(),
            service_code: service_code.to_owned(),
            begins: matches!(input, HopInput::Dialled(_)),
            sequence: None,
            input,
        }
    }

    fn begins(gateway: &Gateway, service_code: &str, input: HopInput) -> String {
        match gateway.beginning(&hop(service_code, input)) {
            Beginning::Inputs(inputs) => format!("[{}]", inputs.join(" ")),
            Beginning::Lost => "lost".to_owned(),
            Beginning::UnknownCode => "unknown code".to_owned(),
        }
    }

    #[test]
    fn what_was_dialled_behind_the_code_are_the_first_inputs() {
        let dialled = |text: &str| HopInput::Dialled(text.to_owned());
        for (codes, service_code, text, expected) in [
            (&[] as &[&str], "*098#", "*098#", "[]"),
            (&[], "", "*098*1*2#", "[1 2]"),
            (&[], "*384*123#", "*384*123*1#", "[1]"),
            (&["*098#", "*098*5#"], "", "*098*5*1#", "[1]"),
            (&["*098#", "*098*5#"], "", "*098*1*5#", "[1 5]"),
            (&["*098#"], "", "*099#", "unknown code"),
            (&["*098#"], "", "hello", "unknown code"),
            (&["*098#"], "", "", "[]"),
        ] {
            assert_eq!(begins(&gateway(codes, false), service_code, dialled(text)), expected, "{codes:?} {text}");
        }
    }

    #[test]
    fn an_answer_begins_nothing_unless_the_gateway_hands_shortcuts_on_so() {
        let whole = || HopInput::Whole("1*2".to_owned());
        assert_eq!(begins(&gateway(&[], false), "*098#", whole()), "lost");
        assert_eq!(begins(&gateway(&[], true), "*098#", whole()), "[1 2]");
        assert_eq!(begins(&gateway(&["*098#"], true), "*099#", whole()), "unknown code");
    }
}
