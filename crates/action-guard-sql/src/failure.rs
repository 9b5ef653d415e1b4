//! What goes wrong with a database, as a journal says it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use action_guard::JournalError;

/// A call of the database that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: cannot {doing}: {why}")]
pub(crate) struct Failure {
    doing: &'static str,
    place: Arc<str>,
    why: String,
    kind: Kind,
}

/// What can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The connection is gone; another may work.
    #[cfg(feature = "postgres")]
    Lost,
    /// Somebody else holds the head for too long.
    Held { by: String, waited_ms: u64 },
    /// More space, or the right to write, would help. Nothing was written.
    Full,
    /// Look at it.
    Other,
}

impl Failure {
    pub(crate) fn new(
        doing: &'static str,
        place: &Arc<str>,
        why: impl ToString,
        kind: Kind,
    ) -> Self {
        Self {
            doing,
            place: Arc::clone(place),
            why: why.to_string(),
            kind,
        }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn is_lost(&self) -> bool {
        self.kind == Kind::Lost
    }

    /// Whether it is certain that nothing was written.
    pub(crate) fn wrote_nothing(&self) -> bool {
        matches!(self.kind, Kind::Full | Kind::Held { .. })
    }

    /// The same, now that it is known who holds the head.
    #[cfg(feature = "postgres")]
    pub(crate) fn held_by(mut self, holder: String) -> Self {
        if let Kind::Held { by, .. } = &mut self.kind {
            *by = holder;
        }
        self
    }
}

impl From<Failure> for JournalError {
    fn from(failure: Failure) -> Self {
        let path = PathBuf::from(&*failure.place);
        match failure.kind {
            Kind::Held { by, waited_ms } => Self::Locked {
                path,
                holder: by,
                waited_ms,
            },
            Kind::Full => Self::Full {
                path,
                source: io::Error::new(io::ErrorKind::StorageFull, failure.why),
            },
            _ => Self::Store {
                source: Box::new(failure),
            },
        }
    }
}

/// What a call of the operating system said.
pub(crate) fn io_error(
    doing: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.into();
    move |source| JournalError::Io {
        doing,
        path,
        source,
    }
}
