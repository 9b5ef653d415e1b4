//! Pauses of agents.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::fold::refuse::{cancel, invalid_record, person};
use crate::identity::Actor;
use crate::proposal::Refusal;
use crate::state::{Enabled, Pause, State};

/// How long a pause that is over is kept at hand: longer than anything stays between its intent and its
/// send.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

impl State {
    /// A person pauses an agent, or an agent itself. It never ends an earlier pause sooner: that lets
    /// something be sent, and takes what resuming takes.
    pub(super) fn agent_paused(&mut self, mut pause: Pause) -> Result<(), Refusal> {
        let (agent, by, at) = (&pause.agent, &pause.by, pause.at);
        if !agent.as_str().starts_with("agent:") {
            return Err(invalid_record("a pause of somebody who is no agent"));
        }
        if !by.is_same(agent) {
            person(by, "pause another agent")?;
        }
        if pause.until.is_some_and(|until| until <= at) {
            return Err(invalid_record("a pause that is over before it begins"));
        }
        if let Some(before) = self.paused_at(agent.as_str(), at) {
            let is_sooner = match (before.until, pause.until) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(before), Some(until)) => until < before,
            };
            if is_sooner {
                return Err(Refusal::PausedLonger {
                    agent: agent.to_string(),
                    until: before.until_in_words(),
                });
            }
        }
        let before = self.pause_of(pause.agent.as_str());
        let is_ended = |one: &&Arc<Pause>| one.ended.is_some() && one.would_hold_at(at);
        pause.earlier = before.and_then(|before| match is_ended(&before) {
            true => Some(Arc::clone(before)),
            false => before.earlier.clone(),
        });
        // One that somebody ended is kept for as long as it would hold: whether it was them who ended it is
        // found out when something is sent.
        self.pauses.retain(|_, pause| {
            let would_hold = pause.and_earlier().any(|one| one.would_hold_at(at));
            let over = pause.over_since(at).filter(|_| !would_hold);
            over.is_none_or(|over| at.duration_since(over) <= KEPT)
        });
        let name = pause.agent.as_str().to_ascii_lowercase();
        self.pauses.insert(name, Arc::new(pause));
        Ok(())
    }

    /// A person ends the pause of an agent.
    pub(super) fn agent_resumed(
        &mut self,
        agent: &Actor,
        resumed: Enabled,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        person(&resumed.by, "resume an agent")?;
        let name = agent.as_str().to_ascii_lowercase();
        let pause = self.pauses.get_mut(&name);
        let Some(pause) = pause.filter(|pause| pause.holds_at(at)) else {
            return Err(Refusal::NotPaused {
                agent: agent.to_string(),
            });
        };
        let pause = Arc::make_mut(pause);
        pause.ended = Some(cancel(&resumed.by, reason, at));
        pause.resumed = Some(Enabled {
            after: pause.seq,
            ..resumed
        });
        Ok(())
    }

    /// Refuses somebody who is paused.
    pub(super) fn not_paused(&self, who: &Actor, at: Timestamp) -> Result<(), Refusal> {
        match self.paused_at(who.as_str(), at) {
            Some(pause) => Err(pause.refusal()),
            None => Ok(()),
        }
    }
}
