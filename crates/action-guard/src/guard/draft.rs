//! A mutation that is planned and shown before it is proposed.

use jiff::Timestamp;

use crate::guard::Guard;
use crate::guard::error::GuardError;
use crate::identity::Actor;
use crate::proposal::{Proposal, Request, Ruling};
use crate::records::Record;

/// A mutation that is planned and not proposed.
///
/// Nothing of it is in the journal, so nobody can carry it out. Who asks a person first shows them a
/// draft and then proposes that, with the plan that they saw: whatever ends the process at the
/// question leaves nothing behind.
#[derive(Debug, Clone)]
pub struct Draft {
    proposal: Proposal,
    ruling: Ruling,
}

impl Draft {
    /// What would be proposed.
    #[must_use]
    pub fn proposal(&self) -> &Proposal {
        &self.proposal
    }

    /// What the rules would say of it now. They are asked again when it is proposed.
    #[must_use]
    pub fn ruling(&self) -> &Ruling {
        &self.ruling
    }
}

impl Guard {
    /// Plans a mutation and asks the rules, and writes nothing down.
    ///
    /// # Errors
    /// As [`propose`](Self::propose), but for a denial, which is in the draft.
    pub async fn draft(&self, request: Request) -> Result<Draft, GuardError> {
        let proposal = self.planned(request, None).await?;
        self.drafted(proposal).await
    }

    /// The same of what takes a mutation back.
    ///
    /// # Errors
    /// As [`propose_undo`](Self::propose_undo), but for a denial, which is in the draft.
    pub async fn draft_undo(
        &self,
        id: &str,
        actor: &Actor,
        reason: &str,
    ) -> Result<Draft, GuardError> {
        let proposal = self.planned_undo(id, actor, reason).await?;
        self.drafted(proposal).await
    }

    /// Proposes a draft as it is. [`execute`](Self::execute) refuses when its plan has changed since.
    ///
    /// # Errors
    /// As [`propose`](Self::propose).
    pub async fn propose_draft(&self, draft: Draft) -> Result<Proposal, GuardError> {
        self.record_proposal(draft.proposal).await
    }

    async fn drafted(&self, proposal: Proposal) -> Result<Draft, GuardError> {
        let decide = self.proposing(&proposal, proposal.requester()?)?;
        let (state, now) = (self.state().await?, Timestamp::now());
        let records = decide(&state, now)?;
        state.may_be_proposed(&proposal, now)?;
        let ruling = records.into_iter().find_map(|record| match record {
            Record::Proposed { ruling, .. } => Some(ruling),
            _ => None,
        });
        let ruling = ruling.ok_or(GuardError::Abandoned)?;
        Ok(Draft { proposal, ruling })
    }
}
