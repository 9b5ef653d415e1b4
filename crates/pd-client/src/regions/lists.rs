//! Regions by what they have in common.

use crate::client::Client;
use crate::error::Error;
use crate::ids::StoreId;
use crate::regions::{PeerRole, Region, read_regions};
use crate::transport::Call;

impl Client {
    /// All regions that a store holds a replica of. As many as it has: PD knows no limit here.
    ///
    /// `GET /regions/store/{id}`, all versions.
    pub async fn regions_of_store(&self, id: StoreId) -> Result<Vec<Region>, Error> {
        let call = Call::list("/regions/store").segment(id);
        read_regions(&self.read(call).await?)
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
        let mut regions = read_regions(&self.read(call).await?)?;
        regions.retain(|region| role.is_of(region, id));
        Ok(regions)
    }

    /// The regions that something is the matter with, as of their last heartbeats.
    ///
    /// `GET /regions/check/{type}`, all versions.
    pub async fn regions_in_check(&self, check: RegionCheck) -> Result<Vec<Region>, Error> {
        let call = Call::list("/regions/check").segment(check.name());
        read_regions(&self.read(call).await?)
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
