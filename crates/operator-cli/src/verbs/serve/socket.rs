//! The socket at which local users have links made.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

/// A socket that is there while this is.
pub(super) struct Socket {
    path: PathBuf,
}

impl Socket {
    /// Listens there: for the gate's own user and group, whatever else the kernel says of who asks.
    pub(super) fn bind(path: PathBuf) -> Result<(UnixListener, Self), Failure> {
        let listener = bound(&path).map_err(|error| {
            let text = format!("cannot listen at `{}`: {error}", path.display());
            let failure = Failure::new(Exit::Failed, "serve", text);
            failure.next("`link_socket` in `[serve]` names another place")
        })?;
        Ok((listener, Self { path }))
    }
}

fn bound(path: &Path) -> io::Result<UnixListener> {
    if may_be_replaced(path)? {
        return Err(io::Error::other(
            "every user of this machine can put another one in its place: its directory is writable by all",
        ));
    }
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::other("another gate is already listening there"));
        }
        // Left by one that was killed.
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Whether all users may rename and delete what is in its directory.
fn may_be_replaced(path: &Path) -> io::Result<bool> {
    let directory = path.parent().filter(|parent| parent.as_os_str() != "");
    let mode = fs::metadata(directory.unwrap_or(Path::new(".")))?.mode();
    Ok(mode & 0o002 != 0 && mode & 0o1000 == 0)
}

impl Drop for Socket {
    fn drop(&mut self) {
        // One that stays is taken away by the next.
        let _ = fs::remove_file(&self.path);
    }
}
