//! From one segment to the next.

use std::io::Write as _;

use crate::failpoint;
use crate::journal::error::{CommitError, JournalError};
use crate::journal::file::directory::{
    Directory, io_error, open_with, private_files, sync_directory,
};
use crate::journal::file::tail::Tail;
use crate::journal::ledger::lines;
use crate::proposal::time::now;
use crate::records::Record;
use crate::state::State;

/// Begins a new segment with what all before it adds up to. Gives how many syncs that took.
pub(super) fn rotate(
    directory: &Directory,
    instance: &str,
    tail: &mut Tail,
) -> Result<u64, JournalError> {
    let mut ledger = tail.ledger().clone();
    let state = Box::new(State::clone(ledger.state()));
    let index = tail.index();
    let checkpoint = vec![Record::Checkpoint {
        index: Some(index.hash()),
        state,
    }];
    // It sums up what was, and is as old as the last of it.
    let at = ledger.state().at.unwrap_or_else(now);
    let sealed = match ledger.write(checkpoint, at, instance) {
        Ok(sealed) => sealed,
        Err(CommitError::Journal(error)) => return Err(error),
        // It sums up the very state it is written on.
        Err(CommitError::Refused(_)) => return Ok(0),
    };
    let lines = lines(&sealed);
    let segment = directory.segment(ledger.head().seq);
    let draft = directory.journal().join("next");
    let failed = |source| io_error("begin", &segment.path)(source);
    let mut options = private_files();
    let mut file =
        open_with(options.create(true).truncate(true).write(true), &draft).map_err(failed)?;
    file.write_all(&lines)
        .and_then(|()| file.sync_all())
        .and_then(|()| failpoint::pass("segment.written", directory.path()))
        .and_then(|()| std::fs::rename(&draft, &segment.path))
        .and_then(|()| failpoint::pass("segment.renamed", directory.path()))
        .and_then(|()| sync_directory(&directory.journal()))
        .map_err(failed)?;
    index.keep(directory, tail.segment());
    *tail.ledger_mut() = ledger;
    tail.turn(segment);
    tail.wrote(&sealed);
    Ok(2)
}
