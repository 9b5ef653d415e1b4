//! Spreads a region's replicas: `scatter_region`.

// length: what moved is told from what stayed, which no other region operator has to.

use action_core::{Outcome, Plan, Problem, Quantity, Undo};
use pd_client::operators::NewOperator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::foreign_operator::Since;
use crate::facts::region::RegionFacts;
use crate::facts::store::failure_domain;
use crate::mutations::region::reading::{Reading, Shows};
use crate::mutations::region::region_operator::{
    RegionOperator, copying, mutation_of_region_operator, replica_plan,
};
use crate::parameters::ids::RegionId;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::scatter_region::check_scatter;
use crate::pd_rules::stop::{Checked, verdict};

/// Moves a region's replicas and leader to stores with few regions of its group.
///
/// PD chooses the stores. If there is nothing to move, it gives the same answer but creates no
/// operator: the outcome is then `nothing_moved`.
///
/// Whether PD accepts it cannot be predicted: it refuses when a store it chooses has used up its
/// limit. It refuses a region that is hot, does not have the replicas its rules want or has no
/// leader, and one that a request, a drain or a repair is at work on. Proven by our own operator's
/// success. Cannot be taken back, but `transfer_peer` can move each replica back. Takes about 20 ms
/// per MiB and replica that moves; PD gives up after ten minutes or 6 s per MiB.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScatterRegion {
    /// Region to scatter.
    pub region_id: RegionId,
    /// Group of regions it is spread with, by any name; all regions by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

mutation_of_region_operator! {
    ScatterRegion = "scatter_region", before: RegionFacts,
    risk: High, reversible: false, idempotent: false
}

impl RegionOperator for ScatterRegion {
    const SHOWN_BY_OPERATOR_ONLY: bool = true;

    fn region_id(&self) -> RegionId {
        self.region_id
    }

    fn check(&self) -> Vec<Problem> {
        let fits = |name: &&String| (1..=128).contains(&name.len());
        let expected = "a name of 1 to 128 bytes, or none";
        let problem = |name| Problem::combination("/group", name, expected);
        let unfit = self.group.iter().filter(|name| !fits(name));
        unfit.map(problem).collect()
    }

    fn operator(&self) -> NewOperator {
        NewOperator::ScatterRegion {
            region_id: self.region_id.pd(),
            group: self.group.clone(),
        }
    }

    async fn plan(&self, tikv: &Tikv) -> Checked<Plan<RegionFacts>> {
        let (at, fit) = RegionSnapshot::read_with_fit(tikv, self.region_id).await?;
        let verdict = verdict(check_scatter(tikv, &at, fit).await)?;
        let mut plan = replica_plan(at.facts_for(tikv, &verdict).await?, verdict);
        plan = at.heard(plan);
        let size = plan.before.size_mib;
        let size = size.saturating_mul(at.region.peers.len() as u64);
        // PD may choose any.
        let stores = tikv.pd.stores().await.map_err(Error::Read)?;
        for store in &stores {
            plan = plan.touches(failure_domain(store.id.into(), Some(store), &at.config));
        }
        let plan = plan
            .impact(Quantity::REGIONS, 1, "regions, all replicas of it at most")
            .impact(Quantity::MOVED_MIB, size, "MiB copied at most")
            .impact(Quantity::LEADERS, 1, "leaders at most")
            .unknown("whether and where PD moves anything: its answer is the same in both cases");
        Ok(copying(plan, size))
    }

    /// Only our operator's success proves it: other replicas may be anybody's doing.
    async fn reading(&self, tikv: &Tikv, since: &Since<'_, RegionFacts>) -> Result<Reading, Error> {
        let mut moved_leader_only = false;
        let before = since.before;
        let reading = Reading::of(tikv, self.region_id, since, |_, now| {
            let same = now.peers == before.peers;
            moved_leader_only = same && now.leader_store_id != before.leader_store_id;
            Shows::Unclear { same }
        });
        let mut reading = reading.await?;
        if moved_leader_only {
            reading
                .state
                .push_str("; only the leader moved, no replicas");
        }
        Ok(reading)
    }

    fn makes_none(&self) -> Option<(&'static str, &'static str)> {
        Some((
            "nothing_moved",
            "PD accepted and made no operator: it found nothing to move",
        ))
    }

    fn undo(&self, _: &RegionFacts, _: Option<&Outcome>) -> Undo {
        Undo::none("PD chose the stores; use `transfer_peer` to move each replica back")
    }
}
