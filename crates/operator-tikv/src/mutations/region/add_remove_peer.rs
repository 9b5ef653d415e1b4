//! Adds a replica, and removes one: `add_peer` and `remove_peer`.
//!
//! Two actions of one file each, in one because each takes the other back.

// length: two actions, each the other taken back.

use action_core::{Outcome, Plan, Quantity, Undo};
use pd_client::operators::NewOperator;
use pd_client::regions::PeerRole;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::foreign_operator::Since;
use crate::evidence::own_operator::SETTLE_MS;
use crate::facts::region::{RegionFacts, role_name};
use crate::mutations::region::reading::Reading;
use crate::mutations::region::region_operator::{
    LEADER_ELSEWHERE, RegionOperator, copying, mutation_of_region_operator, replica_plan,
};
use crate::mutations::region::replicas_seen::Replicas;
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::affinity::{moved_back, voters};
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::replica_change::{check_add, check_remove};
use crate::pd_rules::rule_checker::RuleChecker;
use crate::pd_rules::stop::{Checked, verdict};

/// Adds a replica of a region on a store.
///
/// Placement rules say how many replicas a region has: PD removes an extra replica again, and not
/// necessarily this one.
///
/// PD refuses when the store holds a replica already, is gone or silent for ten minutes, when the
/// region has no leader or is in a joint state, and when an operator of a request or a drain is
/// running on it. Proven by a healthy replica there. Taken back by `remove_peer`. Takes about 20 ms
/// per MiB on an idle cluster; PD gives up after ten minutes or 6 s per MiB.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPeer {
    /// Region that gets another replica.
    pub region_id: RegionId,
    /// Store that holds it; it must not hold one yet.
    pub store_id: StoreId,
    /// Role of the replica; a voter by default.
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

mutation_of_region_operator! {
    AddPeer = "add_peer", before: RegionFacts,
    risk: High, reversible: true, idempotent: true
}

impl RegionOperator for AddPeer {
    fn region_id(&self) -> RegionId {
        self.region_id
    }

    fn operator(&self) -> NewOperator {
        let (region_id, store_id) = (self.region_id.pd(), self.store_id.pd());
        match self.role {
            NewPeerRole::Voter => NewOperator::AddPeer {
                region_id,
                store_id,
            },
            NewPeerRole::Learner => NewOperator::AddLearner {
                region_id,
                store_id,
            },
        }
    }

    async fn plan(&self, tikv: &Tikv) -> Checked<Plan<RegionFacts>> {
        let at = RegionSnapshot::read(tikv, self.region_id, &[self.store_id]).await?;
        let checked = check_add(tikv, &at, self.store_id, self.role.of_pd()).await;
        let mut plan = at.heard(replica_plan(at.facts(), verdict(checked)?));
        let size = plan.before.size_mib;
        let role = plan.before.role_on(self.store_id).map(str::to_owned);
        let wanted = at.wanted_replicas();
        if let Some(wanted) = wanted.filter(|wanted| *wanted <= at.region.peers.len())
            && let Some(when) = RuleChecker::read(tikv, &at.config).await?.when()
        {
            let text = format!(
                "PD's rule checker removes one of the replicas again (`remove-orphan-peer`){when}: the placement rules require only {wanted}"
            );
            plan = plan.reversed_by("rule_checker", text);
        }
        if plan.verdict.may_be_sent() && self.role == NewPeerRole::Voter {
            let mut voters = voters(&at.region.peers);
            voters.push(self.store_id);
            let cause = moved_back(tikv, &at, None, &voters).await?;
            plan = (cause.into_iter()).fold(plan, |plan, by| plan.reversed_by(&by.code, by.text));
        }
        let plan = plan
            .same("role", role)
            .impact(Quantity::REGIONS, 1, "regions, one replica of each")
            .impact(Quantity::MOVED_MIB, size, "MiB copied to the store")
            .touches(at.domain(self.store_id))
            .unknown("whether TiKV executes it, and how fast it copies the snapshot");
        Ok(copying(plan, size))
    }

    async fn reading(&self, tikv: &Tikv, since: &Since<'_, RegionFacts>) -> Result<Reading, Error> {
        let (store, role) = (self.store_id, role_name(self.role.of_pd()));
        Reading::of(tikv, self.region_id, since, |region, now| {
            Replicas::new(since, region, now).added(store, &role)
        })
        .await
    }

    fn undo(&self, before: &RegionFacts, _: Option<&Outcome>) -> Undo {
        let (region_id, store_id) = (self.region_id, self.store_id);
        if let Some(role) = before.role_on(store_id) {
            return Undo::none(format!("store {store_id} held a {role} before"));
        }
        let back = RemovePeer {
            region_id,
            store_id,
        };
        Undo::with::<Tikv, _>(&back).expecting("role", role_name(self.role.of_pd()))
    }
}

/// Removes a region's replica from a store.
///
/// The region has one replica less until PD adds a new one on a store of its choice, if its
/// placement rules require one. If the replica leads, another leads first.
///
/// PD refuses when the store holds none, when no voter or no possible leader would be left, when
/// the region has no leader or is in a joint state, and when an operator of a request or a drain is
/// running on it. Proven by the replicas. Taken back by `add_peer`, which may then add one too
/// many. Takes about a second; PD gives up after a minute.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovePeer {
    /// Region that loses a replica.
    pub region_id: RegionId,
    /// Store that holds it.
    pub store_id: StoreId,
}

mutation_of_region_operator! {
    RemovePeer = "remove_peer", before: RegionFacts,
    risk: High, reversible: true, idempotent: true
}

impl RegionOperator for RemovePeer {
    fn region_id(&self) -> RegionId {
        self.region_id
    }

    fn operator(&self) -> NewOperator {
        NewOperator::RemovePeer {
            region_id: self.region_id.pd(),
            store_id: self.store_id.pd(),
        }
    }

    async fn plan(&self, tikv: &Tikv) -> Checked<Plan<RegionFacts>> {
        let store = self.store_id;
        let at = RegionSnapshot::read(tikv, self.region_id, &[store]).await?;
        let checked = check_remove(tikv, &at, store).await;
        let mut plan = at.heard(replica_plan(at.facts(), verdict(checked)?));
        let role = plan.before.role_on(store).map(str::to_owned);
        let leads = at.leader() == Some(store);
        let unhealthy = at.unhealthy_besides(store);
        if unhealthy > 0 {
            plan = plan.unknown(format!(
                "whether the region can serve without it: {unhealthy} of the other replicas lag or do not respond"
            ));
        }
        let wanted = at.wanted_replicas();
        if let Some(wanted) = wanted.filter(|wanted| *wanted >= at.region.peers.len())
            && let Some(when) = RuleChecker::read(tikv, &at.config).await?.when()
        {
            let text = format!(
                "PD's rule checker adds a replica again, there or elsewhere (`add-rule-peer`){when}: the placement rules require {wanted}"
            );
            plan = plan.reversed_by("rule_checker", text);
        }
        if plan.verdict.may_be_sent() {
            let rest = at
                .region
                .peers
                .iter()
                .filter(|peer| peer.store_id != store.pd());
            let cause = moved_back(tikv, &at, None, &voters(rest)).await?;
            plan = (cause.into_iter()).fold(plan, |plan, by| plan.reversed_by(&by.code, by.text));
        }
        if leads {
            plan = plan.unknown(LEADER_ELSEWHERE);
        }
        Ok(plan
            .same("role", role)
            .at_most("unhealthy_others", unhealthy as u64)
            .impact(Quantity::REGIONS, 1, "regions, one replica of each")
            .impact(Quantity::LEADERS, leads.into(), "leaders")
            .touches(at.domain(store))
            .takes(1_000, 60_000, "measured on idle clusters; PD's timeout")
            .follow(500, SETTLE_MS, 120_000))
    }

    async fn reading(&self, tikv: &Tikv, since: &Since<'_, RegionFacts>) -> Result<Reading, Error> {
        let store = self.store_id;
        Reading::of(tikv, self.region_id, since, |region, now| {
            Replicas::new(since, region, now).removed(store)
        })
        .await
    }

    fn undo(&self, before: &RegionFacts, _: Option<&Outcome>) -> Undo {
        let (region_id, store_id) = (self.region_id, self.store_id);
        if let Some(reason) = before.no_way_back(store_id) {
            return Undo::none(reason);
        }
        let role = match before.role_on(store_id) {
            Some("Voter") => NewPeerRole::Voter,
            Some("Learner") => NewPeerRole::Learner,
            other => {
                let held = other.map_or("no replica".to_owned(), |role| format!("a {role}"));
                return Undo::none(format!("store {store_id} held {held} before"));
            }
        };
        let back = AddPeer {
            region_id,
            store_id,
            role,
        };
        Undo::with::<Tikv, _>(&back).expecting("role", None::<String>)
    }
}
