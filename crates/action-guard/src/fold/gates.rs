//! Gates that are opened and closed.

use jiff::Timestamp;

use crate::fold::refuse::invalid_record;
use crate::proposal::Refusal;
use crate::state::{OpenGate, State};

/// How many are kept at hand. One that is forgotten says again that it is there before it does anything.
const MOST: usize = 64;

impl State {
    pub(super) fn gate_opened(
        &mut self,
        gate: &str,
        policy: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let is_hash = policy.len() == 64 && policy.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return Err(invalid_record("a policy that is no hash"));
        }
        let policy = policy.to_owned();
        self.gates.insert(gate.to_owned(), OpenGate { policy, at });
        while self.gates.len() > MOST {
            let oldest = self.gates.iter().min_by_key(|(_, gate)| gate.at);
            let Some(oldest) = oldest.map(|(gate, _)| gate.clone()) else {
                break;
            };
            self.gates.remove(&oldest);
        }
        Ok(())
    }

    pub(super) fn gate_closed(&mut self, gate: &str) -> Result<(), Refusal> {
        match self.gates.remove(gate) {
            Some(_) => Ok(()),
            None => Err(invalid_record("the end of a gate that is not open")),
        }
    }
}
