//! Who let sends go on.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::{Actor, Proof};
use crate::state::State;

/// Who enabled sends that were not, and what shows that it was them. A guard that takes nobody's word
/// verifies it before each send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Enabled {
    /// Who.
    pub by: Actor,
    /// The number of the switch, or of the pause, that it followed. What is signed names it.
    pub after: u64,
    /// When it was written down. What was signed long before, such as for another journal, does not count.
    pub at: Timestamp,
    /// Their signature, if they signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// The signature of the gate that they asked, if it signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<Proof>,
}

impl Enabled {
    pub(crate) fn new(
        by: &Actor,
        (after, at): (u64, Timestamp),
        proof: Option<&Proof>,
        attested: Option<&Proof>,
    ) -> Self {
        Self {
            by: by.clone(),
            after,
            at,
            proof: proof.cloned(),
            attested: attested.cloned(),
        }
    }
}

impl State {
    /// Drops who enabled sends, which states of earlier versions do not have.
    pub(crate) fn forget_who_enabled(&mut self) {
        self.enabled = None;
        for switch in self.switches.values_mut() {
            (switch.enabled, switch.mode_was_set) = (None, false);
        }
        for pause in self.pauses.values_mut() {
            Arc::make_mut(pause).resumed = None;
        }
    }
}
