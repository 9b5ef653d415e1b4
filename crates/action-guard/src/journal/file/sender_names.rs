//! Who is handing over a request, as each says in a file of its own.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::journal::error::JournalError;
use crate::journal::file::directory::{
    io_error, open_file, open_with, private_directories, private_files,
};
use crate::journal::file::lock_holder::holder;
use crate::journal::send_lock::Sender;

/// Who looks at a file has it for a moment only.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A file that says who is sending what, held for as long as that takes. It is removed when this is
/// dropped.
#[derive(Debug)]
pub(super) struct Named {
    _file: File,
    path: PathBuf,
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Named {
    /// Says who is sending what: by it a sender is known without the lock file, too.
    pub(super) fn new(sending: &Path, sender: &Sender) -> io::Result<Self> {
        let name = sender.proposal.as_deref().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(ErrorKind::InvalidInput.into());
        }
        if !sending.is_dir() {
            private_directories().create(sending)?;
        }
        let path = sending.join(name);
        let text = serde_json::to_string(sender)?;
        let begun = Instant::now();
        loop {
            let mut options = private_files();
            let options = options.create(true).truncate(true).write(true);
            let mut file = open_with(options, &path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => {
                    file.write_all(text.as_bytes())?;
                    return Ok(Self { _file: file, path });
                }
                // Who looks takes what nobody holds yet for what the dead left.
                Ok(()) | Err(TryLockError::WouldBlock) if begun.elapsed() < LONGEST_WAIT => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Ok(()) => return Err(ErrorKind::NotFound.into()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Those who said so and live. What the dead left is removed.
pub(super) fn names(sending: &Path) -> Result<Vec<Sender>, JournalError> {
    let mut senders = Vec::new();
    let entries = match fs::read_dir(sending) {
        Ok(entries) => entries,
        // Nobody has said anything there.
        Err(error) if is_none(&error) => return Ok(senders),
        Err(error) => return Err(io_error("list", sending)(error)),
    };
    for entry in entries {
        let path = entry.map_err(io_error("list", sending))?.path();
        if !path.is_file() {
            continue;
        }
        let file = match open_file(&path) {
            Ok(file) => file,
            Err(error) if is_none(&error) => continue,
            Err(error) => return Err(io_error("open", &path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => {
                let _ = fs::remove_file(&path);
            }
            Err(TryLockError::WouldBlock) => {
                let read = fs::read_to_string(&path).ok();
                let said = read.and_then(|text| serde_json::from_str(&text).ok());
                senders.push(said.unwrap_or_else(|| unnamed(&file, Some(&path))));
            }
            Err(TryLockError::Error(source)) => return Err(io_error("lock", &path)(source)),
        }
    }
    Ok(senders)
}

/// A sender that is only known by a lock that it holds, and by what its file is called.
pub(super) fn unnamed(lock: &File, path: Option<&Path>) -> Sender {
    let text = match holder(lock) {
        Some(pid) => format!("process {pid}, which did not record what it sends"),
        None => "a process that did not record its identity".to_owned(),
    };
    let mut sender = Sender::elsewhere(None, text);
    let name = path.and_then(Path::file_name);
    sender.proposal = name.map(|name| name.to_string_lossy().into_owned());
    sender
}

/// Whether a file that was opened is still the one at its path, which somebody may have taken away.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Whether a file that was opened is still the one at its path: here nobody can take it away.
#[cfg(not(unix))]
pub(super) fn is_at(_: &File, _: &Path) -> bool {
    true
}

fn is_none(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
