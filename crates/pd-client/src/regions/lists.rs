//! Regions by what they have in common.

use std::num::NonZeroU16;

use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::ids::{RegionId, StoreId};
use crate::regions::{PeerRole, Region, RegionStub, RegionsAnswer};
use crate::transport::Call;

impl Client {
    /// The regions before and after one; `None` when there is no such region.
    ///
    /// `GET /regions/sibling/{id}`, all versions. Where there is no region after it PD shows the
    /// one before a second time, up to 8.5, which is left out here.
    pub async fn sibling_regions(&self, id: RegionId) -> Result<Option<Siblings>, Error> {
        let answer = match self.read(Call::point("/regions/sibling").segment(id)).await {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let both: SiblingsAnswer = answer.json()?;
        let mut both = both.regions.unwrap_or_default().into_iter();
        let mut next = || match both.next() {
            Some(region) => some_region(region),
            None => Ok(None),
        };
        let (left, right) = match (next(), next()) {
            (Ok(left), Ok(right)) => (left, right),
            (Err(error), _) | (_, Err(error)) => return Err(answer.unreadable(error)),
        };
        let is_repeated = left.as_ref().map(|left| left.id) == right.as_ref().map(|right| right.id);
        Ok(Some(Siblings {
            left,
            right: right.filter(|_| !is_repeated),
        }))
    }

    /// The regions that come first in an order, the largest first. PD looks at every region for
    /// it.
    ///
    /// `GET /regions/{writeflow|readflow|…}?limit=…`, all versions but where [`TopOrder`] says
    /// otherwise.
    pub async fn top_regions(
        &self,
        order: TopOrder,
        limit: NonZeroU16,
    ) -> Result<Vec<Region>, Error> {
        let call = Call::list("/regions")
            .segment(order.word())
            .query("limit", limit.to_string());
        Ok(self
            .read(call)
            .await?
            .json::<RegionsAnswer>()?
            .into_regions())
    }

    /// All regions with a replica on a store. As many as the store has: hundreds of thousands are
    /// hundreds of megabytes.
    ///
    /// `GET /regions/store/{id}`, all versions. A store that does not exist has none.
    pub async fn regions_of_store(&self, id: StoreId) -> Result<Vec<Region>, Error> {
        let call = Call::list("/regions/store").segment(id);
        Ok(self
            .read(call)
            .await?
            .json::<RegionsAnswer>()?
            .into_regions())
    }

    /// All regions whose replica on a store is of this kind. As many as the store has.
    ///
    /// `GET /regions/store/{id}?type=…`, all versions. Before 8.2 PD gives all of the store's
    /// regions, and the choice is made here.
    pub async fn regions_of_store_as(
        &self,
        id: StoreId,
        role: RoleOnStore,
    ) -> Result<Vec<Region>, Error> {
        let call = Call::list("/regions/store")
            .segment(id)
            .query("type", role.word());
        let mut regions = self
            .read(call)
            .await?
            .json::<RegionsAnswer>()?
            .into_regions();
        regions.retain(|region| role.is_of(region, id));
        Ok(regions)
    }

    /// The regions that something is the matter with, as of their last heartbeats.
    ///
    /// `GET /regions/check/{type}`, all versions.
    pub async fn regions_in_check(&self, check: RegionCheck) -> Result<Vec<Region>, Error> {
        let call = Call::list("/regions/check").segment(check.name());
        Ok(self
            .read(call)
            .await?
            .json::<RegionsAnswer>()?
            .into_regions())
    }
}

/// The regions before and after one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Siblings {
    /// The one that ends where it begins.
    pub left: Option<Region>,
    /// The one that begins where it ends.
    pub right: Option<Region>,
}

#[derive(Deserialize)]
struct SiblingsAnswer {
    regions: Option<Vec<Value>>,
}

/// A region, unless it is the object that stands for none.
fn some_region(region: Value) -> serde_json::Result<Option<Region>> {
    match Option::<RegionStub>::deserialize(&region)? {
        Some(RegionStub { id: Some(_) }) => serde_json::from_value(region).map(Some),
        _ => Ok(None),
    }
}

/// An order of regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TopOrder {
    /// By bytes written in the last heartbeat interval.
    WriteFlow,
    /// By bytes read in the last heartbeat interval.
    ReadFlow,
    /// By queries that write, 8.2 and later.
    WriteQuery,
    /// By queries that read, 8.2 and later.
    ReadQuery,
    /// By how often replicas changed.
    ConfVer,
    /// By how often they were split and merged.
    Version,
    /// By size.
    Size,
    /// By number of keys.
    Keys,
    /// By CPU.
    Cpu,
}

impl TopOrder {
    /// Every order this client knows.
    pub const ALL: &[Self] = &[
        Self::WriteFlow,
        Self::ReadFlow,
        Self::WriteQuery,
        Self::ReadQuery,
        Self::ConfVer,
        Self::Version,
        Self::Size,
        Self::Keys,
        Self::Cpu,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::WriteFlow => "writeflow",
            Self::ReadFlow => "readflow",
            Self::WriteQuery => "writequery",
            Self::ReadQuery => "readquery",
            Self::ConfVer => "confver",
            Self::Version => "version",
            Self::Size => "size",
            Self::Keys => "keys",
            Self::Cpu => "cpu",
        }
    }
}

/// What a region's replica on a store is.
///
/// PD 8.2 and later blocks itself on a word it does not know, so that there is none for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoleOnStore {
    /// It leads.
    Leader,
    /// It votes and does not lead.
    Follower,
    /// It has no vote.
    Learner,
    /// It holds the log only.
    Witness,
    /// It lags behind.
    Pending,
}

impl RoleOnStore {
    fn word(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Learner => "learner",
            Self::Witness => "witness",
            Self::Pending => "pending",
        }
    }

    fn is_of(self, region: &Region, store_id: StoreId) -> bool {
        let leads = region
            .leader
            .is_some_and(|leader| leader.store_id == store_id);
        let peer = region.peer_on(store_id);
        let role = peer.map(|peer| peer.role);
        match self {
            Self::Leader => leads,
            Self::Follower => !leads && role.is_some_and(|role| role != PeerRole::Learner),
            Self::Learner => role == Some(PeerRole::Learner),
            Self::Witness => peer.is_some_and(|peer| peer.is_witness),
            Self::Pending => region
                .pending_peers
                .iter()
                .any(|peer| peer.store_id == store_id),
        }
    }
}

/// What can be the matter with a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RegionCheck {
    /// It has too few replicas.
    MissPeer,
    /// It has too many replicas.
    ExtraPeer,
    /// A replica lags behind.
    PendingPeer,
    /// A replica does not answer its leader.
    DownPeer,
    /// It has a learner.
    LearnerPeer,
    /// It holds next to nothing.
    EmptyRegion,
    /// A replica is on a store that is being emptied.
    OfflinePeer,
    /// It is larger than regions should be.
    OversizedRegion,
    /// It is so small that it should be merged.
    UndersizedRegion,
}

impl RegionCheck {
    /// Every check this client knows.
    pub const ALL: &[Self] = &[
        Self::MissPeer,
        Self::ExtraPeer,
        Self::PendingPeer,
        Self::DownPeer,
        Self::LearnerPeer,
        Self::EmptyRegion,
        Self::OfflinePeer,
        Self::OversizedRegion,
        Self::UndersizedRegion,
    ];

    /// PD's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MissPeer => "miss-peer",
            Self::ExtraPeer => "extra-peer",
            Self::PendingPeer => "pending-peer",
            Self::DownPeer => "down-peer",
            Self::LearnerPeer => "learner-peer",
            Self::EmptyRegion => "empty-region",
            Self::OfflinePeer => "offline-peer",
            Self::OversizedRegion => "oversized-region",
            Self::UndersizedRegion => "undersized-region",
        }
    }
}
