//! What lies beside the database.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use action_guard::JournalError;

use crate::failure::io_error;

/// A state directory. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    root: Arc<PathBuf>,
}

impl Directory {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root: Arc::new(root),
        }
    }

    /// Makes it, with what belongs in it, if it is not there.
    pub(super) fn make(&self) -> Result<(), JournalError> {
        let owners = self.owners();
        if !owners.is_dir() {
            private_directories()
                .create(&owners)
                .map_err(io_error("create", &owners))?;
        }
        Ok(())
    }

    pub(super) fn database(&self) -> PathBuf {
        self.root.join("journal.sqlite")
    }

    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    fn owners(&self) -> PathBuf {
        self.root.join("owners")
    }

    fn kill(&self) -> PathBuf {
        self.root.join("KILL")
    }

    /// Waits until nobody else is making the tables.
    pub(super) fn alone(&self) -> Result<File, JournalError> {
        let path = self.root.join("lock");
        let file = private_files()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io_error("open", &path))?;
        file.lock().map_err(io_error("lock", &path))?;
        Ok(file)
    }

    /// Whether nothing is to be sent. A directory that is gone can stop nobody, so then this is an
    /// error.
    pub(super) fn is_stopped(&self) -> Result<bool, JournalError> {
        let database = self.database();
        fs::metadata(&database).map_err(io_error("look for", &database))?;
        let kill = self.kill();
        // Whatever it is, and wherever it leads.
        match fs::symlink_metadata(&kill) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(io_error("look for", &kill)(error)),
        }
    }

    pub(super) fn stop(&self) -> Result<(), JournalError> {
        if let Ok(true) = self.is_stopped() {
            return Ok(());
        }
        let kill = self.kill();
        let file = private_files().create(true).append(true).open(&kill);
        file.map_err(io_error("create", &kill))?;
        // It counts from here on; that it outlives a power cut is good, and not needed for that.
        let _ = self.sync();
        Ok(())
    }

    pub(super) fn unstop(&self) -> Result<(), JournalError> {
        let kill = self.kill();
        match fs::remove_file(&kill) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(io_error("remove", &kill)(error))
            }
            _ => Ok(()),
        }
    }

    /// Makes the names in it durable.
    pub(super) fn sync(&self) -> Result<(), JournalError> {
        let synced = File::open(&*self.root).and_then(|directory| directory.sync_all());
        synced.map_err(io_error("sync", &*self.root))
    }

    /// What the database's file is, however it is called.
    pub(super) fn identity(&self) -> io::Result<Identity> {
        let metadata = fs::metadata(self.database())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Ok((metadata.dev(), metadata.ino()))
        }
        #[cfg(not(unix))]
        {
            let _ = metadata;
            Ok((0, 0))
        }
    }
}

/// The device and the number of a file.
pub(super) type Identity = (u64, u64);

/// Held by a living instance; the system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Owner {
    /// Locked for as long as it is open.
    _file: File,
    path: PathBuf,
}

impl Owner {
    /// Says that this instance lives. It is locked before it has its name, so that nobody sees it
    /// free.
    pub(super) fn claim(directory: &Directory, instance: &str) -> Result<Self, JournalError> {
        sweep(directory);
        let path = directory.owners().join(instance);
        let draft = path.with_extension("new");
        let failed = |doing| io_error(doing, &path);
        let file = private_files().create_new(true).write(true).open(&draft);
        let file = file.map_err(failed("create"))?;
        file.lock().map_err(failed("lock"))?;
        fs::rename(&draft, &path).map_err(failed("name"))?;
        Ok(Self { _file: file, path })
    }

    /// Whether an instance lives. What a dead one left is removed.
    pub(super) fn is_alive(directory: &Directory, instance: &str) -> Result<bool, JournalError> {
        let path = directory.owners().join(instance);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Missing with all the others, it says nothing.
                let owners = directory.owners();
                fs::metadata(&owners).map_err(io_error("look for", &owners))?;
                return Ok(false);
            }
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
/// stays, and so do drafts, of which nobody knows whether somebody is at them.
fn sweep(directory: &Directory) {
    let Ok(owners) = fs::read_dir(directory.owners()) else {
        return;
    };
    for path in owners.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.extension().is_none()
            && path.is_file()
            && let Ok(file) = File::open(&path)
            && file.try_lock_shared().is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
}

/// For the user alone, where the system knows users.
fn private_files() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the database's file before SQLite does, which would let others read it.
pub(super) fn make_private(path: &Path) -> Result<(), JournalError> {
    let made = private_files()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    made.map_err(io_error("create", path))?;
    Ok(())
}

fn private_directories() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
