//! What people say to what was sent, and to what is not to be.

use std::sync::Arc;

use action_core::OutcomeKind;

use crate::guard::Guard;
use crate::guard::controls::Controls;
use crate::guard::error::GuardError;
use crate::identity::Actor;
use crate::records::Record;
use crate::state::ProposalStatus;

impl Guard {
    /// Where people decide, on the same journal and under the same rules.
    #[must_use]
    pub fn controls(&self) -> Controls {
        Controls::new(Arc::clone(&self.journal), Arc::clone(&self.rules))
    }

    /// Calls a proposal off. What is not sent yet is not sent. What was sent is not taken back by
    /// this: it is only followed no longer, and its outcome is unknown until
    /// [`recover`](Self::recover) looks.
    ///
    /// # Errors
    /// When it has ended or its outcome is unknown, or the journal cannot be written.
    pub async fn cancel(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<Arc<ProposalStatus>, GuardError> {
        let record = Record::Cancelled {
            id: id.to_owned(),
            by: by.clone(),
            reason: reason.to_owned(),
        };
        let status = self.say(id, record).await?;
        self.cancel_here(id);
        Ok(status)
    }

    /// Says how a mutation of unknown outcome ended, when nothing that can be read does.
    ///
    /// # Errors
    /// When its outcome is not unknown, when it is no person who says it, or the journal cannot be
    /// written.
    pub async fn resolve(
        &self,
        id: &str,
        by: &Actor,
        result: OutcomeKind,
        reason: &str,
    ) -> Result<Arc<ProposalStatus>, GuardError> {
        let record = Record::Resolved {
            id: id.to_owned(),
            by: by.clone(),
            result,
            reason: reason.to_owned(),
        };
        self.say(id, record).await
    }

    /// Gives up a lasting effect: it is somebody else's now, or not there any more. Nothing is
    /// sent.
    ///
    /// # Errors
    /// When it is not ours, or the journal cannot be written.
    pub async fn release(&self, id: &str, by: &Actor, reason: &str) -> Result<(), GuardError> {
        self.write(Record::Released {
            id: id.to_owned(),
            by: by.clone(),
            reason: reason.to_owned(),
        })
        .await?;
        Ok(())
    }

    async fn say(&self, id: &str, record: Record) -> Result<Arc<ProposalStatus>, GuardError> {
        self.write(record).await?;
        self.proposal_status(id).await
    }
}
