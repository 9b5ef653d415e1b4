//! How records are numbered, and tied to those before by their hashes.

use std::fmt;

use jiff::Timestamp;
use serde::de::Visitor;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::identity::Target;
use crate::records::Record;

/// The version of the format that is written, and the only one that is read.
///
/// 2: proposals, workflows and outcomes under the names of the field; who carried out an intent; what
/// was taken over and taken back. 3: which system a record is about.
pub const FORMAT: u32 = 3;

/// One record as it stands in the journal.
///
/// It is one line of JSON that ends with `,"hash":"…"}`: the SHA-256 of all bytes before that, the
/// hash of the line before being among them. What is hashed is what was written, byte for byte, so
/// that nothing depends on how a program would write it again.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// The version of the format.
    pub v: u32,
    /// Its number, from 1.
    pub seq: u64,
    /// When it was written, UTC.
    pub at: Timestamp,
    /// The process instance that wrote it.
    pub instance: String,
    /// The hash of the line before; zeros for the first.
    pub prev: Hash,
    /// Which system it is about, if it is about one.
    #[serde(default)]
    pub target: Option<Target>,
    /// What happened.
    pub record: Record,
    /// The hash of this line.
    pub hash: Hash,
}

/// What is hashed, but for its closing brace.
#[derive(Serialize)]
struct Body<'a> {
    v: u32,
    seq: u64,
    at: Timestamp,
    instance: &'a str,
    prev: Hash,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a Target>,
    record: &'a Record,
}

impl Entry {
    /// Numbers a record and ties it to what is before; gives the line too, without its end.
    ///
    /// # Errors
    /// When it cannot be put into JSON.
    pub fn seal(
        seq: u64,
        at: Timestamp,
        instance: &str,
        prev: Hash,
        target: Option<Target>,
        record: Record,
    ) -> Result<(Self, String), serde_json::Error> {
        let body = Body {
            v: FORMAT,
            seq,
            at,
            instance,
            prev,
            target: target.as_ref(),
            record: &record,
        };
        let mut line = serde_json::to_string(&body)?;
        line.pop();
        let hash = Hash::of(line.as_bytes());
        line.push_str(&format!("{HASH_FIELD}{hash}\"}}"));
        let entry = Self {
            v: FORMAT,
            seq,
            at,
            instance: instance.to_owned(),
            prev,
            target,
            record,
            hash,
        };
        Ok((entry, line))
    }

    /// Reads a line, without its end, that must follow the given hash.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &[u8], prev: Option<Hash>) -> Result<Self, BadLine> {
        let body = line.len().checked_sub(SUFFIX).map(|at| line.split_at(at));
        let (body, suffix) = body.ok_or(BadLine::NoHash)?;
        if !suffix.starts_with(HASH_FIELD.as_bytes()) || !suffix.ends_with(b"\"}") {
            return Err(BadLine::NoHash);
        }
        // Whether it is UTF-8 is found out once, and not for each of its strings.
        let read = match std::str::from_utf8(line) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(line),
        };
        let entry: Self = match read {
            Ok(entry) => entry,
            Err(source) => return Err(BadLine::unreadable(line, source)),
        };
        if entry.v != FORMAT {
            return Err(BadLine::OtherFormat { version: entry.v });
        }
        let hash = Hash::of(body);
        if hash != entry.hash {
            return Err(BadLine::Changed {
                seq: entry.seq,
                written: entry.hash,
                found: hash,
            });
        }
        match prev {
            Some(prev) if prev != entry.prev => Err(BadLine::Detached {
                seq: entry.seq,
                names: entry.prev,
                found: prev,
            }),
            _ => Ok(entry),
        }
    }
}

const HASH_FIELD: &str = ",\"hash\":\"";
/// The length of what follows the hashed bytes.
const SUFFIX: usize = HASH_FIELD.len() + 64 + 2;

/// What is wrong with a line of the journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadLine {
    /// It does not end with a hash.
    #[error("it does not end with a hash")]
    NoHash,
    /// It is not a record, or not of a kind that is known.
    #[error("it is not a record")]
    Unreadable {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It was written by another version of this program. Nothing is wrong with it.
    #[error("unsupported format {version}; this version reads format {FORMAT} only")]
    OtherFormat {
        /// Its format.
        version: u32,
    },
    /// Its bytes are not those that were hashed.
    #[error("record {seq} was changed: its hash is {found}, but {written} is recorded")]
    Changed {
        /// Its number.
        seq: u64,
        /// What it says.
        written: Hash,
        /// What its bytes give.
        found: Hash,
    },
    /// It does not follow the line before it.
    #[error("record {seq} follows {names}, but the record before it is {found}")]
    Detached {
        /// Its number.
        seq: u64,
        /// What it says it follows.
        names: Hash,
        /// What it stands behind.
        found: Hash,
    },
    /// It cannot have happened after what is before it.
    #[error("record {seq} is not possible")]
    Impossible {
        /// Its number.
        seq: u64,
        /// Why.
        #[source]
        source: crate::proposal::Refusal,
    },
}

impl BadLine {
    fn unreadable(line: &[u8], source: serde_json::Error) -> Self {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        match serde_json::from_slice(line) {
            Ok(Version { v: version }) if version != FORMAT => Self::OtherFormat { version },
            _ => Self::Unreadable { source },
        }
    }
}

/// A SHA-256 hash; written as 64 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What stands before the first record.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// These bytes, which are a hash.
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
        let (pairs, _) = digits.as_chunks::<2>();
        let mut hash = [0; 32];
        let mut all = 0;
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
            all |= high | low;
            *byte = high << 4 | low;
        }
        (all < 16).then_some(Self(hash))
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// What each byte is as a hexadecimal digit; 16 for those that are none. Every line that is read has
/// 128 of them.
const DIGITS: [u8; 256] = {
    let mut digits = [16; 256];
    let mut value = 0;
    while value < 16 {
        digits[HEX[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 64];
        let (pairs, _) = digits.as_chunks_mut::<2>();
        for (pair, byte) in pairs.iter_mut().zip(self.0) {
            *pair = [byte >> 4, byte & 15].map(|value| HEX[usize::from(value)]);
        }
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Digits)
    }
}

/// Takes a hash from its text, wherever that lies.
struct Digits;

impl Visitor<'_> for Digits {
    type Value = Hash;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("64 hexadecimal digits")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Hash, E> {
        Hash::parse(text).ok_or_else(|| E::custom("a hash is 64 hexadecimal digits"))
    }
}
