//! Which process we saw lead PD, since when, and whether it knew all there is to know.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What tells a process from another: the member's name, and when it was started by its own clock,
/// milliseconds after 1970.
pub(crate) type ProcessKey = (String, u64);

/// The process that led PD when it was last looked at; the same for all clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenProcess(Arc<Mutex<Option<Seen>>>);

/// A process that leads PD.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    process: ProcessKey,
    /// When we first saw it lead, by PD's clock.
    pub(crate) since: Option<SystemTime>,
    /// Whether its counts were complete once.
    pub(crate) complete: bool,
}

impl SeenProcess {
    /// What is known of a process; from now on, if it is another one than before.
    pub(crate) fn of(&self, process: &ProcessKey, now: Option<SystemTime>) -> Seen {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*seen {
            Some(known) if known.process == *process => known.clone(),
            _ => seen
                .insert(Seen {
                    process: process.clone(),
                    since: now,
                    complete: false,
                })
                .clone(),
        }
    }

    /// Its counts are complete, and stay so.
    pub(crate) fn is_complete(&self, process: &ProcessKey) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seen.as_mut().filter(|known| known.process == *process) {
            known.complete = true;
        }
    }
}
