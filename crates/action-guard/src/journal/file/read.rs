//! Reading for people: some records, in order or of one proposal.

use memchr::memmem::Finder;

use crate::journal::error::JournalError;
use crate::journal::file::directory::{Directory, Segment, open_file};
use crate::journal::file::index::{Index, IndexDraft};
use crate::journal::file::lines::{Lines, bad};
use crate::records::{Entry, Hash};

/// Entries after a number, at most so many. Reads only the segments they are in, and takes in only
/// what is asked for.
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
        let before = after.saturating_add(1).saturating_sub(segment.first);
        if !more(segment, before, after, limit, &mut entries)? {
            // Not every number is there: they are looked at one by one.
            more(segment, 0, after, limit, &mut entries)?;
        }
    }
    Ok(entries)
}

/// Adds the entries of a segment after a number, which should be those behind so many lines; whether
/// they are, by the last of these lines.
fn more(
    segment: &Segment,
    skip: u64,
    after: u64,
    limit: usize,
    entries: &mut Vec<Entry>,
) -> Result<bool, JournalError> {
    let mut lines = Lines::of(segment)?;
    if let Some(but_one) = skip.checked_sub(1) {
        lines.skip(but_one)?;
        let last = lines.entry(None)?;
        if last.is_none_or(|(_, entry)| entry.seq != after) {
            return Ok(false);
        }
    }
    while entries.len() < limit {
        let Some((_, entry)) = lines.entry(None)? else {
            break;
        };
        if entry.seq > after {
            entries.push(entry);
        }
    }
    Ok(true)
}

/// Entries of one proposal. Of closed segments whose index the chain vouches for, only its lines
/// are read.
pub(super) fn entries_of(
    directory: &Directory,
    proposal: &str,
) -> Result<Vec<Entry>, JournalError> {
    let mut found = Vec::new();
    // What the index of a segment must be, by the segment after it.
    let mut hash = Hash::ZERO;
    for segment in directory.segments()?.iter().rev() {
        let index = Index::kept(directory, segment, hash);
        let by_index = index.and_then(|index| {
            let entries = indexed(segment, &index, proposal)?;
            Some((entries, index.before()))
        });
        let (entries, before) = match by_index {
            Some(found) => found,
            None => through(directory, segment, hash, proposal)?,
        };
        found.push(entries);
        hash = before;
    }
    Ok(found.into_iter().rev().flatten().collect())
}

/// Entries in which an id begins with this text. Every segment is read once, and only the lines that
/// have the text are taken apart.
pub(super) fn entries_with(
    directory: &Directory,
    beginning: &str,
) -> Result<Vec<Entry>, JournalError> {
    let quoted = format!("\"{beginning}");
    let finder = Finder::new(&quoted);
    let mut entries = Vec::new();
    for segment in directory.segments()? {
        let mut lines = Lines::of(&segment)?;
        while let Some(line) = lines.next()? {
            if finder.find(line.bytes).is_none() {
                continue;
            }
            let entry = Entry::read(line.bytes, None);
            let entry = entry.map_err(|source| bad(&segment, line.number, source))?;
            if entry.has(beginning) {
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

/// What an index leads to; `None` when that is no line of the segment, or another record.
fn indexed(segment: &Segment, index: &Index, proposal: &str) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    for (offset, hash) in index.places(proposal) {
        let file = open_file(&segment.path).ok()?;
        let mut lines = Lines::from(segment, file, offset, 0).ok()?;
        let line = lines.next().ok()??;
        let entry = Entry::read(line.bytes, None).ok()?;
        if entry.hash != hash {
            return None;
        }
        if entry.record.proposal_id() == Some(proposal) {
            entries.push(entry);
        }
    }
    Some(entries)
}

/// Reads a whole segment; gives the hash of the index before it as well. Its own index is kept for
/// the next time. It is the one that the chain has, or the segment is not what was written.
fn through(
    directory: &Directory,
    segment: &Segment,
    hash: Hash,
    proposal: &str,
) -> Result<(Vec<Entry>, Hash), JournalError> {
    let (mut entries, mut draft) = (Vec::new(), IndexDraft::default());
    let mut lines = Lines::of(segment)?;
    let mut before = None;
    while let Some((offset, entry)) = lines.entry(before)? {
        before = Some(entry.hash);
        draft.note(&entry, offset);
        if entry.record.proposal_id() == Some(proposal) {
            entries.push(entry);
        }
    }
    let index = draft.index();
    if index.hash() == hash {
        index.keep(directory, segment);
    } else if hash != Hash::ZERO {
        return Err(segment.misplaced("its records are not those that the chain has there"));
    }
    Ok((entries, index.before()))
}
