//! Which process instances live: each that has open intents holds a lock while it does.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::journal::error::JournalError;
use crate::journal::file::directory::{Directory, io_error, open_file, private_files};

/// Held by a living instance; the system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Owner {
    /// Locked for as long as it is open.
    _file: File,
    path: PathBuf,
}

impl Owner {
    /// Says that this instance lives. Before its first intent, so that nobody sees one without, and
    /// while it holds the journal's lock, so that nobody else is just about to say so.
    pub(super) fn claim(directory: &Directory, instance: &str) -> Result<Self, JournalError> {
        sweep(directory);
        let path = directory.owner(instance);
        let failed = |doing| io_error(doing, &path);
        let file = private_files().create_new(true).write(true).open(&path);
        let file = file.map_err(failed("create"))?;
        file.lock().map_err(failed("lock"))?;
        Ok(Self { _file: file, path })
    }

    /// Whether an instance lives. What a dead one left is removed.
    pub(super) fn is_alive(directory: &Directory, instance: &str) -> Result<bool, JournalError> {
        let path = directory.owner(instance);
        let file = match open_file(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(io_error("open", &path)(error)),
        };
        // Shared, so that two that ask at the same time do not take each other for the owner.
        match file.try_lock_shared() {
            Ok(()) => {
                let _ = fs::remove_file(&path);
                Ok(false)
            }
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(io_error("lock", &path)(error)),
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes what the dead left that nobody asked for since. Only to be tidy: what cannot be removed
/// stays.
fn sweep(directory: &Directory) {
    let Ok(owners) = fs::read_dir(directory.owners()) else {
        return;
    };
    for path in owners.filter_map(|entry| Some(entry.ok()?.path())) {
        if let Ok(file) = open_file(&path)
            && file.try_lock_shared().is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
}
