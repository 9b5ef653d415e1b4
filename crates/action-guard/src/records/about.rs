//! What a record is about.

use crate::proposal::Proposal;
use crate::records::{Entry, Record};

impl Record {
    /// The id of what it is about: a proposal, a workflow, a token, a browser session or a link.
    #[must_use]
    pub fn about(&self) -> Option<&str> {
        match self {
            Self::TokenMade { made } => Some(&made.id),
            Self::SessionOpened { session } => Some(&session.id),
            Self::LinkMade { link } => Some(&link.id),
            Self::TokenRevoked { id, .. }
            | Self::SessionEnded { id, .. }
            | Self::FlowStarted { id, .. }
            | Self::FlowStep { id, .. }
            | Self::FlowResumed { id, .. }
            | Self::FlowCancelled { id, .. }
            | Self::FlowCompensating { id, .. } => Some(id),
            other => other.proposal_id(),
        }
    }

    /// The proposal that it proposes to take back, if it does.
    #[must_use]
    pub fn undoes(&self) -> Option<&str> {
        match self {
            Self::Proposed { proposal, .. } => {
                let Proposal { undoes, .. } = &**proposal;
                undoes.as_deref()
            }
            _ => None,
        }
    }
}

impl Entry {
    /// Whether the id of what it is about begins with this text, or that of what it takes back.
    pub(crate) fn has(&self, beginning: &str) -> bool {
        let ids = [self.record.about(), self.record.undoes()];
        let mut ids = ids.into_iter().flatten();
        ids.any(|id| id.starts_with(beginning))
    }
}
