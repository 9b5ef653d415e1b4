//! Connections that wait for the next read.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Uri;
use tokio::time::Instant;

use crate::connection::Http1;

/// How long an unused connection is kept: one that something in between has forgotten makes a read
/// fail.
const LONGEST: Duration = Duration::from_secs(30);

/// Connections of which nobody reads, the one that was used last at the end.
#[derive(Default)]
pub(crate) struct Idle(Mutex<Vec<Kept>>);

struct Kept {
    connection: Http1,
    since: Instant,
}

impl Idle {
    /// One that leads to the origin of this URI and can be used, if there is one. Those that were
    /// not used for long are closed.
    pub(crate) fn take(&self, uri: &Uri) -> Option<Http1> {
        let mut all = self.all();
        let now = Instant::now();
        all.retain(|kept| now.duration_since(kept.since) < LONGEST);
        while let Some(at) = all.iter().rposition(|kept| kept.connection.leads_to(uri)) {
            let mut connection = all.remove(at).connection;
            if connection.is_usable() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps one for the next read.
    pub(crate) fn keep(&self, connection: Http1) {
        let since = Instant::now();
        self.all().push(Kept { connection, since });
    }

    fn all(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
