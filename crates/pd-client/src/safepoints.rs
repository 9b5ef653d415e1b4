//! How far back in time data must be kept, and how far forward it is complete.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::ids::StoreId;
use crate::lenient::null_is_default;
use crate::time::{deserialize_duration, deserialize_unix_s};
use crate::transport::Call;

impl Client {
    /// The time up to which every store has applied all writes.
    ///
    /// `GET /min-resolved-ts`, all versions.
    pub async fn min_resolved_ts(&self) -> Result<MinResolvedTs, Error> {
        self.read(Call::point("/min-resolved-ts")).await?.json()
    }

    /// The time up to which each of these stores has applied all writes.
    ///
    /// `GET /min-resolved-ts?scope=…`, 7.4 and later; before, PD answers for the cluster and
    /// names no stores.
    pub async fn min_resolved_ts_of(&self, stores: &[StoreId]) -> Result<MinResolvedTs, Error> {
        let stores: Vec<_> = stores.iter().map(StoreId::to_string).collect();
        let call = Call::point("/min-resolved-ts").query("scope", stores.join(","));
        self.read(call).await?.json()
    }

    /// Who keeps old data from being collected, and since when.
    ///
    /// `GET /gc/safepoint`, all versions.
    pub async fn gc_safe_points(&self) -> Result<GcSafePoints, Error> {
        self.read(Call::list("/gc/safepoint")).await?.json()
    }
}

/// The time up to which data is complete.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MinResolvedTs {
    /// Whether stores report it at all.
    #[serde(default)]
    pub is_real_time: bool,
    /// The time as TSO; the largest number there is while it is not known.
    #[serde(default)]
    pub min_resolved_ts: u64,
    /// How often PD writes it down.
    #[serde(default, deserialize_with = "deserialize_duration")]
    pub persist_interval: Option<Duration>,
    /// The same of each store that was asked for.
    #[serde(default, deserialize_with = "null_is_default")]
    pub stores_min_resolved_ts: BTreeMap<StoreId, u64>,
}

/// What keeps old data from being collected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GcSafePoints {
    /// Who, and since when.
    #[serde(default, deserialize_with = "null_is_default")]
    pub service_gc_safe_points: Vec<ServiceSafePoint>,
    /// The oldest of them.
    #[serde(default)]
    pub min_service_gc_safe_point: Option<u64>,
    /// Up to where data was collected, as TSO.
    #[serde(default)]
    pub gc_safe_point: u64,
}

/// Somebody who needs old data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ServiceSafePoint {
    /// Who.
    pub service_id: String,
    /// Until when it counts, by PD's clock; `None` when PD counts it for good.
    #[serde(default, deserialize_with = "deserialize_unix_s")]
    pub expired_at: Option<SystemTime>,
    /// Since when data is needed, as TSO.
    #[serde(default)]
    pub safe_point: u64,
}
