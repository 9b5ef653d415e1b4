//! Reading: the state, some records, or a check of all.

use std::sync::{Arc, Mutex, PoisonError};

use action_core::Done;
use action_guard::{Checking, Entry, JournalError, Record, State, Verified};

use crate::store::{Place, Store, key};
use crate::tail::{Tail, bad};

/// How many lines are asked for at a time.
const PAGE: u32 = 512;

/// The newest place that this process has written to, so that it need not read it back.
#[derive(Debug, Default)]
pub(crate) struct Latest(Mutex<Option<Tail>>);

impl Latest {
    pub(crate) fn set(&self, tail: &Tail) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(tail.clone());
    }

    fn get(&self) -> Option<Tail> {
        let tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.clone()
    }
}

/// Follows the state on a connection of its own, so that it waits for no writer.
pub(crate) struct Reader {
    name: Arc<str>,
    store: Box<dyn Store>,
    tail: Option<Tail>,
    latest: Arc<Latest>,
}

impl Reader {
    pub(crate) fn new(place: &dyn Place, latest: Arc<Latest>) -> Self {
        Self {
            name: Arc::clone(place.name()),
            store: place.store(),
            tail: None,
            latest,
        }
    }

    /// The state as it is now: reads only what was added since it was last asked for.
    pub(crate) async fn state(&mut self) -> Result<Arc<State>, JournalError> {
        let known = [self.tail.take(), self.latest.get()];
        let known = known.into_iter().flatten();
        let known = known.max_by_key(|tail| tail.head().seq);
        let head = self.store.head().await?;
        let tail = match known {
            Some(mut tail) => {
                tail.advance(&mut *self.store, head, &mut |_| {}).await?;
                tail
            }
            None => Tail::open(&self.name, &mut *self.store, head).await?,
        };
        let state = Arc::clone(tail.state());
        self.tail = Some(tail);
        Ok(state)
    }
}

/// Entries after a number, at most so many.
pub(crate) async fn entries(
    place: &dyn Place,
    after: u64,
    limit: usize,
) -> Result<Vec<Entry>, JournalError> {
    let mut store = place.store();
    let mut entries = Vec::new();
    let mut last = after;
    while entries.len() < limit {
        let missing = limit - entries.len();
        let page = u32::try_from(missing).map_or(PAGE, |missing| missing.min(PAGE));
        let lines = store.lines(last, page).await?;
        let Some(end) = lines.last() else {
            break;
        };
        last = end.seq;
        for line in &lines {
            let entry = Entry::read(line.text.as_bytes(), None);
            entries.push(entry.map_err(|source| bad(place.name(), line.seq, source))?);
        }
    }
    Ok(entries)
}

/// The entries of a proposal, found by the key that they are kept under, without reading others.
///
/// Each is what the record after it, or the head, names: one that was altered together with its own
/// hash is not shown. That none is kept under another key, [`verify`] finds.
pub(crate) async fn entries_of(
    place: &dyn Place,
    proposal: &str,
) -> Result<Vec<Entry>, JournalError> {
    let mut store = place.store();
    let lines = store.lines_about(&key(proposal)).await?;
    // Read after the lines, so that each of them has something after it.
    let head = store.head().await?;
    let mut entries = Vec::new();
    for line in &lines {
        let wrong = |source| bad(place.name(), line.seq, source);
        let entry = Entry::read(line.text.as_bytes(), None).map_err(wrong)?;
        if entry.record.proposal_id() != Some(proposal) {
            continue;
        }
        let named = if line.seq == head.seq {
            Some(head.hash)
        } else {
            let next = store.lines(line.seq, 1).await?;
            let next = next.first().filter(|next| next.seq == line.seq + 1);
            let next = next.map(|next| Entry::read(next.text.as_bytes(), None));
            next.transpose().map_err(wrong)?.map(|next| next.prev)
        };
        if entry.seq != line.seq || named != Some(entry.hash) {
            return Err(JournalError::Cut {
                segment: place.name().to_string(),
                what: format!("record {} is not the one that follows there", line.seq),
            });
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Checks every line up to the end as it is when this begins. Needs no more memory for a long
/// journal than for a short one, and holds no snapshot open.
pub(crate) async fn verify(
    place: &dyn Place,
    mut progress: Checking,
) -> Result<Verified, JournalError> {
    let mut store = place.store();
    let head = store.head().await?;
    let begin = store.lines(0, 1).await?;
    let first = begin.first().map_or(1, |line| line.seq);
    let mut tail = Tail::before(place.name(), first);
    let mut segments = usize::from(head.seq > 0);
    let mut see = |entry: &Entry| {
        if entry.seq > first && matches!(entry.record, Record::Checkpoint { .. }) {
            segments += 1;
        }
        if entry.seq.is_multiple_of(PAGE.into()) {
            progress(Done::new(entry.seq - first, head.seq - first, "records"));
        }
    };
    tail.advance(&mut *store, head, &mut see).await?;
    Ok(Verified::new(first, head, segments))
}
