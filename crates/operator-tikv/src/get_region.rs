//! See [`GetRegion`].

use action_core::{Cost, Observation};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ids::{RegionId, StoreId};
use crate::region_facts::{is_healthy, role_name};
use crate::tikv::Tikv;

/// Shows one region: its keys, its replicas, who leads it, and the operator PD tells about it.
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
    /// Its replicas.
    pub peers: Vec<PeerView>,
    /// Grows with each change of replicas.
    pub conf_ver: u64,
    /// Grows with each split and merge.
    pub version: u64,
    /// Its size, MiB.
    pub size_mib: i64,
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
}

#[async_trait]
impl Observation<Tikv> for GetRegion {
    const NAME: &'static str = "get_region";
    const COST: Cost = Cost::Point;
    type Output = RegionView;

    async fn observe(&self, tikv: &Tikv) -> Result<RegionView, Error> {
        let region = tikv
            .pd
            .region(self.region_id.pd())
            .await
            .map_err(Error::Read)?;
        let mut view = RegionView {
            exists: region.is_some(),
            region_id: self.region_id,
            start_key: String::new(),
            end_key: String::new(),
            leader_store_id: None,
            peers: Vec::new(),
            conf_ver: 0,
            version: 0,
            size_mib: 0,
            operator: None,
        };
        let Some(region) = region else {
            return Ok(view);
        };
        let operator = tikv
            .pd
            .operator(self.region_id.pd())
            .await
            .map_err(Error::Read)?;
        view.peers = region
            .peers
            .iter()
            .map(|peer| PeerView {
                store_id: peer.store_id.into(),
                role: role_name(peer.role),
                healthy: is_healthy(&region, peer),
            })
            .collect();
        view.leader_store_id = region.leader.map(|leader| leader.store_id.into());
        view.conf_ver = region.epoch.conf_ver;
        view.version = region.epoch.version;
        view.size_mib = region.approximate_size;
        view.start_key = region.start_key;
        view.end_key = region.end_key;
        view.operator = operator.map(|report| report.raw);
        Ok(view)
    }
}
