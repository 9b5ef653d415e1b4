//! The part of a state that somebody may see.

use crate::identity::Target;
use crate::state::State;

impl State {
    /// What there is to see of it for who may see these systems, and on them what these have asked for:
    /// how their proposals stand, what is in force of them, whether they are paused, the mode and the kill
    /// switch. Without workflows, tokens, browser sessions and what budgets count.
    #[must_use]
    pub fn seen_by(
        &self,
        is_theirs: impl Fn(&Target) -> bool,
        may_see: impl Fn(&str) -> bool,
    ) -> Self {
        let mut seen = Self {
            seq: self.seq,
            at: self.at,
            mode: self.mode,
            killed: self.killed.clone(),
            last_switch: self.last_switch,
            last_switch_of_all: self.last_switch_of_all,
            ..Self::default()
        };
        let switches = self.switches.iter();
        let switches = switches.filter(|(_, switch)| is_theirs(&switch.target));
        seen.switches = switches
            .map(|(id, one)| (id.clone(), one.clone()))
            .collect();
        let pauses = self.pauses.iter();
        let pauses = pauses.filter(|(_, pause)| may_see(pause.agent.as_str()));
        seen.pauses = pauses.map(|(id, one)| (id.clone(), one.clone())).collect();
        let open = self.open.values().chain(&self.ended).filter(|status| {
            let proposal = &status.proposal;
            is_theirs(&proposal.target()) && may_see(&proposal.request.actor)
        });
        for status in open.cloned() {
            match status.phase.is_end() {
                true => seen.ended.push_back(status),
                false => seen.open.insert(status),
            }
        }
        let effects = self
            .effects
            .iter()
            .filter(|(_, effect)| is_theirs(&effect.target()) && may_see(&effect.actor));
        seen.effects = effects.map(|(id, one)| (id.clone(), one.clone())).collect();
        seen
    }
}
