//! The send lock of a state directory.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::failpoint::pass;
use crate::journal::error::JournalError;
use crate::journal::file::directory::{io_error, open_file, open_with, private_files};
use crate::journal::file::sender_names::{Named, is_at, names, unnamed};
use crate::journal::send_lock::{SendLock, Sender};

/// Who stops sends has the lock for a moment only.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The send lock of a state directory, for the journals that are kept in one.
///
/// ```text
/// sending.lock          held shared by all who hand over a request
/// sending/<proposal>    held for as long, and says by whom
/// ```
///
/// The system lets both go when a process ends, and keeps them for one that is only stopped.
#[derive(Debug, Clone)]
pub struct SendLockFile {
    root: Arc<PathBuf>,
}

/// Let go of when it is dropped.
struct Held {
    /// Let go of first, so that nobody holds the lock without a name.
    _lock: File,
    _name: Option<Named>,
}

impl SendLockFile {
    /// The send lock of this state directory.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        Self {
            root: Arc::new(directory.to_owned()),
        }
    }

    /// Takes it, for the request of a proposal. Blocks, but only while somebody finds out who
    /// holds it.
    ///
    /// # Errors
    /// When it cannot be had; nothing is sent then.
    pub fn hold(&self, proposal: &str, instance: &str) -> Result<SendLock, JournalError> {
        // Named first, so that nobody holds it without a name. What cannot be named, as on a full
        // disk, is waited for all the same.
        let _name = Named::new(&self.sending(), &Sender::here(proposal, instance)).ok();
        let path = self.lock();
        let lock = self.opened(&path).map_err(io_error("open", &path))?;
        let _lock = self.locked(lock, &path)?;
        Ok(SendLock::new(Held { _lock, _name }))
    }

    /// Waits for it, and looks last whether it is the one that who stops sends would find.
    fn locked(&self, mut lock: File, path: &Path) -> Result<File, JournalError> {
        let begun = Instant::now();
        loop {
            match lock.try_lock_shared() {
                Ok(()) if is_at(&lock, path) => return Ok(lock),
                Err(TryLockError::Error(source)) => return Err(io_error("lock", path)(source)),
                _ if begun.elapsed() >= LONGEST_WAIT => {
                    return Err(JournalError::Locked {
                        path: path.to_owned(),
                        holder: "a process that stops sending".to_owned(),
                        waited_ms: 1_000,
                    });
                }
                // It was taken away: another is there, or is made.
                Ok(()) => lock = self.opened(path).map_err(io_error("open", path))?,
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Who holds it. When nobody does, nobody who asked for it before is still sending.
    ///
    /// The lock file may have been taken away from who holds it: who has said so in `sending/` is a
    /// sender without it too.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn senders(&self) -> Result<Vec<Sender>, JournalError> {
        let held = self.held_by_anybody()?;
        let mut senders = names(&self.sending())?;
        if let (true, Some(lock)) = (senders.is_empty(), held) {
            senders.push(unnamed(&lock, None));
        }
        Ok(senders)
    }

    /// The lock file, when somebody holds it.
    fn held_by_anybody(&self) -> Result<Option<File>, JournalError> {
        let path = self.lock();
        let lock = match open_file(&path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("open", &path)(error)),
        };
        match lock.try_lock() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(lock)),
            Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
        }
    }

    /// The file, made if need be. Where nothing can be written it is locked as it is: a person takes
    /// back what is ours from there too.
    fn opened(&self, path: &Path) -> io::Result<File> {
        let mut options = private_files();
        let options = options.create(true).truncate(false).read(true).write(true);
        match pass("send.lock", &self.root).and_then(|()| open_with(options, path)) {
            Err(error) if is_read_only(&error) => open_file(path),
            opened => opened,
        }
    }

    fn lock(&self) -> PathBuf {
        self.root.join("sending.lock")
    }

    fn sending(&self) -> PathBuf {
        self.root.join("sending")
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn who_holds_it_is_named_until_they_let_go() {
        let directory = tempfile::tempdir().unwrap();
        let lock = SendLockFile::of(directory.path());
        assert_eq!(lock.senders().unwrap(), []);
        let one = lock.hold("p-1", "here").unwrap();
        let other = lock.hold("p-2", "there").unwrap();
        let mut said: Vec<_> = lock
            .senders()
            .unwrap()
            .iter()
            .map(Sender::to_string)
            .collect();
        said.sort_unstable();
        let process = std::process::id();
        assert!(
            said[0].starts_with(&format!("proposal p-1, by process {process}")),
            "{said:?}"
        );
        assert!(said[1].ends_with("(instance there)"), "{said:?}");
        drop(one);
        assert_eq!(lock.senders().unwrap().len(), 1);
        drop(other);
        assert_eq!(lock.senders().unwrap(), []);
        assert_eq!(fs::read_dir(lock.sending()).unwrap().count(), 0);
    }

    #[test]
    fn what_cannot_be_named_is_waited_for_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let lock = SendLockFile::of(directory.path());
        let held = lock.hold("../p", "here").unwrap();
        let senders = lock.senders().unwrap();
        assert_eq!((senders.len(), &senders[0].proposal), (1, &None));
        if cfg!(target_os = "linux") {
            let process = format!("process {}, which", std::process::id());
            assert!(senders[0].to_string().contains(&process), "{senders:?}");
        }
        assert!(!directory.path().join("p").exists());
        drop(held);
        assert_eq!(lock.senders().unwrap(), []);
        for (proposal, is_name) in [("p_1-a", true), ("p/1", false), ("", false)] {
            let named = Named::new(&lock.sending(), &Sender::here(proposal, "here"));
            assert_eq!(named.is_ok(), is_name);
        }
    }

    /// Whoever takes the lock file away while a request is being handed over.
    #[cfg(unix)]
    #[test]
    fn who_sends_is_known_without_the_lock_file() {
        let directory = tempfile::tempdir().unwrap();
        let lock = SendLockFile::of(directory.path());
        let one = lock.hold("p-1", "here").unwrap();
        fs::remove_file(lock.lock()).unwrap();
        let senders = lock.senders().unwrap();
        assert_eq!(senders[0].proposal.as_deref(), Some("p-1"), "{senders:?}");
        // Another is made in its place.
        let other = lock.hold("p-2", "here").unwrap();
        assert_eq!(lock.senders().unwrap().len(), 2);
        drop(other);
        assert_eq!(lock.senders().unwrap().len(), 1);
        // One who has said nothing yet, or half of it.
        fs::write(lock.sending().join("p-1"), "{").unwrap();
        let senders = lock.senders().unwrap();
        assert_eq!(senders[0].proposal.as_deref(), Some("p-1"), "{senders:?}");
        drop(one);
        assert_eq!(lock.senders().unwrap(), []);
    }

    /// One that was taken away before it was locked is none that who stops sends would find.
    #[cfg(unix)]
    #[test]
    fn a_lock_file_that_was_taken_away_is_not_sent_by() {
        let directory = tempfile::tempdir().unwrap();
        let lock = SendLockFile::of(directory.path());
        let old = lock.opened(&lock.lock()).unwrap();
        fs::remove_file(lock.lock()).unwrap();
        let held = lock.locked(old, &lock.lock()).unwrap();
        assert!(is_at(&held, &lock.lock()));
        assert_eq!(lock.senders().unwrap().len(), 1);
        // Nor is one that cannot be made again.
        fs::remove_file(lock.lock()).unwrap();
        fs::create_dir(lock.lock()).unwrap();
        lock.locked(held, &lock.lock()).unwrap_err();
    }

    /// Somebody finds out who holds it, which takes a moment, or never ends.
    #[test]
    fn who_wants_it_waits_for_who_finds_out() {
        let directory = tempfile::tempdir().unwrap();
        let lock = SendLockFile::of(directory.path());
        drop(lock.hold("p", "here").unwrap());
        let other = File::open(lock.lock()).unwrap();
        other.lock().unwrap();
        let begun = Instant::now();
        let error = lock.hold("p", "here").unwrap_err();
        assert!(matches!(error, JournalError::Locked { .. }), "{error}");
        assert!(begun.elapsed() >= LONGEST_WAIT);
        other.unlock().unwrap();
        drop(lock.hold("p", "here").unwrap());
    }

    #[test]
    fn what_the_dead_left_names_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let lock = SendLockFile::of(directory.path());
        fs::create_dir(lock.sending()).unwrap();
        fs::write(lock.sending().join("dead"), "{}").unwrap();
        let held = lock.hold("p", "here").unwrap();
        assert_eq!(lock.senders().unwrap().len(), 1);
        assert!(!lock.sending().join("dead").exists());
        drop(held);
    }
}
