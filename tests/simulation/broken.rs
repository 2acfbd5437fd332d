//! The rules that the model world itself keeps, each of which a test may break to see that the judge notices. Breaks
//! nothing by itself.

/// A rule of the loop's driver or of the stores, as the world models them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorldRule {
    /// Effects leave only when the commit that holds their intent is acknowledged.
    IntentFirst,
    /// No byte leaves after its intent's send deadline.
    SendDeadline,
    /// A write names the version that it saw.
    Fence,
    /// A commit whose answer is lost counts as not made until it is found to stand.
    AmbiguousCommit,
    /// A hit or a miss of the key store decides nothing: the journal's unique ingest key does.
    KeysDecideNothing,
    /// A message is acknowledged when it is durable, and not before.
    AckWhenDurable,
    /// A text that nobody has sent is due again.
    OutboxIsDue,
    /// What a menu's screen names is handed in when the phone has answered that screen, and not before.
    ScreenIsAnswered,
}

impl WorldRule {
    pub(crate) const ALL: [Self; 8] = [
        Self::IntentFirst,
        Self::SendDeadline,
        Self::Fence,
        Self::AmbiguousCommit,
        Self::KeysDecideNothing,
        Self::AckWhenDurable,
        Self::OutboxIsDue,
        Self::ScreenIsAnswered,
    ];
}

/// At most one rule is broken in a life.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Broken(pub(crate) Option<WorldRule>);

impl Broken {
    pub(crate) fn is(self, rule: WorldRule) -> bool {
        self.0 == Some(rule)
    }
}
