//! Where the journal under test is kept.

use std::fmt;
use std::sync::Arc;

use action_core::BoxError;
use async_trait::async_trait;

use crate::journal::{Journal, MemoryJournal};

/// Where one journal is kept. Each test has one of its own.
#[async_trait]
pub trait Place: fmt::Debug + Send + Sync {
    /// Opens it once more, as another process would.
    ///
    /// # Errors
    /// When it cannot be opened.
    async fn open(&self) -> Result<Arc<dyn Journal>, BoxError>;

    /// Damages what is kept, behind the back of every journal.
    ///
    /// # Errors
    /// When it could not.
    async fn damage(&self, damage: Damage) -> Result<(), BoxError> {
        Err(format!("{damage:?}: what is kept cannot be reached from outside").into())
    }

    /// Nobody needs it any more.
    async fn end(&self) {}
}

/// What is done to a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// In the line of this record, which stays as long as it is, `a test` becomes `a lie!`.
    Change(u64),
    /// The line of this record goes.
    Remove(u64),
}

/// The journals in memory that share their records.
#[derive(Debug, Default)]
pub struct MemoryPlace(MemoryJournal);

#[async_trait]
impl Place for MemoryPlace {
    async fn open(&self) -> Result<Arc<dyn Journal>, BoxError> {
        Ok(Arc::new(self.0.another_instance()))
    }
}
