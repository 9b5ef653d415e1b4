//! How often somebody may ask.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Within this.
const WINDOW: Duration = Duration::from_secs(60);

/// Who asked how often since when. As many as there are tokens, at most.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<BTreeMap<String, (Instant, u32)>>);

impl Rates {
    /// Whether this one may ask once more.
    pub(crate) fn may(&self, who: &str, most: u32) -> bool {
        let now = Instant::now();
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        let (_, count) = asked.entry(who.to_owned()).or_insert((now, 0));
        *count = count.saturating_add(1);
        *count <= most
    }
}
