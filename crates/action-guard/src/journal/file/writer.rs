//! The one thread of this process that writes.

use std::fs::OpenOptions;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::failpoint;
use crate::journal::batch::{Batch, Replies, WaitingDecision};
use crate::journal::clock::{Clock, ClockReading};
use crate::journal::clock_note::ClockNote;
use crate::journal::error::JournalError;
use crate::journal::file::clock_file;
use crate::journal::file::directory::{
    Directory, io_error, open_with, private_files, sync_directory,
};
use crate::journal::file::known::Known;
use crate::journal::file::lock::Lock;
use crate::journal::file::owner::Owner;
use crate::journal::file::reserve;
use crate::journal::file::rotate::rotate;
use crate::journal::file::space::{is_full, is_kept_for, or_full};
use crate::journal::file::tail::Tail;
use crate::journal::ledger::lines;
use crate::proposal::time::now;
use crate::records::Record;

pub(super) struct Writer {
    directory: Directory,
    instance: String,
    segment_bytes: u64,
    lock_wait: Duration,
    syncs: Arc<AtomicU64>,
    /// Opened with the first transaction: who only reads needs no right to write.
    lock: Option<Arc<Lock>>,
    tail: Option<Tail>,
    /// Where this process has read to, so that it is not read once more for the first transaction.
    reader: Arc<Mutex<Option<Tail>>>,
    known: Arc<Known>,
    owner: Option<Owner>,
    /// After a failed sync nobody knows what is on disk.
    broken: Arc<AtomicBool>,
    clock: Clock,
    clock_noted: Option<Instant>,
}

impl Writer {
    pub(super) fn new(
        directory: Directory,
        instance: String,
        segment_bytes: u64,
        lock_wait: Duration,
        (reader, known): (Arc<Mutex<Option<Tail>>>, Arc<Known>),
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
            reader,
            known,
            owner: None,
            broken,
            clock: Clock::default(),
            clock_noted: None,
        }
    }

    /// Writes until nobody can ask any more.
    pub(super) fn run(mut self, queue: &Receiver<WaitingDecision>) {
        while let Ok(first) = queue.recv() {
            let mut waiting = vec![first];
            // Those that came while the last batch was synced share the next sync.
            waiting.extend(queue.try_iter().take(Batch::LARGEST - 1));
            self.transaction(waiting).send();
        }
    }

    fn transaction(&mut self, waiting: Vec<WaitingDecision>) -> Replies {
        let place = self.directory.path().to_owned();
        let refuse = |waiting, error| Replies::refuse(waiting, &or_full(error, &place));
        let lock = match self.lock_file() {
            Ok(lock) => lock,
            Err(error) => return refuse(waiting, error),
        };
        let held = match lock.acquire(&self.directory, self.lock_wait, &self.instance) {
            Ok(held) => held,
            Err(error) => return refuse(waiting, error),
        };
        let mut tail = match self.up_to_date() {
            Ok(tail) => tail,
            Err(error) => return refuse(waiting, error),
        };
        // In doubt it is stopped.
        let stopped = self.directory.is_stopped().unwrap_or(true);
        let stopped = stopped.then_some("the file KILL is in the state directory");
        let clock = self.clock(&tail);
        let batch = Batch::decide(tail.ledger_mut(), waiting, stopped, clock, &self.instance);
        let replies = match self.claim(&batch) {
            Ok(()) => self.write(tail, batch),
            Err(error) => batch.refuse(&error),
        };
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
        let (mut tail, is_anew) = match self.tail.take() {
            Some(tail) => (tail, false),
            None => self.read_before()?,
        };
        let torn = tail.advance(&directory)?;
        self.known.holds(&directory, &tail, is_anew)?;
        self.known.keep(tail.ledger().head());
        let path = tail.segment().path.clone();
        if torn > 0 {
            let file = open_with(OpenOptions::new().write(true), &path);
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
                    tracing::warn!(error, "no new segment started");
                }
            }
        }
        Ok(tail)
    }

    /// Where this process has read to, or the last segment, and whether that is read anew.
    fn read_before(&self) -> Result<(Tail, bool), JournalError> {
        let read = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let usable = |tail: &&Tail| tail.is_indexed() && tail.is_still_there();
        match read.as_ref().filter(usable) {
            Some(tail) => Ok((tail.clone(), false)),
            None => Ok((Tail::open(&self.directory)?, true)),
        }
    }

    /// Reads the clock, and keeps what it shows for the next process to compare with.
    fn clock(&mut self, tail: &Tail) -> ClockReading {
        let state = tail.ledger().state();
        if !self.clock.is_set() {
            self.expect_as_noted();
        }
        let mut reading = self.clock.read(now(), state);
        // Somebody may have confirmed the time to another process.
        if !reading.is_right() && self.expect_as_noted() {
            reading = self.clock.read(now(), state);
        }
        let is_old = |noted: Instant| noted.elapsed() >= ClockNote::EVERY;
        if reading.is_right() && self.clock_noted.is_none_or(is_old) {
            clock_file::note(&self.directory, reading.shows());
            self.clock_noted = Some(Instant::now());
        }
        reading
    }

    /// Goes by what the clock showed when it was written down. Whether that is known.
    fn expect_as_noted(&mut self) -> bool {
        let expected = clock_file::expected(&self.directory);
        if let Some(expected) = expected {
            self.clock = Clock::expecting(expected);
        }
        expected.is_some()
    }

    /// Goes by what the clock shows, as a person has confirmed, and so does the next process.
    fn believe_clock(&mut self) {
        let shows = now();
        self.clock = Clock::expecting(shows);
        clock_file::note(&self.directory, shows);
    }

    /// Says that this instance lives, before its first intent, or that it is a gate, is there for others to
    /// see.
    fn claim(&mut self, batch: &Batch) -> Result<(), JournalError> {
        let owns = |record: &Record| {
            matches!(
                record,
                Record::Intent { .. } | Record::Adopted { .. } | Record::GateOpened { .. }
            )
        };
        if self.owner.is_none() && batch.records().any(owns) {
            self.owner = Some(Owner::claim(&self.directory, &self.instance)?);
        }
        Ok(())
    }

    /// Writes and syncs what was decided, and says so to those who wait.
    fn write(&mut self, tail: Tail, batch: Batch) -> Replies {
        if batch.sealed().next().is_none() {
            self.tail = Some(tail);
            return batch.accept();
        }
        let put = self
            .reserved(&tail, &batch)
            .and_then(|()| self.put(&tail, &batch));
        match put {
            Ok(()) => self.written(tail, batch),
            Err(source) if !self.is_broken() && is_full(&source) => {
                self.write_what_ends(batch, source)
            }
            Err(source) => {
                self.breaks(true);
                batch.refuse(&io_error("write", &tail.segment().path)(source))
            }
        }
    }

    /// There is no space: what stops or ends something, or takes back what is ours, goes to the
    /// space that was kept for it; the rest is refused.
    fn write_what_ends(&mut self, batch: Batch, source: io::Error) -> Replies {
        let full = self.cannot("grow", source);
        let mut tail = match self.up_to_date() {
            Ok(tail) => tail,
            Err(error) => return batch.refuse(&error),
        };
        let time = self.clock(&tail).time();
        let ledger = tail.ledger_mut();
        let batch = batch.again(ledger, is_kept_for, &full, time, &self.instance);
        if batch.sealed().next().is_none() {
            return batch.accept();
        }
        // It may be that somebody else made space meanwhile: what cannot be given back is not
        // needed then.
        let _ = reserve::release(&self.directory);
        match self.put(&tail, &batch) {
            Ok(()) => self.written(tail, batch),
            Err(source) => batch.refuse(&self.cannot("grow", source)),
        }
    }

    fn written(&mut self, mut tail: Tail, batch: Batch) -> Replies {
        tail.wrote(batch.sealed());
        if batch.confirms_clock() {
            self.believe_clock();
        }
        // Who reads in this process goes on from here, and does not read what was just written. One
        // who is reading now goes on alone.
        if let Ok(mut reader) = self.reader.try_lock() {
            let saw = |reader: &mut Tail| reader.saw(&tail, batch.sealed());
            if !reader.as_mut().is_some_and(saw) {
                *reader = Some(tail.to_read_on());
            }
        }
        self.known.keep(tail.ledger().head());
        self.tail = Some(tail);
        batch.accept()
    }

    /// Makes sure, before an intent is written, that what must follow it can be written too.
    fn reserved(&self, tail: &Tail, batch: &Batch) -> io::Result<()> {
        let is_intent = |record: &Record| matches!(record, Record::Intent { .. });
        if !batch.records().any(is_intent) {
            return Ok(());
        }
        let state = tail.ledger().state();
        let open = state.unsettled().count() + state.effects.len();
        self.synced(reserve::ensure(&self.directory, open)?);
        Ok(())
    }

    /// Adds lines, synced. When they cannot be written, nothing of them
    /// stays.
    fn put(&mut self, tail: &Tail, batch: &Batch) -> io::Result<()> {
        let bytes = lines(batch.sealed());
        let place = self.directory.clone();
        failpoint::pass("journal.write", place.path())?;
        // Not created here: a journal that was taken away is not silently begun anew.
        let mut file = open_with(OpenOptions::new().write(true), &tail.segment().path)?;
        file.seek(SeekFrom::Start(tail.offset()))?;
        if let Err(error) = file.write_all(&bytes) {
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
