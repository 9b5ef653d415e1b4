//! Which lines of a closed segment are about which proposal, so that old ones are found at once.
//!
//! An index is derived from its segment, and never trusted. It counts only when its hash is the one
//! that the chain has: the checkpoint after a segment holds the hash of the segment's index, and
//! every index holds the hash of the one before, so that the last checkpoint vouches for all. One
//! that is missing, or another, is made anew from its segment.

use std::fs;
use std::io::{Read as _, Write as _};

use crate::journal::file::directory::{
    Directory, Segment, open_file, private_directories, private_files,
};
use crate::records::{Entry, Hash, Record};

/// Lines in the order of their keys and places, with the hashes of the records there, after the
/// hash of the index before.
#[derive(Debug, Default)]
pub(super) struct Index {
    bytes: Vec<u8>,
}

/// What becomes the index of a segment, while that is read and written.
#[derive(Debug, Clone, Default)]
pub(super) struct IndexDraft {
    before: Hash,
    lines: Vec<[u8; LINE]>,
}

/// The hash of the index before.
const HEADER: usize = 32;

/// A line: a key, a place, a hash.
const LINE: usize = 8 + 8 + 32;

/// The key of a proposal. Two may have the same: what is found is compared with the whole id.
fn key(id: &str) -> [u8; 8] {
    let hash = Hash::of(id.as_bytes());
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

impl IndexDraft {
    /// Takes in the record whose line begins there.
    pub(super) fn note(&mut self, entry: &Entry, offset: u64) {
        let Entry { record, hash, .. } = entry;
        if let Record::Checkpoint { index, .. } = record
            && offset == 0
        {
            self.before = index.unwrap_or_default();
        }
        if let Some(id) = record.proposal_id() {
            let mut line = [0; LINE];
            let (front, end) = line.split_at_mut(16);
            front[..8].copy_from_slice(&key(id));
            front[8..].copy_from_slice(&offset.to_be_bytes());
            end.copy_from_slice(hash.as_bytes());
            self.lines.push(line);
        }
    }

    /// The index of the segment, as far as it was noted.
    pub(super) fn index(&self) -> Index {
        let mut lines = self.lines.clone();
        lines.sort_unstable();
        let mut bytes = self.before.as_bytes().to_vec();
        bytes.extend(lines.iter().flatten());
        Index { bytes }
    }
}

impl Index {
    /// The index that is kept for a segment, if it is the one with this hash.
    pub(super) fn kept(directory: &Directory, segment: &Segment, hash: Hash) -> Option<Self> {
        let file = open_file(&directory.index(segment)).ok()?;
        // It is shorter than its segment, as each of its lines stands for a longer one.
        let most = fs::metadata(&segment.path).ok()?.len();
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes).ok()?;
        let index = Self { bytes };
        (index.bytes.len() >= HEADER && index.hash() == hash).then_some(index)
    }

    /// Keeps it for the next time. What cannot be kept is made anew then.
    pub(super) fn keep(&self, directory: &Directory, segment: &Segment) {
        let path = directory.index(segment);
        // Whatever lies there, and wherever it leads.
        let _ = fs::remove_file(&path);
        let kept = private_directories()
            .create(directory.indexes())
            .and_then(|()| private_files().create_new(true).write(true).open(&path))
            .and_then(|mut file| file.write_all(&self.bytes));
        if let Err(error) = kept {
            tracing::debug!(error = %error, segment = segment.name(), "index not kept");
        }
    }

    pub(super) fn hash(&self) -> Hash {
        Hash::of(&self.bytes)
    }

    /// The hash of the index of the segment before; zeros when the chain has none.
    pub(super) fn before(&self) -> Hash {
        let header = self.bytes.first_chunk::<HEADER>();
        header.copied().map(Hash::from_bytes).unwrap_or_default()
    }

    /// Where lines begin that may be about a proposal, the first in the file first, and the hashes
    /// of the records there.
    pub(super) fn places(&self, id: &str) -> Vec<(u64, Hash)> {
        let (lines, _) = self
            .bytes
            .get(HEADER..)
            .unwrap_or_default()
            .as_chunks::<LINE>();
        let key = key(id);
        let about = lines.iter().filter(|line| line.starts_with(&key));
        let place = |line: &[u8; LINE]| {
            let offset = line.get(8..16)?.first_chunk().copied()?;
            let hash = line.last_chunk().copied()?;
            Some((u64::from_be_bytes(offset), Hash::from_bytes(hash)))
        };
        about.filter_map(place).collect()
    }
}
