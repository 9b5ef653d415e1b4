//! A journal that cannot be read or written.

use std::io;
use std::path::PathBuf;

use action_core::BoxError;

use crate::proposal::Refusal;
use crate::records::{BadLine, FORMAT};

/// Why a decision was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The state does not allow it: nothing was written.
    #[error(transparent)]
    Refused(#[from] Refusal),

    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A journal that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A call of the operating system failed.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },

    /// There is no space, or nothing may be written there.
    #[error("no space for the journal in `{}`", path.display())]
    Full {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },

    /// Somebody else is writing for too long.
    #[error("timed out after {waited_ms} ms waiting for the lock of the journal in `{}`, held by {holder}", path.display())]
    Locked {
        /// Where it is.
        path: PathBuf,
        /// Who, as far as they said.
        holder: String,
        /// How long we waited.
        waited_ms: u64,
    },

    /// A line is not what was written, or cannot follow what is before it.
    #[error("line {line} of `{segment}` is damaged")]
    Bad {
        /// The piece of the journal it is in.
        segment: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: BadLine,
    },

    /// Another version of this program wrote it. Nothing is wrong with it.
    #[error(
        "unsupported journal format {version} (line {line} of `{segment}`); this version reads format {FORMAT} only. Use the version that wrote it, or start with a new, empty journal and keep the old one"
    )]
    OtherFormat {
        /// The piece of the journal it is in.
        segment: String,
        /// The line, from 1.
        line: usize,
        /// Its format.
        version: u32,
    },

    /// Records that were there are gone.
    #[error("`{segment}` was truncated: {what}")]
    Cut {
        /// The piece of the journal.
        segment: String,
        /// What is missed.
        what: String,
    },

    /// A piece of the journal is not what it is named as, such as a copy of another.
    #[error("`{segment}` does not fit its place in the journal: {what}")]
    Misplaced {
        /// The piece of the journal.
        segment: String,
        /// What is wrong with it.
        what: String,
    },

    /// Sends could be stopped in no way.
    #[error(
        "sending is not stopped, and the stop could not be recorded ({unrecorded}): end every process that sends"
    )]
    NotStopped {
        /// Why it is not recorded.
        unrecorded: String,
        /// Why they could not be stopped by other means.
        #[source]
        source: Box<JournalError>,
    },

    /// A record could not be put into JSON.
    #[error("cannot write a record as JSON")]
    Record {
        /// Why not.
        #[source]
        source: serde_json::Error,
    },

    /// An earlier write failed, and nobody knows what is on disk.
    #[error("an earlier write of this process to its journal failed, so it sends nothing more")]
    Broken,

    /// What writes the journal was stopped.
    #[error("the journal writer was stopped")]
    Stopped,

    /// Another kind of store failed.
    #[error("the journal failed")]
    Store {
        /// Why.
        #[source]
        source: BoxError,
    },
}

impl JournalError {
    /// A line that cannot be read: of another version, or not what was written.
    #[must_use]
    pub fn bad_line(segment: impl Into<String>, line: usize, source: BadLine) -> Self {
        let segment = segment.into();
        match source {
            BadLine::OtherFormat { version } => Self::OtherFormat {
                segment,
                line,
                version,
            },
            source => Self::Bad {
                segment,
                line,
                source,
            },
        }
    }

    /// The same again, for the next of those who share a transaction.
    pub(crate) fn again(&self) -> Self {
        let io = |source: &io::Error| io::Error::new(source.kind(), source.to_string());
        match self {
            Self::Io {
                doing,
                path,
                source,
            } => Self::Io {
                doing,
                path: path.clone(),
                source: io(source),
            },
            Self::Full { path, source } => Self::Full {
                path: path.clone(),
                source: io(source),
            },
            Self::Locked {
                path,
                holder,
                waited_ms,
            } => Self::Locked {
                path: path.clone(),
                holder: holder.clone(),
                waited_ms: *waited_ms,
            },
            Self::Cut { segment, what } => Self::Cut {
                segment: segment.clone(),
                what: what.clone(),
            },
            Self::Misplaced { segment, what } => Self::Misplaced {
                segment: segment.clone(),
                what: what.clone(),
            },
            Self::OtherFormat {
                segment,
                line,
                version,
            } => Self::OtherFormat {
                segment: segment.clone(),
                line: *line,
                version: *version,
            },
            Self::Broken => Self::Broken,
            Self::Stopped => Self::Stopped,
            Self::Store { source } => Self::Store {
                source: action_core::report(&**source).into(),
            },
            other => Self::Store {
                source: action_core::report(other).into(),
            },
        }
    }

    /// Whether more space, or the right to write, would help.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }
}
