//! What this process has seen of a journal: records do not go away under it.

use std::sync::{Mutex, PoisonError};

use crate::journal::Head;
use crate::journal::error::JournalError;
use crate::journal::file::directory::Directory;
use crate::journal::file::read;
use crate::journal::file::tail::Tail;

/// The last record that this process is sure of: it was read under the lock, was written here, or was still
/// there at a later look. One that was not synced may be taken back by who wrote it.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Option<Head>>);

impl Known {
    /// Keeps that so much is there.
    pub(super) fn keep(&self, head: Head) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none_or(|known| known.seq < head.seq) {
            *known = Some(head);
        }
    }

    /// Refuses a journal that lacks what this process is sure of, where it was read from its beginning or ends
    /// before that: what was stopped or revoked would not be any more. It stays refused until the process
    /// begins anew.
    pub(super) fn holds(
        &self,
        directory: &Directory,
        tail: &Tail,
        is_anew: bool,
    ) -> Result<(), JournalError> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known.filter(|known| known.seq > 0) else {
            return Ok(());
        };
        let head = tail.ledger().head();
        if !is_anew && head.seq >= known.seq {
            return Ok(());
        }
        let is_there = match head.seq == known.seq {
            true => head.hash == known.hash,
            false => {
                let found = read::entries(directory, known.seq - 1, 1)?;
                found.first().is_some_and(|entry| entry.hash == known.hash)
            }
        };
        if is_there {
            return Ok(());
        }
        Err(JournalError::Cut {
            segment: tail.segment().name(),
            what: format!(
                "record {}, which this process has seen, is gone or another: check it with `journal verify` and a head that was kept elsewhere, then restart this process",
                known.seq
            ),
        })
    }
}
