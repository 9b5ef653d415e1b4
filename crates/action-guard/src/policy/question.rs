//! What is asked of a policy.

use action_core::{ActionDefinition, Plan};
use jiff::Timestamp;
use serde::Serialize;

use crate::identity::ProvenBy;

/// What a policy can require a signature for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Act {
    /// Agreeing to a proposal.
    Approve,
    /// Allowing sends.
    Mode,
    /// Ending a stop of everything.
    KillReset,
}

/// What is asked of a policy.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Ask<'a> {
    /// The action.
    pub definition: &'a ActionDefinition,
    /// Who asks, as an [`Actor`](crate::Actor) is written.
    pub actor: &'a str,
    /// How it was proven that it is them.
    pub proven_by: &'a ProvenBy,
    /// Which system it is for.
    pub system: &'a str,
    /// What that system is called, if it has a name.
    pub cluster: Option<&'a str>,
    /// What it would do. Without, budgets over quantities are not looked at.
    pub plan: Option<&'a Plan>,
    /// Whether it takes back something that the journal says is ours.
    pub takes_back: bool,
    /// When.
    pub at: Timestamp,
}

impl<'a> Ask<'a> {
    /// A request by somebody at a time, not planned yet.
    #[must_use]
    pub fn new(
        definition: &'a ActionDefinition,
        actor: &'a str,
        system: &'a str,
        at: Timestamp,
    ) -> Self {
        Self {
            definition,
            actor,
            proven_by: &ProvenBy::Claimed,
            system,
            cluster: None,
            plan: None,
            takes_back: false,
            at,
        }
    }

    /// The same by somebody for whom it was proven so that it is them.
    #[must_use]
    pub fn proven_by(mut self, proven_by: &'a ProvenBy) -> Self {
        self.proven_by = proven_by;
        self
    }

    /// The same for a system that has a name.
    #[must_use]
    pub fn cluster(mut self, cluster: Option<&'a str>) -> Self {
        self.cluster = cluster;
        self
    }

    /// The same with its plan.
    #[must_use]
    pub fn plan(mut self, plan: &'a Plan) -> Self {
        self.plan = Some(plan);
        self
    }

    /// The same, taking back something of ours.
    #[must_use]
    pub fn takes_back(mut self, takes_back: bool) -> Self {
        self.takes_back = takes_back;
        self
    }
}
