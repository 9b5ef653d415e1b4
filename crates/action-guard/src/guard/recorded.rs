//! What a mutation was, by the records, and what takes it back, by its action.

use action_core::{Accepted, Outcome, OutcomeKind, Undo};
use serde_json::Value;

use crate::guard::error::GuardError;
use crate::guard::{Guard, is_redacted};
use crate::proposal::{Answer, Proposal, Refusal};
use crate::records::Record;
use crate::state::{ActiveEffect, ProposalStatus};

/// A mutation that was proposed, as the records have it.
struct Recorded {
    system: String,
    action: String,
    parameters: Value,
    /// How it was before; `None` when nothing was sent.
    before: Option<Value>,
    accepted: Option<Accepted>,
    outcome: Option<Outcome>,
    /// How it stands, when nothing was sent.
    stands: String,
}

impl Guard {
    /// The system a mutation went to, and what takes it back. The records say what was done; what
    /// undoes that is asked of its action, so that no record makes this guard send anything else.
    pub(crate) async fn undo_of(&self, id: &str) -> Result<(String, Undo), GuardError> {
        let recorded = self.recorded(id).await?;
        let nothing = |why: String| GuardError::NothingToUndo {
            id: id.to_owned(),
            why,
        };
        let Some(before) = &recorded.before else {
            let stands = &recorded.stands;
            return Err(nothing(format!("it was never sent{stands}")));
        };
        if let Some(outcome) = &recorded.outcome
            && outcome.result == OutcomeKind::NotApplied
        {
            return Err(nothing(format!("it did not happen: {}", outcome.summary)));
        }
        if is_redacted(&recorded.parameters) {
            let reason = "its parameters held a secret, which is written nowhere".to_owned();
            let id = id.to_owned();
            return Err(GuardError::NoUndo { id, reason });
        }
        let undo = self.registry.undo(
            &recorded.action,
            recorded.parameters,
            before,
            recorded.accepted.as_ref(),
            recorded.outcome.as_ref(),
        )?;
        Ok((recorded.system, undo))
    }

    async fn recorded(&self, id: &str) -> Result<Recorded, GuardError> {
        let state = self.state().await?;
        if let Some(status) = state.proposal_status(id) {
            return Ok(Recorded::of(status));
        }
        if let Some(effect) = state.effects.get(id).filter(|effect| effect.is_whole()) {
            return Ok(Recorded::of_effect(effect));
        }
        // It ended long ago.
        let mut found = None::<Recorded>;
        for entry in self.journal.entries_of(id).await? {
            match (entry.record, &mut found) {
                (Record::Proposed { proposal, .. }, _) => {
                    found = Some(Recorded::proposed(&proposal));
                }
                (record, Some(found)) => found.take(record),
                (_, None) => {}
            }
        }
        found.ok_or_else(|| GuardError::Refused(Refusal::UnknownProposal { id: id.to_owned() }))
    }
}

impl Recorded {
    fn proposed(proposal: &Proposal) -> Self {
        Self {
            system: proposal.system.clone(),
            action: proposal.request.action.clone(),
            parameters: proposal.request.parameters.clone(),
            before: None,
            accepted: None,
            outcome: None,
            stands: String::new(),
        }
    }

    fn of(status: &ProposalStatus) -> Self {
        let accepted = match &status.answer {
            Some(Answer::Accepted { accepted, .. }) => Some(accepted.clone()),
            _ => None,
        };
        let intent = status.intent.as_ref();
        Self {
            before: intent.map(|intent| intent.plan.before.clone()),
            accepted,
            outcome: status.outcome.clone(),
            stands: format!(": it is {}", status.phase),
            ..Self::proposed(&status.proposal)
        }
    }

    fn of_effect(effect: &ActiveEffect) -> Self {
        Self {
            system: effect.system.clone(),
            action: effect.action.clone(),
            parameters: effect.parameters.clone(),
            before: Some(effect.before.clone()),
            accepted: effect.accepted.clone(),
            outcome: effect.outcome.clone(),
            stands: String::new(),
        }
    }

    /// Takes in what was written of it later.
    fn take(&mut self, record: Record) {
        match record {
            Record::Intent { intent, .. } => self.before = Some(intent.plan.before),
            Record::Answer {
                answer: Answer::Accepted { accepted, .. },
                ..
            } => self.accepted = Some(accepted),
            Record::Outcome { outcome, .. } => self.outcome = Some(outcome),
            Record::Resolved { result, reason, .. } => {
                // As people said that it ended.
                self.outcome = match result {
                    OutcomeKind::NotApplied => {
                        Some(Outcome::not_applied("resolved", reason, false, Vec::new()))
                    }
                    _ => self.outcome.take(),
                };
            }
            _ => {}
        }
    }
}
