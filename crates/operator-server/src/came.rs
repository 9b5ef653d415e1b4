//! Signatures that have come, which prove nothing a second time.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a signature may count: five minutes on both sides of its time.
const COUNTS: Duration = Duration::from_mins(10);

/// The signatures that have come lately. As many as people may send, at most: others are not kept.
#[derive(Debug, Default)]
pub(crate) struct Came(Mutex<BTreeMap<String, Instant>>);

impl Came {
    /// Whether this one comes for the first time. From now on it does not.
    pub(crate) fn is_new(&self, signature: &str) -> bool {
        let mut came = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        came.retain(|_, at| at.elapsed() < COUNTS);
        came.insert(signature.to_owned(), Instant::now()).is_none()
    }
}
