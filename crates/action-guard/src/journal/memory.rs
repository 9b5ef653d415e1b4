//! A journal that is gone with the process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use crate::journal::clock::Clock;
use crate::journal::error::{CommitError, JournalError};
use crate::journal::ledger::Ledger;
use crate::journal::send_lock::{SendLock, Sender};
use crate::journal::{Checking, Decision, Head, Journal, Verified};
use crate::records::Entry;
use crate::state::State;

/// A journal in memory, for tests and for programs that keep their records elsewhere.
///
/// After a crash nothing of it is left, and what was sent cannot be recovered.
#[derive(Debug)]
pub struct MemoryJournal {
    instance: String,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    ledger: Ledger,
    clock: Clock,
    lines: Vec<(Entry, String)>,
    stopped: bool,
    alive: BTreeSet<String>,
    sending: BTreeMap<Uuid, Sender>,
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::over(Arc::default())
    }
}

impl MemoryJournal {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another instance on the same records, as another process would be. It outlives this one.
    #[must_use]
    pub fn another_instance(&self) -> Self {
        Self::over(Arc::clone(&self.kept))
    }

    fn over(kept: Arc<Mutex<Kept>>) -> Self {
        let instance = Uuid::now_v7().to_string();
        lock(&kept).alive.insert(instance.clone());
        Self { instance, kept }
    }
}

impl Drop for MemoryJournal {
    fn drop(&mut self) {
        lock(&self.kept).alive.remove(&self.instance);
    }
}

/// The send lock, held.
struct Sending {
    key: Uuid,
    kept: Arc<Mutex<Kept>>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        lock(&self.kept).sending.remove(&self.key);
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    fn instance(&self) -> &str {
        &self.instance
    }

    async fn commit(&self, decision: Decision) -> Result<Vec<Entry>, CommitError> {
        let mut kept = lock(&self.kept);
        let kept = &mut *kept;
        let reading = kept.clock.read(Timestamp::now(), kept.ledger.state());
        let ledger = &mut kept.ledger;
        let records = decision(ledger.state(), ledger.time(reading.time()))?;
        let now = reading.time_for(&records)?;
        let sealed = ledger.write(records, now, &self.instance)?;
        let entries = sealed.iter().map(|sealed| sealed.entry.clone()).collect();
        let lines = sealed.into_iter().map(|sealed| (sealed.entry, sealed.line));
        kept.lines.extend(lines);
        Ok(entries)
    }

    async fn state(&self) -> Result<Arc<State>, JournalError> {
        Ok(Arc::clone(lock(&self.kept).ledger.state()))
    }

    async fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let kept = lock(&self.kept);
        let entries = kept.lines.iter().map(|(entry, _)| entry);
        Ok(entries
            .filter(|entry| entry.seq > after)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn head(&self) -> Result<Head, JournalError> {
        Ok(lock(&self.kept).ledger.head())
    }

    async fn verify_showing(&self, _: Checking) -> Result<Verified, JournalError> {
        let kept = lock(&self.kept);
        let mut ledger = Ledger::new();
        for (at, (_, line)) in kept.lines.iter().enumerate() {
            ledger
                .follow(line.as_bytes())
                .map_err(|source| JournalError::bad_line("memory", at + 1, source))?;
        }
        Ok(Verified::new(1, ledger.head(), 1))
    }

    async fn is_stopped(&self) -> Result<bool, JournalError> {
        Ok(lock(&self.kept).stopped)
    }

    async fn stop(&self) -> Result<(), JournalError> {
        lock(&self.kept).stopped = true;
        Ok(())
    }

    async fn unstop(&self) -> Result<(), JournalError> {
        lock(&self.kept).stopped = false;
        Ok(())
    }

    async fn send_lock(&self, proposal: &str) -> Result<SendLock, JournalError> {
        let (key, kept) = (Uuid::now_v7(), Arc::clone(&self.kept));
        let sender = Sender::here(proposal, &self.instance);
        lock(&kept).sending.insert(key, sender);
        Ok(SendLock::new(Sending { key, kept }))
    }

    async fn senders(&self) -> Result<Vec<Sender>, JournalError> {
        Ok(lock(&self.kept).sending.values().cloned().collect())
    }

    async fn is_alive(&self, instance: &str) -> Result<bool, JournalError> {
        Ok(lock(&self.kept).alive.contains(instance))
    }
}

/// A decision that panicked wrote nothing: what is here is whole.
fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
