//! The part of every journal that is the same: numbers, hashes and the state.

use std::sync::Arc;

use jiff::Timestamp;

use crate::journal::Head;
use crate::journal::clock::not_behind;
use crate::journal::error::{CommitError, JournalError};
use crate::records::{BadLine, Entry, Hash, Record};
use crate::state::State;

/// The end of a chain and the state it adds up to. Every [`Journal`](crate::Journal) has one, and
/// brings it up to date before it decides.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    state: Arc<State>,
    head: Hash,
}

/// An entry and its line, ready to be kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sealed {
    /// The entry.
    pub entry: Entry,
    /// Its line, without an end.
    pub line: String,
}

impl Ledger {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What it adds up to.
    #[must_use]
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Its end.
    #[must_use]
    pub fn head(&self) -> Head {
        Head::new(self.state.seq, self.head)
    }

    /// Takes in a line that somebody wrote.
    ///
    /// The first line of a ledger may be any first line of a segment.
    ///
    /// # Errors
    /// What is wrong with it. The ledger is as it was.
    pub fn follow(&mut self, line: &[u8]) -> Result<Entry, BadLine> {
        let begins = self.state.seq == 0;
        let entry = Entry::read(line, (!begins).then_some(self.head))?;
        if begins && entry.seq != 1 && !matches!(entry.record, Record::Checkpoint { .. }) {
            return Err(BadLine::Detached {
                seq: entry.seq,
                names: entry.prev,
                found: Hash::ZERO,
            });
        }
        self.take(&entry)?;
        Ok(entry)
    }

    /// The time in this chain when a clock shows this: never before its last record.
    #[must_use]
    pub fn time(&self, now: Timestamp) -> Timestamp {
        self.state.at.map_or(now, |at| at.max(now))
    }

    /// Takes in records as they are to be written. All or nothing.
    ///
    /// # Errors
    /// Why they cannot follow, or that the clock is behind the last of those that are here. The
    /// ledger is as it was.
    pub fn write(
        &mut self,
        records: Vec<Record>,
        now: Timestamp,
        instance: &str,
    ) -> Result<Vec<Sealed>, CommitError> {
        not_behind(&records, self.state.at, now)?;
        let now = self.time(now);
        let saved = (records.len() > 1).then(|| self.clone());
        let mut sealed = Vec::with_capacity(records.len());
        for record in records {
            match self.write_one(record, now, instance) {
                Ok(one) => sealed.push(one),
                Err(error) => {
                    if let Some(saved) = saved {
                        *self = saved;
                    }
                    return Err(error);
                }
            }
        }
        Ok(sealed)
    }

    fn write_one(
        &mut self,
        record: Record,
        now: Timestamp,
        instance: &str,
    ) -> Result<Sealed, CommitError> {
        let target = self.state.target_of(&record);
        let seq = self.state.seq + 1;
        let (entry, line) = Entry::seal(seq, now, instance, self.head, target, record)
            .map_err(|source| JournalError::Record { source })?;
        Arc::make_mut(&mut self.state).apply(&entry)?;
        self.head = entry.hash;
        Ok(Sealed { entry, line })
    }

    /// Takes in an entry that is known to be as it was written.
    pub(super) fn take(&mut self, entry: &Entry) -> Result<(), BadLine> {
        let applied = Arc::make_mut(&mut self.state).apply(entry);
        applied.map_err(|source| BadLine::Impossible {
            seq: entry.seq,
            source,
        })?;
        self.head = entry.hash;
        Ok(())
    }
}

/// The lines of these entries, each with its end.
pub(super) fn lines<'a>(sealed: impl IntoIterator<Item = &'a Sealed>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for sealed in sealed {
        bytes.extend_from_slice(sealed.line.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}
