//! The one thread of this process that writes.

use std::fs::OpenOptions;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::failpoint;
use crate::identity::Actor;
use crate::journal::Decision;
use crate::journal::error::{CommitError, JournalError};
use crate::journal::file::directory::{Directory, io_error, private_files, sync_directory};
use crate::journal::file::lock::Lock;
use crate::journal::file::owner::Owner;
use crate::journal::file::reserve;
use crate::journal::file::rotate::rotate;
use crate::journal::file::space::{is_full, is_kept_for, or_full};
use crate::journal::file::tail::Tail;
use crate::journal::ledger::{Sealed, lines};
use crate::proposal::time::now;
use crate::records::{Entry, Record};

/// A decision, and who waits for it.
pub(super) struct Waiting {
    pub(super) decision: Decision,
    pub(super) reply: oneshot::Sender<Reply>,
}

type Reply = Result<Vec<Entry>, CommitError>;

/// A decision that was made and is not on disk yet.
struct Made {
    sealed: Vec<Sealed>,
    /// `None` for what the journal itself notes.
    reply: Option<oneshot::Sender<Reply>>,
}

/// Answers, given when the lock is free again.
type Replies = Vec<(oneshot::Sender<Reply>, Reply)>;

/// How many decisions one sync is for at most.
const LARGEST_BATCH: usize = 1_024;

pub(super) struct Writer {
    directory: Directory,
    instance: String,
    segment_bytes: u64,
    lock_wait: Duration,
    syncs: Arc<AtomicU64>,
    /// Opened with the first transaction: who only reads needs no right to write.
    lock: Option<Arc<Lock>>,
    tail: Option<Tail>,
    owner: Option<Owner>,
    /// After a failed sync nobody knows what is on disk.
    broken: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn new(
        directory: Directory,
        instance: String,
        segment_bytes: u64,
        lock_wait: Duration,
        syncs: Arc<AtomicU64>,
        broken: Arc<AtomicBool>,
    ) -> Self {
        Self {
            directory,
            instance,
            segment_bytes,
            lock_wait,
            syncs,
            lock: None,
            tail: None,
            owner: None,
            broken,
        }
    }

    /// Writes until nobody can ask any more.
    pub(super) fn run(mut self, queue: &Receiver<Waiting>) {
        while let Ok(first) = queue.recv() {
            let mut batch = vec![first];
            // Those that came while the last batch was synced share the next sync.
            batch.extend(queue.try_iter().take(LARGEST_BATCH - 1));
            let replies = self.transaction(batch);
            for (to, reply) in replies {
                // Who no longer waits finds it in the journal.
                let _ = to.send(reply);
            }
        }
    }

    fn transaction(&mut self, batch: Vec<Waiting>) -> Replies {
        let place = self.directory.path().to_owned();
        let refuse = |batch: Vec<Waiting>, error: JournalError| {
            let error = or_full(error, &place);
            let replies = batch.into_iter();
            replies
                .map(|waiting| (waiting.reply, Err(error.again().into())))
                .collect()
        };
        let lock = match self.lock_file() {
            Ok(lock) => lock,
            Err(error) => return refuse(batch, error),
        };
        let held = match lock.acquire(&self.directory, self.lock_wait, &self.instance) {
            Ok(held) => held,
            Err(error) => return refuse(batch, error),
        };
        let mut tail = match self.up_to_date() {
            Ok(tail) => tail,
            Err(error) => return refuse(batch, error),
        };
        let mut replies = Replies::new();
        let made = self.decide(&mut tail, batch, &mut replies);
        match self.claim(&made) {
            Ok(()) => replies.extend(self.write(tail, made)),
            Err(error) => replies.extend(refuse_made(made, &error)),
        }
        drop(held);
        replies
    }

    fn lock_file(&mut self) -> Result<Arc<Lock>, JournalError> {
        if self.is_broken() {
            return Err(JournalError::Broken);
        }
        if let Some(lock) = &self.lock {
            return Ok(Arc::clone(lock));
        }
        let lock = Arc::new(Lock::open(&self.directory)?);
        self.lock = Some(Arc::clone(&lock));
        Ok(lock)
    }

    /// What all processes have written so far, with what a crash left of a last line cut off.
    fn up_to_date(&mut self) -> Result<Tail, JournalError> {
        let directory = self.directory.clone();
        // Put back only when all went well: what failed half-way is read anew.
        let mut tail = match self.tail.take() {
            Some(tail) => tail,
            None => Tail::open(&directory)?,
        };
        let torn = tail.advance(&directory)?;
        let path = tail.segment().path.clone();
        if torn > 0 {
            let file = OpenOptions::new().write(true).open(&path);
            file.and_then(|file| file.set_len(tail.offset()))
                .map_err(io_error("repair", &path))?;
            tracing::warn!(bytes = torn, segment = tail.segment().name(), "repaired");
        }
        if tail.ledger().head().seq == 0 && !path.try_exists().map_err(io_error("find", &path))? {
            let made = private_files().create_new(true).write(true).open(&path);
            made.and_then(|file| file.sync_all())
                .and_then(|()| sync_directory(&directory.journal()))
                .map_err(|source| self.cannot("create", source))?;
            self.synced(2);
        }
        if tail.added() >= self.segment_bytes {
            match rotate(&directory, &self.instance, &mut tail) {
                Ok(syncs) => self.synced(syncs),
                // The old segment is as good as a new one.
                Err(error) => {
                    let error = action_core::report(&error);
                    tracing::warn!(error, "no new segment was begun");
                }
            }
        }
        Ok(tail)
    }

    /// Makes all decisions, each on what those before it decided.
    fn decide(&mut self, tail: &mut Tail, batch: Vec<Waiting>, refused: &mut Replies) -> Vec<Made> {
        let mut made = Vec::with_capacity(batch.len() + 1);
        let now = now();
        let stopped = self.directory.is_stopped();
        // In doubt it is stopped.
        let stopped = stopped.unwrap_or(true);
        for waiting in batch {
            let records = match (waiting.decision)(tail.ledger().state(), now) {
                Ok(records) => records,
                Err(refusal) => {
                    refused.push((waiting.reply, Err(refusal.into())));
                    continue;
                }
            };
            if stopped {
                let noted = self.note_stop(tail, &records);
                made.extend(noted.map(|sealed| Made {
                    sealed,
                    reply: None,
                }));
            }
            match tail.ledger_mut().write(records, now, &self.instance) {
                Ok(sealed) => made.push(Made {
                    sealed,
                    reply: Some(waiting.reply),
                }),
                Err(error) => refused.push((waiting.reply, Err(error))),
            }
        }
        made
    }

    /// Writes down before anything else that somebody put the file there; that comes first.
    fn note_stop(&self, tail: &mut Tail, records: &[Record]) -> Option<Vec<Sealed>> {
        let is_stop = |record: &Record| matches!(record, Record::Killed { .. });
        let known = tail.ledger().state().killed.is_some();
        if known || records.is_empty() || records.iter().any(is_stop) {
            return None;
        }
        let killed = Record::Killed {
            by: Actor::system(),
            reason: "the file KILL is in the state directory".to_owned(),
        };
        let written = tail.ledger_mut().write(vec![killed], now(), &self.instance);
        written.ok()
    }

    /// Says that this instance lives, before its first intent is there for others to see.
    fn claim(&mut self, made: &[Made]) -> Result<(), JournalError> {
        let owns = |sealed: &Sealed| {
            let record = &sealed.entry.record;
            matches!(record, Record::Intent { .. } | Record::Adopted { .. })
        };
        let mut all = made.iter().flat_map(|made| &made.sealed);
        if self.owner.is_none() && all.any(owns) {
            self.owner = Some(Owner::claim(&self.directory, &self.instance)?);
        }
        Ok(())
    }

    /// Writes and syncs what was decided, and says so to those who wait.
    fn write(&mut self, mut tail: Tail, made: Vec<Made>) -> Replies {
        let count = made.iter().map(|made| made.sealed.len()).sum();
        if count == 0 {
            self.tail = Some(tail);
            return accept(made);
        }
        let bytes: Vec<u8> = made.iter().flat_map(|made| lines(&made.sealed)).collect();
        match self
            .reserved(&tail, &made)
            .and_then(|()| self.put(&tail, &bytes))
        {
            Ok(()) => {
                tail.wrote(count, bytes.len());
                self.tail = Some(tail);
                accept(made)
            }
            Err(source) if !self.is_broken() && is_full(&source) => {
                self.write_what_ends(made, source)
            }
            Err(source) => {
                self.breaks(true);
                let error = io_error("write", &tail.segment().path)(source);
                refuse_made(made, &error)
            }
        }
    }

    /// There is no space: what stops or ends something, or takes back what is ours, goes to the
    /// space that was kept for it; the rest is refused.
    fn write_what_ends(&mut self, made: Vec<Made>, source: io::Error) -> Replies {
        let full = self.cannot("grow", source);
        let mut tail = match self.up_to_date() {
            Ok(tail) => tail,
            Err(error) => return refuse_made(made, &error),
        };
        let (mut kept, mut refused) = (Vec::new(), Vec::new());
        for mut one in made {
            let records: Vec<Record> = one
                .sealed
                .drain(..)
                .map(|sealed| sealed.entry.record)
                .collect();
            let state = tail.ledger().state();
            if !records.iter().all(|record| is_kept_for(record, state)) {
                refused.push(one);
                continue;
            }
            let written = tail.ledger_mut().write(records, now(), &self.instance);
            match (written, one.reply) {
                (Ok(sealed), reply) => kept.push(Made { sealed, reply }),
                (Err(error), Some(reply)) => {
                    let _ = reply.send(Err(error));
                }
                (Err(_), None) => {}
            }
        }
        let mut replies = refuse_made(refused, &full);
        let bytes: Vec<u8> = kept.iter().flat_map(|made| lines(&made.sealed)).collect();
        if bytes.is_empty() {
            return replies;
        }
        let count = kept.iter().map(|made| made.sealed.len()).sum();
        // It may be that somebody else made space meanwhile: what cannot be given back is not
        // needed then.
        let _ = reserve::release(&self.directory);
        match self.put(&tail, &bytes) {
            Ok(()) => {
                tail.wrote(count, bytes.len());
                self.tail = Some(tail);
                replies.extend(accept(kept));
            }
            Err(source) => {
                let error = self.cannot("grow", source);
                replies.extend(refuse_made(kept, &error));
            }
        }
        replies
    }

    /// Makes sure, before an intent is written, that what must follow it can be written too.
    fn reserved(&self, tail: &Tail, made: &[Made]) -> io::Result<()> {
        let mut records = made.iter().flat_map(|made| &made.sealed);
        if !records.any(|sealed| matches!(sealed.entry.record, Record::Intent { .. })) {
            return Ok(());
        }
        let state = tail.ledger().state();
        let open = state.unsettled().count() + state.effects.len();
        self.synced(reserve::ensure(&self.directory, open)?);
        Ok(())
    }

    /// Adds these bytes, synced. When they cannot be written, nothing of them stays.
    fn put(&mut self, tail: &Tail, bytes: &[u8]) -> io::Result<()> {
        let place = self.directory.clone();
        failpoint::pass("journal.write", place.path())?;
        // Not created here: a journal that was taken away is not silently begun anew.
        let mut file = OpenOptions::new().write(true).open(&tail.segment().path)?;
        file.seek(SeekFrom::Start(tail.offset()))?;
        if let Err(error) = file.write_all(bytes) {
            let taken_back = file.set_len(tail.offset());
            self.breaks(taken_back.is_err());
            return Err(error);
        }
        let synced = failpoint::pass("journal.sync", place.path())
            .and_then(|()| file.sync_data())
            .and_then(|()| failpoint::pass("journal.synced", place.path()));
        self.breaks(synced.is_err());
        self.synced(1);
        synced
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    /// Once it is, it stays so.
    fn breaks(&self, now: bool) {
        self.broken.fetch_or(now, Ordering::SeqCst);
    }

    fn synced(&self, times: u64) {
        self.syncs.fetch_add(times, Ordering::Relaxed);
    }

    fn cannot(&self, doing: &'static str, source: io::Error) -> JournalError {
        let path = self.directory.path().to_owned();
        if is_full(&source) {
            JournalError::Full { path, source }
        } else {
            io_error(doing, &path)(source)
        }
    }
}

fn accept(made: Vec<Made>) -> Replies {
    let replies = made.into_iter().filter_map(|made| {
        let entries = made.sealed.into_iter().map(|sealed| sealed.entry).collect();
        Some((made.reply?, Ok(entries)))
    });
    replies.collect()
}

fn refuse_made(made: Vec<Made>, error: &JournalError) -> Replies {
    let replies = made.into_iter().filter_map(|made| made.reply);
    replies
        .map(|reply| (reply, Err(error.again().into())))
        .collect()
}
