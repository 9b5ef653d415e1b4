//! One proposal and what became of it so far.

use std::time::Duration;

use action_core::Outcome;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::Actor;
use crate::proposal::time::after;
use crate::proposal::{Answer, Approval, Intent, Phase, Proposal, Ruled, Ruling};

/// One proposal and what became of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProposalStatus {
    /// What is asked for and what it would do.
    pub proposal: Proposal,
    /// The number of the record that proposed it.
    #[serde(default)]
    pub seq: u64,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// How it stands.
    pub phase: Phase,
    /// What the rules said.
    pub ruling: Ruling,
    /// Who agreed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// That somebody does not want it any more, or did not agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<Cancel>,
    /// The sending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The instance that sends and follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// When it came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// When its owner died, at the latest: when another adopted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_at: Option<Timestamp>,
    /// How it ended, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Who said how it ended, when it was a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<Actor>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The undo that has taken it over while it was in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over: Option<TakenOver>,
    /// The undo that took it back. Its outcome stays what the evidence showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_back: Option<TakenBack>,
}

/// That an undo has taken over what it takes back, while that was in flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TakenOver {
    /// The undo.
    pub by: String,
    /// The instance that sent what is taken back. It may still write down what came back.
    pub from: String,
    /// When.
    pub at: Timestamp,
}

/// That something was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TakenBack {
    /// The undo.
    pub by: String,
    /// When that was proven.
    pub at: Timestamp,
}

/// Who does not want a proposal to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cancel {
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl ProposalStatus {
    /// A proposal as it begins.
    pub(crate) fn new(proposal: Proposal, ruling: Ruling, seq: u64, at: Timestamp) -> Self {
        let each = proposal
            .rulings
            .iter()
            .map(|ruled| ruled.ruling.strictness());
        let phase = match each.fold(ruling.strictness(), u8::max) {
            0 => Phase::Approved,
            1 => Phase::NeedsApproval,
            _ => Phase::Denied,
        };
        Self {
            proposal,
            seq,
            proposed_at: at,
            phase,
            ruling,
            approvals: Vec::new(),
            cancel: None,
            intent: None,
            owner: None,
            answer: None,
            answered_at: None,
            adopted_at: None,
            outcome: None,
            resolved_by: None,
            ended_at: phase.is_end().then_some(at),
            taken_over: None,
            taken_back: None,
        }
    }

    /// How it stands at a time: what was not carried out in time is expired.
    #[must_use]
    pub fn phase_at(&self, now: Timestamp) -> Phase {
        if self.phase.is_unsent() && self.proposal.expires_at <= now {
            return Phase::Expired;
        }
        self.phase
    }

    /// The number of the last record that its plan can have known of.
    #[must_use]
    pub fn planned_after(&self) -> u64 {
        let known = self.proposal.planned_after.unwrap_or(self.seq);
        known.min(self.seq)
    }

    /// How many agreements count at a time.
    #[must_use]
    pub fn approvals_at(&self, now: Timestamp) -> usize {
        let counts = |approval: &&Approval| approval.expires_at > now;
        self.approvals.iter().filter(counts).count()
    }

    /// How many agreements it takes.
    #[must_use]
    pub fn approvals_needed(&self) -> usize {
        self.rulings()
            .map(Ruling::approvals_needed)
            .fold(0, usize::max)
    }

    /// What the rules said: of the proposal, and for each who is at it.
    pub fn rulings(&self) -> impl Iterator<Item = &Ruling> {
        let each = self.proposal.rulings.iter();
        let each = each.map(|Ruled { ruling, .. }| ruling);
        std::iter::once(&self.ruling).chain(each)
    }

    /// Whether this undo has taken it over.
    #[must_use]
    pub fn is_taken_over_by(&self, undo: &str) -> bool {
        let taken_over = self.taken_over.as_ref();
        taken_over.is_some_and(|taken_over| taken_over.by == undo)
    }

    /// Until when its request may still arrive at the system: no longer once it was answered, or
    /// not at all; without an answer, for as long as its plan and its intent say after it was last on
    /// its way.
    #[must_use]
    pub fn may_arrive_until(&self) -> Option<Timestamp> {
        let intent = self.intent.as_ref()?;
        if matches!(
            self.answer,
            Some(Answer::Accepted { .. } | Answer::Refused { .. })
        ) {
            return None;
        }
        let last = self.answered_at.unwrap_or(intent.send_by);
        Some(after(
            last,
            Duration::from_millis(intent.may_arrive_for_ms()),
        ))
    }

    /// When it could last have been on its way, as far as is known: when its answer was written
    /// down or, without one, when it was found that its sender is dead.
    #[must_use]
    pub fn last_on_its_way(&self) -> Option<Timestamp> {
        self.answered_at.or(self.adopted_at)
    }
}
