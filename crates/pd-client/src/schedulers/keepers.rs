//! Which stores schedulers keep leaders from, besides drains.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::ids::StoreId;
use crate::schedulers::{EvictLeaderConfig, SchedulerKind};
use crate::transport::Call;

impl Client {
    /// The stores that leaders are moved to and kept on; `None` when there are none. Before 9.0
    /// they are given no leaders by anything else either.
    ///
    /// `GET /scheduler-config/grant-leader-scheduler/list`, all versions.
    pub async fn grant_leader_config(&self) -> Result<Option<EvictLeaderConfig>, Error> {
        let call = Call::point("/scheduler-config/grant-leader-scheduler/list");
        match self.read(call).await {
            Ok(answer) => answer.json().map(Some),
            Err(Error::Pd(refusal)) if refusal.is_unknown_path() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The stores that a scheduler of PD's own keeps leaders from because it finds them slow or
    /// stopping: one of [`EvictSlowStore`](SchedulerKind::EvictSlowStore),
    /// [`EvictSlowTrend`](SchedulerKind::EvictSlowTrend) and
    /// [`EvictStoppingStore`](SchedulerKind::EvictStoppingStore). `None` when this version does not
    /// show them, which 6.5 never does and 7.5 only for the trend.
    ///
    /// `GET /scheduler-config/{name}/list`, 8.5 and later.
    pub async fn evicted_stores(&self, kind: SchedulerKind) -> Result<Option<Vec<StoreId>>, Error> {
        let name = kind.name();
        let call = Call::point(&format!("/scheduler-config/{name}/list"));
        let answer = match self.read(call).await {
            Ok(answer) => answer,
            // It is not running.
            Err(Error::Pd(refusal)) if refusal.is_unknown_path() => return Ok(Some(Vec::new())),
            Err(error) => return Err(error),
        };
        // A scheduler without a configuration says so in plain text.
        let Ok(shown) = answer.json::<Shown>() else {
            return Ok(None);
        };
        let mut stores = Vec::new();
        for ids in LISTS.iter().filter_map(|name| shown.0.get(*name)) {
            let ids = Option::<Vec<StoreId>>::deserialize(ids);
            stores.extend(ids.ok().flatten().unwrap_or_default());
        }
        Ok(Some(stores))
    }
}

/// Under which names the schedulers list the stores, each its own.
const LISTS: [&str; 5] = [
    "evict-stores",
    "paused-network-slow-stores",
    "evicted-network-slow-stores",
    "evict-by-trend-stores",
    "evicted-stores",
];

#[derive(Deserialize)]
struct Shown(BTreeMap<String, Value>);
