//! The journal: a thread that writes, and readers beside it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use action_guard::{
    Checking, CommitError, Decision, Entry, Head, Journal, JournalError, SendLock, Sender, State,
    Verified, WaitingDecision,
};
use async_trait::async_trait;
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, oneshot};
use uuid::Uuid;

use crate::failure::io_error;
use crate::options::SqlOptions;
use crate::reader::{self, Latest, Reader};
use crate::store::Place;
use crate::writer::Writer;

/// A journal in a database that any number of processes share.
///
/// It has a thread of its own that talks to the database, so that a program that keeps its own
/// threads busy does not keep the head from others, and so that any executor can wait for it.
///
/// A record is durable when [`commit`](Journal::commit) returns: the database said so. When it
/// could not say, the error does, and nothing may be sent on the strength of it.
pub struct SqlJournal {
    place: Arc<dyn Place>,
    reader: Arc<Mutex<Reader>>,
    waiting: UnboundedSender<WaitingDecision>,
    runtime: Handle,
    commits: Arc<AtomicU64>,
    broken: Arc<AtomicBool>,
    /// The thread ends when this is dropped and all decisions are made.
    _stay: oneshot::Sender<()>,
}

impl fmt::Debug for SqlJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlJournal")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl SqlOptions {
    /// Opens the journal in a state directory, and makes the directory if there is none.
    ///
    /// # Errors
    /// When it cannot be made or read.
    #[cfg(feature = "sqlite")]
    pub async fn sqlite(
        self,
        directory: impl Into<std::path::PathBuf>,
    ) -> Result<SqlJournal, JournalError> {
        let instance = Uuid::now_v7().to_string();
        let place = crate::sqlite::SqlitePlace::new(directory.into(), instance, &self);
        SqlJournal::open(Arc::new(place), &self).await
    }

    /// Opens the journal in a PostgreSQL database, and makes its schema if there is none.
    ///
    /// # Errors
    /// When the address is none, when the server cannot be reached, or when what it says is
    /// written may not be.
    #[cfg(feature = "postgres")]
    pub async fn postgres(self, url: &str) -> Result<SqlJournal, JournalError> {
        let instance = Uuid::now_v7().to_string();
        let place = crate::postgres::PostgresPlace::new(url, instance, &self)?;
        SqlJournal::open(Arc::new(place), &self).await
    }
}

impl SqlJournal {
    /// How it is opened.
    #[must_use]
    pub fn options() -> SqlOptions {
        SqlOptions::default()
    }

    /// Opens the journal in a state directory, and makes the directory if there is none.
    ///
    /// The directory must be on a disk of this host.
    ///
    /// # Errors
    /// When it cannot be made or read.
    #[cfg(feature = "sqlite")]
    pub async fn sqlite(directory: impl Into<std::path::PathBuf>) -> Result<Self, JournalError> {
        Self::options().sqlite(directory).await
    }

    /// Opens the journal in a PostgreSQL database, and makes its schema if there is none.
    ///
    /// # Errors
    /// When the address is none, when the server cannot be reached, or when what it says is
    /// written may not be.
    #[cfg(feature = "postgres")]
    pub async fn postgres(url: &str) -> Result<Self, JournalError> {
        Self::options().postgres(url).await
    }

    /// How many transactions this instance has written.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    async fn open(place: Arc<dyn Place>, options: &SqlOptions) -> Result<Self, JournalError> {
        let latest = Arc::new(Latest::default());
        let commits = Arc::new(AtomicU64::new(0));
        let broken = Arc::new(AtomicBool::new(false));
        let reader = Reader::new(&*place, Arc::clone(&latest));
        let writer = Writer::new(
            Arc::clone(&place),
            options.segment_bytes,
            latest,
            Arc::clone(&commits),
            Arc::clone(&broken),
        );
        let (waiting, queue) = unbounded_channel();
        let (opened, open) = oneshot::channel();
        let (stay, left) = oneshot::channel();
        let here = Arc::clone(&place);
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || run(&here, writer, queue, opened, left))
            .map_err(io_error("start the thread of", &**place.name()))?;
        let runtime = open.await.unwrap_or(Err(JournalError::Stopped))?;
        Ok(Self {
            place,
            reader: Arc::new(Mutex::new(reader)),
            waiting,
            runtime,
            commits,
            broken,
            _stay: stay,
        })
    }

    /// Has something done on the journal's thread.
    async fn there<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, JournalError>> + Send + 'static,
    ) -> Result<T, JournalError> {
        let done = self.runtime.spawn(work).await;
        done.unwrap_or(Err(JournalError::Stopped))
    }
}

/// The journal's thread.
fn run(
    place: &Arc<dyn Place>,
    writer: Writer,
    queue: UnboundedReceiver<WaitingDecision>,
    opened: oneshot::Sender<Result<Handle, JournalError>>,
    left: oneshot::Receiver<()>,
) {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failed = io_error("start the thread of", &**place.name());
            let _ = opened.send(Err(failed(error)));
            return;
        }
    };
    runtime.block_on(async {
        if let Err(error) = place.enter().await {
            let _ = opened.send(Err(error));
            return;
        }
        if opened.send(Ok(Handle::current())).is_ok() {
            let here = Arc::clone(place);
            let staying = tokio::spawn(async move { here.stay().await });
            // A decision that panics ends the writer, and nothing is written any more; that the
            // process lives stays true.
            let _ = tokio::spawn(writer.run(queue)).await;
            let _ = left.await;
            staying.abort();
        }
        place.leave().await;
    });
}

#[async_trait]
impl Journal for SqlJournal {
    fn instance(&self) -> &str {
        self.place.instance()
    }

    async fn commit(&self, decision: Decision) -> Result<Vec<Entry>, CommitError> {
        let (waiting, answer) = WaitingDecision::new(decision);
        let sent = self.waiting.send(waiting);
        sent.map_err(|_| JournalError::Stopped)?;
        answer.await
    }

    async fn state(&self) -> Result<Arc<State>, JournalError> {
        let reader = Arc::clone(&self.reader);
        self.there(async move { reader.lock().await.state().await })
            .await
    }

    async fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let place = Arc::clone(&self.place);
        self.there(async move { reader::entries(&*place, after, limit).await })
            .await
    }

    async fn entries_of(&self, proposal: &str) -> Result<Vec<Entry>, JournalError> {
        let (place, proposal) = (Arc::clone(&self.place), proposal.to_owned());
        self.there(async move { reader::entries_of(&*place, &proposal).await })
            .await
    }

    async fn head(&self) -> Result<Head, JournalError> {
        let place = Arc::clone(&self.place);
        self.there(async move { Ok(place.store().head().await?) })
            .await
    }

    async fn verify_showing(&self, progress: Checking) -> Result<Verified, JournalError> {
        let place = Arc::clone(&self.place);
        self.there(async move { reader::verify(&*place, progress).await })
            .await
    }

    async fn is_stopped(&self) -> Result<bool, JournalError> {
        // Who can write down no answer sends nothing, not even what it has announced.
        if self.broken.load(Ordering::SeqCst) {
            return Err(JournalError::Broken);
        }
        if self.waiting.is_closed() {
            return Err(JournalError::Stopped);
        }
        let place = Arc::clone(&self.place);
        self.there(async move { place.is_stopped().await }).await
    }

    async fn stop(&self) -> Result<(), JournalError> {
        let place = Arc::clone(&self.place);
        self.there(async move { place.stop().await }).await
    }

    async fn unstop(&self) -> Result<(), JournalError> {
        let place = Arc::clone(&self.place);
        self.there(async move { place.unstop().await }).await
    }

    async fn send_lock(&self, proposal: &str) -> Result<SendLock, JournalError> {
        let (place, proposal) = (Arc::clone(&self.place), proposal.to_owned());
        self.there(async move { place.send_lock(&proposal).await })
            .await
    }

    async fn senders(&self) -> Result<Vec<Sender>, JournalError> {
        let place = Arc::clone(&self.place);
        self.there(async move { place.senders().await }).await
    }

    fn is_death_certain(&self) -> bool {
        // Whoever asks a server may have lost it and live.
        !self.place.outlives_unclear_commits()
    }

    async fn is_alive(&self, instance: &str) -> Result<bool, JournalError> {
        if instance == self.place.instance() {
            return Ok(true);
        }
        let place = Arc::clone(&self.place);
        let instance = instance.to_owned();
        self.there(async move { place.is_alive(&instance).await })
            .await
    }
}
