//! Which tools an actor was shown a list without.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use action_guard::Actor;

/// What was left out of the list when an actor last asked for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listed(Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>);

impl Listed {
    /// Keeps what an actor was shown without; whether that has changed since they were shown a list.
    pub(crate) fn listed(&self, actor: &Actor, hidden: &BTreeSet<String>) -> bool {
        let mut listed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = listed.insert(actor.to_string(), hidden.clone());
        before.is_some_and(|before| before != *hidden)
    }

    pub(crate) fn was_asked_for(&self, actor: &Actor) -> bool {
        let listed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listed.contains_key(actor.as_str())
    }
}
