//! A store as PD knows it.

use std::time::Duration;

use crate::clock::Time;
use crate::cluster::store_limit::Bucket;
use crate::store_metrics::Counters;

/// Where a store is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreState {
    /// Serving.
    Up,
    /// Being emptied; `Removing` in newer words.
    Offline,
    /// Empty and gone.
    Tombstone,
}

/// No heartbeat for longer than this makes an Up store `Disconnected`.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(20);
/// No heartbeat for longer than this makes a store no target of admin operators.
const UNHEALTHY_AFTER: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) id: u64,
    pub(crate) address: String,
    pub(crate) version: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) state: StoreState,
    pub(crate) physically_destroyed: bool,
    pub(crate) started: Time,
    pub(crate) last_heartbeat: Time,
    /// The process is stuck: it sends no heartbeat and does nothing.
    pub(crate) stuck: bool,
    /// The store sends heartbeats and does nothing PD asks of it.
    pub(crate) ignores_operators: bool,
    /// The store's peers never win a leader transfer.
    pub(crate) refuses_leaders: bool,
    pub(crate) capacity: u64,
    /// High-water mark of what the store held: space is given back late.
    pub(crate) used: u64,
    pub(crate) leader_weight: f64,
    pub(crate) region_weight: f64,
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    pub(crate) add_bucket: Bucket,
    pub(crate) remove_bucket: Bucket,
}

/// Peers a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    pub(crate) add: f64,
    pub(crate) remove: f64,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        add: 15.0,
        remove: 15.0,
    };
    pub(crate) const OF_TIFLASH: Self = Self {
        add: 30.0,
        remove: 30.0,
    };
    /// The remove-peer limit a store that is being emptied gets.
    pub(crate) const UNLIMITED: f64 = 100_000_000.0;
}

impl Store {
    pub(crate) fn new(id: u64, now: Time) -> Self {
        Self {
            id,
            address: format!("tikv-{id}:20160"),
            version: "8.5.7".to_owned(),
            labels: Vec::new(),
            state: StoreState::Up,
            physically_destroyed: false,
            started: now,
            last_heartbeat: now,
            stuck: false,
            ignores_operators: false,
            refuses_leaders: false,
            capacity: 1 << 40,
            used: 0,
            leader_weight: 1.0,
            region_weight: 1.0,
            limits: Limits::DEFAULT,
            counters: Counters::new(now),
            add_bucket: Bucket::default(),
            remove_bucket: Bucket::default(),
        }
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.labels
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_tiflash(&self) -> bool {
        self.label("engine") == Some("tiflash")
    }

    pub(crate) fn down_time(&self, now: Time) -> Duration {
        now.since(self.last_heartbeat)
    }

    pub(crate) fn is_disconnected(&self, now: Time) -> bool {
        self.down_time(now) > DISCONNECTED_AFTER
    }

    pub(crate) fn is_unhealthy(&self, now: Time) -> bool {
        self.down_time(now) > UNHEALTHY_AFTER
    }

    /// Executes what PD commands.
    pub(crate) fn obeys(&self) -> bool {
        !self.stuck && !self.ignores_operators && self.state != StoreState::Tombstone
    }

    pub(crate) fn state_name(&self, now: Time, max_down_time: Duration) -> &'static str {
        match self.state {
            StoreState::Offline => "Offline",
            StoreState::Tombstone => "Tombstone",
            StoreState::Up if self.down_time(now) > max_down_time => "Down",
            StoreState::Up if self.is_disconnected(now) => "Disconnected",
            StoreState::Up => "Up",
        }
    }

    pub(crate) fn available(&self) -> u64 {
        self.capacity.saturating_sub(self.used)
    }

    /// PD's second formula: how loaded the store is, the less space the more.
    pub(crate) fn region_score(&self, region_size: i64, low_space_ratio: f64) -> f64 {
        const GIB: f64 = (1_u64 << 30) as f64;
        let size = region_size.max(0) as f64;
        let capacity = self.capacity as f64 / GIB;
        let available = self.available() as f64 / GIB;
        let reserve = (capacity * (1.0 - low_space_ratio)).max(50.0);
        let score = if available >= capacity || capacity < 1.0 {
            size
        } else if available > reserve {
            let pressure = (capacity.ln() - (available - reserve + 1.0).ln())
                / (capacity - available + reserve - 1.0);
            (1.0 + 256.0 * pressure) * size
        } else {
            (1.0 + 256.0 * capacity.ln() / capacity) * size + 1e10 * (reserve - available) / reserve
        };
        score / self.region_weight.max(1e-6)
    }
}
