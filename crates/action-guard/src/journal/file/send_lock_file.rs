//! The send lock of a state directory.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::failpoint::pass;
use crate::journal::error::JournalError;
use crate::journal::file::directory::{
    io_error, open_file, open_with, private_directories, private_files,
};
use crate::journal::file::lock_holder::holder;
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
    _lock: File,
    name: Option<(File, PathBuf)>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.name {
            let _ = fs::remove_file(path);
        }
    }
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
        let name = self.name(&Sender::here(proposal, instance)).ok();
        let path = self.lock();
        let lock = self.opened(&path).map_err(io_error("open", &path))?;
        let begun = Instant::now();
        loop {
            match lock.try_lock_shared() {
                Ok(()) => return Ok(SendLock::new(Held { _lock: lock, name })),
                Err(TryLockError::WouldBlock) if begun.elapsed() < LONGEST_WAIT => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(JournalError::Locked {
                        path,
                        holder: "a process that stops sends".to_owned(),
                        waited_ms: 1_000,
                    });
                }
                Err(TryLockError::Error(source)) => return Err(io_error("lock", &path)(source)),
            }
        }
    }

    /// Who holds it. When nobody does, nobody who asked for it before is still sending.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn senders(&self) -> Result<Vec<Sender>, JournalError> {
        let path = self.lock();
        let lock = match open_file(&path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("open", &path)(error)),
        };
        match lock.try_lock() {
            Ok(()) => Ok(Vec::new()),
            Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
            Err(TryLockError::WouldBlock) => {
                let mut senders = self.names().unwrap_or_default();
                if senders.is_empty() {
                    let text = match holder(&lock) {
                        Some(pid) => format!("process {pid}, which did not say what it sends"),
                        None => "a process that did not say who it is".to_owned(),
                    };
                    senders.push(Sender::elsewhere(None, text));
                }
                Ok(senders)
            }
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

    /// Says who is sending what. Only for messages: nothing depends on it.
    fn name(&self, sender: &Sender) -> io::Result<(File, PathBuf)> {
        let name = sender.proposal.as_deref().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let sending = self.sending();
        if !sending.is_dir() {
            private_directories().create(&sending)?;
        }
        let path = sending.join(name);
        let mut options = private_files();
        let mut file = open_with(options.create(true).truncate(true).write(true), &path)?;
        file.try_lock()?;
        file.write_all(serde_json::to_string(sender)?.as_bytes())?;
        Ok((file, path))
    }

    /// Those who said so and live. What the dead left is removed.
    fn names(&self) -> io::Result<Vec<Sender>> {
        let mut senders = Vec::new();
        for entry in fs::read_dir(self.sending())? {
            let path = entry?.path();
            let Ok(file) = open_file(&path) else {
                continue;
            };
            match file.try_lock_shared() {
                Ok(()) => {
                    let _ = fs::remove_file(&path);
                }
                Err(_) => {
                    let read = fs::read_to_string(&path).ok();
                    senders.extend(read.and_then(|text| serde_json::from_str(&text).ok()));
                }
            }
        }
        Ok(senders)
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
            assert_eq!(lock.name(&Sender::here(proposal, "here")).is_ok(), is_name);
        }
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
