//! What a database must do for a journal.

use std::fmt;
use std::sync::Arc;

use action_guard::{Head, JournalError, SendLock, Sender};
use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use crate::failure::Failure;

/// Where a journal is kept, and who else is there.
#[async_trait]
pub(crate) trait Place: fmt::Debug + Send + Sync + 'static {
    /// What messages call it.
    fn name(&self) -> &Arc<str>;

    /// The instance that is here.
    fn instance(&self) -> &str;

    /// Makes what is missing, looks whether it can be relied on, and says that the instance lives.
    async fn enter(&self) -> Result<(), JournalError>;

    /// Keeps saying so, until it is dropped.
    async fn stay(&self);

    /// No longer says so.
    async fn leave(&self);

    /// A way to the tables, which connects when it is first used.
    fn store(&self) -> Box<dyn Store>;

    /// Sends may begin until then. Said before the intents can be read by anybody.
    fn sends_until(&self, _send_by: Timestamp) {}

    /// Whether a process may go on after a commit of which it is not known how it ended. With a
    /// server it asks the server; without one, nobody knows what is on disk.
    fn outlives_unclear_commits(&self) -> bool;

    async fn is_alive(&self, instance: &str) -> Result<bool, JournalError>;
    async fn is_stopped(&self) -> Result<bool, JournalError>;
    async fn stop(&self) -> Result<(), JournalError>;
    async fn unstop(&self) -> Result<(), JournalError>;

    /// The send lock, shared, for the request of a proposal.
    async fn send_lock(&self, proposal: &str) -> Result<SendLock, JournalError>;

    /// Who holds the send lock.
    async fn senders(&self) -> Result<Vec<Sender>, JournalError>;
}

/// One connection. After a failure it is gone, with its transaction, and the next call makes
/// another.
#[async_trait]
pub(crate) trait Store: Send {
    /// Begins the transaction that nobody else can be in at the same time.
    async fn begin(&mut self) -> Result<Begun, Failure>;

    /// Adds lines, and says where the chain ends now. A new segment begins with the last of them.
    async fn add(&mut self, lines: &[Line], head: Head, segment: bool) -> Result<(), Failure>;

    /// Makes it durable. When it fails otherwise than by [`Failure::wrote_nothing`], it is not
    /// known whether it was.
    async fn commit(&mut self) -> Result<(), Failure>;

    /// Ends a transaction that wrote nothing.
    async fn release(&mut self);

    /// Gives up the connection.
    fn abandon(&mut self);

    /// Where the chain ends.
    async fn head(&mut self) -> Result<Head, Failure>;

    /// The number of the first record of the last segment.
    async fn last_segment(&mut self) -> Result<u64, Failure>;

    /// Lines above a number, the oldest first.
    async fn lines(&mut self, after: u64, limit: u32) -> Result<Vec<Line>, Failure>;
}

/// What is found at the beginning of a transaction.
pub(crate) struct Begun {
    /// Where the chain ends.
    pub(crate) head: Head,
    /// Why sends are stopped by other means than a record, if they are.
    pub(crate) stopped: Option<&'static str>,
    /// What time it is, by the clock that all who share the journal have.
    pub(crate) now: Timestamp,
}

/// A record as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) seq: u64,
    pub(crate) text: String,
}

impl Line {
    /// A row.
    pub(crate) fn row((seq, text): (i64, String)) -> Self {
        Self {
            seq: unsigned(seq),
            text,
        }
    }
}

/// Databases have no unsigned numbers; a negative one is none of ours, and nothing follows it.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// As a database takes it.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The instance, if it is one that a journal like this has: it becomes a name or a number.
pub(crate) fn known_instance(instance: &str) -> Result<Uuid, JournalError> {
    Uuid::try_parse(instance).map_err(|_| JournalError::Store {
        source: format!(
            "`{}` is no instance of a journal in a database",
            action_core::printable(instance)
        )
        .into(),
    })
}
