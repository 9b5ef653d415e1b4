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
        Ok(Some(shown.stores(&LISTS)))
    }

    /// The stores that PD keeps leaders from because other stores reach them slowly; none where
    /// this version does not look at that.
    ///
    /// `GET /scheduler-config/evict-slow-store-scheduler/list`, 8.5.5 and later.
    pub async fn network_slow_stores(&self) -> Result<Vec<StoreId>, Error> {
        let name = SchedulerKind::EvictSlowStore.name();
        let call = Call::point(&format!("/scheduler-config/{name}/list"));
        match self.read(call).await {
            Ok(answer) => Ok(answer
                .json::<Shown>()
                .map(|shown| shown.stores(&NETWORK_LISTS))
                .unwrap_or_default()),
            Err(Error::Pd(refusal)) if refusal.is_unknown_path() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
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

const NETWORK_LISTS: [&str; 2] = ["paused-network-slow-stores", "evicted-network-slow-stores"];

#[derive(Deserialize)]
struct Shown(BTreeMap<String, Value>);

impl Shown {
    fn stores(&self, lists: &[&str]) -> Vec<StoreId> {
        let lists = lists.iter().filter_map(|name| self.0.get(*name));
        let ids = lists.filter_map(|ids| Option::<Vec<StoreId>>::deserialize(ids).ok());
        ids.flatten().flatten().collect()
    }
}
