//! What is written down: one record for each thing that happened.

// length: a table, one row for each kind of record.

use action_core::{Attempt, Outcome, OutcomeKind, Undo};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::{Actor, AgentToken, BrowserSession, LoginLink, Proof, Target};
use crate::proposal::{Answer, Approval, Intent, Mode, Proposal, Ruling};
use crate::state::State;

pub use chain::{BadLine, Entry, FORMAT, Hash};
pub use workflow::{StartedFlow, StepEvent};

mod about;
mod chain;
mod kind_in_front;
mod workflow;
mod written_when;

/// [`Record`], and the same as it is read: with its kind in front, as it is written, or anywhere.
macro_rules! record {
    ($($kinds:tt)*) => {
        /// One thing that happened. The journal is a list of these, and everything else is
        /// computed from it: see [`State`].
        ///
        /// New kinds may be added; a kind that is not known is an error when it is read, never
        /// skipped.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Record { $($kinds)* }

        #[derive(Deserialize)]
        #[serde(remote = "Record", rename_all = "snake_case")]
        enum KindInFront { $($kinds)* }

        #[derive(Deserialize)]
        #[serde(remote = "Record", tag = "kind", rename_all = "snake_case")]
        enum KindAnywhere { $($kinds)* }
    };
}

record! {
    /// Everything that came before. Only ever the first of a segment.
    Checkpoint {
        /// The hash of the index of the records before, down to the last checkpoint: which of their
        /// lines are about which proposal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        index: Option<Hash>,
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
    /// A proposal was not sent in time.
    Expired {
        /// The proposal.
        id: String,
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
        /// The system that it is for; without, it is for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Target>,
        /// From now on.
        mode: Mode,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
        /// That it was them; without, the identity is claimed and not proven.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
        /// That a gate knew them who asked for it, where they did not sign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attested: Option<Proof>,
    },
    /// Everything is stopped.
    Killed {
        /// The system that it is for; without, it is for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Target>,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// The stop is over.
    Reset {
        /// The system that it is for; without, it is for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Target>,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
        /// That it was them; without, the identity is claimed and not proven.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// A person said that it is as late as the clock shows, after it leapt.
    ClockConfirmed {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
        /// That it was them; without, the identity is claimed and not proven.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
    },
    /// A person made a token for an agent.
    TokenMade {
        /// The token, without its secret.
        made: Box<AgentToken>,
    },
    /// A person revoked a token.
    TokenRevoked {
        /// The token.
        id: String,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A person logged in with a browser.
    SessionOpened {
        /// The session, without its secret.
        session: Box<BrowserSession>,
    },
    /// A browser session is over before its time.
    SessionEnded {
        /// The session.
        id: String,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A link was made by which a person logs in, once.
    LinkMade {
        /// The link, without its secret.
        link: Box<LoginLink>,
    },
    /// An agent is paused: nothing is proposed, started or sent for it.
    AgentPaused {
        /// The agent.
        agent: Actor,
        /// When that is over by itself; without, a person ends it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Who: a person, or the agent.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// The pause of an agent is over.
    AgentResumed {
        /// The agent.
        agent: Actor,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
        /// That it was them; without, the identity is claimed and not proven.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<Proof>,
        /// That a gate knew them who asked for it, where they did not sign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attested: Option<Proof>,
    },
    /// The instance that wrote this is a gate, and works by this policy.
    GateOpened {
        /// The hash of the policy's text.
        policy: String,
    },
    /// The gate that wrote this is over.
    GateClosed {},
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
            | Self::Expired { id }
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
            | Self::ClockConfirmed { .. }
            | Self::TokenMade { .. }
            | Self::TokenRevoked { .. }
            | Self::SessionOpened { .. }
            | Self::SessionEnded { .. }
            | Self::LinkMade { .. }
            | Self::AgentPaused { .. }
            | Self::AgentResumed { .. }
            | Self::GateOpened { .. }
            | Self::GateClosed { .. }
            | Self::FlowStarted { .. }
            | Self::FlowStep { .. }
            | Self::FlowResumed { .. }
            | Self::FlowCancelled { .. }
            | Self::FlowCompensating { .. } => None,
        }
    }

    /// For what it sets the mode or the kill switch, if it does: for one system, or for all.
    #[must_use]
    pub fn switches(&self) -> Option<Option<&Target>> {
        match self {
            Self::Mode { target, .. }
            | Self::Killed { target, .. }
            | Self::Reset { target, .. } => Some(target.as_ref()),
            _ => None,
        }
    }

    /// Whether it sets the mode or the kill switch.
    #[must_use]
    pub fn is_switch(&self) -> bool {
        self.switches().is_some()
    }
}
