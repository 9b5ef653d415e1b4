//! Places where tests make a process die, or a call of the operating system fail.
//!
//! Without the feature `failpoints`, which nothing but tests turns on, there are none.

/// Passes, unless a test wants something to happen here, to what is kept in this directory.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn pass(_point: &'static str, _directory: &std::path::Path) -> std::io::Result<()> {
    Ok(())
}

/// A place where tests make the process die.
pub(crate) fn passed(point: &'static str) {
    let _ = pass(point, std::path::Path::new(""));
}

#[cfg(feature = "failpoints")]
pub(crate) use armed::pass;
#[cfg(feature = "failpoints")]
pub use armed::{Failure, arm, disarm};

#[cfg(feature = "failpoints")]
mod armed {
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::{Mutex, OnceLock, PoisonError};

    /// What happens at a failpoint.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Failure {
        /// The process ends at once, as by `kill -9`.
        Die,
        /// The call fails in this way, every time.
        Fail(io::ErrorKind),
        /// The call fails in this way, once.
        FailOnce(io::ErrorKind),
    }

    struct Armed {
        point: String,
        directory: Option<PathBuf>,
        /// How often it is passed before.
        after: usize,
        failure: Failure,
    }

    /// Makes a failpoint fail from its `after`-th passing on, for what is kept in this directory.
    pub fn arm(point: &str, directory: &Path, after: usize, failure: Failure) {
        lock(|armed| {
            armed.push(Armed {
                point: point.to_owned(),
                directory: Some(directory.to_owned()),
                after,
                failure,
            });
        });
    }

    /// Makes all failpoints of this directory pass again.
    pub fn disarm(directory: &Path) {
        lock(|armed| armed.retain(|armed| armed.directory.as_deref() != Some(directory)));
    }

    pub(crate) fn pass(point: &'static str, directory: &Path) -> io::Result<()> {
        let failure = lock(|armed| {
            let here = armed.iter_mut().find(|armed| {
                armed.point == point
                    && (armed.directory.as_deref()).is_none_or(|place| place == directory)
            })?;
            if here.after > 0 {
                here.after -= 1;
                return None;
            }
            let failure = here.failure;
            if matches!(failure, Failure::FailOnce(_)) {
                here.after = usize::MAX;
            }
            Some(failure)
        });
        match failure {
            None => Ok(()),
            Some(Failure::Die) => std::process::abort(),
            Some(Failure::Fail(kind) | Failure::FailOnce(kind)) => {
                Err(io::Error::new(kind, format!("failpoint `{point}`")))
            }
        }
    }

    fn lock<T>(use_it: impl FnOnce(&mut Vec<Armed>) -> T) -> T {
        static ARMED: OnceLock<Mutex<Vec<Armed>>> = OnceLock::new();
        let armed = ARMED.get_or_init(|| Mutex::new(from_environment().into_iter().collect()));
        use_it(&mut armed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `ACTION_GUARD_DIE_AT=point` or `point:2`, for processes of tests.
    fn from_environment() -> Option<Armed> {
        let text = std::env::var("ACTION_GUARD_DIE_AT").ok()?;
        let (point, after) = text.split_once(':').unwrap_or((&text, "0"));
        Some(Armed {
            point: point.to_owned(),
            directory: None,
            after: after.parse().ok()?,
            failure: Failure::Die,
        })
    }
}
