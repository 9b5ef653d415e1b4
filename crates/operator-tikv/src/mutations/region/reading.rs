//! A region as it is by now, and what it shows of a change.

use action_core::Evidence;
use pd_client::regions::Region;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::foreign_operator::Since;
use crate::facts::region::RegionFacts;
use crate::parameters::ids::RegionId;

/// What a region shows of a change.
pub(crate) enum Shows {
    /// It is so now, and what to say of it.
    Done(String),
    /// It has been so since the plan, and no longer is.
    WasDone(String),
    /// It has not been so since the plan.
    NotDone {
        /// Whether the region is as it was.
        same: bool,
    },
    /// Something in between, and how.
    HalfDone(String),
    /// The region cannot tell whether it has been so.
    Unclear {
        /// Whether the region is as it was.
        same: bool,
    },
    /// The region is gone, merged into another.
    Gone,
}

/// A region as it is by now.
pub(crate) struct Reading {
    pub(crate) shows: Shows,
    /// How it is, as a sentence without its full stop.
    pub(crate) state: String,
    pub(crate) evidence: Vec<Evidence>,
}

impl Reading {
    /// Reads a region, whose leader and replicas show the change.
    pub(crate) async fn of(
        tikv: &Tikv,
        id: RegionId,
        since: &Since<'_, RegionFacts>,
        shows: impl FnOnce(&Region, &RegionFacts) -> Shows + Send,
    ) -> Result<Self, Error> {
        let Some(region) = tikv.pd.region(id.pd()).await.map_err(Error::Read)? else {
            return Ok(Self::gone(id));
        };
        let now = RegionFacts::of(&region);
        let leader = now.leader_text().unwrap_or_else(|| "no store".to_owned());
        let before = since.before;
        let same = (now.leader_store_id, &now.peers) == (before.leader_store_id, &before.peers);
        let as_before = if same { " as before" } else { "" };
        let peers = now.peers_text();
        let source = source(id);
        Ok(Self {
            shows: shows(&region, &now),
            state: format!("region {id} has {peers}, leader {leader}{as_before}"),
            evidence: vec![
                Evidence::new(source.as_str(), "leader_store_id", now.leader_text()),
                Evidence::new(source.as_str(), "peers", peers),
                Evidence::new(source.as_str(), "peer_ids", now.peer_ids()),
                Evidence::new(source.as_str(), "conf_ver", now.conf_ver),
                Evidence::new(source, "version", now.version),
            ],
        })
    }

    /// The region is no more.
    pub(crate) fn gone(id: RegionId) -> Self {
        Self {
            shows: Shows::Gone,
            state: format!("region {id} is gone, merged into another"),
            evidence: vec![Evidence::new(source(id), "region", "none")],
        }
    }
}

/// Where a region is read.
pub(crate) fn source(id: RegionId) -> String {
    format!("GET /pd/api/v1/region/id/{id}")
}
