//! Compares what is in force by the journal with what the system shows.

use std::sync::Arc;

use action_core::{Attempt, Sent, Settled};
use jiff::Timestamp;

use crate::guard::Guard;
use crate::guard::redact::is_redacted;
use crate::journal::JournalError;
use crate::proposal::time::{between_ms, unix_ms};
use crate::state::{ActiveEffect, InForce, State};

/// So many are compared at most, the oldest first.
const MOST_COMPARED: usize = 64;

impl Guard {
    /// Everything in force on a system that is ours, each with whether the system still shows it.
    /// Reads only, and concludes nothing: what is gone stays ours until it is
    /// [released](crate::Controls::release) or undone.
    ///
    /// What is not known to be in force is not compared, nor what is being changed, nor more than 64.
    ///
    /// # Errors
    /// When the journal cannot be read. What cannot be asked of the system is not known.
    pub async fn compare_in_force(
        &self,
        system: &str,
    ) -> Result<(Arc<State>, Vec<InForce>), JournalError> {
        let state = self.state().await?;
        let mut effects = state.in_force(Timestamp::now());
        effects.retain(|effect| effect.system == system);
        let mut compared = 0;
        for shown in &mut effects {
            let Some(effect) = state.effects.get(&shown.id) else {
                continue;
            };
            let stands = shown.confirmed && shown.overwritten_by.is_none();
            if stands && compared < MOST_COMPARED && self.is_at_rest(&state, effect) {
                compared += 1;
                shown.shown = Some(self.shown(effect).await);
            }
        }
        // What was taken back meanwhile is missed by nobody.
        let state = self.state().await?;
        effects.retain_mut(|shown| {
            let effect = state.effects.get(&shown.id);
            if effect.is_some_and(|effect| !self.is_at_rest(&state, effect)) {
                shown.shown = None;
            }
            effect.is_some()
        });
        Ok((state, effects))
    }

    /// Whether nothing of ours is changing it just now.
    fn is_at_rest(&self, state: &State, effect: &ActiveEffect) -> bool {
        let resources = (self.registry).resources(&effect.action, effect.parameters.clone());
        let undo = |id: &Option<String>| id.as_deref() == Some(effect.id.as_str());
        effect.is_whole()
            && (state.unsettled()).all(|status| !undo(&status.proposal.undoes))
            && resources.is_ok_and(|resources| {
                let mut resources = resources.iter();
                resources.all(|it| state.holder(&effect.system, it, None).is_none())
            })
    }

    /// Whether its system shows it.
    async fn shown(&self, effect: &ActiveEffect) -> Settled {
        if is_redacted(&effect.parameters) {
            let text = "its parameters contained a secret, and secrets are not recorded";
            return Settled::not_known("parameters_redacted", text);
        }
        let attempt = Attempt::new(effect.id.as_str(), unix_ms(effect.since), None);
        let attempt = attempt.for_system(effect.system.as_str());
        let elapsed = between_ms(effect.since, Timestamp::now());
        let sent = Sent::new(attempt, effect.accepted.clone(), elapsed);
        let (action, parameters) = (effect.action.as_str(), effect.parameters.clone());
        let found = (self.registry).still_in_force(action, parameters, &effect.before, &sent);
        let found = found.await;
        // Addresses can lead to another system from one request to the next.
        match (found, self.registry.identity(action).await) {
            (Ok(found), Ok(system)) if system == effect.system => found,
            (Err(error), _) | (_, Err(error)) => Settled::not_known("cannot_probe", error.report()),
            (_, Ok(system)) => {
                let text = format!("it is in force on `{}`, not on `{system}`", effect.system);
                Settled::not_known("other_system", text)
            }
        }
    }
}
