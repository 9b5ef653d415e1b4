//! The one task of this process that writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use action_guard::{
    Actor, CommitError, Decision, Entry, Head, JournalError, Record, Sealed, State,
};
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use crate::failure::again;
use crate::reader::Latest;
use crate::store::{Begun, Line, Place, Store};
use crate::tail::Tail;

/// A decision, and who waits for it.
pub(crate) struct Waiting {
    pub(crate) decision: Decision,
    pub(crate) reply: oneshot::Sender<Reply>,
}

type Reply = Result<Vec<Entry>, CommitError>;

/// A decision that was made and is not durable yet.
struct Made {
    sealed: Vec<Sealed>,
    /// `None` for what the journal itself notes.
    reply: Option<oneshot::Sender<Reply>>,
}

/// Answers, given when others can write again.
type Replies = Vec<(oneshot::Sender<Reply>, Reply)>;

/// How many decisions one transaction is for at most.
const LARGEST_BATCH: usize = 1_024;

pub(crate) struct Writer {
    place: Arc<dyn Place>,
    store: Box<dyn Store>,
    segment_bytes: u64,
    tail: Option<Tail>,
    latest: Arc<Latest>,
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
            commits,
            broken,
        }
    }

    /// Writes until nobody can ask any more.
    pub(crate) async fn run(mut self, mut queue: UnboundedReceiver<Waiting>) {
        let mut batch = Vec::new();
        // Those that came while the last transaction was under way share the next.
        while queue.recv_many(&mut batch, LARGEST_BATCH).await > 0 {
            for (to, reply) in self.transaction(std::mem::take(&mut batch)).await {
                // Who no longer waits finds it in the journal.
                let _ = to.send(reply);
            }
        }
    }

    async fn transaction(&mut self, batch: Vec<Waiting>) -> Replies {
        if self.broken.load(Ordering::SeqCst) {
            return refuse(batch, &JournalError::Broken);
        }
        let begun = match self.store.begin().await {
            Ok(begun) => begun,
            Err(failure) => return refuse(batch, &failure.into()),
        };
        let mut tail = match self.up_to_date(begun.head).await {
            Ok(tail) => tail,
            Err(error) => {
                self.store.abandon();
                return refuse(batch, &error);
            }
        };
        let mut replies = Replies::new();
        let made = self.decide(&mut tail, batch, &begun, &mut replies);
        replies.extend(match self.write(tail, &made, begun.now).await {
            Ok(()) => accept(made),
            Err(error) => refuse_made(made, &error),
        });
        replies
    }

    /// What all processes have written so far.
    async fn up_to_date(&mut self, head: Head) -> Result<Tail, JournalError> {
        // Put back only when all went well: what failed half-way is read anew.
        match self.tail.take() {
            Some(mut tail) => {
                let read = tail.advance(&mut *self.store, head, &mut |_| {}).await;
                if matches!(
                    read,
                    Err(JournalError::Cut { .. } | JournalError::Bad { .. })
                ) {
                    // Written by nobody else: it stays so until somebody looks at it.
                    self.tail = Some(tail.clone());
                }
                read.map(|()| tail)
            }
            None => Tail::open(self.place.name(), &mut *self.store, head).await,
        }
    }

    /// Makes all decisions, each on what those before it decided.
    fn decide(
        &self,
        tail: &mut Tail,
        batch: Vec<Waiting>,
        begun: &Begun,
        refused: &mut Replies,
    ) -> Vec<Made> {
        let mut made = Vec::with_capacity(batch.len() + 1);
        let instance = self.place.instance();
        if let Some(reason) = begun.stopped
            && tail.state().killed.is_none()
        {
            let killed = Record::Killed {
                by: Actor::system(),
                reason: reason.to_owned(),
            };
            if let Ok(sealed) = tail.write(killed, begun.now, instance) {
                made.push(Made {
                    sealed,
                    reply: None,
                });
            }
        }
        for waiting in batch {
            match tail.decide(waiting.decision, begun.now, instance) {
                Ok(sealed) => made.push(Made {
                    sealed,
                    reply: Some(waiting.reply),
                }),
                Err(error) => refused.push((waiting.reply, Err(error))),
            }
        }
        made
    }

    /// Makes durable what was decided.
    async fn write(
        &mut self,
        mut tail: Tail,
        made: &[Made],
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let sealed = made.iter().flat_map(|made| &made.sealed);
        let mut lines: Vec<Line> = sealed.map(line).collect();
        if lines.is_empty() {
            self.store.release().await;
            self.tail = Some(tail);
            return Ok(());
        }
        let checkpoint = self.checkpoint(&mut tail, now);
        lines.extend(checkpoint.iter().map(line));
        let records = made.iter().flat_map(|made| &made.sealed);
        let records = records.map(|sealed| &sealed.entry.record);
        let intents = records.filter_map(|record| match record {
            Record::Intent { intent, .. } => Some(intent.send_by),
            _ => None,
        });
        if let Some(send_by) = intents.max() {
            self.place.sends_until(send_by);
        }
        self.store
            .add(&lines, tail.head(), checkpoint.is_some())
            .await?;
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
        let record = Record::Checkpoint { state };
        // It sums up the very state it is written on; without it the old segment goes on.
        let sealed = tail.write(record, now, self.place.instance());
        sealed.ok()?.pop()
    }
}

fn line(sealed: &Sealed) -> Line {
    Line {
        seq: sealed.entry.seq,
        text: sealed.line.clone(),
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
        .map(|reply| (reply, Err(again(error).into())))
        .collect()
}

fn refuse(batch: Vec<Waiting>, error: &JournalError) -> Replies {
    let replies = batch.into_iter().map(|waiting| waiting.reply);
    replies
        .map(|reply| (reply, Err(again(error).into())))
        .collect()
}
