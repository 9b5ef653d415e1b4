//! Where records are kept, in an order that all processes share.

use std::fmt;
use std::sync::Arc;

use action_core::Done;
use async_trait::async_trait;
use jiff::Timestamp;

use crate::proposal::Refusal;
use crate::records::{Entry, Hash, Record};
use crate::state::State;

mod batch;
mod clock;
mod clock_note;
mod error;
mod file;
mod ledger;
mod memory;
mod send_lock;

pub use batch::{Batch, Replies, WaitingDecision};
pub use clock::{Clock, ClockReading};
pub use clock_note::ClockNote;
pub use error::{CommitError, JournalError};
pub use file::{FileJournal, FileJournalOptions, SendLockFile};
pub use ledger::{Ledger, Sealed};
pub use memory::MemoryJournal;
pub use send_lock::{SendLock, Sender};

/// What to write, decided on the state as it is at the very moment of writing.
///
/// Called once. An empty list writes nothing.
pub type Decision = Box<dyn FnOnce(&State, Timestamp) -> Result<Vec<Record>, Refusal> + Send>;

/// Takes how much of a journal is checked.
pub type Checking = Box<dyn FnMut(Done) + Send>;

/// How many entries are read at a time where all are looked through.
const AT_A_TIME: usize = 1_000;

/// What becomes of a decision: the entries that are durable, or why nothing was written.
pub type Reply = Result<Vec<Entry>, CommitError>;

/// Where records are kept, so that every process that shares it sees the same ones in the same
/// order.
///
/// An implementation numbers, chains and folds with a [`Ledger`], which also refuses what cannot
/// follow, and answers those who wait with a [`Batch`]. What it adds is durability and mutual
/// exclusion.
#[async_trait]
pub trait Journal: fmt::Debug + Send + Sync + 'static {
    /// This process instance: unique, and never used again.
    fn instance(&self) -> &str;

    /// One transaction: locks, reads what others wrote, decides, writes, syncs, unlocks.
    ///
    /// When it returns `Ok`, the records are durable. Many waiting decisions may share one
    /// transaction; each sees what those before it decided. A record that cannot follow is refused,
    /// with all records of its decision. Dropping the future does not undo the decision.
    ///
    /// # Errors
    /// [`CommitError::Refused`] when the state does not allow it: nothing was written. Of any other
    /// error it is not known whether the records were written; nothing may be sent on their
    /// strength.
    async fn commit(&self, decision: Decision) -> Result<Vec<Entry>, CommitError>;

    /// The state as it is now, without waiting for writers.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn state(&self) -> Result<Arc<State>, JournalError>;

    /// Entries with numbers above `after`, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, JournalError>;

    /// All entries of a proposal, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn entries_of(&self, proposal: &str) -> Result<Vec<Entry>, JournalError> {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let entries = self.entries(after, AT_A_TIME).await?;
            let Some(last) = entries.last() else {
                return Ok(found);
            };
            after = last.seq;
            let is_meant = |entry: &Entry| entry.record.proposal_id() == Some(proposal);
            found.extend(entries.into_iter().filter(is_meant));
        }
    }

    /// All entries in which an id begins with this text, the oldest first, without checkpoints. So what
    /// is meant by the first digits of an id is found however long ago it was.
    ///
    /// # Errors
    /// When they cannot be read.
    async fn entries_with(&self, beginning: &str) -> Result<Vec<Entry>, JournalError> {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let entries = self.entries(after, AT_A_TIME).await?;
            let Some(last) = entries.last() else {
                return Ok(found);
            };
            after = last.seq;
            found.extend(entries.into_iter().filter(|entry| entry.has(beginning)));
        }
    }

    /// The end of the chain as it is now. What is before it is not checked by this.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn head(&self) -> Result<Head, JournalError>;

    /// Reads everything and checks every hash, number and transition.
    ///
    /// # Errors
    /// The first record that is not as it was written, or cannot be.
    async fn verify(&self) -> Result<Verified, JournalError> {
        self.verify_showing(Box::new(|_| {})).await
    }

    /// The same, and says how far it is.
    ///
    /// # Errors
    /// The first record that is not as it was written, or cannot be.
    async fn verify_showing(&self, progress: Checking) -> Result<Verified, JournalError>;

    /// Whether sends are stopped by other means than a record, such as a file that a person put
    /// there. Asked right before each send.
    ///
    /// # Errors
    /// When this cannot be found out; nothing is sent then.
    async fn is_stopped(&self) -> Result<bool, JournalError>;

    /// Stops sends by that other means, also when no record can be written.
    ///
    /// # Errors
    /// When it cannot.
    async fn stop(&self) -> Result<(), JournalError>;

    /// Ends that.
    ///
    /// # Errors
    /// When it cannot.
    async fn unstop(&self) -> Result<(), JournalError>;

    /// Takes the send lock for the request of a proposal. Taken before the last look whether it may
    /// be sent, and held until it is handed over: who stops sends, and then finds that nobody holds
    /// the lock, knows that nobody sends on the strength of an older look.
    ///
    /// # Errors
    /// When it cannot be had; nothing is sent then.
    async fn send_lock(&self, proposal: &str) -> Result<SendLock, JournalError>;

    /// Takes the send lock exclusively for a moment; when that cannot be, says who holds it. Does
    /// not wait.
    ///
    /// # Errors
    /// When this cannot be found out.
    async fn senders(&self) -> Result<Vec<Sender>, JournalError>;

    /// Whether an instance that is not alive by [`is_alive`](Self::is_alive) can send nothing more.
    ///
    /// So it is where the system itself lets go of what a process held, and only then. Where it may
    /// only have lost its connection, say no: what it left is then given the time that its intent
    /// names on top.
    fn is_death_certain(&self) -> bool {
        true
    }

    /// Whether a process instance still lives. In doubt it does.
    ///
    /// # Errors
    /// When this cannot be found out.
    async fn is_alive(&self, instance: &str) -> Result<bool, JournalError>;
}

/// The end of the chain. Kept elsewhere, it shows later that nothing before it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Head {
    /// The number of the last record; 0 when there is none.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// The end of a chain.
    #[must_use]
    pub fn new(seq: u64, hash: Hash) -> Self {
        Self { seq, hash }
    }
}

/// What a journal that is as it was written consists of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Verified {
    /// The number of the oldest record that is still here.
    pub first: u64,
    /// Its end.
    pub head: Head,
    /// How many pieces it is kept in.
    pub segments: usize,
    /// How many bytes of half a line are after its end: a record that is being written now, or that was
    /// cut off, of which nothing was done. The next record takes its place.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub half_line_bytes: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

impl Verified {
    /// From this record to this end, in so many pieces.
    #[must_use]
    pub fn new(first: u64, head: Head, segments: usize) -> Self {
        Self {
            first,
            head,
            segments,
            half_line_bytes: 0,
        }
    }

    /// The same, with so many bytes of half a line after it.
    #[must_use]
    pub fn half_line(mut self, bytes: u64) -> Self {
        self.half_line_bytes = bytes;
        self
    }
}
