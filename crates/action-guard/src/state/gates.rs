//! Gates on one journal, and by which policy each works.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::state::State;

/// A gate: a process that takes nobody's word, of which there may be several on one journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenGate {
    /// The hash of its policy's text.
    pub policy: String,
    /// Since when.
    pub at: Timestamp,
}

impl State {
    /// The gates that work by another policy than this one: those that live, and those that ended without a
    /// word.
    pub(crate) fn gates_by_another<'s>(
        &'s self,
        policy: &'s str,
    ) -> impl Iterator<Item = (&'s String, &'s OpenGate)> {
        let gates = self.gates.iter();
        gates.filter(move |(_, gate)| gate.policy != policy)
    }
}
