//! Adds a replica, and removes one: `add_peer` and `remove_peer`.

use action_core::{
    Accepted, Attempt, Effect, Mutation, Outcome, Plan, Progress, Quantity, Risk, Sent, Undo,
    Verdict,
};
use async_trait::async_trait;
use pd_client::operators::NewOperator;
use pd_client::regions::{PeerRole, Region};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{OperatorQuery, SETTLE_MS, accepted};
use crate::facts::region::{RegionFacts, is_healthy, role_name};
use crate::mutations::region::region_operator::snapshot_deadline_ms;
use crate::mutations::region::replica_change::ReplicaChange;
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::operator_priority::Level;
use crate::pd_rules::refusals;
use crate::pd_rules::region_snapshot::RegionSnapshot;

/// Adds a replica of a region on a store.
///
/// PD's rules say how many replicas a region has: one that is too many is taken away again, and
/// not necessarily this one.
///
/// PD refuses when the store holds a replica already, is gone or silent for ten minutes, when the
/// region has no leader or is in a joint state, and when a request or a drain is at work on it.
/// Proven by a healthy replica there. Taken back by `remove_peer`. Takes about 20 ms per MiB on an
/// idle cluster; PD gives up after ten minutes or 6 s per MiB.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPeer {
    /// Region that gets a replica more.
    pub region_id: RegionId,
    /// Store that holds it; it must not hold one yet.
    pub store_id: StoreId,
    /// Whether the replica votes; a voter if not given.
    #[serde(default)]
    pub role: NewPeerRole,
}

/// What a replica is that is added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum NewPeerRole {
    /// Votes, and may lead.
    #[default]
    Voter,
    /// Follows without a vote.
    Learner,
}

impl NewPeerRole {
    fn of_pd(self) -> PeerRole {
        match self {
            Self::Voter => PeerRole::Voter,
            Self::Learner => PeerRole::Learner,
        }
    }
}

#[async_trait]
impl Mutation<Tikv> for AddPeer {
    const NAME: &'static str = "add_peer";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = RegionFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("region/{}", self.region_id)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<RegionFacts>, Error> {
        let snapshot = match RegionSnapshot::read(tikv, self.region_id).await? {
            Ok(snapshot) => snapshot,
            Err(verdict) => return Ok(Plan::new(verdict, RegionFacts::of(None))),
        };
        let facts = RegionFacts::of(Some(&snapshot.region));
        let size = facts.size_mib;
        let deadline_ms = snapshot_deadline_ms(size);
        let mut plan = Plan::new(self.verdict(tikv, &snapshot).await?, facts.clone());
        if let Some(wanted) = snapshot
            .wanted_replicas()
            .filter(|n| *n <= facts.peers.len())
        {
            plan = plan.unknown(format!(
                "which replica PD takes away again: its rules want no more than {wanted}"
            ));
        }
        Ok(plan
            .same("peers", facts.peers_text())
            .same("conf_ver", facts.conf_ver)
            .same("role", facts.role_on(self.store_id))
            .impact(Quantity::REGIONS, 1, "regions, one replica of each")
            .impact(Quantity::MOVED_MIB, size, "MiB copied to the store")
            .touches(snapshot.domain(self.store_id))
            .unknown("whether TiKV follows, and how fast it copies the snapshot")
            .takes(
                1_000 + 20 * size,
                deadline_ms,
                "idle clusters plus 50 MiB/s; PD's time-out",
            )
            .follow(500, SETTLE_MS, deadline_ms)
            .clock(tikv.clock()))
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let (region_id, store_id) = (self.region_id.pd(), self.store_id.pd());
        let operator = match self.role {
            NewPeerRole::Voter => NewOperator::AddPeer {
                region_id,
                store_id,
            },
            NewPeerRole::Learner => NewOperator::AddLearner {
                region_id,
                store_id,
            },
        };
        accepted(tikv.sender(attempt).add_operator(operator).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &RegionFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let store = self.store_id;
        let role = role_name(self.role.of_pd());
        let brief = format!("add peer: store [{store}]");
        let done = |region: &Region, now: &RegionFacts| {
            let peer = region.peer_on(store.pd())?;
            (is_healthy(region, peer) && now.role_on(store) == Some(&role))
                .then(|| format!("store {store} holds a {role} of the region"))
        };
        let half_done = |now: &RegionFacts| {
            let there = now.role_on(store)?;
            Some(format!("half added: store {store} holds a {there}"))
        };
        let change = ReplicaChange {
            query: OperatorQuery {
                region_id: self.region_id,
                desc: match self.role {
                    NewPeerRole::Voter => "admin-add-peer",
                    NewPeerRole::Learner => "admin-add-learner",
                },
                brief: &|text| text == brief,
            },
            done: &done,
            half_done: &half_done,
        };
        change.probe(tikv, before, sent).await
    }

    fn undo(&self, before: &RegionFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        if let Some(role) = before.role_on(self.store_id) {
            return Undo::none(format!("store {} held a {role} before", self.store_id));
        }
        let back = RemovePeer {
            region_id: self.region_id,
            store_id: self.store_id,
        };
        Undo::with::<Tikv, _>(&back).expecting("role", role_name(self.role.of_pd()))
    }
}

impl AddPeer {
    /// PD's answer, from what it checks, in its order.
    async fn verdict(&self, tikv: &Tikv, snapshot: &RegionSnapshot) -> Result<Verdict, Error> {
        let store = self.store_id;
        if let Some(there) = snapshot.region.peer_on(store.pd()) {
            if there.role == self.role.of_pd() && is_healthy(&snapshot.region, there) {
                let already = format!("store {store} holds a {}", role_name(there.role));
                return Ok(Verdict::NoOp { already });
            }
            let text = format!("region already has peer in store {store}");
            return Ok(refusals::rejected("peer_exists", text));
        }
        let target = snapshot.store(tikv, store).await?;
        if let Some(verdict) = refusals::unusable_target(store, target.as_ref(), tikv.clock()) {
            return Ok(verdict);
        }
        if let Some(verdict) = snapshot.not_buildable(false) {
            return Ok(verdict);
        }
        // Whoever leads goes on leading, a witness apart.
        if let Some(verdict) = snapshot
            .no_valid_leader(tikv, &snapshot.region.peers, 4)
            .await?
        {
            return Ok(verdict);
        }
        Ok(snapshot.accepted(Level::Urgent, target.as_ref()))
    }
}

/// Removes a region's replica from a store.
///
/// The region has a replica less until PD makes a new one, which it does, on a store of its own
/// choice, when its rules want one. If the replica leads, another leads first.
///
/// PD refuses when the store holds none, when no voter or nobody who may lead would be left, when
/// the region has no leader or is in a joint state, and when a request or a drain is at work on
/// it. Proven by the replicas. Taken back by `add_peer`, by then possibly one too many. Takes
/// about a second; PD gives up after a minute.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovePeer {
    /// Region that loses a replica.
    pub region_id: RegionId,
    /// Store that holds it.
    pub store_id: StoreId,
}

#[async_trait]
impl Mutation<Tikv> for RemovePeer {
    const NAME: &'static str = "remove_peer";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = RegionFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("region/{}", self.region_id)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<RegionFacts>, Error> {
        let snapshot = match RegionSnapshot::read(tikv, self.region_id).await? {
            Ok(snapshot) => snapshot,
            Err(verdict) => return Ok(Plan::new(verdict, RegionFacts::of(None))),
        };
        let facts = RegionFacts::of(Some(&snapshot.region));
        let store = self.store_id;
        let leads = facts.leader_store_id == Some(store);
        let mut plan = Plan::new(self.verdict(tikv, &snapshot).await?, facts.clone());
        let unhealthy = snapshot.unhealthy_besides(store);
        if unhealthy > 0 {
            plan = plan.unknown(format!(
                "whether the region still serves without it: {unhealthy} of the other replicas lag \
                 or do not answer"
            ));
        }
        Ok(plan
            .same("peers", facts.peers_text())
            .same("conf_ver", facts.conf_ver)
            .same("role", facts.role_on(store))
            .at_most("unhealthy_others", unhealthy as u64)
            .impact(Quantity::REGIONS, 1, "regions, one replica of each")
            .impact(Quantity::LEADERS, leads.into(), "leaders")
            .touches(snapshot.domain(store))
            .unknown("when and where PD makes a new replica, if its rules want one")
            .takes(1_000, 60_000, "idle clusters; PD's time-out")
            .follow(500, SETTLE_MS, 120_000)
            .clock(tikv.clock()))
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let (region_id, store_id) = (self.region_id.pd(), self.store_id.pd());
        let operator = NewOperator::RemovePeer {
            region_id,
            store_id,
        };
        accepted(tikv.sender(attempt).add_operator(operator).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &RegionFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let store = self.store_id;
        let brief = format!("rm peer: store [{store}]");
        let done = |_: &Region, now: &RegionFacts| {
            let gone = now.role_on(store).is_none();
            gone.then(|| format!("store {store} holds no replica of the region"))
        };
        let half_done = |now: &RegionFacts| {
            let role = now.role_on(store)?;
            (before.role_on(store) != Some(role))
                .then(|| format!("half removed: store {store} holds a {role}"))
        };
        let change = ReplicaChange {
            query: OperatorQuery {
                region_id: self.region_id,
                desc: "admin-remove-peer",
                // Leaving one replica of two takes a joint state, and other words.
                brief: &|text| text == brief || text.ends_with(&format!(", {brief}")),
            },
            done: &done,
            half_done: &half_done,
        };
        change.probe(tikv, before, sent).await
    }

    fn undo(&self, before: &RegionFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        let role = match before.role_on(self.store_id) {
            Some("Voter") => NewPeerRole::Voter,
            Some("Learner") => NewPeerRole::Learner,
            Some(role) => {
                return Undo::none(format!("store {} held a {role} before", self.store_id));
            }
            None => {
                return Undo::none(format!("store {} held no replica before", self.store_id));
            }
        };
        let back = AddPeer {
            region_id: self.region_id,
            store_id: self.store_id,
            role,
        };
        Undo::with::<Tikv, _>(&back).expecting("role", None::<String>)
    }
}

impl RemovePeer {
    /// PD's answer, from what it checks, in its order.
    async fn verdict(&self, tikv: &Tikv, snapshot: &RegionSnapshot) -> Result<Verdict, Error> {
        let store = self.store_id;
        let region = &snapshot.region;
        if region.peer_on(store.pd()).is_none() {
            let already = format!("store {store} holds no replica of the region");
            return Ok(Verdict::NoOp { already });
        }
        if let Some(verdict) = snapshot.not_buildable(false) {
            return Ok(verdict);
        }
        let left = region
            .peers
            .iter()
            .filter(|peer| peer.store_id != store.pd());
        let left: Vec<_> = left.copied().collect();
        if let Some(verdict) = snapshot.no_valid_leader(tikv, &left, 4).await? {
            return Ok(verdict);
        }
        Ok(snapshot.accepted(Level::Urgent, None))
    }
}
