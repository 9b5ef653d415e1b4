//! Whether people have agreed, for everybody for whom the rules want that.

use jiff::Timestamp;

use crate::proposal::{Approval, Refusal, Ruling};
use crate::state::ProposalStatus;

impl ProposalStatus {
    /// Whether each ruling has the agreements that it takes, at a time.
    pub(super) fn is_agreed_at(&self, at: Timestamp) -> bool {
        let id = &self.proposal.id;
        self.rulings().all(|ruling| {
            let counts = |approval: &&Approval| {
                approval.expires_at > at && approval.fits(id, ruling).is_ok()
            };
            self.approvals.iter().filter(counts).count() >= ruling.approvals_needed()
        })
    }

    /// Refuses an agreement that none of the rulings asks for.
    pub(super) fn asks_for(&self, approval: &Approval) -> Result<(), Refusal> {
        let wants = self
            .rulings()
            .filter(|ruling| matches!(ruling, Ruling::Approve { .. }));
        let mut refused = Ok(());
        for ruling in wants {
            refused = approval.fits(&self.proposal.id, ruling);
            if refused.is_ok() {
                break;
            }
        }
        refused
    }
}
