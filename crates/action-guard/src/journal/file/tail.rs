//! Reads on from where it was, over the ends of segments.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};

use crate::journal::error::JournalError;
use crate::journal::file::directory::{Directory, Segment, io_error};
use crate::journal::ledger::Ledger;
use crate::records::Entry;

const BUFFER: usize = 256 * 1024;

/// A place in the journal, and what it adds up to there.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    ledger: Ledger,
    segment: Segment,
    /// Where the last whole line ends.
    offset: u64,
    /// How many lines of the segment are read.
    lines: usize,
    /// Where its first line ends.
    first_line: u64,
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
            lines: 0,
            first_line: 0,
        }
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

    /// Goes past what this process has written itself.
    pub(super) fn wrote(&mut self, lines: usize, bytes: usize) {
        if self.lines == 0 {
            self.first_line = u64::try_from(bytes).unwrap_or(u64::MAX);
        }
        self.lines += lines;
        self.offset = self
            .offset
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Goes to the beginning of the next segment, which has one line of this length.
    pub(super) fn turned(&mut self, segment: Segment, bytes: usize) {
        self.segment = segment;
        (self.offset, self.lines) = (0, 0);
        self.wrote(1, bytes);
    }

    /// Reads to the end. Gives how many bytes of an unfinished line follow.
    pub(super) fn advance(&mut self, directory: &Directory) -> Result<u64, JournalError> {
        self.advance_with(directory, &mut |_| {})
    }

    /// The same, and shows what is read.
    pub(super) fn advance_with(
        &mut self,
        directory: &Directory,
        see: &mut dyn FnMut(Entry),
    ) -> Result<u64, JournalError> {
        loop {
            let torn = self.read_segment(see)?;
            let next = directory.segment(self.ledger.head().seq + 1);
            if torn > 0 || next == self.segment || !exists(&next)? {
                return Ok(torn);
            }
            self.segment = next;
            (self.offset, self.lines) = (0, 0);
        }
    }

    fn read_segment(&mut self, see: &mut dyn FnMut(Entry)) -> Result<u64, JournalError> {
        let path = &self.segment.path.clone();
        let file = match File::open(path) {
            Ok(file) => file,
            // Before the first record there may be no file. One that was read cannot go.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.offset == 0 => {
                return Ok(0);
            }
            Err(error) => return Err(io_error("open", path)(error)),
        };
        let length = file.metadata().map_err(io_error("read", path))?.len();
        if length < self.offset {
            return Err(JournalError::Cut {
                segment: self.segment.name(),
                what: format!("it had {} bytes, and has {length}", self.offset),
            });
        }
        if length == self.offset {
            return Ok(0);
        }
        let mut reader = BufReader::with_capacity(BUFFER, file);
        reader
            .seek(SeekFrom::Start(self.offset))
            .map_err(io_error("read", path))?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line);
            let bytes = read.map_err(io_error("read", path))?;
            if line.pop_if(|last| *last == b'\n').is_none() {
                return Ok(u64::try_from(bytes).unwrap_or(u64::MAX));
            }
            let entry = self
                .ledger
                .follow(&line)
                .map_err(|source| JournalError::Bad {
                    segment: self.segment.name(),
                    line: self.lines + 1,
                    source,
                })?;
            see(entry);
            self.wrote(1, bytes);
        }
    }
}

fn exists(segment: &Segment) -> Result<bool, JournalError> {
    let path = &segment.path;
    path.try_exists().map_err(io_error("look for", path))
}
