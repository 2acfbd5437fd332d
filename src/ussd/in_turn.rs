//! Hops of a gateway in their order: those of one dialogue one after another, or a phone that hangs up would overtake its own
//! consent; those of different dialogues beside each other. Knows no wire and no menu.

use super::{Dialogues, Hop, HopInput, Screen};
use std::collections::{HashSet, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::JoinHandle;

/// Hops read and not answered yet. `Back` is how a screen finds its phone.
#[derive(Debug)]
pub struct InTurn<Back> {
    waiting: VecDeque<(Hop, Back)>,
    /// The dialogues of which the menus have a hop.
    under_way: HashSet<String>,
}

impl<Back> Default for InTurn<Back> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), under_way: HashSet::new() }
    }
}

impl<Back> InTurn<Back> {
    /// Hops that wait or are under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len() + self.under_way.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push(&mut self, hop: Hop, back: Back) {
        self.waiting.push_back((hop, back));
    }

    /// The oldest hop whose dialogue has none under way.
    pub fn take(&mut self) -> Option<(Hop, Back)> {
        let free = self.waiting.iter().position(|(hop, _)| !self.under_way.contains(&hop.session))?;
        let (hop, back) = self.waiting.remove(free)?;
        self.under_way.insert(hop.session.clone());
        Some((hop, back))
    }

    /// The dialogue's hop is answered.
    pub fn done(&mut self, session: &str) {
        self.under_way.remove(session);
    }

    /// Forgets all: the connection they came by is lost.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.under_way.clear();
    }
}

/// A hop that the menus have, on a task of its own: that whoever waits for the screen is gone does not break off what a
/// subscriber has agreed to.
pub struct Stepping<Back> {
    session: String,
    task: JoinHandle<Option<(Back, Screen)>>,
}

impl<Back: Send + 'static> Stepping<Back> {
    pub fn begin(menus: &Dialogues, hop: Hop, back: Back) -> Self {
        let (menus, session, seen) = (menus.clone(), hop.session.clone(), hop.input != HopInput::Ended);
        let task = tokio::spawn(async move { Some((back, menus.step(hop).await)).filter(|_| seen) });
        Self { session, task }
    }
}

impl<Back> Future for Stepping<Back> {
    /// The dialogue, and its screen with the way back unless nobody would see one.
    type Output = (String, Option<(Back, Screen)>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let stepped = ready!(Pin::new(&mut self.task).poll(context));
        Poll::Ready((std::mem::take(&mut self.session), stepped.ok().flatten()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(session: &str, input: &str) -> Hop {
        Hop {
            gateway: String::new(),
            session: session.to_owned(),
            from: String::new(),
            service_code: String::new(),
            begins: false,
            sequence: None,
            input: HopInput::Last(input.to_owned()),
        }
    }

    #[test]
    fn hops_of_one_dialogue_follow_each_other_and_those_of_others_do_not_wait() {
        let mut in_turn = InTurn::default();
        for (session, input) in [("a", "1"), ("a", "2"), ("b", "3"), ("a", "4")] {
            in_turn.push(hop(session, input), ());
        }
        let mut next = |done: Option<&str>| {
            done.into_iter().for_each(|session| in_turn.done(session));
            in_turn.take().map(|(hop, ())| hop.input)
        };
        let last = |input: &str| Some(HopInput::Last(input.to_owned()));
        assert_eq!([next(None), next(None), next(None)], [last("1"), last("3"), None]);
        assert_eq!([next(Some("b")), next(Some("a")), next(None)], [None, last("2"), None]);
        assert_eq!([next(Some("a")), next(Some("a"))], [last("4"), None]);
    }
}
