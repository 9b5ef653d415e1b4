//! What a database must do for a journal.

use std::fmt;
use std::sync::Arc;

use action_guard::{ClockNote, Hash, Head, JournalError, Record, SendLock, Sender};
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

    /// The lines about proposals of a [`key`], the oldest first.
    async fn lines_about(&mut self, key: &str) -> Result<Vec<Line>, Failure>;

    /// What the clock of a machine showed last, by which start of it that is.
    async fn clock_note(&mut self, boot: &str) -> Result<Option<ClockNote>, Failure>;

    /// Keeps what a clock shows, in the transaction.
    async fn note_clock(&mut self, note: &ClockNote) -> Result<(), Failure>;
}

/// What is found at the beginning of a transaction.
pub(crate) struct Begun {
    /// Where the chain ends.
    pub(crate) head: Head,
    /// Why sends are stopped by other means than a record, if they are.
    pub(crate) stopped: Option<&'static str>,
    /// What the clock shows that all who share the journal have.
    pub(crate) now: Timestamp,
}

/// The version of the tables, and the only one that is used.
///
/// 2: the proposal that a line is about; what clocks showed.
pub(crate) const LAYOUT: i32 = 2;

/// Why tables are not used: another version of this program made them.
pub(crate) fn other_layout(layout: i32) -> Option<String> {
    (layout != LAYOUT).then(|| {
        format!(
            "they have layout {layout}, but this program uses layout {LAYOUT}: use the version that created them, or start with a new journal"
        )
    })
}

/// A record as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) seq: u64,
    /// What proposal it is about, by its [`key`], if it is about one.
    pub(crate) about: Option<String>,
    pub(crate) text: String,
}

/// A row of the lines.
pub(crate) type Row = (i64, Option<String>, String);

/// A row of what clocks showed: for how long which start of a machine was up, and what it showed.
pub(crate) type ClockRow = (i64, i64);

impl Line {
    /// A row.
    pub(crate) fn row((seq, about, text): Row) -> Self {
        Self {
            seq: unsigned(seq),
            about,
            text,
        }
    }
}

/// By what the lines about a proposal are found: of one length, and text that every database keeps
/// as it is. Two may have the same: what is found is compared with the whole id.
pub(crate) fn key(proposal: &str) -> String {
    let mut digits = Hash::of(proposal.as_bytes()).to_string();
    digits.truncate(16);
    digits
}

/// The [`key`] of the proposal that a record is about.
pub(crate) fn about(record: &Record) -> Option<String> {
    record.proposal_id().map(key)
}

/// What a clock showed, as it is kept.
pub(crate) fn noted(boot: &str, (up_ms, shows_ms): ClockRow) -> Option<ClockNote> {
    ClockNote::read(boot, u64::try_from(up_ms).ok()?, shows_ms)
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
            "`{}` is not an instance of a journal in a database",
            action_core::printable(instance)
        )
        .into(),
    })
}
