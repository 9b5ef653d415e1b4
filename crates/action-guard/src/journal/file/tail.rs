//! Reads on from where it was, over the ends of segments.

use std::fs;
use std::io::ErrorKind;

use crate::journal::error::JournalError;
use crate::journal::file::directory::{Directory, Segment, io_error, open_file};
use crate::journal::file::index::{Index, IndexDraft};
use crate::journal::file::lines::{Line, Lines, bad};
use crate::journal::ledger::{Ledger, Sealed};
use crate::records::{Entry, Hash, Record};

/// A place in the journal, and what it adds up to there.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    ledger: Ledger,
    segment: Segment,
    /// Where the last whole line ends.
    offset: u64,
    /// Where it begins.
    last_line: u64,
    /// How many lines of the segment are read.
    lines: usize,
    /// Where its first line ends.
    first_line: u64,
    /// `None` when the beginning of the segment was not looked at for it.
    index: Option<IndexDraft>,
}

impl Tail {
    /// Reads the last segment, which begins with what all before it adds up to.
    pub(super) fn open(directory: &Directory) -> Result<Self, JournalError> {
        let last = directory.segments()?.pop();
        let mut tail = Self::before(last.unwrap_or_else(|| directory.segment(1)));
        tail.advance(directory)?;
        Ok(tail)
    }

    /// The beginning of a segment, of which nothing is read.
    pub(super) fn before(segment: Segment) -> Self {
        Self {
            ledger: Ledger::new(),
            segment,
            offset: 0,
            last_line: 0,
            lines: 0,
            first_line: 0,
            index: Some(IndexDraft::default()),
        }
    }

    /// The same place, for somebody who only reads on from there.
    pub(super) fn to_read_on(&self) -> Self {
        Self {
            ledger: self.ledger.clone(),
            segment: self.segment.clone(),
            index: None,
            ..*self
        }
    }

    /// Whether it has what a writer needs.
    pub(super) fn is_indexed(&self) -> bool {
        self.index.is_some()
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(super) fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    pub(super) fn segment(&self) -> &Segment {
        &self.segment
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// How much has been added to the segment since it was begun. What it begins with, a checkpoint
    /// of whatever size, does not count.
    pub(super) fn added(&self) -> u64 {
        match self.segment.first {
            1 => self.offset,
            _ => self.offset.saturating_sub(self.first_line),
        }
    }

    /// The index of the segment, as far as it is read and written.
    pub(super) fn index(&self) -> Index {
        let index = self.index.as_ref();
        index.map(IndexDraft::index).unwrap_or_default()
    }

    /// Goes past what this process has written itself.
    pub(super) fn wrote<'a>(&mut self, sealed: impl IntoIterator<Item = &'a Sealed>) {
        for Sealed { entry, line } in sealed {
            self.pass(entry, line.len() + 1);
        }
    }

    /// Goes past what this process has written since, for somebody who only reads; whether that is
    /// what comes next here. What it adds up to is taken in once more and not shared with the writer:
    /// of a state that two hold, all is copied with the next record.
    pub(super) fn saw<'a>(
        &mut self,
        written: &Self,
        sealed: impl IntoIterator<Item = &'a Sealed>,
    ) -> bool {
        self.segment == written.segment
            && sealed.into_iter().all(|Sealed { entry, line }| {
                let is_next = entry.prev == self.ledger.head().hash;
                let is_seen = is_next && self.ledger.take(entry).is_ok();
                if is_seen {
                    self.pass(entry, line.len() + 1);
                }
                is_seen
            })
    }

    /// Goes to the beginning of the next segment.
    pub(super) fn turn(&mut self, segment: Segment) {
        self.segment = segment;
        (self.offset, self.lines, self.index) = (0, 0, Some(IndexDraft::default()));
    }

    /// Reads to the end. Gives how many bytes of an unfinished line follow.
    pub(super) fn advance(&mut self, directory: &Directory) -> Result<u64, JournalError> {
        loop {
            let torn = self.read_segment(&mut |_| {})?;
            let next = directory.segment(self.ledger.head().seq + 1);
            if next == self.segment || !exists(&next)? {
                return Ok(torn);
            }
            if torn > 0 {
                return Err(self.cut_before(&next));
            }
            self.turn(next);
        }
    }

    /// A segment is begun when the one before it is whole: of half a line, the rest was taken away.
    fn cut_before(&self, next: &Segment) -> JournalError {
        let (end, next) = (self.ledger.head().seq, next.name());
        JournalError::Cut {
            segment: self.segment.name(),
            what: format!("it ends with record {end} and an incomplete line, but {next} exists"),
        }
    }

    /// Whether there is nothing to read on, as [`advance`](Self::advance) would find.
    pub(super) fn is_at_end(&self, directory: &Directory) -> bool {
        let next = directory.segment(self.ledger.head().seq + 1);
        let found = fs::metadata(&self.segment.path);
        self.lines > 0
            && found.is_ok_and(|found| found.is_file() && found.len() == self.offset)
            && matches!(exists(&next), Ok(false))
    }

    /// Reads to the end of the segment, and says of each line how long it is. Gives how many bytes
    /// of an unfinished line follow.
    pub(super) fn read_segment(&mut self, see: &mut dyn FnMut(u64)) -> Result<u64, JournalError> {
        let segment = self.segment.clone();
        let path = &segment.path;
        let file = match open_file(path) {
            Ok(file) => file,
            // Before the first record there may be no file. One that was read cannot go.
            Err(error) if error.kind() == ErrorKind::NotFound && self.offset == 0 => {
                return Ok(0);
            }
            Err(error) => return Err(io_error("open", path)(error)),
        };
        let length = file.metadata().map_err(io_error("read", path))?.len();
        if length < self.offset {
            return Err(JournalError::Cut {
                segment: segment.name(),
                what: format!("it had {} bytes and now has {length}", self.offset),
            });
        }
        let mut torn = 0;
        if length > self.offset {
            let mut lines = Lines::from(&segment, file, self.offset, self.lines)?;
            while let Some(line) = lines.next()? {
                self.follow(&segment, &line)?;
                see(u64::try_from(line.bytes.len()).unwrap_or(u64::MAX));
            }
            torn = lines.torn();
        }
        if self.lines == 0 && segment.first != 1 {
            return Err(segment.misplaced("it has no complete line"));
        }
        Ok(torn)
    }

    /// Whether the line that was read last is where it was, and so all before it: what was not
    /// synced may have been taken back since, and something else written there.
    pub(super) fn is_still_there(&self) -> bool {
        let last = || {
            let file = open_file(&self.segment.path).ok()?;
            let mut lines = Lines::from(&self.segment, file, self.last_line, 0).ok()?;
            let line = lines.next().ok()??;
            Entry::read(line.bytes, None).ok()
        };
        self.lines > 0 && last().is_some_and(|entry| entry.hash == self.ledger.head().hash)
    }

    /// Reads the first line of a segment that was turned to. Gives the hash that it names as that
    /// of the index of the segment before.
    pub(super) fn read_first(&mut self) -> Result<Option<Hash>, JournalError> {
        let segment = self.segment.clone();
        let mut lines = Lines::of(&segment)?;
        let Some(line) = lines.next()? else {
            return Err(segment.misplaced("it has no complete line"));
        };
        match self.follow(&segment, &line)? {
            Record::Checkpoint { index, .. } => Ok(index),
            _ => Ok(None),
        }
    }

    fn follow(&mut self, segment: &Segment, line: &Line<'_>) -> Result<Record, JournalError> {
        let entry = self.ledger.follow(line.bytes);
        let entry = entry.map_err(|source| bad(segment, line.number, source))?;
        if line.number == 1 {
            segment.begins_with(entry.seq)?;
        }
        self.pass(&entry, line.bytes.len() + 1);
        Ok(entry.record)
    }

    fn pass(&mut self, entry: &Entry, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if let Some(index) = &mut self.index {
            index.note(entry, self.offset);
        }
        if self.lines == 0 {
            self.first_line = bytes;
        }
        self.lines += 1;
        self.last_line = self.offset;
        self.offset = self.offset.saturating_add(bytes);
    }
}

fn exists(segment: &Segment) -> Result<bool, JournalError> {
    let path = &segment.path;
    path.try_exists().map_err(io_error("look for", path))
}
