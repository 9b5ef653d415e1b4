//! When browser sessions were last used here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use action_guard::BrowserSession;
use jiff::{SignedDuration, Timestamp};

/// When browser sessions were last used at this gate, by their ids. Nothing of it is written down: another
/// gate, and this one after it was started anew, knows when a session began.
#[derive(Debug, Default)]
pub(crate) struct Used(Mutex<BTreeMap<String, Instant>>);

impl Used {
    /// Whether a session was used lately, or began lately. If so, it is used now.
    pub(crate) fn is_in_use(&self, session: &BrowserSession, idle: Duration) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, at| at.elapsed() < idle);
        let began = Timestamp::now().duration_since(session.proof.at);
        let is_young = SignedDuration::try_from(idle).is_ok_and(|idle| began < idle);
        if !used.contains_key(&session.id) && !is_young {
            return false;
        }
        used.insert(session.id.clone(), Instant::now());
        true
    }
}
