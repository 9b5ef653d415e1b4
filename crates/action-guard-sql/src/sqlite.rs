//! SQLite: one file, shared by the processes of one host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use action_guard::{JournalError, SendLock, SendLockFile, Sender};
use async_trait::async_trait;

use crate::options::SqlOptions;
use crate::sqlite::directory::{Directory, Owner};
use crate::sqlite::store::SqliteStore;
use crate::store::{Place, Store, known_instance};

mod directory;
mod store;

/// A state directory with a database in it.
#[derive(Debug)]
pub(crate) struct SqlitePlace {
    name: Arc<str>,
    instance: String,
    directory: Directory,
    lock_wait: Duration,
    owner: Mutex<Option<Owner>>,
}

impl SqlitePlace {
    pub(crate) fn new(root: std::path::PathBuf, instance: String, options: &SqlOptions) -> Self {
        let directory = Directory::new(root);
        Self {
            name: directory.database().to_string_lossy().into(),
            instance,
            directory,
            lock_wait: options.lock_wait,
            owner: Mutex::new(None),
        }
    }

    fn owner(&self) -> std::sync::MutexGuard<'_, Option<Owner>> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Place for SqlitePlace {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn instance(&self) -> &str {
        &self.instance
    }

    async fn enter(&self) -> Result<(), JournalError> {
        self.directory.make()?;
        // Two that make the tables at the same time would only get into each other's way.
        let alone = self.directory.alone()?;
        let mut store = SqliteStore::new(&self.name, &self.directory, self.lock_wait);
        store.prepare().await?;
        drop(alone);
        *self.owner() = Some(Owner::claim(&self.directory, &self.instance)?);
        Ok(())
    }

    async fn stay(&self) {
        // The system keeps the lock for as long as the process lives.
    }

    async fn leave(&self) {
        *self.owner() = None;
    }

    fn store(&self) -> Box<dyn Store> {
        let store = SqliteStore::new(&self.name, &self.directory, self.lock_wait);
        Box::new(store)
    }

    fn outlives_unclear_commits(&self) -> bool {
        false
    }

    async fn is_alive(&self, instance: &str) -> Result<bool, JournalError> {
        let instance = known_instance(instance)?.to_string();
        Owner::is_alive(&self.directory, &instance)
    }

    async fn is_stopped(&self) -> Result<bool, JournalError> {
        self.directory.is_stopped()
    }

    async fn stop(&self) -> Result<(), JournalError> {
        self.directory.stop()
    }

    async fn unstop(&self) -> Result<(), JournalError> {
        self.directory.unstop()
    }

    async fn send_lock(&self, proposal: &str) -> Result<SendLock, JournalError> {
        SendLockFile::of(self.directory.path()).hold(proposal, &self.instance)
    }

    async fn senders(&self) -> Result<Vec<Sender>, JournalError> {
        SendLockFile::of(self.directory.path()).senders()
    }
}
