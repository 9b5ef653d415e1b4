//! The lines of a segment, one by one.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _, SeekFrom};

use crate::journal::error::JournalError;
use crate::journal::file::directory::{Segment, io_error, open_file};
use crate::records::{BadLine, Entry, Hash};

const BUFFER: usize = 256 * 1024;

/// Reads the lines of a segment that are whole.
pub(super) struct Lines<'s> {
    segment: &'s Segment,
    reader: BufReader<File>,
    line: Vec<u8>,
    /// Where the next line begins.
    offset: u64,
    /// How many lines are before that.
    number: usize,
    /// How many bytes of an unfinished line were found at the end.
    torn: u64,
}

/// A line without its end.
pub(super) struct Line<'l> {
    pub(super) bytes: &'l [u8],
    /// Where it begins.
    pub(super) offset: u64,
    /// From 1.
    pub(super) number: usize,
}

impl<'s> Lines<'s> {
    /// From the first.
    pub(super) fn of(segment: &'s Segment) -> Result<Self, JournalError> {
        let file = open_file(&segment.path).map_err(io_error("open", &segment.path))?;
        Self::from(segment, file, 0, 0)
    }

    /// From a place, before which there are so many.
    pub(super) fn from(
        segment: &'s Segment,
        file: File,
        offset: u64,
        number: usize,
    ) -> Result<Self, JournalError> {
        let mut reader = BufReader::with_capacity(BUFFER, file);
        if offset > 0 {
            let sought = reader.seek(SeekFrom::Start(offset));
            sought.map_err(io_error("read", &segment.path))?;
        }
        Ok(Self {
            segment,
            reader,
            line: Vec::new(),
            offset,
            number,
            torn: 0,
        })
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, JournalError> {
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line);
        let read = read.map_err(io_error("read", &self.segment.path))?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        if self.line.pop_if(|last| *last == b'\n').is_none() {
            self.torn = bytes;
            return Ok(None);
        }
        let offset = self.offset;
        self.offset = offset.saturating_add(bytes);
        self.number += 1;
        Ok(Some(Line {
            bytes: &self.line,
            offset,
            number: self.number,
        }))
    }

    /// The next one, as the entry that it is: its hash is right, it follows the entry with this
    /// hash, if one is given, and the first is the one that the segment is named by.
    pub(super) fn entry(
        &mut self,
        before: Option<Hash>,
    ) -> Result<Option<(u64, Entry)>, JournalError> {
        let segment = self.segment;
        let Some(line) = self.next()? else {
            return Ok(None);
        };
        let entry = Entry::read(line.bytes, before);
        let entry = entry.map_err(|source| bad(segment, line.number, source))?;
        if line.number == 1 {
            segment.begins_with(entry.seq)?;
        }
        Ok(Some((line.offset, entry)))
    }

    /// Goes past so many lines, as far as there are.
    pub(super) fn skip(&mut self, lines: u64) -> Result<(), JournalError> {
        for _ in 0..lines {
            let skipped = self.reader.skip_until(b'\n');
            let skipped = skipped.map_err(io_error("read", &self.segment.path))?;
            if skipped == 0 {
                break;
            }
            let bytes = u64::try_from(skipped).unwrap_or(u64::MAX);
            self.offset = self.offset.saturating_add(bytes);
            self.number += 1;
        }
        Ok(())
    }

    pub(super) fn torn(&self) -> u64 {
        self.torn
    }
}

/// A line that is not what was written.
pub(super) fn bad(segment: &Segment, line: usize, source: BadLine) -> JournalError {
    JournalError::bad_line(segment.name(), line, source)
}
