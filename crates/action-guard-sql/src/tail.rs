//! A place in the journal that reads on from where it was.

use std::sync::Arc;

use action_guard::{
    BadLine, Batch, ClockReading, CommitError, Entry, Head, JournalError, Ledger, Record, Sealed,
    State, WaitingDecision,
};
use jiff::Timestamp;

use crate::store::{Line, Store, about};

/// How many lines are asked for at a time.
const PAGE: u32 = 512;

/// A place in the journal, and what it adds up to there.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    /// What messages call the journal.
    name: Arc<str>,
    ledger: Ledger,
    /// The number of the next record.
    next: u64,
    /// How many bytes the segment has so far.
    bytes: u64,
}

impl Tail {
    /// The end, reached from the beginning of the last segment, which has all before it.
    pub(crate) async fn open(
        name: &Arc<str>,
        store: &mut dyn Store,
        to: Head,
    ) -> Result<Self, JournalError> {
        let mut tail = Self::before(name, store.last_segment().await?);
        tail.advance(store, to, &mut |_| {}).await?;
        Ok(tail)
    }

    /// The beginning of a segment, of which nothing is read.
    pub(crate) fn before(name: &Arc<str>, first: u64) -> Self {
        Self {
            name: Arc::clone(name),
            ledger: Ledger::new(),
            next: first.max(1),
            bytes: 0,
        }
    }

    pub(crate) fn head(&self) -> Head {
        self.ledger.head()
    }

    pub(crate) fn state(&self) -> &Arc<State> {
        self.ledger.state()
    }

    /// How many bytes the segment has so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads to the given end, which must be reached, and shows what is read.
    pub(crate) async fn advance(
        &mut self,
        store: &mut dyn Store,
        to: Head,
        see: &mut (dyn FnMut(&Entry) + Send),
    ) -> Result<(), JournalError> {
        while self.next <= to.seq {
            let lines = store.lines(self.next - 1, PAGE).await?;
            let mut lines = lines
                .iter()
                .take_while(|line| line.seq <= to.seq)
                .peekable();
            if lines.peek().is_none() {
                return Err(self.cut(format!(
                    "record {} is missing, although {} is the last one written",
                    self.next, to.seq
                )));
            }
            for line in lines {
                see(&self.follow(line)?);
            }
        }
        let found = self.head();
        if found == to {
            return Ok(());
        }
        Err(self.cut(if found.seq == to.seq {
            format!(
                "record {} has hash {}, but {} was written",
                to.seq, found.hash, to.hash
            )
        } else {
            format!("it ended with record {} and now has {}", found.seq, to.seq)
        }))
    }

    /// Takes in the next line.
    fn follow(&mut self, line: &Line) -> Result<Entry, JournalError> {
        if line.seq != self.next {
            return Err(self.cut(format!("record {} is missing", self.next)));
        }
        let entry = self.ledger.follow(line.text.as_bytes());
        let entry = entry.map_err(|source| bad(&self.name, line.seq, source))?;
        if entry.seq != line.seq {
            return Err(self.cut(format!("row {} holds record {}", line.seq, entry.seq)));
        }
        if line.about != about(&entry.record) {
            return Err(self.cut(format!("row {} is kept under another proposal", line.seq)));
        }
        self.next += 1;
        self.count(&entry.record, line.text.len());
        Ok(entry)
    }

    /// Makes decisions and takes in what they want written.
    pub(crate) fn decide(
        &mut self,
        waiting: Vec<WaitingDecision>,
        stopped: Option<&str>,
        clock: ClockReading,
        instance: &str,
    ) -> Batch {
        let batch = Batch::decide(&mut self.ledger, waiting, stopped, clock, instance);
        self.wrote(batch.sealed());
        batch
    }

    /// Takes in a record as it is to be written.
    pub(crate) fn write(
        &mut self,
        record: Record,
        now: Timestamp,
        instance: &str,
    ) -> Result<Vec<Sealed>, CommitError> {
        let sealed = self.ledger.write(vec![record], now, instance)?;
        self.wrote(&sealed);
        Ok(sealed)
    }

    fn wrote<'a>(&mut self, sealed: impl IntoIterator<Item = &'a Sealed>) {
        for sealed in sealed {
            self.next += 1;
            self.count(&sealed.entry.record, sealed.line.len());
        }
    }

    fn count(&mut self, record: &Record, bytes: usize) {
        if matches!(record, Record::Checkpoint { .. }) {
            self.bytes = 0;
        }
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn cut(&self, what: String) -> JournalError {
        JournalError::Cut {
            segment: self.name.to_string(),
            what,
        }
    }
}

/// A line that is not as it was written.
pub(crate) fn bad(name: &str, seq: u64, source: BadLine) -> JournalError {
    let line = usize::try_from(seq).unwrap_or(usize::MAX);
    JournalError::bad_line(name, line, source)
}
