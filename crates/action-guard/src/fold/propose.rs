//! A new proposal, and whether it may be made.

use std::sync::Arc;

use jiff::Timestamp;

use crate::fold::refuse::invalid_record;
use crate::proposal::{Phase, Proposal, Refusal, Ruling};
use crate::state::{ProposalStatus, State};

impl State {
    pub(super) fn proposed(
        &mut self,
        proposal: &Proposal,
        ruling: &Ruling,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        self.may_be_proposed(proposal, at)?;
        self.expire(at);
        self.is_named_so(Some(&proposal.target()))?;
        self.begin_step_attempt(proposal);
        let status = ProposalStatus::new(proposal.clone(), ruling.clone(), self.seq + 1, at);
        if status.phase.is_end() {
            self.push_ended(Arc::new(status));
        } else {
            self.open.insert(Arc::new(status));
        }
        Ok(())
    }

    /// Refuses a proposal that this state does not allow, whatever the rules say of it.
    pub(crate) fn may_be_proposed(
        &self,
        proposal: &Proposal,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let id = &proposal.id;
        if self.proposal_status(id).is_some() {
            return Err(invalid_record(format!("proposal `{id}` twice")));
        }
        if let Some(undone) = &proposal.undoes
            && !self.effects.contains_key(undone)
            && !self.may_be_undone(undone)
        {
            return Err(Refusal::NotOurs { id: undone.clone() });
        }
        let named = self.clusters.check(&proposal.target());
        named.map_err(Refusal::Name)?;
        self.may_take_over(proposal)?;
        self.not_killed(proposal)?;
        self.admit(proposal, at)
    }

    /// Whether what a proposal does can be taken back by its id, now or once it was sent. What puts
    /// back what was before us leaves nothing of ours in force, so its own id takes nothing back.
    #[must_use]
    pub fn can_be_undone(&self, proposal: &Proposal) -> bool {
        let id = &proposal.id;
        let is_lasting = proposal.lasting_effect.is_some();
        match self.proposal_status(id) {
            Some(status) if status.taken_back.is_some() => false,
            Some(status) if !status.phase.is_unsent() => {
                self.effects.contains_key(id) || (status.phase == Phase::Applied && !is_lasting)
            }
            _ => !is_lasting || !self.takes_back(proposal),
        }
    }

    /// A one-shot effect that was applied can be undone as well; what ended long ago is not here
    /// any more, and the proposal's own preconditions decide.
    pub(crate) fn may_be_undone(&self, id: &str) -> bool {
        self.proposal_status(id).is_none_or(|status| {
            status.phase == Phase::Applied && status.proposal.lasting_effect.is_none()
        })
    }
}
