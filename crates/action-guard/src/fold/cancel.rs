//! What is not wanted any more: rejected before it is sent, or cancelled, sent or not.

use jiff::Timestamp;

use crate::fold::refuse::cancel;
use crate::identity::Actor;
use crate::proposal::{Phase, Refusal};
use crate::state::State;

impl State {
    pub(super) fn rejected(
        &mut self,
        id: &str,
        by: &Actor,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let status = self.pending(id, "rejected", at)?;
        status.cancel = Some(cancel(by, reason, at));
        self.end(id, Phase::Rejected, at);
        Ok(())
    }

    pub(super) fn expired(&mut self, id: &str, at: Timestamp) -> Result<(), Refusal> {
        let status = self.open_proposal(id, "ended")?;
        let phase = status.phase_at(at);
        if phase != Phase::Expired {
            return Err(Refusal::Phase {
                id: id.to_owned(),
                phase,
                wanted: "ended: it has not expired",
            });
        }
        self.end(id, Phase::Expired, at);
        Ok(())
    }

    pub(super) fn cancelled(
        &mut self,
        id: &str,
        by: &Actor,
        reason: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let status = self.open_proposal(id, "cancelled")?;
        // Whether it was swept up by now or not: it is over.
        if status.phase_at(at) == Phase::Expired {
            return Err(Refusal::Phase {
                id: id.to_owned(),
                phase: Phase::Expired,
                wanted: "cancelled",
            });
        }
        if status.phase == Phase::Unknown {
            // Nobody is following it: there is nothing to stop, only something to find out.
            return Err(Refusal::Phase {
                id: id.to_owned(),
                phase: status.phase,
                wanted: "cancelled, only recovered or resolved",
            });
        }
        status.cancel = Some(cancel(by, reason, at));
        if status.phase.is_unsent() {
            self.end(id, Phase::Cancelled, at);
        }
        Ok(())
    }
}
