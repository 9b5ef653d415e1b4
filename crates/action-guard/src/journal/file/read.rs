//! Reading for people: some records, or a check of all.

use std::fs::File;
use std::io::{BufRead as _, BufReader};

use crate::journal::Verified;
use crate::journal::error::JournalError;
use crate::journal::file::directory::{Directory, Segment, io_error};
use crate::journal::file::tail::Tail;
use crate::records::{BadLine, Entry};

/// Entries after a number, at most so many. Reads only the segments they are in.
pub(super) fn entries(
    directory: &Directory,
    after: u64,
    limit: usize,
) -> Result<Vec<Entry>, JournalError> {
    let segments = directory.segments()?;
    let begins_before = |segment: &&Segment| segment.first <= after.saturating_add(1);
    let skipped = segments.iter().filter(begins_before).count();
    let mut entries = Vec::new();
    for segment in segments.iter().skip(skipped.saturating_sub(1)) {
        let file = File::open(&segment.path).map_err(io_error("open", &segment.path))?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        for number in 1.. {
            if entries.len() >= limit {
                return Ok(entries);
            }
            line.clear();
            let read = reader.read_until(b'\n', &mut line);
            read.map_err(io_error("read", &segment.path))?;
            if line.pop_if(|last| *last == b'\n').is_none() {
                break;
            }
            let entry = Entry::read(&line, None);
            let entry = entry.map_err(|source| bad(segment, number, source))?;
            if entry.seq > after {
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

/// Checks every line of every segment: its hash, its number, what it follows, and that it can have
/// happened then. Needs no more memory for a long journal than for a short one.
pub(super) fn verify(directory: &Directory) -> Result<Verified, JournalError> {
    let segments = directory.segments()?;
    let Some(first) = segments.first() else {
        let nothing = Tail::before(directory.segment(1));
        return Ok(Verified::new(1, nothing.ledger().head(), 0));
    };
    let mut tail = Tail::before(first.clone());
    let mut begins = None;
    let torn = tail.advance_with(directory, &mut |entry| {
        begins.get_or_insert(entry.seq);
    })?;
    // What is behind the end cannot be reached from it: something between is missing.
    let reached = tail.segment();
    if let Some(beyond) = segments.iter().find(|segment| *segment > reached) {
        return Err(JournalError::Cut {
            segment: reached.name(),
            what: format!(
                "it ends with record {}{}, and {} is there",
                tail.ledger().head().seq,
                if torn > 0 { " and half a line" } else { "" },
                beyond.name()
            ),
        });
    }
    let count = segments
        .iter()
        .filter(|segment| *segment <= reached)
        .count();
    let begins = begins.unwrap_or(first.first);
    if begins != first.first {
        return Err(JournalError::Cut {
            segment: first.name(),
            what: format!("it begins with record {begins}"),
        });
    }
    Ok(Verified::new(begins, tail.ledger().head(), count))
}

fn bad(segment: &Segment, line: usize, source: BadLine) -> JournalError {
    JournalError::Bad {
        segment: segment.name(),
        line,
        source,
    }
}
