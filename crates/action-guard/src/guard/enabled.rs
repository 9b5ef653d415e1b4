//! Whether those who enabled sends are who they are said to be: looked at by a guard that takes nobody's
//! word, before everything that it lets through.

use jiff::Timestamp;

use crate::guard::Guard;
use crate::guard::authority::rules_now;
use crate::guard::trust::Trust;
use crate::identity::Actor;
use crate::policy::{Enables, Rules};
use crate::proposal::{Mode, Proposal, Refusal, Request};
use crate::state::{Enabled, Pause, State};

/// Why sends count as not enabled where nobody is named.
const UNNAMED: &str = "the journal does not name who did";

impl Trust {
    /// Refuses to have enabled what this would not send by.
    pub(crate) fn is_enabled_by(
        self,
        enabled: &Enabled,
        rules: &dyn Rules,
        what: Enables<'_>,
    ) -> Result<(), Refusal> {
        match self {
            Self::Claimed => Ok(()),
            Self::OnlyProven => enabled.is_vouched_for(rules, what),
        }
    }

    /// Refuses what only somebody who is not proven has let go on. What is ours and taken back while
    /// everything is stopped asks for no mode.
    pub(crate) fn is_let_go(
        self,
        rules: &dyn Rules,
        state: &State,
        proposal: &Proposal,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.nobody_is_paused(rules, state, &proposal.request, now)?;
        match state.killed_on(&proposal.system) {
            Some(_) => Ok(()),
            None => self.sends_are_enabled(rules, state, &proposal.system),
        }
    }

    /// Refuses to send to a system where the mode was set to execute by somebody who is not proven.
    pub(crate) fn sends_are_enabled(
        self,
        rules: &dyn Rules,
        state: &State,
        system: &str,
    ) -> Result<(), Refusal> {
        if self == Self::Claimed {
            return Ok(());
        }
        let is_set = (state.mode == Mode::Execute).then_some((None, &state.enabled));
        let own = state.switches.get(system);
        // One that was never set allows everything, and needs nobody for that.
        let own = own.filter(|own| own.mode == Mode::Execute && own.mode_was_set);
        let own = own.map(|own| (Some(&own.target), &own.enabled));
        for (target, enabled) in is_set.into_iter().chain(own) {
            let not_enabled = |by: &str, why: &str| Refusal::NotEnabled {
                cluster: target.map(|target| target.called().to_owned()),
                by: by.to_owned(),
                why: why.to_owned(),
            };
            let Some(enabled) = enabled else {
                return Err(not_enabled("somebody", UNNAMED));
            };
            vouched(enabled, rules, Enables::Mode(target))
                .map_err(|why| not_enabled(&format!("`{}`", enabled.by), &why))?;
        }
        Ok(())
    }

    /// Refuses what one is at whose pause was ended by somebody who is not proven: it holds still.
    pub(crate) fn nobody_is_paused(
        self,
        rules: &dyn Rules,
        state: &State,
        request: &Request,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self == Self::Claimed {
            return Ok(());
        }
        for (who, _) in request.proofs() {
            let Some(last) = state.pause_of(who) else {
                continue;
            };
            for pause in last.and_earlier() {
                let Some(ended) = &pause.ended else {
                    continue;
                };
                let why = match &pause.resumed {
                    None => UNNAMED.to_owned(),
                    Some(resumed) => match vouched(resumed, rules, Enables::Agent(&pause.agent)) {
                        // Who resumes an agent has seen the pauses before.
                        Ok(()) => break,
                        Err(why) => why,
                    },
                };
                if pause.would_hold_at(now) {
                    return Err(unverified(pause, &ended.by, &why));
                }
            }
        }
        Ok(())
    }
}

impl Guard {
    /// Why nothing is sent to a system by the mode: it is observe, or execute by the word of somebody who
    /// is not proven, where [that is wanted](Self::only_proven).
    #[must_use]
    pub fn observing(&self, state: &State, system: &str) -> Option<Refusal> {
        let enabled = || {
            let rules = rules_now(&self.rules);
            self.trust.sends_are_enabled(&*rules, state, system).err()
        };
        state.observing(system).or_else(enabled)
    }
}

/// That a pause holds which somebody ended who is not proven.
fn unverified(pause: &Pause, by: &Actor, why: &str) -> Refusal {
    let until = pause.until_in_words();
    let why = format!(
        "{until}: {}; `{by}` resumed it, which this gate cannot verify: {why}",
        pause.reason
    );
    Refusal::Paused {
        agent: pause.agent.to_string(),
        by: pause.by.to_string(),
        why,
    }
}

/// Whether it was them; else why that is not known.
fn vouched(enabled: &Enabled, rules: &dyn Rules, what: Enables<'_>) -> Result<(), String> {
    match enabled.is_vouched_for(rules, what) {
        Ok(()) => Ok(()),
        Err(Refusal::NotProven { why, .. }) => Err(why.to_owned()),
        Err(other) => Err(other.to_string()),
    }
}
