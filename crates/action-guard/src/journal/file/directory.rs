//! What lies where in a state directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::failpoint;
use crate::journal::error::JournalError;

/// A state directory. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    root: Arc<PathBuf>,
}

/// The file that holds a piece of the chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    /// The number of its first record.
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

impl Segment {
    /// Refuses a first record that is another than the one that the segment is named by, as in a
    /// copy.
    pub(super) fn begins_with(&self, first: u64) -> Result<(), JournalError> {
        if first == self.first {
            return Ok(());
        }
        Err(self.misplaced(&format!("it begins with record {first}")))
    }

    /// It cannot be where it is.
    pub(super) fn misplaced(&self, what: &str) -> JournalError {
        JournalError::Misplaced {
            segment: self.name(),
            what: what.to_owned(),
        }
    }

    /// What messages call it.
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        format!("journal/{}", name.to_string_lossy())
    }
}

impl Directory {
    /// The directory, made with what belongs in it if it is not there.
    pub(super) fn open(root: PathBuf) -> Result<Self, JournalError> {
        let directory = Self {
            root: Arc::new(root),
        };
        directory.make_parts()?;
        if is_writable_by_all(&directory.root) {
            let path = directory.root.display();
            tracing::warn!(%path, "every user of this machine can write to the state directory");
        }
        Ok(directory)
    }

    /// The same for who stops sends: what cannot be made is not there.
    pub(super) fn open_as_it_is(root: PathBuf) -> Self {
        let directory = Self {
            root: Arc::new(root),
        };
        if let Err(error) = directory.make_parts() {
            tracing::debug!(error = action_core::report(&error), "opened as it is");
        }
        directory
    }

    fn make_parts(&self) -> Result<(), JournalError> {
        for part in [self.journal(), self.owners()] {
            if !part.is_dir() {
                private_directories()
                    .create(&part)
                    .map_err(io_error("create", &part))?;
            }
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    pub(super) fn indexes(&self) -> PathBuf {
        self.root.join("index")
    }

    /// The index of a segment.
    pub(super) fn index(&self, segment: &Segment) -> PathBuf {
        self.indexes().join(format!("{:020}", segment.first))
    }

    pub(super) fn owners(&self) -> PathBuf {
        self.root.join("owners")
    }

    pub(super) fn owner(&self, instance: &str) -> PathBuf {
        self.owners().join(instance)
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(super) fn reserve(&self) -> PathBuf {
        self.root.join("reserve")
    }

    fn kill(&self) -> PathBuf {
        self.root.join("KILL")
    }

    /// The segment that begins, or would begin, with this record.
    pub(super) fn segment(&self, first: u64) -> Segment {
        let path = self.journal().join(format!("{first:020}.jsonl"));
        Segment { first, path }
    }

    /// All segments, the oldest first.
    pub(super) fn segments(&self) -> Result<Vec<Segment>, JournalError> {
        let journal = self.journal();
        let failed = || io_error("list", &journal);
        let mut segments = Vec::new();
        for entry in fs::read_dir(&journal).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let first = name
                .and_then(|name| name.strip_suffix(".jsonl"))
                .filter(|digits| digits.len() == 20)
                .and_then(|digits| digits.parse().ok());
            if let Some(first) = first {
                segments.push(Segment { first, path });
            }
        }
        segments.sort_unstable();
        Ok(segments)
    }

    /// Whether nothing is to be sent.
    pub(super) fn is_stopped(&self) -> Result<bool, JournalError> {
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
        failpoint::pass("kill.create", &self.root).map_err(io_error("create", &kill))?;
        let file = private_files().create(true).append(true).open(&kill);
        file.map_err(io_error("create", &kill))?;
        // It counts from here on; that it outlives a power cut is good, and not needed for that.
        let _ = sync_directory(&self.root);
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

    /// What failed, and where.
    pub(super) fn failed(&self, doing: &'static str) -> impl FnOnce(io::Error) -> JournalError {
        io_error(doing, &self.root)
    }
}

/// Opens a file to read it; what is no file, such as a pipe that nobody writes to, is not waited
/// for.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    open_with(OpenOptions::new().read(true), path)
}

/// The same, for more than reading.
pub(super) fn open_with(options: &OpenOptions, path: &Path) -> io::Result<File> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(io::Error::other("it is not a regular file")),
        _ => options.open(path),
    }
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Whether every user of this machine can add, and so forge, files.
pub(super) fn is_writable_by_all(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(path).is_ok_and(|found| found.mode() & 0o002 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// For the user alone, where the system knows users.
pub(super) fn private_files() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

pub(super) fn private_directories() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

pub(super) fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io {
        doing,
        path,
        source,
    }
}
