//! Mutual exclusion of the processes that share a state directory.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

use crate::journal::error::JournalError;
use crate::journal::file::directory::{Directory, io_error, open_with, private_files};
use crate::proposal::time;

const FIRST_PAUSE: Duration = Duration::from_micros(200);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// The file that whoever writes holds. It is never renamed or removed, so that all hold the same.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// Held until dropped.
#[derive(Debug)]
pub(super) struct Held<'a>(&'a File);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // The system unlocks it in any case when the file is closed.
        let _ = self.0.unlock();
    }
}

impl Lock {
    pub(super) fn open(directory: &Directory) -> Result<Self, JournalError> {
        let path = directory.lock();
        let mut options = private_files();
        let options = options.create(true).truncate(false).read(true).write(true);
        let file = open_with(options, &path);
        let file = file.map_err(io_error("open", &path))?;
        Ok(Self { file })
    }

    /// Waits for the lock for so long, then says who holds it.
    pub(super) fn acquire(
        &self,
        directory: &Directory,
        wait: Duration,
        instance: &str,
    ) -> Result<Held<'_>, JournalError> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match self.file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => {
                    return Err(io_error("lock", &directory.lock())(source));
                }
                Err(TryLockError::WouldBlock) if begun.elapsed() >= wait => {
                    return Err(JournalError::Locked {
                        path: directory.path().to_owned(),
                        holder: self.holder(),
                        waited_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                    });
                }
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(pause);
                    pause = (pause * 3 / 2).min(LONGEST_PAUSE);
                }
            }
        }
        self.sign(instance);
        Ok(Held(&self.file))
    }

    /// Says who holds it. Only for messages: nothing depends on it.
    fn sign(&self, instance: &str) {
        let now = time::clock().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
        let text = format!("process {} ({instance}) since {now}", std::process::id());
        // One write: a formatted one to a file is one for each space.
        let line = format!("{text:<120}\n");
        let mut file = &self.file;
        let _ = file
            .seek(SeekFrom::Start(0))
            .and_then(|_| file.write_all(line.as_bytes()));
    }

    fn holder(&self) -> String {
        let mut text = String::new();
        let mut file = &self.file;
        let _ = file
            .seek(SeekFrom::Start(0))
            .and_then(|_| file.take(200).read_to_string(&mut text));
        match text.lines().next().map(str::trim) {
            Some(holder) if !holder.is_empty() => holder.to_owned(),
            _ => "another process".to_owned(),
        }
    }
}
