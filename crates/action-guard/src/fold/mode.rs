//! The mode and the kill switch.

use std::sync::Arc;

use jiff::Timestamp;

use crate::fold::refuse::{cancel, person, stopped};
use crate::identity::{Actor, Target};
use crate::proposal::{Mode, Phase, Proposal, Refusal};
use crate::state::{Enabled, Killed, State};

impl State {
    pub(super) fn set_mode(
        &mut self,
        target: Option<&Target>,
        mode: Mode,
        enabled: Enabled,
    ) -> Result<(), Refusal> {
        self.is_named_so(target)?;
        let enables = mode == Mode::Execute;
        if enables {
            person(&enabled.by, "set the mode to execute")?;
            let killed = target.map_or(self.killed.as_ref(), |it| self.killed_on(&it.system));
            if let Some(killed) = killed {
                return Err(stopped(killed));
            }
        }
        *self.mode_of(target) = mode;
        *self.enabled_of(target) = enables.then_some(enabled);
        Ok(())
    }

    /// Stops one system, or all: what waits there is cancelled.
    pub(super) fn kill(
        &mut self,
        target: Option<&Target>,
        by: &Actor,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        self.is_named_so(target)?;
        self.killed_of(target).get_or_insert_with(|| Killed {
            target: target.cloned(),
            by: by.clone(),
            reason: reason.to_owned(),
            at,
        });
        let is_its = |proposal: &Proposal| target.is_none_or(|it| it.system == proposal.system);
        let pending = self.open.values().filter(|status| status.phase.is_unsent());
        let pending = pending.filter(|status| is_its(&status.proposal));
        let pending: Vec<String> = pending.map(|status| status.proposal.id.clone()).collect();
        for id in pending {
            if let Some(status) = self.open.get_mut(&id) {
                status.cancel = Some(cancel(by, reason, at));
            }
            self.end(&id, Phase::Cancelled, at);
        }
        Ok(())
    }

    pub(super) fn reset(&mut self, target: Option<&Target>, by: &Actor) -> Result<(), Refusal> {
        person(by, "reset the kill switch")?;
        self.is_named_so(target)?;
        self.killed_of(target).take().ok_or(Refusal::NotKilled)?;
        *self.mode_of(target) = Mode::Observe;
        *self.enabled_of(target) = None;
        Ok(())
    }

    /// The mode of one system or of all, which is set by this.
    fn mode_of(&mut self, target: Option<&Target>) -> &mut Mode {
        match target {
            Some(target) => {
                let switch = self.switch_mut(target);
                switch.mode_was_set = true;
                &mut switch.mode
            }
            None => &mut self.mode,
        }
    }

    fn enabled_of(&mut self, target: Option<&Target>) -> &mut Option<Enabled> {
        match target {
            Some(target) => &mut self.switch_mut(target).enabled,
            None => &mut self.enabled,
        }
    }

    fn killed_of(&mut self, target: Option<&Target>) -> &mut Option<Killed> {
        match target {
            Some(target) => &mut self.switch_mut(target).killed,
            None => &mut self.killed,
        }
    }

    /// Refuses a system by another name than its own, and keeps a name that is new.
    pub(super) fn is_named_so(&mut self, target: Option<&Target>) -> Result<(), Refusal> {
        let Some(target) = target else {
            return Ok(());
        };
        self.clusters.check(target).map_err(Refusal::Name)?;
        if self.clusters.is_new(target) {
            Arc::make_mut(&mut self.clusters).add(target.clone());
        }
        Ok(())
    }

    /// Nothing but taking back what is ours goes on once the kill switch is set.
    pub(super) fn not_killed(&self, proposal: &Proposal) -> Result<(), Refusal> {
        let Some(killed) = self.killed_on(&proposal.system) else {
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
