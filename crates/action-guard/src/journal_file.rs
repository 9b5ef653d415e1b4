//! See [`JournalFile`].

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use action_core::{Attempt, Outcome, OutcomeKind, Plan};
use serde::{Deserialize, Serialize};

use crate::journal_file::lines::Line;
use crate::proposal::Request;
use crate::record::Answer;

mod lines;

/// What was meant, answered and found, in the order it was written: JSON Lines in one file.
///
/// Several processes may share a journal: a lock on a file beside it is held while a record is
/// written, and no longer. A record counts when it is synced. A last line that a crash cut off is
/// dropped; any other line that cannot be read is an error.
#[derive(Debug, Clone)]
pub struct JournalFile {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// After a failed write nobody knows what is on disk: nothing more is begun.
    broken: AtomicBool,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileRecord {
    /// A mutation is about to be sent.
    Intent(Box<FileIntent>),
    /// What came back.
    Answer(Answer),
    /// How it ended, or that it is not known. A later record of the same id replaces it.
    Outcome(Outcome),
}

/// A mutation about to be sent, with all it takes to find out later what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileIntent {
    /// What was asked for.
    pub request: Request,
    /// Which system it goes to.
    pub system: String,
    /// What it would do, as planned right before.
    pub plan: Plan,
    /// The sending.
    pub attempt: Attempt,
    /// What must not be changed by another mutation meanwhile.
    pub resources: Vec<String>,
    /// What it leaves in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting_effect: Option<String>,
}

/// An intent without a known outcome.
pub(crate) struct Open {
    pub(crate) id: String,
    pub(crate) intent: FileIntent,
    pub(crate) answer: Option<Answer>,
}

/// A journal that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A call of the operating system failed.
    #[error("cannot {doing} the journal `{}`", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },

    /// A line is not a record.
    #[error("line {line} of the journal `{}` is not a record; keep the file and start another", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },

    /// A record could not be put into JSON.
    #[error("cannot write a record as JSON")]
    Record {
        /// Why not.
        #[source]
        source: serde_json::Error,
    },

    /// An earlier write failed.
    #[error("an earlier write to the journal `{}` failed: nothing more is begun, start anew", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
    },

    /// The task that was to write was stopped.
    #[error("the journal's writer was stopped")]
    Stopped,
}

impl JournalFile {
    /// Opens a journal, and creates it if there is none.
    ///
    /// # Errors
    /// When it cannot be created, locked, or read to its end.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        lines::create(&path)?;
        lines::read(&path)?;
        let broken = AtomicBool::new(false);
        Ok(Self {
            shared: Arc::new(Shared { path, broken }),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// All records with their ids, the oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn records(&self) -> Result<Vec<(String, FileRecord)>, FileError> {
        let shared = Arc::clone(&self.shared);
        let lines = blocking(move || lines::read(&shared.path)).await?;
        Ok(lines
            .into_iter()
            .map(|line| (line.id, line.record))
            .collect())
    }

    /// Writes an intent down, synced. Refuses once a write has failed.
    pub(crate) async fn begin(&self, id: &str, intent: &FileIntent) -> Result<(), FileError> {
        if self.shared.broken.load(Ordering::SeqCst) {
            let path = self.shared.path.clone();
            return Err(FileError::Broken { path });
        }
        self.append(id, FileRecord::Intent(Box::new(intent.clone())))
            .await
    }

    /// Writes a record down, synced.
    pub(crate) async fn append(&self, id: &str, record: FileRecord) -> Result<(), FileError> {
        let shared = Arc::clone(&self.shared);
        let line = Line::new(id, record);
        blocking(move || {
            let written = lines::append(&shared.path, &line);
            if written.is_err() {
                shared.broken.store(true, Ordering::SeqCst);
            }
            written
        })
        .await
    }

    /// Intents without a known outcome, the oldest first.
    pub(crate) async fn open_intents(&self) -> Result<Vec<Open>, FileError> {
        let mut open: Vec<Open> = Vec::new();
        for (id, record) in self.records().await? {
            let at = open.iter().position(|open| open.id == id);
            match (record, at) {
                (FileRecord::Intent(intent), None) => {
                    let intent = *intent;
                    open.push(Open {
                        id,
                        intent,
                        answer: None,
                    });
                }
                (FileRecord::Answer(answer), Some(at)) => {
                    if let Some(open) = open.get_mut(at) {
                        open.answer = Some(answer);
                    }
                }
                (FileRecord::Outcome(outcome), Some(at))
                    if outcome.result != OutcomeKind::Unknown =>
                {
                    open.remove(at);
                }
                _ => {}
            }
        }
        Ok(open)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(FileError::Stopped))
}
