//! What a subject promises, and how a promise is said to be broken.

use std::fmt;

/// What a subject promises, by the names that [`conformance`](crate::testing::conformance) gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Promise {
    /// Names, descriptions and schemas are as front ends and model hosts take them.
    WellFormed,
    /// Definitions and parameters are read as they were written.
    RoundTrips,
    /// The fake has an example for each action that is valid and does what it is for.
    Example,
    /// An observation works, and changes nothing.
    ObservationOnlyReads,
    /// A plan works, and changes nothing.
    PlanOnlyReads,
    /// Two plans of one state agree.
    PlanIsStable,
    /// What the system would refuse, the plan says.
    RefusalIsForetold,
    /// A send is one write.
    SendsOnce,
    /// Without a permit nothing is sent.
    AsksForPermit,
    /// Nothing is sent to another system than the one it was planned for.
    ChecksSystem,
    /// A probe works, and changes nothing.
    ProbeOnlyReads,
    /// What was accepted is proven applied.
    ProvesApplied,
    /// What was kept as JSON is enough for a new process.
    SurvivesRestart,
    /// The undo restores what was there.
    UndoRestores,
    /// What lasts has a name, and what does not has none.
    NamesLasting,
    /// A send that is dropped half way writes once at most, and ends truthfully.
    SurvivesDrop,
    /// A write that never arrived is not called applied.
    LostRequest,
    /// A write whose answer was lost is not called refused or not applied.
    LostAnswer,
}

impl Promise {
    /// All of them, in the order they are tried.
    pub const ALL: &[Self] = &[
        Self::WellFormed,
        Self::RoundTrips,
        Self::Example,
        Self::ObservationOnlyReads,
        Self::PlanOnlyReads,
        Self::PlanIsStable,
        Self::NamesLasting,
        Self::SendsOnce,
        Self::ProbeOnlyReads,
        Self::ProvesApplied,
        Self::SurvivesRestart,
        Self::UndoRestores,
        Self::RefusalIsForetold,
        Self::AsksForPermit,
        Self::ChecksSystem,
        Self::LostRequest,
        Self::LostAnswer,
        Self::SurvivesDrop,
    ];

    /// Its name, such as `plan_only_reads`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.words().0
    }

    /// What to mend where it is broken.
    #[must_use]
    pub fn mend(self) -> &'static str {
        self.words().1
    }

    // length: a table, one row for each promise.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::WellFormed => (
                "well_formed",
                "mend the declaration: doc comments on the struct and on each field, \
                 `#[serde(deny_unknown_fields)]`, names in snake case",
            ),
            Self::RoundTrips => (
                "round_trips",
                "what serde writes of the struct must be what it reads, and fit the schema: \
                 `#[serde(default, skip_serializing_if = …)]` on what may be absent",
            ),
            Self::Example => (
                "example",
                "mend what `FakeSystem::example` and `FakeSystem::start` give for this action",
            ),
            Self::ObservationOnlyReads => (
                "observation_only_reads",
                "an observation sends nothing that changes anything: make it a mutation",
            ),
            Self::PlanOnlyReads => (
                "plan_only_reads",
                "`plan` must only read: move what it changes into `send`",
            ),
            Self::PlanIsStable => (
                "plan_is_stable",
                "a plan is made again right before it is sent: preconditions must be facts of the \
                 system, not times, counters or an order that changes by itself",
            ),
            Self::RefusalIsForetold => (
                "refusal_is_foretold",
                "`plan` must answer `Verdict::WouldReject` for what the system refuses, and `send` \
                 must fail with a kind other than `FailureKind::Unknown` when it does",
            ),
            Self::SendsOnce => (
                "sends_once",
                "`send` must make exactly one write: it neither looks first by writing, nor tries \
                 again, nor leaves it to somebody else",
            ),
            Self::AsksForPermit => (
                "asks_for_permit",
                "`send` must await `Attempt::permit` right before its write, hold it until the \
                 write has left, and when it is refused send nothing and fail with a kind other \
                 than `FailureKind::Unknown`",
            ),
            Self::ChecksSystem => (
                "checks_system",
                "`identity` must ask the system at each call, and `send` must compare who answers \
                 with `Attempt::system` before its write, and else send nothing and fail with a \
                 kind other than `FailureKind::Unknown`",
            ),
            Self::ProbeOnlyReads => (
                "probe_only_reads",
                "`probe`, `settled` and `still_in_force` must only read",
            ),
            Self::ProvesApplied => (
                "proves_applied",
                "`probe` must find what `send` did, before the plan's deadline is over, from what \
                 serde keeps of the facts, and `settled` must not call it reversed right after",
            ),
            Self::SurvivesRestart => (
                "survives_restart",
                "`probe` and `undo` must work from the parameters, the facts of the plan and what \
                 was sent: keep nothing in the handle or in memory",
            ),
            Self::UndoRestores => (
                "undo_restores",
                "`undo` must give an action of this subject that goes ahead and restores \
                 `FakeSystem::state`, or say why there is none where `REVERSIBLE` is false",
            ),
            Self::NamesLasting => (
                "names_lasting",
                "`lasting_effect` names what stays in force where `EFFECT` is `Lasting`, and is \
                 `None` where it is `OneShot`",
            ),
            Self::SurvivesDrop => (
                "survives_drop",
                "a `send` that is dropped must not write again, and `probe` must find what it did: \
                 `NotApplied` needs to be sure that it can no longer happen, `Applied` needs evidence",
            ),
            Self::LostRequest => (
                "lost_request",
                "without an answer nothing is accepted, and `probe` must not say `Applied` without \
                 evidence that it happened",
            ),
            Self::LostAnswer => (
                "lost_answer",
                "without an answer `send` must fail with `FailureKind::Unknown`, and `probe` must \
                 not say `NotApplied` of what has happened",
            ),
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A promise that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// The action, or the subject where it is none of a single one.
    pub action: String,
    /// The promise.
    pub promise: Promise,
    /// What was seen.
    pub what: String,
}

impl Broken {
    pub(super) fn new(action: &str, promise: Promise, what: impl Into<String>) -> Self {
        Self {
            action: action.to_owned(),
            promise,
            what: what.into(),
        }
    }
}

/// `set_dial: plan_only_reads: the fake got 1 write. …`, with what to mend.
impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, mend) = self.promise.words();
        write!(f, "`{}`: {name}: {}\n    {mend}", self.action, self.what)
    }
}
