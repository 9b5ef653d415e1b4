//! What keeps a mutation from being carried out, or its outcome from being kept.

use action_core::{ActionError, FailureKind, WorkflowError};

use crate::identity::ActorError;
use crate::journal::{CommitError, JournalError};
use crate::proposal::drift::list;
use crate::proposal::{ChangedBy, Drift, Refusal, Report, Standing};

/// What keeps a mutation from being carried out, or its outcome from being kept.
///
/// In all cases but [`Unrecorded`](Self::Unrecorded) and [`Abandoned`](Self::Abandoned) nothing
/// was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The action could not be planned or looked up.
    #[error(transparent)]
    Action(#[from] ActionError),

    /// Who asks is not named as actors are.
    #[error(transparent)]
    Actor(#[from] ActorError),

    /// The workflow cannot be carried out; nothing was started.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),

    /// The state, the mode, the rules or another mutation do not allow it; nothing was sent.
    #[error("not sent: {0}")]
    Refused(Refusal),

    /// What a call that can only give a report, or only a proposal, met instead: nothing was sent, or
    /// it is in progress.
    #[error("{0}")]
    NotCarriedOut(Box<Standing>),

    /// Somebody changed since what is to be taken back; nothing was sent.
    #[error("not taken back: {by} it since: {}", list(changes))]
    ChangedSince {
        /// Who, as far as the journal knows.
        by: ChangedBy,
        /// What changed.
        changes: Vec<Drift>,
    },

    /// It left nothing that could be taken back; nothing was sent.
    #[error("proposal `{id}` left nothing to take back: {why}")]
    NothingToUndo {
        /// The proposal.
        id: String,
        /// Why not.
        why: String,
    },

    /// There is nothing that takes it back.
    #[error("proposal `{id}` cannot be taken back: {reason}")]
    NoUndo {
        /// The proposal.
        id: String,
        /// Why not.
        reason: String,
    },

    /// The system is another than the one it was planned for; nothing was sent.
    #[error("not sent: it was planned for `{planned}`, but `{found}` answers")]
    WrongSystem {
        /// The system it was planned for.
        planned: String,
        /// The system that answers now.
        found: String,
    },

    /// The journal could not be read or written; nothing was sent.
    #[error(transparent)]
    Journal(#[from] JournalError),

    /// It was sent and followed, and the outcome could not be written down. The intent stays
    /// open, and recovery finds the outcome anew.
    #[error("cannot write the outcome to the journal")]
    Unrecorded {
        /// What became of it.
        report: Box<Report>,
        /// Why it could not be written.
        #[source]
        source: CommitError,
    },

    /// The task that sends and follows ended before its time, as when a runtime shuts down.
    #[error("the task that sends and follows was stopped")]
    Abandoned,
}

impl From<Refusal> for GuardError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<CommitError> for GuardError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(refusal) => Self::Refused(refusal),
            CommitError::Journal(error) => Self::Journal(error),
        }
    }
}

impl GuardError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Action(error) => error.kind(),
            Self::Actor(_) | Self::Workflow(_) => FailureKind::InvalidInput,
            Self::NotCarriedOut(standing) if standing.may_change() => FailureKind::Busy,
            Self::NotCarriedOut(_) => FailureKind::Refused,
            Self::Refused(Refusal::ResourceHeld { .. }) => FailureKind::Busy,
            Self::Refused(Refusal::TooManyOpen { .. }) => FailureKind::Busy,
            Self::Refused(_)
            | Self::ChangedSince { .. }
            | Self::NoUndo { .. }
            | Self::NothingToUndo { .. }
            | Self::WrongSystem { .. } => FailureKind::Refused,
            Self::Journal(_) => FailureKind::Unavailable,
            Self::Unrecorded { .. } | Self::Abandoned => FailureKind::Unknown,
        }
    }

    /// Whether it is to be planned again.
    pub(crate) fn is_outdated(&self) -> bool {
        matches!(self, Self::Refused(Refusal::PlanOutdated { .. }))
    }

    /// Whether what was proposed is over by it. What is only in the way, and ends by itself, or
    /// could not be found out, is not.
    pub(crate) fn ends_the_proposal(&self) -> bool {
        match self {
            Self::Action(error) => !matches!(
                error.kind(),
                FailureKind::Busy | FailureKind::Unavailable | FailureKind::Unknown
            ),
            Self::Refused(refusal) => matches!(
                refusal,
                Refusal::Observing
                    | Refusal::ClusterObserving { .. }
                    | Refusal::NotEnabled { .. }
                    | Refusal::Killed { .. }
                    | Refusal::TakenOver { .. }
                    | Refusal::WhoseUnknown { .. }
            ),
            Self::NoUndo { .. } | Self::WrongSystem { .. } => true,
            _ => false,
        }
    }

    /// The message and its causes, each once, on one line.
    #[must_use]
    pub fn report(&self) -> String {
        action_core::report(self)
    }
}
