//! The list of a subject's actions, each as what is derived from its declaration.

use std::sync::Arc;

use crate::declare::erased_action::ErasedAction;
use crate::schema::{ActionDefinition, SchemaProblem};

/// The actions of a subject, in the order they should be documented.
///
/// Each stands here as what is derived from its declaration.
pub struct ActionSet<S> {
    pub(crate) entries: Vec<Entry<S>>,
}

/// One action, before it is bound to a system.
pub(crate) struct Entry<S> {
    pub(crate) definition: ActionDefinition,
    /// What its parameters have that we have no word for.
    pub(crate) unsupported: Option<SchemaProblem>,
    pub(crate) bind: fn(Arc<S>) -> Arc<dyn ErasedAction>,
}

impl<S> Default for ActionSet<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> ActionSet<S> {
    /// No actions yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// The definitions, without a system to bind them to.
    pub fn definitions(&self) -> impl Iterator<Item = &ActionDefinition> {
        self.entries.iter().map(|entry| &entry.definition)
    }

    /// The same, to keep.
    pub fn into_definitions(self) -> impl Iterator<Item = ActionDefinition> {
        self.entries.into_iter().map(|entry| entry.definition)
    }
}
