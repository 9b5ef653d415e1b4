//! A new proposal, and whether it may be made.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::fold::refuse::invalid_record;
use crate::identity::Target;
use crate::proposal::{Phase, Proposal, Refusal, Ruling};
use crate::state::{ProposalStatus, State};

/// Of an idempotency key, in bytes.
const LONGEST_KEY: usize = 256;

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
        has_short_key(proposal)?;
        self.not_asked_before(proposal, Duration::ZERO, at)?;
        self.may_take_over(proposal)?;
        self.not_killed(proposal)?;
        self.none_is_paused(&proposal.request, at)?;
        self.admit(proposal, at)
    }

    /// Refuses what whoever asks has asked for already: by its key, or within this time without one.
    pub(crate) fn not_asked_before(
        &self,
        proposal: &Proposal,
        within: Duration,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let target = proposal.target();
        let is_meant = |other: &Target| other.is_same_system(&target);
        match self.asked_before(&proposal.request, is_meant, within, at)? {
            Some(id) => Err(Refusal::AskedBefore { id: id.to_owned() }),
            None => Ok(()),
        }
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

/// Refuses a key that is none, or longer than a key is.
fn has_short_key(proposal: &Proposal) -> Result<(), Refusal> {
    match proposal.request.idempotency_key.as_deref().map(str::len) {
        None | Some(1..=LONGEST_KEY) => Ok(()),
        Some(length) => Err(invalid_record(format!(
            "an idempotency key has 1 to {LONGEST_KEY} bytes, and this one {length}"
        ))),
    }
}
