//! What may be written when there is no space, and what "no space" is.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::journal::error::JournalError;
use crate::records::Record;
use crate::state::State;

/// Whether the reserve is there for this record.
pub(super) fn is_kept_for(record: &Record, state: &State) -> bool {
    match record {
        Record::Proposed { proposal, .. } => proposal
            .undoes
            .as_ref()
            .is_some_and(|undone| state.effects.contains_key(undone)),
        Record::Intent { id, .. } => state
            .proposal_status(id)
            .is_some_and(|status| status.proposal.undoes.is_some()),
        record => record.ends_something(),
    }
}

/// The same error, as what it comes to when nothing can be written.
pub(super) fn or_full(error: JournalError, place: &Path) -> JournalError {
    match error {
        JournalError::Io { source, .. } if is_full(&source) => {
            let path = place.to_owned();
            JournalError::Full { path, source }
        }
        other => other,
    }
}

/// Whether more space, or the right to write, would help.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::FileTooLarge
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::PermissionDenied
    )
}
