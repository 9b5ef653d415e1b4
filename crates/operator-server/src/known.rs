//! Somebody who is known by another proof than a token, and what they may ask for.

use action_core::ActionDefinition;
use action_guard::{Actor, Target};
use operator_mcp::Ceiling;

/// Somebody who is known, and what they may ask for, below what the gate allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct Known {
    /// `agent:NAME` or `user:NAME`.
    pub actor: Actor,
    /// The clusters that they may ask about, by name; none are all, which only a person has.
    pub clusters: Vec<String>,
    /// What they may ask for at most.
    pub up_to: Ceiling,
    /// The person who answers for an agent: they do not approve what it asks for.
    pub owner: Option<Actor>,
}

impl Known {
    /// The owner, as records name them.
    pub(crate) fn owner(&self) -> Option<String> {
        self.owner.as_ref().map(ToString::to_string)
    }

    fn reaches(&self, on: &Target) -> bool {
        self.clusters.is_empty() || self.clusters.iter().any(|one| one == on.called())
    }

    /// Whether they may ask for this action on this system.
    pub(crate) fn may_ask(&self, on: &Target, action: Option<&ActionDefinition>) -> bool {
        self.reaches(on) && action.is_none_or(|action| self.up_to.covers(action))
    }

    /// Whether they may approve this action on this system, at a gate that allows so much.
    pub(crate) fn may_approve(
        &self,
        on: &Target,
        action: Option<&ActionDefinition>,
        most: Ceiling,
    ) -> bool {
        let is_theirs = self.reaches(on);
        let most = self.up_to.min(most);
        // What only looks lets nobody send, also where an action is not known here.
        let is_enough = self.up_to != Ceiling::ReadOnly;
        is_theirs && is_enough && action.is_none_or(|action| most.covers(action))
    }
}
