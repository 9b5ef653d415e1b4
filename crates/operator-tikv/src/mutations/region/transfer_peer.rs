//! Moves a region's replica: `transfer_peer`.

// length: a replica may not be wanted back for two reasons, each with its words.

use action_core::{Outcome, Plan, Problem, Quantity, Undo};
use pd_client::operators::NewOperator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::foreign_operator::Since;
use crate::facts::region::RegionFacts;
use crate::mutations::region::reading::Reading;
use crate::mutations::region::region_operator::{
    LEADER_ELSEWHERE, RegionOperator, copying, mutation_of_region_operator, replica_plan,
};
use crate::mutations::region::replicas_seen::Replicas;
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::affinity::{moved_back, voters};
use crate::pd_rules::moved_replica::undone_by_rules;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::replica_change::check_move;
use crate::pd_rules::stop::{Checked, verdict};

/// Moves a region's replica from one store to another. Its role is kept.
///
/// PD does the work in the background, with a snapshot of the region: acceptance is not
/// completion. Once begun it may be finished or taken back by PD's own checkers even after it was
/// cancelled or replaced.
///
/// PD refuses when the source holds no replica, the target holds one or is gone or silent for ten
/// minutes, the region has no leader or is in a joint state, no other replica could lead, or a
/// request or a drain is at work on it. Proven by the replicas: the target holds a healthy one, the
/// source none. Taken back by moving it back; if the replica was the leader, another replica stays
/// the leader. Takes about 20 ms per MiB on an idle cluster; PD gives up after ten minutes or 6 s
/// per MiB.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferPeer {
    /// Region whose replica moves.
    pub region_id: RegionId,
    /// Store that the replica leaves.
    pub from_store_id: StoreId,
    /// Store that receives the replica; it must not hold one yet.
    pub to_store_id: StoreId,
}

mutation_of_region_operator! {
    TransferPeer = "transfer_peer", before: RegionFacts,
    risk: High, reversible: true, idempotent: false
}

impl RegionOperator for TransferPeer {
    fn region_id(&self) -> RegionId {
        self.region_id
    }

    fn check(&self) -> Vec<Problem> {
        let other = "a store other than `from_store_id`";
        let problem = Problem::combination("/to_store_id", self.to_store_id, other);
        let same = self.from_store_id == self.to_store_id;
        same.then_some(problem).into_iter().collect()
    }

    fn operator(&self) -> NewOperator {
        NewOperator::TransferPeer {
            region_id: self.region_id.pd(),
            from: self.from_store_id.pd(),
            to: self.to_store_id.pd(),
        }
    }

    async fn plan(&self, tikv: &Tikv) -> Checked<Plan<RegionFacts>> {
        let (from, to) = (self.from_store_id, self.to_store_id);
        let at = RegionSnapshot::read(tikv, self.region_id, &[from, to]).await?;
        let plan = replica_plan(at.facts(), verdict(check_move(tikv, &at, from, to).await)?);
        let mut plan = at.heard(plan);
        if plan.verdict.may_be_sent() {
            let mut cause = undone_by_rules(tikv, &at, from, to).await?;
            if cause.is_none() {
                let mut voters = voters(&at.region.peers);
                let moved = voters.iter_mut().find(|store| **store == from);
                moved.into_iter().for_each(|store| *store = to);
                let leader = at.leader().filter(|leader| *leader != from);
                cause = moved_back(tikv, &at, leader, &voters).await?;
            }
            if let Some(cause) = cause {
                plan = plan.reversed_by(&cause.code, cause.text);
            }
        }
        let size = plan.before.size_mib;
        let role = plan.before.role_on(from).map(str::to_owned);
        let leads = at.leader() == Some(from);
        let plan = plan
            .same("from_role", role)
            .impact(Quantity::REGIONS, 1, "regions, one replica of each")
            .impact(Quantity::MOVED_MIB, size, "MiB copied to the target store")
            .impact(Quantity::LEADERS, leads.into(), "leaders")
            .touches(at.domain(from))
            .touches(at.domain(to))
            .unknown("whether TiKV executes it, and how fast it copies the snapshot");
        let elsewhere = leads.then_some(LEADER_ELSEWHERE);
        let plan = elsewhere.into_iter().fold(plan, Plan::unknown);
        Ok(copying(plan, size))
    }

    async fn reading(&self, tikv: &Tikv, since: &Since<'_, RegionFacts>) -> Result<Reading, Error> {
        let (from, to) = (self.from_store_id, self.to_store_id);
        Reading::of(tikv, self.region_id, since, |region, now| {
            Replicas::new(since, region, now).moved(from, to)
        })
        .await
    }

    fn undo(&self, before: &RegionFacts, _: Option<&Outcome>) -> Undo {
        let from = self.from_store_id;
        let Some(role) = before.role_on(from) else {
            return Undo::none(format!("store {from} held no replica before"));
        };
        if let Some(reason) = before.no_way_back(from) {
            return Undo::none(reason);
        }
        let back = Self {
            region_id: self.region_id,
            from_store_id: self.to_store_id,
            to_store_id: from,
        };
        Undo::with::<Tikv, _>(&back).expecting("from_role", role)
    }
}
