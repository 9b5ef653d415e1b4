//! Moves a region's leader: `transfer_leader`.

// length: besides its proof it says who would take the leader back.

use action_core::{Outcome, Plan, Quantity, Undo};
use pd_client::operators::NewOperator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::foreign_operator::{ForeignOperator, Since};
use crate::evidence::own_operator::SETTLE_MS;
use crate::facts::region::RegionFacts;
use crate::mutations::region::reading::{Reading, Shows};
use crate::mutations::region::region_operator::{RegionOperator, mutation_of_region_operator};
use crate::parameters::ids::{RegionId, StoreId};
use crate::pd_rules::affinity::{moved_back, voters};
use crate::pd_rules::balance_leader::{BY_SIZE, goes_by_size, moves_leader_back};
use crate::pd_rules::grant_leader::taken_by_grant;
use crate::pd_rules::leader_rules::moved_by_rules;
use crate::pd_rules::leadership::LeaderBlockers;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::stop::{Checked, verdict};
use crate::pd_rules::transfer_leader::check_transfer_leader;

/// Moves a region's leader to another store that already holds a voter of it.
///
/// PD does the work in the background: acceptance is not completion. It takes well under a second
/// in an idle cluster. Schedulers may move the leader again afterwards.
///
/// PD refuses when the store holds no voter or one that lags or does not answer, when the store may
/// not lead (not Up, busy, drained, granted or slow by a scheduler, refused by labels or rules), and
/// when a request or a drain is at work on the region. Proven by the region's leader or by the
/// success of our own operator. Taken back by moving the leader back, while it is still there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferLeader {
    /// Region whose leader moves.
    pub region_id: RegionId,
    /// Store that becomes the leader.
    pub to_store_id: StoreId,
}

mutation_of_region_operator! {
    TransferLeader = "transfer_leader", before: RegionFacts,
    risk: Medium, reversible: true, idempotent: true
}

impl RegionOperator for TransferLeader {
    const OURS_EVEN_CANCELLED: bool = true;

    fn region_id(&self) -> RegionId {
        self.region_id
    }

    fn operator(&self) -> NewOperator {
        NewOperator::TransferLeader {
            region_id: self.region_id.pd(),
            to: self.to_store_id.pd(),
        }
    }

    async fn plan(&self, tikv: &Tikv) -> Checked<Plan<RegionFacts>> {
        let at = RegionSnapshot::read(tikv, self.region_id, &[self.to_store_id]).await?;
        let (verdict, blockers) = match check_transfer_leader(tikv, &at, self.to_store_id).await {
            Ok((verdict, blockers)) => (verdict, Some(blockers)),
            Err(stopped) => (verdict(Err(stopped))?, None),
        };
        let may_be_sent = verdict.may_be_sent();
        let facts = at.facts_for(tikv, &verdict).await?;
        let mut plan = at.heard(Plan::new(verdict, facts.clone()));
        if let Some(leader) = facts.leader_store_id {
            plan = plan.touches(at.domain(leader));
        }
        if let Some(blockers) = blockers.filter(|_| may_be_sent) {
            plan = self.foreseen(tikv, &at, &blockers, plan).await?;
        }
        Ok(plan
            .touches(at.domain(self.to_store_id))
            .same("leader_store_id", facts.leader_text())
            .same("conf_ver", facts.conf_ver)
            .impact(Quantity::LEADERS, 1, "leaders")
            .impact(
                "served_mib",
                facts.size_mib,
                "MiB served from another store",
            )
            .unknown("whether TiKV executes it: it may refuse while the target lags")
            .takes(
                200,
                10_000,
                "measured on idle clusters of four PD versions; TiKV gives up after an election timeout",
            )
            .follow(300, SETTLE_MS, 90_000))
    }

    async fn reading(&self, tikv: &Tikv, since: &Since<'_, RegionFacts>) -> Result<Reading, Error> {
        let (id, to) = (self.region_id, self.to_store_id);
        Reading::of(tikv, id, since, |_, now| {
            if now.leader_store_id == Some(to) {
                return Shows::Done(format!("store {to} leads region {id}"));
            }
            // Whoever moves the leader away from there found it there.
            let led = |other: &ForeignOperator<'_>| other.led_from() == Some(to.get());
            if since.others.iter().any(led) {
                return Shows::WasDone(format!("store {to} led region {id}"));
            }
            Shows::Unclear { same: true }
        })
        .await
    }

    fn undo(&self, before: &RegionFacts, _: Option<&Outcome>) -> Undo {
        let Some(leader) = before.leader_store_id else {
            return Undo::none("no store led the region before");
        };
        let back = Self {
            region_id: self.region_id,
            to_store_id: leader,
        };
        Undo::with::<Tikv, _>(&back).expecting("leader_store_id", self.to_store_id.to_string())
    }
}

impl TransferLeader {
    /// The plan with who would take the leader away again: the rule checker before the scheduler.
    async fn foreseen(
        &self,
        tikv: &Tikv,
        at: &RegionSnapshot,
        blockers: &LeaderBlockers,
        mut plan: Plan<RegionFacts>,
    ) -> Result<Plan<RegionFacts>, Error> {
        let by_rules = moved_by_rules(tikv, at, blockers, self.to_store_id).await?;
        let by_grant = || taken_by_grant(at, blockers, self.to_store_id);
        let to = self.to_store_id;
        let mut cause = by_rules.or_else(by_grant);
        if cause.is_none() {
            cause = moved_back(tikv, at, Some(to), &voters(&at.region.peers)).await?;
        }
        if cause.is_none() {
            cause = moves_leader_back(tikv, at, blockers, to).await?;
        }
        if let Some(cause) = cause {
            plan = plan.reversed_by(&cause.code, cause.text);
        } else if goes_by_size(at) {
            plan = plan.unknown(BY_SIZE);
        }
        Ok(plan)
    }
}
