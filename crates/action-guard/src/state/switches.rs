//! The mode and the kill switch: of all systems, and of single ones.

use serde::{Deserialize, Serialize};

use crate::identity::Target;
use crate::proposal::{Mode, Refusal};
use crate::state::{Enabled, Killed, State};

/// How the mode and the kill switch of one system are set, beside those of all. What is set for all
/// holds for it, too: it can stop more by this, and allow nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Switch {
    /// The system.
    pub target: Target,
    /// Whether anything may be sent to it.
    pub mode: Mode,
    /// Whether somebody has set its mode: one that nobody has set is execute.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mode_was_set: bool,
    /// Who set it to execute, where somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Enabled>,
    /// Who stopped it, if it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub killed: Option<Killed>,
    /// The number of the record that last set one of both.
    pub last_switch: u64,
}

impl State {
    /// Who stopped everything on a system: all systems, or this one.
    #[must_use]
    pub fn killed_on(&self, system: &str) -> Option<&Killed> {
        let of_it = || self.switch_of(system)?.killed.as_ref();
        self.killed.as_ref().or_else(of_it)
    }

    /// Who stopped all systems, or one of these.
    pub(crate) fn killed_on_any<'s>(
        &self,
        systems: impl IntoIterator<Item = &'s String>,
    ) -> Option<&Killed> {
        let mut systems = systems.into_iter();
        let killed = self.killed.as_ref();
        killed.or_else(|| systems.find_map(|system| self.killed_on(system)))
    }

    /// Why nothing is sent to a system by the mode: that of all, or that of this one.
    #[must_use]
    pub fn observing(&self, system: &str) -> Option<Refusal> {
        if self.mode != Mode::Execute {
            return Some(Refusal::Observing);
        }
        let switch = self.switch_of(system)?;
        (switch.mode != Mode::Execute).then(|| Refusal::ClusterObserving {
            cluster: switch.target.called().to_owned(),
        })
    }

    /// The number of the record that last set the mode or the kill switch for a system.
    pub(crate) fn last_switch_on(&self, system: &str) -> u64 {
        let of_it = self.switch_of(system).map(|switch| switch.last_switch);
        of_it.unwrap_or_default().max(self.last_switch_of_all)
    }

    /// The switch of a system. One that was never set allows everything.
    pub(crate) fn switch_mut(&mut self, target: &Target) -> &mut Switch {
        let switch = || Switch {
            target: target.clone(),
            mode: Mode::Execute,
            mode_was_set: false,
            enabled: None,
            killed: None,
            last_switch: 0,
        };
        let switches = self.switches.entry(target.system.clone());
        switches.or_insert_with(switch)
    }

    fn switch_of(&self, system: &str) -> Option<&Switch> {
        self.switches.get(system)
    }
}
