//! What is written down: see [`Record`].

use action_core::{Accepted, Attempt, Outcome, OutcomeKind, Plan, Undo};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::plan_hash::PlanHash;
use crate::proposal::Proposal;
use crate::signature::{Proof, StatementSignature};
use crate::state::State;

pub use flow::{StartedFlow, StepEvent};

mod flow;

/// One thing that happened. The journal is a list of these, and everything else is computed from
/// it: see [`State`].
///
/// New kinds may be added; a kind that is not known is an error when it is read, never skipped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Record {
    /// Everything that came before. Only ever the first of a segment.
    Checkpoint {
        /// The state that the records before add up to.
        state: Box<State>,
    },
    /// Somebody asked for a mutation; it was planned, and the rules have spoken.
    Proposed {
        /// What is asked for and what it would do.
        proposal: Box<Proposal>,
        /// What the rules say.
        ruling: Ruling,
    },
    /// A person agreed to a proposal.
    Approved {
        /// The proposal.
        id: String,
        /// The agreement.
        approval: Approval,
    },
    /// A person refused a proposal.
    Rejected {
        /// The proposal.
        id: String,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A proposal is not to go on. What was sent is not taken back by this.
    Cancelled {
        /// The proposal.
        id: String,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A mutation is about to be sent by the instance that wrote this.
    Intent {
        /// The proposal.
        id: String,
        /// The sending.
        intent: Box<Intent>,
    },
    /// What came back.
    Answer {
        /// The proposal.
        id: String,
        /// The answer.
        answer: Answer,
    },
    /// How it ended, or that this is not known. A later one of the same proposal replaces it.
    Outcome {
        /// The proposal.
        id: String,
        /// How it ended.
        outcome: Outcome,
        /// What takes it back, now that this is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undo: Option<Undo>,
    },
    /// The instance that wrote this goes on with what a dead one left open.
    Adopted {
        /// The proposal.
        id: String,
        /// The dead one.
        from: String,
    },
    /// A person said how it ended, because nothing that can be read does.
    Resolved {
        /// The proposal.
        id: String,
        /// Who.
        by: Actor,
        /// What they say: that it happened, or that it did not and no longer can.
        result: OutcomeKind,
        /// How they know.
        reason: String,
    },
    /// A lasting effect is no longer ours: somebody took it back or changed it.
    Released {
        /// The proposal that brought it about.
        id: String,
        /// Who found out.
        by: Actor,
        /// What was found.
        reason: String,
    },
    /// A lasting effect was taken back while the journal could not be written.
    BreakGlass {
        /// The proposal that brought the effect about.
        id: String,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
        /// The sending.
        attempt: Attempt,
        /// What came back.
        answer: Answer,
        /// How it ended.
        outcome: Outcome,
    },
    /// Whether anything may be sent.
    Mode {
        /// From now on.
        mode: Mode,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
        /// That it was them; without, the identity is claimed and not proven.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// Everything is stopped.
    Killed {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// The stop is over.
    Reset {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
        /// That it was them; without, the identity is claimed and not proven.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// Somebody started a workflow.
    FlowStarted {
        /// The workflow.
        id: String,
        /// What was started.
        started: Box<StartedFlow>,
    },
    /// Something happened to a step of a workflow.
    FlowStep {
        /// The workflow.
        id: String,
        /// The step.
        step: String,
        /// What.
        event: StepEvent,
    },
    /// What failed in a workflow may be tried again.
    FlowResumed {
        /// The workflow.
        id: String,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A workflow is not to go on. What it did stays.
    FlowCancelled {
        /// The workflow.
        id: String,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// What a workflow did is to be taken back, the last first.
    FlowCompensating {
        /// The workflow.
        id: String,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
}

impl Record {
    /// The proposal it is about, if it is about one.
    #[must_use]
    pub fn proposal_id(&self) -> Option<&str> {
        match self {
            Self::Proposed { proposal, .. } => Some(&proposal.id),
            Self::Approved { id, .. }
            | Self::Rejected { id, .. }
            | Self::Cancelled { id, .. }
            | Self::Intent { id, .. }
            | Self::Answer { id, .. }
            | Self::Outcome { id, .. }
            | Self::Adopted { id, .. }
            | Self::Resolved { id, .. }
            | Self::Released { id, .. }
            | Self::BreakGlass { id, .. } => Some(id),
            Self::Checkpoint { .. }
            | Self::Mode { .. }
            | Self::Killed { .. }
            | Self::Reset { .. }
            | Self::FlowStarted { .. }
            | Self::FlowStep { .. }
            | Self::FlowResumed { .. }
            | Self::FlowCancelled { .. }
            | Self::FlowCompensating { .. } => None,
        }
    }

    /// Whether it sets the mode or the kill switch.
    #[must_use]
    pub fn is_switch(&self) -> bool {
        matches!(
            self,
            Self::Mode { .. } | Self::Killed { .. } | Self::Reset { .. }
        )
    }

    /// Whether it is written even when space is short: it ends something, stops something, or says
    /// what became of what was sent.
    #[must_use]
    pub fn ends_something(&self) -> bool {
        match self {
            Self::Mode { mode, .. } => *mode == Mode::Observe,
            Self::Checkpoint { .. }
            | Self::Proposed { .. }
            | Self::Approved { .. }
            | Self::Intent { .. }
            | Self::Reset { .. }
            | Self::FlowStarted { .. }
            | Self::FlowStep { .. }
            | Self::FlowResumed { .. } => false,
            _ => true,
        }
    }
}

/// What the rules say of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ruling", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ruling {
    /// It may be carried out.
    Allow {
        /// The rule that says so.
        rule: String,
    },
    /// It may be carried out when so many agree.
    Approve {
        /// The rule that says so.
        rule: String,
        /// Whose agreement counts, as patterns over actor ids; empty for any person.
        by: Vec<String>,
        /// How many must agree.
        count: u32,
        /// How long an agreement lasts, in milliseconds.
        ttl_ms: u64,
        /// Whether an agreement counts only with a signature.
        #[serde(default)]
        signed: bool,
    },
    /// It may not be carried out.
    Deny {
        /// The rule that says so.
        rule: String,
        /// Why, for people.
        reason: String,
    },
}

impl Ruling {
    /// The rule that decided.
    #[must_use]
    pub fn rule(&self) -> &str {
        match self {
            Self::Allow { rule } | Self::Approve { rule, .. } | Self::Deny { rule, .. } => rule,
        }
    }
}

/// A person's agreement to exactly one plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Approval {
    /// Who. Never the one who asked.
    pub by: Actor,
    /// The plan that they saw, by its hash.
    pub plan_hash: PlanHash,
    /// After this it counts no more.
    pub expires_at: Timestamp,
    /// Why, if they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The key that signed it, if one did; without, the identity is claimed and not proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_with: Option<String>,
    /// The signature over [`statement`](Self::statement).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<StatementSignature>,
}

impl Approval {
    /// An unsigned agreement.
    #[must_use]
    pub fn new(by: Actor, plan_hash: PlanHash, expires_at: Timestamp) -> Self {
        Self {
            by,
            plan_hash,
            expires_at,
            reason: None,
            signed_with: None,
            signature: None,
        }
    }
}

/// A mutation about to be sent, with what it takes, beside its proposal, to find out later what
/// became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Intent {
    /// What it would do, as planned right before.
    pub plan: Plan,
    /// The sending.
    pub attempt: Attempt,
    /// It is not sent after this.
    pub send_by: Timestamp,
}

impl Intent {
    /// A sending that is not begun after `send_by`.
    #[must_use]
    pub fn new(plan: Plan, attempt: Attempt, send_by: Timestamp) -> Self {
        Self {
            plan,
            attempt,
            send_by,
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// The system accepted.
    Accepted {
        /// What it answered.
        accepted: Accepted,
    },
    /// The system refused, or nothing was sent.
    Refused {
        /// A stable code.
        code: String,
        /// The system's words.
        error: String,
        /// Whether the same may succeed when sent again.
        retryable: bool,
    },
    /// It may have been accepted.
    Unclear {
        /// A stable code.
        code: String,
        /// What went wrong.
        error: String,
    },
}

/// Whether anything may be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// Nothing is sent; proposals can be made and decided.
    #[default]
    Observe,
    /// What is approved may be sent.
    Execute,
}
