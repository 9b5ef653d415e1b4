//! Where the journal is.

use std::fs::DirBuilder;
use std::path::PathBuf;

use action_guard::FileJournal;

use crate::exit::Exit;
use crate::failure::Failure;

/// Where the journal is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct State {
    /// Directory of the journal, the mode and the kill switch [default: $XDG_STATE_HOME/operator or ~/.local/state/operator]
    #[arg(long, value_name = "DIR", env = "OPERATOR_STATE_DIR", global = true)]
    state_dir: Option<PathBuf>,
}

impl State {
    /// The journal, made if there is none yet.
    pub(crate) fn journal(&self) -> Result<FileJournal, Failure> {
        let directory = self.directory()?;
        let place = directory.display().to_string();
        let failed = |error: String| {
            Failure::new(
                Exit::Failed,
                "journal",
                format!("cannot keep a journal in `{place}`, so nothing is sent: {error}"),
            )
            .next("name another directory with `--state-dir`")
        };
        private()
            .create(&directory)
            .map_err(|error| failed(error.to_string()))?;
        FileJournal::open(directory).map_err(|error| failed(action_core::report(&error)))
    }

    fn directory(&self) -> Result<PathBuf, Failure> {
        if let Some(directory) = &self.state_dir {
            return Ok(directory.clone());
        }
        // As the XDG specification says, a path that is not absolute is not meant.
        let state_home = std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(std::env::home_dir()?.join(".local/state")));
        state_home
            .map(|home| home.join("operator"))
            .ok_or_else(|| Failure::usage("there is no home directory: give `--state-dir`"))
    }
}

/// For the user alone, where the system knows users.
fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
