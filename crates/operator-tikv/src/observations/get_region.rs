//! One region: `get_region`.

// length: what is asked and shown has 20 fields, each with its unit or source.

use action_core::{Cost, Observation};
use async_trait::async_trait;
use pd_client::regions::Region;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::{bounded, bounded_key};
use crate::facts::region::{in_joint_state, role_name};
use crate::parameters::ids::{RegionId, StoreId};

/// Shows one region: its keys, its replicas, its leader, and its operator in PD.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetRegion {
    /// Region to show.
    pub region_id: RegionId,
}

/// A region, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct RegionView {
    /// Whether there is such a region.
    pub exists: bool,
    /// Its id.
    pub region_id: RegionId,
    /// Its first key in upper-case hexadecimal, empty when unbounded.
    pub start_key: String,
    /// The key after its last, likewise.
    pub end_key: String,
    /// The store that leads it; absent while PD knows of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader_store_id: Option<StoreId>,
    /// Its replicas; at most 64.
    pub peers: Vec<PeerView>,
    /// Whether its replicas are between two sets of voters.
    pub joint: bool,
    /// Grows with each change of replicas.
    pub conf_ver: u64,
    /// Grows with each split and merge.
    pub version: u64,
    /// Its size, MiB.
    pub size_mib: i64,
    /// How many keys it has, about.
    pub keys: i64,
    /// Bytes written to it in the last heartbeat interval, about a minute.
    pub written_bytes: u64,
    /// Bytes read from it, likewise.
    pub read_bytes: u64,
    /// PD's words on the operator running there, or the last that ended in the past ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// A replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PeerView {
    /// The store it is on.
    pub store_id: StoreId,
    /// Its part in the region, in PD's word, such as `Voter` or `Learner`.
    pub role: String,
    /// Whether it answers and keeps up.
    pub healthy: bool,
    /// Whether it lags behind.
    pub pending: bool,
    /// For how many seconds it has not answered its leader; absent when it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down_s: Option<u64>,
}

/// More replicas than any region has.
const MOST_PEERS: usize = 64;

impl RegionView {
    fn missing(region_id: RegionId) -> Self {
        Self {
            exists: false,
            region_id,
            start_key: String::new(),
            end_key: String::new(),
            leader_store_id: None,
            peers: Vec::new(),
            joint: false,
            conf_ver: 0,
            version: 0,
            size_mib: 0,
            keys: 0,
            written_bytes: 0,
            read_bytes: 0,
            operator: None,
        }
    }

    /// A region, and what PD says of its operator.
    pub(crate) async fn with_operator(region: Region, tikv: &Tikv) -> Result<Self, Error> {
        let operator = tikv.pd.operator(region.id).await.map_err(Error::Read)?;
        Ok(Self {
            operator: operator.map(|report| bounded(&report.raw)),
            ..Self::of(&region)
        })
    }

    fn of(region: &Region) -> Self {
        let peers = region.peers.iter().take(MOST_PEERS).map(|peer| {
            let mut pending = region.pending_peers.iter();
            let pending = pending.any(|pending| pending.id == peer.id);
            let mut down = region.down_peers.iter();
            let down = down.find(|down| down.peer.id == peer.id);
            PeerView {
                store_id: peer.store_id.into(),
                role: role_name(peer.role),
                healthy: !pending && down.is_none(),
                pending,
                down_s: down.map(|down| down.down_seconds),
            }
        });
        Self {
            exists: true,
            region_id: region.id.into(),
            start_key: bounded_key(&region.start_key),
            end_key: bounded_key(&region.end_key),
            leader_store_id: region.leader.map(|leader| leader.store_id.into()),
            peers: peers.collect(),
            joint: region.peers.iter().any(in_joint_state),
            conf_ver: region.epoch.conf_ver,
            version: region.epoch.version,
            size_mib: region.approximate_size,
            keys: region.approximate_keys,
            written_bytes: region.written_bytes,
            read_bytes: region.read_bytes,
            operator: None,
        }
    }
}

#[async_trait]
impl Observation<Tikv> for GetRegion {
    const NAME: &'static str = "get_region";
    const COST: Cost = Cost::Point;
    type Output = RegionView;

    async fn observe(&self, tikv: &Tikv) -> Result<RegionView, Error> {
        let region = tikv.pd.region(self.region_id.pd()).await;
        match region.map_err(Error::Read)? {
            Some(region) => RegionView::with_operator(region, tikv).await,
            None => Ok(RegionView::missing(self.region_id)),
        }
    }
}
