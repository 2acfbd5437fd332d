//! One dialogue as it is remembered between its steps, and whether a step is new. Pure; holds no money: a dialogue that is
//! forgotten begins anew.

use super::menu::Position;
use super::{Hop, HopInput, Screen};
use paygate_parsers::ussd::{input, inputs};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    /// Random, made at the beginning: one dialogue buys once.
    pub(super) name: String,
    /// What it began with.
    began: HopInput,
    /// All inputs so far, where each step brings them all.
    said: Vec<String>,
    /// The numbers of the steps so far, where they have any.
    sequences: Vec<u32>,
    pub(super) hops: u16,
    pub(super) position: Position,
    /// What is on the phone.
    pub(super) screen: Screen,
}

/// What a step is to its dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It was answered already: the phone has, or is to have, the same screen.
    Again,
    /// A dialogue begins.
    Anew,
    /// These inputs follow, most often one.
    Next(Vec<String>),
    /// It does not follow what is remembered.
    Lost,
}

impl Session {
    /// A dialogue before its first screen.
    pub(super) fn new(name: String, hop: &Hop) -> Self {
        let screen = Screen::End(String::new());
        let session = Self {
            name,
            began: hop.input.clone(),
            said: Vec::new(),
            sequences: Vec::new(),
            hops: 0,
            position: Position::Over,
            screen,
        };
        session.after(hop)
    }

    /// The dialogue with this step in it, before its screen.
    pub(super) fn after(&self, hop: &Hop) -> Self {
        let mut session = self.clone();
        session.hops = session.hops.saturating_add(1);
        session.sequences.extend(hop.sequence);
        if let HopInput::Whole(text) = &hop.input {
            session.said = inputs(text).unwrap_or_default();
        }
        session
    }

    pub(super) fn is_over(&self) -> bool {
        self.position == Position::Over
    }

    pub(super) fn hears(&self, hop: &Hop) -> Heard {
        let same_beginning = self.began == hop.input;
        if hop.begins {
            // Gateways send a begin twice (smpp.md, "HTTP style"); they also give one name to one dialogue after another.
            let twice = same_beginning && (self.hops == 1 || !hop.is_named_by_phone()) && !self.is_over();
            return if twice { Heard::Again } else { Heard::Anew };
        }
        if self.is_over() || hop.sequence.is_some_and(|sequence| self.sequences.contains(&sequence)) {
            return Heard::Again;
        }
        match &hop.input {
            HopInput::Whole(text) => self.follows(text),
            HopInput::Last(text) => Heard::Next(vec![input(text)]),
            HopInput::Dialled(_) if same_beginning => Heard::Again,
            HopInput::Dialled(_) | HopInput::Ended => Heard::Lost,
        }
    }

    /// Inputs only ever grow: what stood in an earlier step's text was answered, however late that step comes again.
    fn follows(&self, text: &str) -> Heard {
        let Ok(all) = inputs(text) else { return Heard::Lost };
        match all.strip_prefix(self.said.as_slice()) {
            Some([]) => Heard::Again,
            Some(new) => Heard::Next(new.to_vec()),
            None if self.said.starts_with(&all) => Heard::Again,
            None => Heard::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: &str = "84854689520";

    fn hop(session: &str, sequence: Option<u32>, input: HopInput) -> Hop {
        Hop {
            gateway: "g".to_owned(),
            session: session.to_owned(),
            from: PHONE.to_owned(),
            service_code: "*098#".to_owned(),
            begins: matches!(input, HopInput::Dialled(_)),
            sequence,
            input,
        }
    }

    fn dialled() -> HopInput {
        HopInput::Dialled("*098#".to_owned())
    }

    fn whole(text: &str) -> HopInput {
        HopInput::Whole(text.to_owned())
    }

    fn last(text: &str) -> HopInput {
        HopInput::Last(text.to_owned())
    }

    /// A dialogue that has had these steps and stands at its first screen.
    fn after(session: &str, steps: &[(Option<u32>, HopInput)]) -> Session {
        let mut hops = steps.iter().map(|(sequence, input)| hop(session, *sequence, input.clone()));
        let first = hops.next().map(|hop| Session::new("d-1".to_owned(), &hop));
        let session = hops.fold(first, |session, hop| session.map(|session| session.after(&hop)));
        let session = session.map(|session| Session {
            position: Position::Services { page: super::super::menu::Page::default() },
            ..session
        });
        session.unwrap_or_else(|| unreachable!("there is a first step"))
    }

    fn next(inputs: &[&str]) -> Heard {
        Heard::Next(inputs.iter().map(|input| (*input).to_owned()).collect())
    }

    #[test]
    fn the_whole_string_tells_each_step_from_the_others_however_late_it_comes_again() {
        let session = after("s-1", &[(None, dialled()), (None, whole("1")), (None, whole("1*2"))]);
        for (text, expected) in [
            ("1*2", Heard::Again),
            ("1", Heard::Again),
            ("1*2*1", next(&["1"])),
            ("1*2*0*1", next(&["0", "1"])),
            ("2*1", Heard::Lost),
        ] {
            assert_eq!(session.hears(&hop("s-1", None, whole(text))), expected, "{text}");
        }
    }

    #[test]
    fn a_step_with_a_number_is_told_from_all_before_it() {
        let session = after("s-1", &[(Some(2), dialled()), (Some(4), last("1")), (Some(6), last("1"))]);
        for (sequence, expected) in [(2, Heard::Again), (4, Heard::Again), (6, Heard::Again), (8, next(&["1"]))] {
            assert_eq!(session.hears(&hop("s-1", Some(sequence), last("1"))), expected, "{sequence}");
        }
    }

    #[test]
    fn a_doubled_begin_is_one_begin_and_a_phone_that_dials_again_begins_anew() {
        let begun = |name: &str| after(name, &[(None, dialled())]);
        let further = |name: &str| after(name, &[(None, dialled()), (None, last("1"))]);
        let over = Session { position: Position::Over, ..further("s-1") };
        for (session, name, expected) in [
            (begun("s-1"), "s-1", Heard::Again),
            (begun(PHONE), PHONE, Heard::Again),
            (further("s-1"), "s-1", Heard::Again),
            (further(PHONE), PHONE, Heard::Anew),
            (over.clone(), "s-1", Heard::Anew),
        ] {
            assert_eq!(session.hears(&hop(name, None, dialled())), expected, "{name} after {} steps", session.hops);
        }
        assert_eq!(over.hears(&hop("s-1", None, last("1"))), Heard::Again, "the last screen stays the last");
        let other = hop("s-1", None, HopInput::Dialled("*098*1#".to_owned()));
        assert_eq!(further("s-1").hears(&other), Heard::Anew);
    }
}
