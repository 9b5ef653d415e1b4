//! Spreads a region's replicas: `scatter_region`.

use action_core::{
    Accepted, Attempt, Attribution, Effect, Evidence, Mutation, Outcome, Plan, Problem, Progress,
    Quantity, Risk, Sent, Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::Capability;
use pd_client::hotspots::{HotKind, HotRegions};
use pd_client::operators::NewOperator;
use pd_client::rules::RegionFit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{Observed, OperatorQuery, SETTLE_MS, accepted};
use crate::facts::region::RegionFacts;
use crate::mutations::region::region_operator::{gone, snapshot_deadline_ms};
use crate::parameters::ids::RegionId;
use crate::pd_rules::operator_priority::Level;
use crate::pd_rules::placement;
use crate::pd_rules::refusals;
use crate::pd_rules::region_snapshot::RegionSnapshot;

/// Puts a region's replicas and leader where regions of its group are few.
///
/// PD chooses the stores. It answers the same when it finds nothing to move, and makes no operator
/// then: that is told as `nothing_moved`.
///
/// Whether PD accepts is not known before: it refuses when a store it chooses has used up its limit.
/// It refuses a region that is hot, does not have the replicas its rules want or has no leader,
/// and one that a request, a drain or a repair is at work on. Proven by our own operator's success.
/// Not taken back: the replicas of before can be restored one by one with `transfer_peer`. Takes
/// about 20 ms per MiB and replica that moves; PD gives up after ten minutes or 6 s per MiB.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScatterRegion {
    /// Region to scatter.
    pub region_id: RegionId,
    /// Regions it is to be spread with, by a name of one's choice; all regions if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

#[async_trait]
impl Mutation<Tikv> for ScatterRegion {
    const NAME: &'static str = "scatter_region";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = false;
    type Before = RegionFacts;

    fn check(&self) -> Vec<Problem> {
        let group = self.group.iter();
        let not_applicable = group.filter(|name| name.is_empty() || name.len() > 128);
        let problem = |name: &String| {
            Problem::combination("/group", name, "a name of 1 to 128 bytes, or none")
        };
        not_applicable.map(problem).collect()
    }

    fn resources(&self) -> Vec<String> {
        vec![format!("region/{}", self.region_id)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<RegionFacts>, Error> {
        let region = match refusals::region(tikv, self.region_id).await? {
            Ok(region) => region,
            Err(verdict) => return Ok(Plan::new(verdict, RegionFacts::of(None))),
        };
        let facts = RegionFacts::of(Some(&region));
        let fit = tikv.pd.region_fit(region.id).await.map_err(Error::Read)?;
        let rules = placement::rules_of(fit.as_ref());
        let snapshot = RegionSnapshot::under(tikv, region, rules).await?;
        let verdict = self.verdict(tikv, &snapshot, fit).await?;
        let size = facts.size_mib.saturating_mul(facts.peers.len() as u64);
        let deadline_ms = snapshot_deadline_ms(size);
        let mut plan = Plan::new(verdict, facts.clone());
        for store in &snapshot.stores {
            plan = plan.touches(snapshot.domain(store.id.into()));
        }
        Ok(plan
            .same("peers", facts.peers_text())
            .same("conf_ver", facts.conf_ver)
            .impact(Quantity::REGIONS, 1, "regions, all replicas of it at most")
            .impact(Quantity::MOVED_MIB, size, "MiB copied at most")
            .impact(Quantity::LEADERS, 1, "leaders at most")
            .unknown("whether and where PD moves anything: it answers the same when it does not")
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
        let operator = NewOperator::ScatterRegion {
            region_id: self.region_id.pd(),
            group: self.group.clone(),
        };
        accepted(tikv.sender(attempt).add_operator(operator).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &RegionFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let id = self.region_id;
        let query = OperatorQuery {
            region_id: id,
            desc: "scatter-region",
            brief: &|_| true,
        };
        let observed = Observed::on(tikv, &query, sent).await?;
        let region = tikv.pd.region(id.pd()).await.map_err(Error::Read)?;
        let Some(region) = region else {
            return Ok(gone(id, vec![observed.evidence(id)]));
        };
        let now = RegionFacts::of(Some(&region));
        let source = format!("GET /pd/api/v1/region/id/{id}");
        let evidence = vec![
            Evidence::new(source.as_str(), "peers", now.peers_text()),
            Evidence::new(source, "conf_ver", now.conf_ver),
            observed.evidence(id),
        ];
        if observed.ours_succeeded() {
            let summary = format!("region {id} has been scattered to {}", now.peers_text());
            return Ok(Progress::applied(Attribution::Ours, summary, evidence));
        }
        if !observed.is_over(tikv, sent).await? {
            let summary = format!(
                "region {id} has {}, which may still change",
                now.peers_text()
            );
            return Ok(Progress::pending(summary, evidence));
        }
        let moved = now.peers != before.peers;
        let (code, words) = if sent.accepted.is_some() && observed.ours.is_none() {
            let words = "PD accepted and there is no operator: it found nothing to move, or forgot \
                         it when its leader changed";
            ("nothing_moved", words.to_owned())
        } else {
            observed.ending(sent)
        };
        Ok(if moved {
            let text = format!("the replicas have become {}: {words}", now.peers_text());
            Progress::not_applied("region_changed", text, false, evidence)
        } else {
            let text = format!("the region has {} as before: {words}", now.peers_text());
            Progress::not_applied(code, text, true, evidence)
        })
    }

    fn undo(&self, _: &RegionFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none(
            "PD chose where the replicas went; `transfer_peer` restores those of before one by one",
        )
    }
}

impl ScatterRegion {
    /// PD's answer, from what it checks, in its order.
    async fn verdict(
        &self,
        tikv: &Tikv,
        snapshot: &RegionSnapshot,
        fit: Option<RegionFit>,
    ) -> Result<Verdict, Error> {
        let id = self.region_id;
        for kind in [HotKind::Write, HotKind::Read] {
            let hot = tikv.pd.hot_regions(kind, &[]).await.map_err(Error::Read)?;
            let degree = snapshot.config.schedule.hot_region_cache_hits_threshold;
            if is_among(id, &hot, degree.unwrap_or(3)) {
                let text = format!("region {id} is a hot region");
                return Ok(refusals::rejected("hot_region", text));
            }
        }
        if !placement::is_replicated(&snapshot.region, fit.as_ref(), &snapshot.config) {
            let text = format!("region {id} is not fully replicated");
            return Ok(refusals::rejected("not_replicated", text));
        }
        let occupied = snapshot.occupied(Level::High);
        let by_another = matches!(
            &occupied,
            Some(Verdict::WouldReject { code, .. }) if code == "PD:operator:ErrAddOperator"
        );
        if by_another && refused_first(tikv).await? {
            let running = snapshot.running.as_ref();
            if running.is_some_and(|report| report.operator.desc == "scatter-region") {
                // It is accepted when it is of the same group, which is not shown.
                return Ok(refusals::undecided(
                    "scatter_running",
                    "a scattering is running there, and of which group is not shown",
                ));
            }
            let text = format!("the operator of region {id} already exist");
            return Ok(refusals::rejected("operator_exists", text));
        }
        let leads = |store| snapshot.region.peer_on(store).is_some();
        if !snapshot
            .region
            .leader
            .is_some_and(|leader| leads(leader.store_id))
        {
            let text = format!("region {id} has no leader");
            return Ok(refusals::rejected("no_leader", text));
        }
        Ok(match occupied {
            // Whether PD finds anything to move decides whether it comes to that.
            Some(Verdict::WouldReject { text, .. }) => {
                refusals::undecided("operator_in_the_way", text)
            }
            // PD refuses when a store it chooses has used up its limit; neither is shown.
            _ => refusals::undecided(
                "store_limits_not_shown",
                "whether the limits of the stores that PD chooses have room is not shown",
            ),
        })
    }
}

/// Whether a region has been busy for that many intervals.
fn is_among(id: RegionId, hot: &HotRegions, degree: u64) -> bool {
    let stores = hot.as_peer.values().chain(hot.as_leader.values());
    let mut regions = stores.flatten().flat_map(|store| &store.statistics);
    regions.any(|region| {
        region.region_id == id.pd()
            && u64::try_from(region.hot_degree).is_ok_and(|found| found >= degree)
    })
}

/// Whether PD looks for another operator before it chooses stores.
async fn refused_first(tikv: &Tikv) -> Result<bool, Error> {
    let version = tikv.pd.version().await.map_err(Error::Read)?;
    Ok(version.has(Capability::ScatterRefusedByOperator) == Some(true))
}
