//! Space that is kept for the time when there is no other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::failpoint;
use crate::journal::file::directory::{Directory, open_with, private_files};

/// What an open intent may still need: its answer, its outcome, and an undo with its own.
const PER_INTENT: u64 = 64 * 1024;

/// It grows in steps, so that it is seldom synced.
const STEP: u64 = 1024 * 1024;

/// Makes sure of space for so many open intents. Gives how many syncs that took.
pub(super) fn ensure(directory: &Directory, intents: usize) -> io::Result<u64> {
    let path = directory.reserve();
    let intents = u64::try_from(intents).unwrap_or(u64::MAX);
    let needed = intents.saturating_mul(PER_INTENT);
    let length = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    if length >= needed {
        return Ok(0);
    }
    let mut options = private_files();
    let mut file = open_with(options.create(true).truncate(false).write(true), &path)?;
    let missing = needed.div_ceil(STEP).saturating_mul(STEP) - length;
    let grown = failpoint::pass("reserve.grow", directory.path())
        .and_then(|()| grow(&mut file, length, missing));
    if let Err(error) = grown {
        // What is not enough for it is enough for something else.
        let _ = file.set_len(length);
        return Err(not_enough(error, missing, directory));
    }
    file.sync_all()?;
    Ok(1)
}

fn grow(file: &mut File, length: u64, mut missing: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(length))?;
    let mut noise = Noise(length | 1);
    while missing > 0 {
        let block = noise.block();
        let part = usize::try_from(missing).map_or(block.len(), |missing| missing.min(block.len()));
        let part = block.get(..part).unwrap_or(&block);
        file.write_all(part)?;
        missing = missing.saturating_sub(u64::try_from(part.len()).unwrap_or(u64::MAX));
    }
    Ok(())
}

/// The same error; where there is too little space, how much it takes and how much there is.
fn not_enough(error: io::Error, missing: u64, directory: &Directory) -> io::Error {
    if !matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    ) {
        return error;
    }
    let free = match free_space(directory.path()) {
        Some(free) => format!(", and {} KiB are free", free / 1024),
        None => String::new(),
    };
    let text = format!(
        "cannot reserve {} KiB more for records that follow a send{free}: {error}",
        missing.div_ceil(1024)
    );
    io::Error::new(error.kind(), text)
}

/// How many bytes whoever we are can still write there; `None` where the system does not say.
#[cfg(unix)]
fn free_space(directory: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(directory).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(not(unix))]
fn free_space(_: &Path) -> Option<u64> {
    None
}

/// Gives the space back to the disk.
pub(super) fn release(directory: &Directory) -> io::Result<()> {
    let file = open_with(OpenOptions::new().write(true), &directory.reserve())?;
    file.set_len(0)
}

/// Bytes that no file system makes smaller.
struct Noise(u64);

impl Noise {
    fn block(&mut self) -> Vec<u8> {
        let mut block = Vec::with_capacity(64 * 1024);
        while block.len() < 64 * 1024 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            block.extend_from_slice(&self.0.to_le_bytes());
        }
        block
    }
}
