//! A check of all: every line, and that each segment goes on where the one before it ends.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use action_core::Done;

use crate::journal::error::JournalError;
use crate::journal::file::directory::{Directory, Segment, io_error};
use crate::journal::file::lines::bad;
use crate::journal::file::tail::Tail;
use crate::journal::{Checking, Head, Verified};
use crate::proposal::Refusal;
use crate::records::BadLine;

/// So many bytes are read between two reports of how far it is.
const MIB: u64 = 1024 * 1024;

/// Checks every line of every segment: its hash, its number, what it follows, and that it can have
/// happened then. A segment begins with what all before it adds up to, so that each is checked by
/// itself, as many at a time as there are processors; that it is what the one before adds up to is
/// checked there. Needs no more memory for a long journal than for a short one.
pub(super) fn verify(
    directory: &Directory,
    mut progress: Checking,
) -> Result<Verified, JournalError> {
    let segments = directory.segments()?;
    let Some(first) = segments.first() else {
        let nothing = Tail::before(directory.segment(1));
        return Ok(Verified::new(1, nothing.ledger().head(), 0));
    };
    let mut total = 0_u64;
    for segment in &segments {
        let metadata = std::fs::metadata(&segment.path);
        let metadata = metadata.map_err(io_error("read", &segment.path))?;
        total = total.saturating_add(metadata.len());
    }
    let next = AtomicUsize::new(0);
    let worst = Mutex::new(None::<(usize, JournalError)>);
    let end = Mutex::new((Head::new(0, crate::Hash::ZERO), 0));
    let (tell, told) = channel();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let tell = tell.clone();
            scope.spawn(|| {
                let tell = tell;
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(segment) = segments.get(at) else {
                        break;
                    };
                    match check(segment, segments.get(at + 1), &tell) {
                        Ok(found) if at + 1 == segments.len() => *lock(&end) = found,
                        Ok(_) => {}
                        Err(error) => {
                            // The first that is wrong is said: those before it are begun with.
                            next.store(segments.len(), Ordering::Relaxed);
                            let mut worst = lock(&worst);
                            if worst.as_ref().is_none_or(|(other, _)| at < *other) {
                                *worst = Some((at, error));
                            }
                        }
                    }
                }
            });
        }
        drop(tell);
        let mut done = 0_u64;
        for bytes in told {
            done = done.saturating_add(bytes);
            progress(Done::new(done / MIB, total.div_ceil(MIB), "MiB"));
        }
    });
    match worst.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => {
            let (head, torn) = *lock(&end);
            Ok(Verified::new(first.first, head, segments.len()).half_line(torn))
        }
    }
}

/// Checks a segment, and that the next one goes on where it ends. Gives its end, and how many bytes of
/// half a line are after it.
fn check(
    segment: &Segment,
    next: Option<&Segment>,
    tell: &Sender<u64>,
) -> Result<(Head, u64), JournalError> {
    let mut tail = Tail::before(segment.clone());
    let mut read = 0_u64;
    let torn = tail.read_segment(&mut |bytes| {
        read = read.saturating_add(bytes);
        if read >= MIB {
            // Nobody may be looking any more.
            let _ = tell.send(std::mem::take(&mut read));
        }
    })?;
    let _ = tell.send(read);
    let end = tail.ledger().head();
    let Some(next) = next else {
        return Ok((end, torn));
    };
    if end.seq + 1 != next.first || torn > 0 {
        return Err(JournalError::Cut {
            segment: segment.name(),
            what: format!(
                "it ends with record {}{}, but {} exists",
                end.seq,
                if torn > 0 {
                    " and an incomplete line"
                } else {
                    ""
                },
                next.name()
            ),
        });
    }
    let index = tail.index().hash();
    tail.turn(next.clone());
    let named = tail.read_first()?;
    if named.is_some_and(|named| named != index) {
        let what = "a checkpoint that names another index".to_owned();
        let (seq, source) = (next.first, Refusal::InvalidRecord { what });
        return Err(bad(next, 1, BadLine::Impossible { seq, source }));
    }
    Ok((end, 0))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
