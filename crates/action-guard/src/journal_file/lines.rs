//! The journal's file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::journal_file::{FileError, FileRecord};

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// The version of this format.
    v: u32,
    /// When it was written, UTC.
    at: Timestamp,
    /// What it belongs to.
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) record: FileRecord,
}

impl Line {
    pub(super) fn new(id: &str, record: FileRecord) -> Self {
        Self {
            v: 1,
            at: Timestamp::now(),
            id: id.to_owned(),
            record,
        }
    }
}

/// Creates the file if there is none, so that its name is on disk too.
pub(super) fn create(path: &Path) -> Result<(), FileError> {
    let failed = |doing| io_error(doing, path);
    let _lock = lock(path)?;
    if path.exists() {
        return Ok(());
    }
    let file = File::create_new(path).map_err(failed("create"))?;
    file.sync_all().map_err(failed("sync"))?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = File::open(directory.unwrap_or(Path::new(".")));
    directory
        .and_then(|directory| directory.sync_all())
        .map_err(failed("sync the directory of"))
}

/// Adds a line, synced. What a crash left of a last line is cut off before.
pub(super) fn append(path: &Path, line: &Line) -> Result<(), FileError> {
    let failed = |doing| io_error(doing, path);
    let mut bytes = serde_json::to_vec(line).map_err(|source| FileError::Record { source })?;
    bytes.push(b'\n');
    let _lock = lock(path)?;
    // Not created here: a journal that was taken away is not silently begun anew.
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(failed("open"))?;
    let end = whole_length(&mut file).map_err(failed("read"))?;
    file.set_len(end).map_err(failed("repair"))?;
    file.seek(SeekFrom::Start(end)).map_err(failed("write"))?;
    file.write_all(&bytes).map_err(failed("write"))?;
    file.sync_data().map_err(failed("sync"))
}

/// All lines. A last one without an end was cut off by a crash, and does not count.
pub(super) fn read(path: &Path) -> Result<Vec<Line>, FileError> {
    let text = std::fs::read(path).map_err(io_error("read", path))?;
    let whole = match text.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => text.get(..end).unwrap_or_default(),
        None => return Ok(Vec::new()),
    };
    whole
        .split(|byte| *byte == b'\n')
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_slice(line).map_err(|source| FileError::Line {
                path: path.to_owned(),
                line: index + 1,
                source,
            })
        })
        .collect()
}

/// The length up to the end of the last whole line.
fn whole_length(file: &mut File) -> io::Result<u64> {
    const BLOCK: u64 = 4096;
    let mut end = file.seek(SeekFrom::End(0))?;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        Read::by_ref(file)
            .take(end - start)
            .read_to_end(&mut block)?;
        if let Some(last) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + u64::try_from(last).unwrap_or(0) + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Locks the journal against other processes and threads until the file is dropped.
fn lock(path: &Path) -> Result<File, FileError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock);
    let file = file.map_err(io_error("create the lock of", path))?;
    file.lock().map_err(io_error("lock", path))?;
    Ok(file)
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io {
        doing,
        path,
        source,
    }
}
