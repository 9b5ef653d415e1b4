//! What was hot.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::hotspots::HotKind;
use crate::ids::{self, PeerId, RegionId, StoreId};
use crate::lenient::null_is_default;
use crate::time::deserialize_unix_ms;
use crate::transport::Call;

impl Client {
    /// What PD has written down of hot regions.
    ///
    /// `GET /hotspot/regions/history` with a body, all versions. Each member has what it saw as
    /// PD's leader; this asks the present one.
    pub async fn hot_history(&self, query: &HotHistoryQuery) -> Result<Vec<HotHistory>, Error> {
        let call = Call::list("/hotspot/regions/history").with_body(&Body::new(query)?)?;
        let answer: HistoryAnswer = self.read(call).await?.json()?;
        Ok(answer.history_hot_region)
    }
}

/// What to show of the past. Lists that are empty restrict nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotHistoryQuery {
    /// From when, by PD's clock.
    pub start: SystemTime,
    /// Until when, by PD's clock.
    pub end: SystemTime,
    /// What they were busy with.
    pub kinds: Vec<HotKind>,
    /// Of these regions.
    pub regions: Vec<RegionId>,
    /// Of these stores.
    pub stores: Vec<StoreId>,
    /// Of these replicas.
    pub peers: Vec<PeerId>,
}

impl HotHistoryQuery {
    /// Everything between two times.
    #[must_use]
    pub fn between(start: SystemTime, end: SystemTime) -> Self {
        Self {
            start,
            end,
            kinds: Vec::new(),
            regions: Vec::new(),
            stores: Vec::new(),
            peers: Vec::new(),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    start_time: u64,
    end_time: u64,
    region_ids: &'a [RegionId],
    store_ids: &'a [StoreId],
    peer_ids: &'a [PeerId],
    /// These two list what is wanted: without, PD finds nothing.
    is_learners: [bool; 2],
    is_leaders: [bool; 2],
    hot_region_type: Vec<&'static str>,
}

impl<'a> Body<'a> {
    fn new(query: &'a HotHistoryQuery) -> Result<Self, InputError> {
        if query.start > query.end {
            let given = format!("{:?}", query.start);
            let problem = "it is after the end";
            return Err(InputError::argument(
                "start of the history",
                &given,
                problem,
            ));
        }
        let kinds: &[HotKind] = match query.kinds.as_slice() {
            [] => &[HotKind::Read, HotKind::Write],
            kinds => kinds,
        };
        Ok(Self {
            start_time: milliseconds(query.start),
            end_time: milliseconds(query.end),
            region_ids: &query.regions,
            store_ids: &query.stores,
            peer_ids: &query.peers,
            is_learners: [true, false],
            is_leaders: [true, false],
            hot_region_type: kinds.iter().map(|kind| kind.word()).collect(),
        })
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

#[derive(Deserialize)]
struct HistoryAnswer {
    #[serde(default, deserialize_with = "null_is_default")]
    history_hot_region: Vec<HotHistory>,
}

/// A region that was hot.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct HotHistory {
    /// When it was measured, by PD's clock.
    #[serde(
        default,
        rename = "update_time",
        deserialize_with = "deserialize_unix_ms"
    )]
    pub at: Option<SystemTime>,
    /// The region.
    pub region_id: RegionId,
    /// The replica.
    #[serde(default, deserialize_with = "ids::optional")]
    pub peer_id: Option<PeerId>,
    /// The replica's store.
    pub store_id: StoreId,
    /// Whether the replica led.
    #[serde(default)]
    pub is_leader: bool,
    /// Whether the replica was a learner.
    #[serde(default)]
    pub is_learner: bool,
    /// `read` or `write`.
    #[serde(default)]
    pub hot_region_type: String,
    /// For how many heartbeats it had been busy.
    #[serde(default)]
    pub hot_degree: i64,
    /// Bytes per second.
    #[serde(default)]
    pub flow_bytes: f64,
    /// Keys per second.
    #[serde(default)]
    pub key_rate: f64,
    /// Queries per second.
    #[serde(default)]
    pub query_rate: f64,
    /// Its first key in hexadecimal.
    #[serde(default)]
    pub start_key: String,
    /// The key after its last, likewise.
    #[serde(default)]
    pub end_key: String,
}
