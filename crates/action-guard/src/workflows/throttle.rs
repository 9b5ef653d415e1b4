//! What is not to be done again before a time.

use std::collections::BTreeMap;
use std::time::Duration;

use backon::ExponentialBackoff;
use tokio::time::Instant;

use crate::identity::Actor;
use crate::workflows::event::{FlowEvent, WatchFlow};

/// Something was in the way that ends by itself.
const NOT_NOW: Duration = Duration::from_secs(1);

/// What is not to be done again before a time, by step.
#[derive(Default)]
pub(super) struct Throttle {
    pub(super) watched: BTreeMap<String, Watched>,
    pub(super) not_before: BTreeMap<String, Instant>,
}

/// Who goes on with a workflow, and what is not to be done again before a time.
pub(super) struct Runner {
    pub(super) by: Actor,
    pub(super) throttle: Throttle,
}

impl Runner {
    pub(super) fn new(by: &Actor) -> Self {
        Self {
            by: by.clone(),
            throttle: Throttle::default(),
        }
    }
}

impl Throttle {
    pub(super) fn wait(&mut self, step: &str, wait: Duration) {
        self.not_before
            .insert(step.to_owned(), Instant::now() + wait);
    }

    /// Waits because something is in the way.
    pub(super) fn not_now(&mut self, step: &str, why: &str, watch: WatchFlow<'_>) {
        self.wait(step, NOT_NOW);
        watch(FlowEvent::NotNow {
            step: step.to_owned(),
            why: why.to_owned(),
        });
    }

    pub(super) fn may(&self, step: &str) -> bool {
        let not_before = self.not_before.get(step);
        not_before.is_none_or(|not_before| *not_before <= Instant::now())
    }
}

/// What was seen so far. It is lost with the process, and begins anew.
pub(super) struct Watched {
    pub(super) waits: ExponentialBackoff,
    /// Observations in a row that showed it.
    pub(super) readings: u32,
}
