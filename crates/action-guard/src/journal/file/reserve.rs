//! Space that is kept for the time when there is no other.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Seek as _, SeekFrom, Write as _};

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
    failpoint::pass("reserve.grow", directory.path())?;
    let mut options = private_files();
    let mut file = open_with(options.create(true).truncate(false).write(true), &path)?;
    file.seek(SeekFrom::Start(length))?;
    let mut noise = Noise(length | 1);
    let mut missing = needed.div_ceil(STEP).saturating_mul(STEP) - length;
    while missing > 0 {
        let block = noise.block();
        let part = usize::try_from(missing).map_or(block.len(), |missing| missing.min(block.len()));
        let part = block.get(..part).unwrap_or(&block);
        file.write_all(part)?;
        missing = missing.saturating_sub(u64::try_from(part.len()).unwrap_or(u64::MAX));
    }
    file.sync_all()?;
    Ok(1)
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
