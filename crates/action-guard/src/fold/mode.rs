//! The mode and the kill switch.

use jiff::Timestamp;

use crate::fold::refuse::{cancel, person, stopped};
use crate::identity::Actor;
use crate::proposal::{Mode, Phase, Proposal, Refusal};
use crate::state::{Killed, State};

impl State {
    pub(super) fn set_mode(&mut self, mode: Mode, by: &Actor) -> Result<(), Refusal> {
        if mode == Mode::Execute {
            person(by, "set the mode to execute")?;
            if let Some(killed) = &self.killed {
                return Err(stopped(killed));
            }
        }
        self.mode = mode;
        Ok(())
    }

    pub(super) fn kill(&mut self, by: &Actor, reason: &str, at: Timestamp) {
        if self.killed.is_none() {
            self.killed = Some(Killed {
                by: by.clone(),
                reason: reason.to_owned(),
                at,
            });
        }
        let pending = self.open.values().filter(|status| status.phase.is_unsent());
        let pending: Vec<String> = pending.map(|status| status.proposal.id.clone()).collect();
        for id in pending {
            if let Some(status) = self.open.get_mut(&id) {
                status.cancel = Some(cancel(by, reason, at));
            }
            self.end(&id, Phase::Cancelled, at);
        }
    }

    pub(super) fn reset(&mut self, by: &Actor) -> Result<(), Refusal> {
        person(by, "reset the kill switch")?;
        self.killed.take().ok_or(Refusal::NotKilled)?;
        self.mode = Mode::Observe;
        Ok(())
    }

    /// Nothing but taking back what is ours goes on once the kill switch is set.
    pub(super) fn not_killed(&self, proposal: &Proposal) -> Result<(), Refusal> {
        let Some(killed) = &self.killed else {
            return Ok(());
        };
        let takes_back_ours = proposal
            .undoes
            .as_ref()
            .is_some_and(|undone| self.effects.contains_key(undone));
        if takes_back_ours {
            return Ok(());
        }
        Err(stopped(killed))
    }
}
