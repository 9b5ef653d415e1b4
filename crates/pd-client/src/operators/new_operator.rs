//! Requests for new operators: `POST /operators`.

use serde::{Serialize, Serializer};

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::ids::{RegionId, StoreId};
use crate::regions::checked_key;
use crate::transport::{Accepted, Call};

impl Client {
    /// Asks for an operator. PD answers "The operator is created." when it has accepted it; what
    /// happens later is shown by [`Client::operator`] and by the region.
    ///
    /// `POST /operators`, all versions.
    ///
    /// ```no_run
    /// use pd_client::operators::NewOperator;
    /// use pd_client::{Client, Error, RegionId, StoreId};
    ///
    /// # async fn example(pd: Client) -> Result<(), Error> {
    /// let (region_id, store_id) = (RegionId::new(12)?, StoreId::new(5)?);
    /// pd.add_operator(NewOperator::AddLearner { region_id, store_id }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Refusals are [`Error::Pd`], with status 500 for everything but a malformed request: no such
    /// region or store, nothing to do (`no operator step is built`), or an operator already on the
    /// region. [`Error::Input`] is for what PD would misread; nothing is sent then.
    pub async fn add_operator(&self, operator: NewOperator) -> Result<Accepted, Error> {
        operator.check()?;
        self.write(Call::post("/operators", &operator)?).await
    }

    /// Asks for a region's leader to move, see [`NewOperator::TransferLeader`].
    ///
    /// `POST /operators`, `transfer-leader`, all versions.
    pub async fn add_transfer_leader_operator(
        &self,
        region_id: RegionId,
        to: StoreId,
    ) -> Result<Accepted, Error> {
        self.add_operator(NewOperator::TransferLeader { region_id, to })
            .await
    }

    /// Asks for a region's replica to move, see [`NewOperator::TransferPeer`].
    ///
    /// `POST /operators`, `transfer-peer`, all versions.
    pub async fn add_transfer_peer_operator(
        &self,
        region_id: RegionId,
        from: StoreId,
        to: StoreId,
    ) -> Result<Accepted, Error> {
        let operator = NewOperator::TransferPeer {
            region_id,
            from,
            to,
        };
        self.add_operator(operator).await
    }
}

/// An operator to ask for.
///
/// Serializes as the body of the request: `{"name": "transfer-leader", …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NewOperator {
    /// Moves a region's leader to a store that already holds a voter of it. Refused when there is
    /// none, when the leader is there already, and when the store may not take leaders.
    TransferLeader {
        /// The region.
        region_id: RegionId,
        /// The store that leads afterwards.
        #[serde(rename = "to_store_id")]
        to: StoreId,
    },
    /// Moves a region's replica from one store to another. Its role is kept. Refused when there is
    /// no replica on `from`, or already one on `to`.
    TransferPeer {
        /// The region.
        region_id: RegionId,
        /// The store that loses the replica.
        #[serde(rename = "from_store_id")]
        from: StoreId,
        /// The store that gets it.
        #[serde(rename = "to_store_id")]
        to: StoreId,
    },
    /// Puts a region's replicas on exactly these stores, in these roles. PD takes it with roles
    /// only. At least one store, each once, and at most one leader.
    TransferRegion {
        /// The region.
        region_id: RegionId,
        /// The stores, and the role of each.
        #[serde(flatten, serialize_with = "stores_and_roles")]
        targets: Vec<(StoreId, TargetRole)>,
    },
    /// Adds a voter to a region. PD removes it again when its rules do not want it.
    AddPeer {
        /// The region.
        region_id: RegionId,
        /// The store that gets the replica.
        store_id: StoreId,
    },
    /// Adds a learner to a region. PD removes it again when its rules do not want it.
    AddLearner {
        /// The region.
        region_id: RegionId,
        /// The store that gets the replica.
        store_id: StoreId,
    },
    /// Removes a region's replica from a store. PD makes a new one elsewhere when its rules want
    /// one.
    RemovePeer {
        /// The region.
        region_id: RegionId,
        /// The store that loses the replica.
        store_id: StoreId,
    },
    /// Makes a region part of its neighbour. There is an operator, and later a record, on each of
    /// the two.
    MergeRegion {
        /// The region that is gone afterwards.
        #[serde(rename = "source_region_id")]
        source: RegionId,
        /// The neighbour, which keeps its id.
        #[serde(rename = "target_region_id")]
        target: RegionId,
    },
    /// Splits a region. Acceptance may be followed by no split.
    SplitRegion {
        /// The region.
        region_id: RegionId,
        /// Where it is split.
        policy: SplitPolicy,
        /// The keys, in hexadecimal: needed with [`SplitPolicy::UseKey`], refused with another
        /// policy. Those outside the region are ignored.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        keys: Vec<String>,
    },
    /// Puts a region's replicas and leader where the regions of its group have few. PD answers the
    /// same when there is nothing to do, and makes no operator then.
    ScatterRegion {
        /// The region.
        region_id: RegionId,
        /// The group; without, the region is spread on its own.
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
}

/// What a replica becomes when a region is transferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TargetRole {
    /// Leads. At most one.
    Leader,
    /// Leads or follows.
    Voter,
    /// Votes and does not lead.
    Follower,
    /// Has no vote.
    Learner,
}

/// Where a region is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SplitPolicy {
    /// In the middle, found by reading the region.
    Scan,
    /// In the middle, estimated.
    Approximate,
    /// At the keys that are given.
    UseKey,
}

impl NewOperator {
    /// Refuses what PD would misread.
    fn check(&self) -> Result<(), InputError> {
        match self {
            Self::TransferRegion { targets, .. } => check_targets(targets),
            Self::MergeRegion { source, target } if source == target => Err(InputError::argument(
                "target region",
                &target.to_string(),
                "it is the source itself: use its neighbour",
            )),
            Self::SplitRegion { policy, keys, .. } => check_split_keys(*policy, keys),
            _ => Ok(()),
        }
    }
}

fn check_targets(targets: &[(StoreId, TargetRole)]) -> Result<(), InputError> {
    let refuse = |given: &str, problem| Err(InputError::argument("target stores", given, problem));
    if targets.is_empty() {
        return refuse("", "name at least one store");
    }
    for (place, (store, _)) in targets.iter().enumerate() {
        if targets.iter().take(place).any(|(other, _)| other == store) {
            return refuse(&store.to_string(), "name each store once");
        }
    }
    let leaders = targets
        .iter()
        .filter(|(_, role)| *role == TargetRole::Leader);
    match leaders.count() {
        0 | 1 => Ok(()),
        count => refuse(&count.to_string(), "at most one of them can be the leader"),
    }
}

fn check_split_keys(policy: SplitPolicy, keys: &[String]) -> Result<(), InputError> {
    let refuse = |problem| Err(InputError::argument("split keys", "", problem));
    match policy {
        SplitPolicy::UseKey if keys.is_empty() => refuse("name at least one with policy `usekey`"),
        SplitPolicy::UseKey => keys.iter().try_for_each(|key| checked_key(key).map(drop)),
        _ if keys.is_empty() => Ok(()),
        _ => refuse("only policy `usekey` takes keys"),
    }
}

/// The two lists that PD wants: stores, and their roles in the same order.
fn stores_and_roles<S: Serializer>(
    targets: &[(StoreId, TargetRole)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Lists {
        to_store_ids: Vec<StoreId>,
        peer_roles: Vec<TargetRole>,
    }

    let (to_store_ids, peer_roles) = targets.iter().copied().unzip();
    Lists {
        to_store_ids,
        peer_roles,
    }
    .serialize(serializer)
}
