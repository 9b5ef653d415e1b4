//! Asking for operators.
//!
//! All of these are `POST /operators`. PD answers "The operator is created." when it has accepted
//! one; what happens later is shown by [`Client::operator`] and by the region. Refusals are
//! [`Error::Pd`], with status 500 for everything but a malformed request: no such region or store,
//! nothing to do, or an operator already on the region.

use serde::Serialize;

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::ids::{RegionId, StoreId};
use crate::regions::checked_key;
use crate::transport::{Accepted, Call};

impl Client {
    /// Asks for a region's leader to move to a store that already holds a voter of it.
    ///
    /// `POST /operators`, `transfer-leader`, all versions.
    ///
    /// # Errors
    /// Refusals are [`Error::Pd`] with status 500: no such region, no voter on that store, leader
    /// already there (`no operator step is built`), a store that may not take leaders, or an
    /// operator already on the region.
    pub async fn add_transfer_leader_operator(
        &self,
        region_id: RegionId,
        to: StoreId,
    ) -> Result<Accepted, Error> {
        let body = Request {
            to_store_id: Some(to),
            ..Request::of("transfer-leader", region_id)
        };
        self.write(Call::post("/operators", &body)?).await
    }

    /// Asks for a region's replica on one store to move to another. Its role is kept.
    ///
    /// `POST /operators`, `transfer-peer`, all versions.
    ///
    /// # Errors
    /// Refusals are [`Error::Pd`] with status 500: no such region or store, no replica on `from`,
    /// already one on `to`, or an operator already on the region.
    pub async fn add_transfer_peer_operator(
        &self,
        region_id: RegionId,
        from: StoreId,
        to: StoreId,
    ) -> Result<Accepted, Error> {
        let body = Request {
            from_store_id: Some(from),
            to_store_id: Some(to),
            ..Request::of("transfer-peer", region_id)
        };
        self.write(Call::post("/operators", &body)?).await
    }

    /// Asks for a region to have its replicas on exactly these stores, in these roles.
    ///
    /// `POST /operators`, `transfer-region`, all versions. PD takes it with roles only, which is
    /// why each store has one here.
    ///
    /// # Errors
    /// [`InputError::Argument`] when no store is given, a store twice, or more than one leader.
    pub async fn add_transfer_region_operator(
        &self,
        region_id: RegionId,
        targets: &[(StoreId, TargetRole)],
    ) -> Result<Accepted, Error> {
        check_targets(targets)?;
        let body = Request {
            to_store_ids: Some(targets.iter().map(|(store, _)| *store).collect()),
            peer_roles: Some(targets.iter().map(|(_, role)| *role).collect()),
            ..Request::of("transfer-region", region_id)
        };
        self.write(Call::post("/operators", &body)?).await
    }

    /// Asks for one more voter of a region. PD takes it away again when its rules do not want it.
    ///
    /// `POST /operators`, `add-peer`, all versions.
    pub async fn add_peer_operator(
        &self,
        region_id: RegionId,
        store_id: StoreId,
    ) -> Result<Accepted, Error> {
        let body = Request {
            store_id: Some(store_id),
            ..Request::of("add-peer", region_id)
        };
        self.write(Call::post("/operators", &body)?).await
    }

    /// Asks for one more learner of a region. PD takes it away again when its rules do not want
    /// it.
    ///
    /// `POST /operators`, `add-learner`, all versions.
    pub async fn add_learner_operator(
        &self,
        region_id: RegionId,
        store_id: StoreId,
    ) -> Result<Accepted, Error> {
        let body = Request {
            store_id: Some(store_id),
            ..Request::of("add-learner", region_id)
        };
        self.write(Call::post("/operators", &body)?).await
    }

    /// Asks for a region's replica on a store to go. PD makes a new one elsewhere when its rules
    /// want one.
    ///
    /// `POST /operators`, `remove-peer`, all versions.
    pub async fn remove_peer_operator(
        &self,
        region_id: RegionId,
        store_id: StoreId,
    ) -> Result<Accepted, Error> {
        let body = Request {
            store_id: Some(store_id),
            ..Request::of("remove-peer", region_id)
        };
        self.write(Call::post("/operators", &body)?).await
    }

    /// Asks for a region to become part of its neighbour. `target` keeps its id, `source` is gone
    /// afterwards; there is an operator, and later a record, on each of the two.
    ///
    /// `POST /operators`, `merge-region`, all versions.
    pub async fn add_merge_region_operator(
        &self,
        source: RegionId,
        target: RegionId,
    ) -> Result<Accepted, Error> {
        if source == target {
            let problem = "it is the source itself, name its neighbour";
            return Err(InputError::argument("target region", &target.to_string(), problem).into());
        }
        let body = Request {
            source_region_id: Some(source),
            target_region_id: Some(target),
            ..Request::new("merge-region")
        };
        self.write(Call::post("/operators", &body)?).await
    }

    /// Asks for a region to be split. Keys, in hexadecimal, are for [`SplitPolicy::UseKey`] and
    /// needed there; those outside the region are ignored.
    ///
    /// `POST /operators`, `split-region`, all versions. Acceptance may be followed by no split.
    ///
    /// # Errors
    /// [`InputError::Key`] or [`InputError::Argument`] when keys are not hexadecimal, missing, or
    /// given with another policy.
    pub async fn add_split_region_operator(
        &self,
        region_id: RegionId,
        policy: SplitPolicy,
        keys: &[impl AsRef<str>],
    ) -> Result<Accepted, Error> {
        let keys = split_keys(policy, keys)?;
        let body = Request {
            policy: Some(policy),
            keys,
            ..Request::of("split-region", region_id)
        };
        self.write(Call::post("/operators", &body)?).await
    }

    /// Asks for a region's replicas and leader to be put where the regions of its group have few.
    /// PD answers the same when there is nothing to do, and makes no operator then.
    ///
    /// `POST /operators`, `scatter-region`, all versions.
    pub async fn add_scatter_region_operator(
        &self,
        region_id: RegionId,
        group: Option<&str>,
    ) -> Result<Accepted, Error> {
        let body = Request {
            group,
            ..Request::of("scatter-region", region_id)
        };
        self.write(Call::post("/operators", &body)?).await
    }
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

/// The body of `POST /operators`, with the fields that its name takes.
#[derive(Serialize)]
struct Request<'a> {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_id: Option<RegionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_region_id: Option<RegionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_region_id: Option<RegionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<StoreId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_store_id: Option<StoreId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_store_id: Option<StoreId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_store_ids: Option<Vec<StoreId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_roles: Option<Vec<TargetRole>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<SplitPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
}

impl Request<'_> {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            region_id: None,
            source_region_id: None,
            target_region_id: None,
            store_id: None,
            from_store_id: None,
            to_store_id: None,
            to_store_ids: None,
            peer_roles: None,
            policy: None,
            keys: None,
            group: None,
        }
    }

    fn of(name: &'static str, region_id: RegionId) -> Self {
        Self {
            region_id: Some(region_id),
            ..Self::new(name)
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

/// The keys as PD reads them, if the policy takes any.
fn split_keys(
    policy: SplitPolicy,
    keys: &[impl AsRef<str>],
) -> Result<Option<Vec<String>>, InputError> {
    let refuse = |problem| Err(InputError::argument("split keys", "", problem));
    match policy {
        SplitPolicy::UseKey if keys.is_empty() => refuse("name at least one with policy `usekey`"),
        SplitPolicy::UseKey => keys
            .iter()
            .map(|key| checked_key(key.as_ref()).map(str::to_owned))
            .collect::<Result<_, _>>()
            .map(Some),
        _ if keys.is_empty() => Ok(None),
        _ => refuse("they are used with policy `usekey` only"),
    }
}
