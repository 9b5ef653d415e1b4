//! The journal in a directory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::journal::batch::WaitingDecision;
use crate::journal::error::{CommitError, JournalError};
use crate::journal::file::directory::{Directory, is_writable_by_all};
use crate::journal::file::known::Known;
use crate::journal::file::owner::Owner;
use crate::journal::file::tail::Tail;
use crate::journal::file::writer::Writer;
use crate::journal::send_lock::{SendLock, Sender};
use crate::journal::{Checking, Decision, Head, Journal, Verified};
use crate::records::Entry;
use crate::state::State;

pub use send_lock_file::SendLockFile;

mod clock_file;
mod directory;
mod index;
mod known;
mod lines;
mod lock;
mod lock_holder;
mod owner;
mod read;
mod reserve;
mod rotate;
mod send_lock_file;
mod sender_names;
mod space;
mod tail;
mod verify;
mod writer;

/// A journal in a state directory that any number of processes share.
///
/// ```text
/// journal/00000000000000000001.jsonl   a segment, named by the number of its first record;
///                                      all but the first begin with a checkpoint
/// index/00000000000000000001           which lines of a closed segment are about which proposal;
///                                      made anew when it is missing or another
/// lock                                 held while a transaction is written; names its holder
/// reserve                              space that is given back when the disk is full, so that
///                                      answers, outcomes and undos can still be written
/// owners/<instance>                    held while a process lives that has open intents
/// sending.lock, sending/               held while a request is handed over, and by whom
/// clock                                what the clock showed last, to see a leap of it
/// KILL                                 nothing is sent while this exists
/// ```
///
/// A record is durable when [`commit`](Journal::commit) returns: it was written and synced.
/// Decisions that wait while others are synced share the next sync. What a crash left of a last
/// line is cut off by the next commit; any other damage is an error, and nothing is sent. After a
/// failed sync this process writes nothing more. Readers take no lock.
///
/// The directory must be on a file system whose locks hold between all processes that use it.
#[derive(Debug)]
pub struct FileJournal {
    instance: String,
    directory: Directory,
    waiting: mpsc::Sender<WaitingDecision>,
    reader: Arc<Mutex<Option<Tail>>>,
    known: Arc<Known>,
    syncs: Arc<AtomicU64>,
    broken: Arc<AtomicBool>,
    /// Whether this process may begin threads.
    has_threads: bool,
}

/// How a [`FileJournal`] is opened.
#[derive(Debug, Clone)]
pub struct FileJournalOptions {
    segment_bytes: u64,
    lock_wait: Duration,
}

impl Default for FileJournalOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 16 * 1024 * 1024,
            lock_wait: Duration::from_secs(10),
        }
    }
}

impl FileJournalOptions {
    /// A new segment is begun when this much was added to the last one.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// How long a commit waits for the lock.
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Opens the journal in a state directory, and makes the directory if there is none.
    ///
    /// Nothing is read yet: damage shows when it is used.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(self, directory: impl Into<PathBuf>) -> Result<FileJournal, JournalError> {
        let directory = Directory::open(directory.into())?;
        let (journal, begun) = self.begin(directory);
        begun.map_err(journal.directory.failed("start the writer of"))?;
        Ok(journal)
    }

    /// The same for who stops sends, or looks whether they are stopped, which does not fail: what
    /// cannot be made is missed only by what needs it, and a stop needs none of it.
    #[must_use]
    pub fn open_to_stop(self, directory: impl Into<PathBuf>) -> FileJournal {
        let directory = Directory::open_as_it_is(directory.into());
        let (mut journal, begun) = self.begin(directory);
        journal.has_threads = begun.is_ok();
        journal
    }

    /// A journal, and whether its writer has begun.
    fn begin(self, directory: Directory) -> (FileJournal, io::Result<()>) {
        let instance = Uuid::now_v7().to_string();
        let syncs = Arc::new(AtomicU64::new(0));
        let broken = Arc::new(AtomicBool::new(false));
        let reader = Arc::new(Mutex::new(None));
        let known = Arc::new(Known::default());
        let writer = Writer::new(
            directory.clone(),
            instance.clone(),
            self.segment_bytes,
            self.lock_wait,
            (Arc::clone(&reader), Arc::clone(&known)),
            Arc::clone(&syncs),
            Arc::clone(&broken),
        );
        let (waiting, queue) = mpsc::channel();
        let begun = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(&queue));
        let journal = FileJournal {
            instance,
            directory,
            waiting,
            reader,
            known,
            syncs,
            broken,
            has_threads: true,
        };
        (journal, begun.map(drop))
    }
}

impl FileJournal {
    /// Opens the journal in a state directory, and makes the directory if there is none.
    ///
    /// Nothing is read yet: damage shows when it is used.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, JournalError> {
        Self::options().open(directory)
    }

    /// The same for who stops sends, or looks whether they are stopped, which does not fail.
    #[must_use]
    pub fn open_to_stop(directory: impl Into<PathBuf>) -> Self {
        Self::options().open_to_stop(directory)
    }

    /// How it is opened.
    #[must_use]
    pub fn options() -> FileJournalOptions {
        FileJournalOptions::default()
    }

    /// The state directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Whether every user of this machine can write the state directory, and so stop or forge what
    /// is there.
    #[must_use]
    pub fn is_writable_by_all(&self) -> bool {
        is_writable_by_all(self.directory.path())
    }

    /// How many times this instance has synced a file or a directory.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Reads on to the end, and something of what is there.
    async fn read<T: Send + 'static>(&self, see: fn(&Tail) -> T) -> Result<T, JournalError> {
        if let Some(seen) = self.read_already(see) {
            return Ok(seen);
        }
        let (reader, known) = (Arc::clone(&self.reader), Arc::clone(&self.known));
        self.blocking(move |directory| {
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let (mut tail, mut is_anew) = match reader.take() {
                Some(tail) => (tail, false),
                None => (Tail::open(directory)?, true),
            };
            let before = tail.ledger().head();
            if tail.advance(directory).is_err() {
                // What was not synced may have been taken back since it was read.
                (tail, is_anew) = (Tail::open(directory)?, true);
            }
            known.holds(directory, &tail, is_anew)?;
            if !is_anew {
                known.keep(before);
            }
            let seen = see(&tail);
            *reader = Some(tail);
            Ok(seen)
        })
        .await
    }

    /// The same, where there is nothing to read on: two looks at a directory are less than handing
    /// them to another thread, which is what most of a mutation's time went to.
    fn read_already<T>(&self, see: fn(&Tail) -> T) -> Option<T> {
        let reader = self.reader.try_lock().ok()?;
        let tail = reader.as_ref()?;
        tail.is_at_end(&self.directory).then(|| {
            self.known.keep(tail.ledger().head());
            see(tail)
        })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Directory) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        if !self.has_threads {
            return work(&self.directory);
        }
        let directory = self.directory.clone();
        let done = tokio::task::spawn_blocking(move || work(&directory)).await;
        done.unwrap_or(Err(JournalError::Stopped))
    }
}

#[async_trait]
impl Journal for FileJournal {
    fn instance(&self) -> &str {
        &self.instance
    }

    async fn commit(&self, decision: Decision) -> Result<Vec<Entry>, CommitError> {
        let (waiting, answer) = WaitingDecision::new(decision);
        let sent = self.waiting.send(waiting);
        sent.map_err(|_| JournalError::Stopped)?;
        answer.await
    }

    async fn state(&self) -> Result<Arc<State>, JournalError> {
        self.read(|tail| Arc::clone(tail.ledger().state())).await
    }

    async fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.blocking(move |directory| read::entries(directory, after, limit))
            .await
    }

    async fn entries_of(&self, proposal: &str) -> Result<Vec<Entry>, JournalError> {
        let proposal = proposal.to_owned();
        self.blocking(move |directory| read::entries_of(directory, &proposal))
            .await
    }

    async fn entries_with(&self, beginning: &str) -> Result<Vec<Entry>, JournalError> {
        let beginning = beginning.to_owned();
        self.blocking(move |directory| read::entries_with(directory, &beginning))
            .await
    }

    async fn head(&self) -> Result<Head, JournalError> {
        self.read(|tail| tail.ledger().head()).await
    }

    async fn verify_showing(&self, progress: Checking) -> Result<Verified, JournalError> {
        self.blocking(move |directory| verify::verify(directory, progress))
            .await
    }

    async fn is_stopped(&self) -> Result<bool, JournalError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(JournalError::Broken);
        }
        self.directory.is_stopped()
    }

    async fn stop(&self) -> Result<(), JournalError> {
        self.blocking(Directory::stop).await
    }

    async fn unstop(&self) -> Result<(), JournalError> {
        self.blocking(Directory::unstop).await
    }

    async fn send_lock(&self, proposal: &str) -> Result<SendLock, JournalError> {
        let (proposal, instance) = (proposal.to_owned(), self.instance.clone());
        self.blocking(move |directory| {
            SendLockFile::of(directory.path()).hold(&proposal, &instance)
        })
        .await
    }

    async fn senders(&self) -> Result<Vec<Sender>, JournalError> {
        self.blocking(|directory| SendLockFile::of(directory.path()).senders())
            .await
    }

    async fn is_alive(&self, instance: &str) -> Result<bool, JournalError> {
        if instance == self.instance {
            return Ok(true);
        }
        let instance = instance.to_owned();
        self.blocking(move |directory| Owner::is_alive(directory, &instance))
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Outside of a runtime, which could begin none for it either.
    #[test]
    fn who_may_begin_no_thread_stops_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = FileJournal::open_to_stop(directory.path());
        journal.has_threads = false;
        let mut context = Context::from_waker(Waker::noop());
        let stopped = pin!(journal.stop()).poll(&mut context);
        assert!(matches!(stopped, Poll::Ready(Ok(()))), "{stopped:?}");
        assert!(directory.path().join("KILL").exists());
        let senders = pin!(journal.senders()).poll(&mut context);
        assert!(matches!(&senders, Poll::Ready(Ok(none)) if none.is_empty()));
    }
}
