//! Something that should hold and does not, and since when.

use std::collections::BTreeMap;
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::pd_clock::{PdTime, unix_ms};

/// Something that should hold and does not.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Violation {
    /// What should hold: `write_p99`, `disk`, `store_heard_of`, `heartbeat`, `leader_balance` or
    /// `members`.
    pub invariant: String,
    /// What it is about, such as `store/4` or `cluster`.
    pub about: String,
    /// What is the matter, for people.
    pub text: String,
    /// How much it is.
    pub value: f64,
    /// How much it may be, or must be.
    pub bound: f64,
    /// Whether it has lasted longer than it may.
    pub violated: bool,
    /// For how many seconds it may last.
    pub grace_s: u64,
    /// Since when, milliseconds after 1970 by PD's clock; absent when it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_unix_ms: Option<u64>,
    /// What tells since when.
    pub since_source: SinceSource,
}

/// What tells since when something does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SinceSource {
    /// The last heartbeat of the store.
    Heartbeat,
    /// Prometheus, which has the past.
    Prometheus,
    /// An earlier answer, given as `previous`.
    Previous,
    /// Nothing: it is seen for the first time.
    Now,
}

impl Violation {
    /// Breached now; for how long is not known yet.
    pub(super) fn new(
        invariant: &str,
        about: String,
        text: String,
        value: f64,
        bound: f64,
    ) -> Self {
        Self {
            invariant: invariant.to_owned(),
            about,
            text,
            value,
            bound,
            violated: true,
            grace_s: 0,
            since_unix_ms: None,
            since_source: SinceSource::Now,
        }
    }

    /// What an earlier answer knows it by, and since when.
    pub(super) fn seen(&self) -> Option<String> {
        Some(format!("{}@{}", self.key(), self.since_unix_ms?))
    }

    fn key(&self) -> String {
        format!("{}/{}", self.invariant, self.about)
    }
}

/// PD's time, and what earlier answers saw.
pub(super) struct Clock {
    now_ms: Option<u64>,
    previous: BTreeMap<String, u64>,
}

impl Clock {
    pub(super) fn new(now: Option<PdTime>, previous: &[String]) -> Self {
        let parsed = previous.iter().filter_map(|seen| {
            let (key, since) = seen.rsplit_once('@')?;
            Some((key.to_owned(), since.parse().ok()?))
        });
        Self {
            now_ms: now.and_then(PdTime::unix_ms),
            previous: parsed.collect(),
        }
    }

    /// How old something of this time by PD's clock is, seconds.
    pub(super) fn age_s(&self, at: SystemTime) -> Option<u64> {
        Some(self.now_ms?.saturating_sub(unix_ms(at)?) / 1_000)
    }

    /// Lasts since this time by PD's clock, and may for so long.
    pub(super) fn since(&self, mut breach: Violation, at: SystemTime, grace_s: u32) -> Violation {
        breach.since_source = SinceSource::Heartbeat;
        self.judged(breach, unix_ms(at), grace_s)
    }

    /// Lasts since an earlier answer saw it, and may for so long.
    pub(super) fn since_seen(&self, mut breach: Violation, grace_s: u32) -> Violation {
        // What was seen in the future was seen by another clock.
        let seen = self.previous.get(&breach.key()).copied();
        let seen = seen.filter(|since| self.now_ms.is_none_or(|now| *since <= now));
        if seen.is_some() {
            breach.since_source = SinceSource::Previous;
        }
        self.judged(breach, seen.or(self.now_ms), grace_s)
    }

    fn judged(&self, mut breach: Violation, since: Option<u64>, grace_s: u32) -> Violation {
        let grace_ms = u64::from(grace_s) * 1_000;
        let lasted = since
            .zip(self.now_ms)
            .map(|(since, now)| now.saturating_sub(since));
        breach.since_unix_ms = since;
        breach.grace_s = grace_s.into();
        breach.violated = grace_s == 0 || lasted.is_some_and(|lasted| lasted >= grace_ms);
        breach
    }
}
