//! The proposal that a record is about, or why it can be about none.

use jiff::Timestamp;

use crate::fold::refuse::expired;
use crate::identity::Target;
use crate::proposal::Refusal;
use crate::records::Record;
use crate::state::{ProposalStatus, State};

impl State {
    /// The system that a record is about which follows this state, if it is about one.
    pub(crate) fn target_of(&self, record: &Record) -> Option<Target> {
        if let Record::Proposed { proposal, .. } = record {
            return Some(proposal.target());
        }
        if let Some(target) = record.switches() {
            return target.cloned();
        }
        let id = record.proposal_id()?;
        match (self.proposal_status(id), self.effects.get(id)) {
            (Some(status), _) => Some(status.proposal.target()),
            // It ended long ago.
            (None, Some(effect)) => Some(effect.target()),
            (None, None) => None,
        }
    }

    /// One that has not ended.
    pub(super) fn open_proposal(
        &mut self,
        id: &str,
        wanted: &'static str,
    ) -> Result<&mut ProposalStatus, Refusal> {
        if !self.open.contains_key(id) {
            return Err(self.closed(id, wanted));
        }
        let status = self.open.get_mut(id);
        status.ok_or_else(|| Refusal::UnknownProposal { id: id.to_owned() })
    }

    /// One whose intent is not written.
    pub(super) fn pending(
        &mut self,
        id: &str,
        wanted: &'static str,
        at: Timestamp,
    ) -> Result<&mut ProposalStatus, Refusal> {
        let status = self.open_proposal(id, wanted)?;
        if !status.phase.is_unsent() {
            return Err(Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted,
            });
        }
        if status.proposal.expires_at <= at {
            return Err(expired(id, "the plan"));
        }
        Ok(status)
    }

    /// One whose intent is written, by this instance.
    pub(super) fn owned(
        &mut self,
        id: &str,
        wanted: &'static str,
        instance: &str,
    ) -> Result<&mut ProposalStatus, Refusal> {
        let status = self.open_proposal(id, wanted)?;
        match &status.owner {
            Some(owner) if owner == instance => Ok(status),
            Some(owner) => Err(Refusal::NotOwner {
                id: id.to_owned(),
                owner: owner.clone(),
            }),
            None => Err(Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted,
            }),
        }
    }

    pub(super) fn closed(&self, id: &str, wanted: &'static str) -> Refusal {
        match self.proposal_status(id) {
            Some(status) => Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted,
            },
            None => Refusal::UnknownProposal { id: id.to_owned() },
        }
    }
}
