//! The one task of this process that writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use action_guard::{
    Batch, Clock, ClockNote, ClockReading, Head, JournalError, Record, Replies, Sealed, State,
    WaitingDecision,
};
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::failure::Failure;
use crate::reader::Latest;
use crate::store::{Line, Place, Store, about};
use crate::tail::Tail;

pub(crate) struct Writer {
    place: Arc<dyn Place>,
    store: Box<dyn Store>,
    segment_bytes: u64,
    tail: Option<Tail>,
    latest: Arc<Latest>,
    clock: Clock,
    clock_noted: Option<Instant>,
    commits: Arc<AtomicU64>,
    /// Nobody knows what is on disk.
    broken: Arc<AtomicBool>,
}

impl Writer {
    pub(crate) fn new(
        place: Arc<dyn Place>,
        segment_bytes: u64,
        latest: Arc<Latest>,
        commits: Arc<AtomicU64>,
        broken: Arc<AtomicBool>,
    ) -> Self {
        Self {
            store: place.store(),
            place,
            segment_bytes,
            tail: None,
            latest,
            clock: Clock::default(),
            clock_noted: None,
            commits,
            broken,
        }
    }

    /// Writes until nobody can ask any more.
    pub(crate) async fn run(mut self, mut queue: UnboundedReceiver<WaitingDecision>) {
        let mut waiting = Vec::new();
        // Those that came while the last transaction was under way share the next.
        while queue.recv_many(&mut waiting, Batch::LARGEST).await > 0 {
            let replies = self.transaction(std::mem::take(&mut waiting)).await;
            replies.send();
        }
    }

    async fn transaction(&mut self, waiting: Vec<WaitingDecision>) -> Replies {
        if self.broken.load(Ordering::SeqCst) {
            return Replies::refuse(waiting, &JournalError::Broken);
        }
        let begun = match self.store.begin().await {
            Ok(begun) => begun,
            Err(failure) => return Replies::refuse(waiting, &failure.into()),
        };
        let mut tail = match self.up_to_date(begun.head).await {
            Ok(tail) => tail,
            Err(error) => {
                self.store.abandon();
                return Replies::refuse(waiting, &error);
            }
        };
        let clock = match self.clock(begun.now, &tail).await {
            Ok(clock) => clock,
            Err(failure) => return Replies::refuse(waiting, &failure.into()),
        };
        let batch = tail.decide(waiting, begun.stopped, clock, self.place.instance());
        match self.write(tail, &batch, clock).await {
            Ok(()) => batch.accept(),
            Err(error) => batch.refuse(&error),
        }
    }

    /// What all processes have written so far.
    async fn up_to_date(&mut self, head: Head) -> Result<Tail, JournalError> {
        // Put back only when all went well: what failed half-way is read anew.
        match self.tail.take() {
            Some(mut tail) => {
                let read = tail.advance(&mut *self.store, head, &mut |_| {}).await;
                if matches!(
                    read,
                    Err(JournalError::Cut { .. }
                        | JournalError::Bad { .. }
                        | JournalError::OtherFormat { .. })
                ) {
                    // Written by nobody else: it stays so until somebody looks at it.
                    self.tail = Some(tail.clone());
                }
                read.map(|()| tail)
            }
            None => Tail::open(self.place.name(), &mut *self.store, head).await,
        }
    }

    /// Whether the clock is to be believed: by what it showed to this process before, or to the
    /// last one on this machine.
    async fn clock(&mut self, shows: Timestamp, tail: &Tail) -> Result<ClockReading, Failure> {
        if !self.clock.is_set() {
            self.expect_as_noted(shows).await?;
        }
        let reading = self.clock.read(shows, tail.state());
        // Somebody may have confirmed the time to another process.
        if !reading.is_right() && self.expect_as_noted(shows).await? {
            return Ok(self.clock.read(shows, tail.state()));
        }
        Ok(reading)
    }

    /// Goes by what the clock showed when it was written down. Whether that is known.
    async fn expect_as_noted(&mut self, shows: Timestamp) -> Result<bool, Failure> {
        if let Some(here) = ClockNote::now(shows)
            && let Some(noted) = self.store.clock_note(here.boot()).await?
            && let Some(expected) = noted.expected()
        {
            self.clock = Clock::expecting(expected);
            return Ok(true);
        }
        Ok(false)
    }

    /// Keeps what the clock shows, now and then and when a person confirms it, for the next process to
    /// compare with.
    async fn note_clock(&mut self, clock: ClockReading, confirmed: bool) -> Result<(), Failure> {
        let is_old = |noted: Instant| noted.elapsed() >= ClockNote::EVERY;
        if confirmed {
            self.clock = Clock::expecting(clock.shows());
        }
        let is_due = clock.is_right() && self.clock_noted.is_none_or(is_old);
        if (is_due || confirmed)
            && let Some(note) = ClockNote::now(clock.shows())
        {
            self.store.note_clock(&note).await?;
            self.clock_noted = Some(Instant::now());
        }
        Ok(())
    }

    /// Makes durable what was decided.
    async fn write(
        &mut self,
        mut tail: Tail,
        batch: &Batch,
        clock: ClockReading,
    ) -> Result<(), JournalError> {
        let mut lines: Vec<Line> = batch.sealed().map(line).collect();
        if lines.is_empty() {
            self.store.release().await;
            self.tail = Some(tail);
            return Ok(());
        }
        let checkpoint = self.checkpoint(&mut tail, clock.time());
        lines.extend(checkpoint.iter().map(line));
        let intents = batch.records().filter_map(|record| match record {
            Record::Intent { intent, .. } => Some(intent.send_by),
            _ => None,
        });
        if let Some(send_by) = intents.max() {
            self.place.sends_until(send_by);
        }
        self.store
            .add(&lines, tail.head(), checkpoint.is_some())
            .await?;
        self.note_clock(clock, batch.confirms_clock()).await?;
        if let Err(failure) = self.store.commit().await {
            let unclear = !failure.wrote_nothing();
            if unclear && !self.place.outlives_unclear_commits() {
                self.broken.store(true, Ordering::SeqCst);
            }
            return Err(failure.into());
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.latest.set(&tail);
        self.tail = Some(tail);
        Ok(())
    }

    /// Begins a new segment, when the last is long enough, with what all before it adds up to.
    fn checkpoint(&self, tail: &mut Tail, now: Timestamp) -> Option<Sealed> {
        if tail.bytes() < self.segment_bytes {
            return None;
        }
        let state = Box::new(State::clone(tail.state()));
        let record = Record::Checkpoint { index: None, state };
        // It sums up the very state it is written on; without it the old segment goes on.
        let sealed = tail.write(record, now, self.place.instance());
        sealed.ok()?.pop()
    }
}

fn line(sealed: &Sealed) -> Line {
    Line {
        seq: sealed.entry.seq,
        about: about(&sealed.entry.record),
        text: sealed.line.clone(),
    }
}
