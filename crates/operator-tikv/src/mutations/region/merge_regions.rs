//! Merges a region into its neighbour: `merge_regions`.

use action_core::{
    Accepted, Attempt, Attribution, Cause, Effect, Evidence, Mutation, Outcome, Plan, Problem,
    Progress, Quantity, Risk, Sent, Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::operators::NewOperator;
use pd_client::regions::{Peer, PeerRole, Region};
use pd_client::rules::RegionFit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{Observed, OperatorQuery, SETTLE_MS, accepted};
use crate::facts::key_range::KeyRange;
use crate::facts::region::{RegionFacts, in_joint_state};
use crate::mutations::region::region_operator::gone;
use crate::mutations::region::split_region::{SplitPoint, SplitRegion};
use crate::parameters::ids::RegionId;
use crate::pd_rules::operator_priority::{self, Level};
use crate::pd_rules::placement;
use crate::pd_rules::refusals;
use crate::pd_rules::region_snapshot::RegionSnapshot;

/// Merges a region into its neighbour. The neighbour keeps its id, the region is gone.
///
/// When the two have replicas on different stores, the region's are moved to the neighbour's
/// first, which copies its data. Once begun that stays even if the merge does not follow.
///
/// PD refuses when one of the two has a replica that lags, does not answer or does not fit its
/// rules, when they are not neighbours, when one is in a joint state, and when a request or a
/// drain is at work on one of them. Proven by the neighbour having the keys of both. Taken back by
/// splitting at the key between them; the new region has another id. Takes about a second, and
/// about 20 ms per MiB where data is copied; PD gives up after ten minutes at the least.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeRegions {
    /// Region that becomes part of the other, and is gone afterwards.
    pub source_region_id: RegionId,
    /// Its neighbour, which keeps its id.
    pub target_region_id: RegionId,
}

/// Two regions as they were when their merge was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MergeFacts {
    /// The region that is to become part of the other.
    pub source: RegionFacts,
    /// Its keys.
    pub source_keys: KeyRange,
    /// The neighbour.
    pub target: RegionFacts,
    /// Its keys.
    pub target_keys: KeyRange,
}

#[async_trait]
impl Mutation<Tikv> for MergeRegions {
    const NAME: &'static str = "merge_regions";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = false;
    type Before = MergeFacts;

    fn check(&self) -> Vec<Problem> {
        if self.source_region_id == self.target_region_id {
            return vec![Problem::combination(
                "/target_region_id",
                self.target_region_id,
                "another region than `source_region_id`",
            )];
        }
        Vec::new()
    }

    fn resources(&self) -> Vec<String> {
        let ids = [self.source_region_id, self.target_region_id];
        ids.map(|id| format!("region/{id}")).into()
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<MergeFacts>, Error> {
        let nothing = MergeFacts::of(None, None);
        let source = match refusals::region(tikv, self.source_region_id).await? {
            Ok(region) => region,
            Err(verdict) => return Ok(Plan::new(verdict, nothing)),
        };
        let target = match refusals::region(tikv, self.target_region_id).await? {
            Ok(region) => region,
            Err(verdict) => return Ok(Plan::new(verdict, nothing)),
        };
        let facts = MergeFacts::of(Some(&source), Some(&target));
        let copied = copied_replicas(&source, &target);
        let size = facts.source.size_mib.saturating_mul(copied);
        let pd = &tikv.pd;
        let fit = pd.region_fit(source.id).await.map_err(Error::Read)?;
        let target_fit = pd.region_fit(target.id).await.map_err(Error::Read)?;
        let rules = placement::rules_of(fit.as_ref());
        let snapshot = RegionSnapshot::under(tikv, source, rules).await?;
        let verdict = self
            .verdict(tikv, &snapshot, fit, &target, target_fit)
            .await?;
        let deadline_ms = 600_000 + size.saturating_mul(6_000);
        let adjacent = facts.boundary().is_some();
        let mut plan = Plan::new(verdict, facts.clone());
        for peer in &facts.target.peers {
            plan = plan.touches(snapshot.domain(peer.store_id));
        }
        Ok(plan
            .same("source_keys", facts.source_keys.to_string())
            .same("target_keys", facts.target_keys.to_string())
            .same("adjacent", adjacent)
            .same("source_peers", facts.source.peers_text())
            .same("target_peers", facts.target.peers_text())
            .impact(Quantity::REGIONS, 2, "regions")
            .impact(
                Quantity::MOVED_MIB,
                size,
                "MiB copied to the neighbour's stores",
            )
            .impact(Quantity::LEADERS, 1, "leaders, of the region that is gone")
            .unknown("whether TiKV follows: it waits until all replicas have caught up")
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
        let (source, target) = (self.source_region_id.pd(), self.target_region_id.pd());
        let operator = NewOperator::MergeRegion { source, target };
        accepted(tikv.sender(attempt).add_operator(operator).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &MergeFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        // The operator first: the regions are then at least as new as what it says.
        let (from, into) = (self.source_region_id, self.target_region_id);
        let brief = format!("merge: region {from} to {into}");
        // Of the two operators, the one on the neighbour is the one that ends by success.
        let query = OperatorQuery {
            region_id: into,
            desc: "admin-merge-region",
            brief: &|text| text == brief,
        };
        let observed = Observed::on(tikv, &query, sent).await?;
        let source = tikv.pd.region(from.pd()).await.map_err(Error::Read)?;
        let target = tikv.pd.region(into.pd()).await.map_err(Error::Read)?;
        let now = MergeFacts::of(source.as_ref(), target.as_ref());
        let path = |id| format!("GET /pd/api/v1/region/id/{id}");
        let keys = source.as_ref().map(|_| now.source_keys.to_string());
        let mut evidence = vec![Evidence::new(path(from), "source_keys", keys)];
        if target.is_none() {
            evidence.push(observed.evidence(into));
            return Ok(gone(into, evidence));
        }
        evidence.push(Evidence::new(
            path(into),
            "target_keys",
            now.target_keys.to_string(),
        ));
        evidence.push(observed.evidence(into));
        let whole = before.source_keys.joined(&before.target_keys);
        let merged = whole
            .is_some_and(|whole| whole == now.target_keys || whole.is_part_of(&now.target_keys));
        if source.is_none() && merged || observed.ours_succeeded() {
            let by = if observed.ours_succeeded() {
                Attribution::Ours
            } else {
                Attribution::Undecided
            };
            let summary = format!(
                "region {from} is gone, region {into} has {}",
                now.target_keys
            );
            return Ok(Progress::applied(by, summary, evidence));
        }
        let moved = source.is_some() && now.source.peers != before.source.peers;
        if moved
            && !(observed.ours.is_some() && observed.is_running())
            && !is_settled(source.as_ref())
        {
            let (code, words) = observed.ending(sent);
            return Ok(Progress::Pending {
                summary: format!("half moved: region {from} has {}", now.source.peers_text()),
                done: None,
                stalled: vec![
                    Cause::new("half_moved", "its replicas were being moved for the merge"),
                    Cause::new(code, words),
                ],
                evidence,
            });
        }
        if !observed.is_over(tikv, sent).await? {
            let summary = format!("regions {from} and {into} may still be merged");
            return Ok(Progress::pending(summary, evidence));
        }
        let (code, words) = observed.ending(sent);
        Ok(if source.is_some() && !moved {
            let text = format!("region {from} is as before: {words}");
            Progress::not_applied(code, text, true, evidence)
        } else {
            let text = format!("the regions are others by now: {words}");
            Progress::not_applied("region_changed", text, false, evidence)
        })
    }

    fn undo(&self, before: &MergeFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        let whole = before.source_keys.joined(&before.target_keys);
        let (Some(boundary), Some(whole)) = (before.boundary(), whole) else {
            return Undo::none("the two were not neighbours");
        };
        Undo::with::<Tikv, _>(&SplitRegion {
            region_id: self.target_region_id,
            policy: SplitPoint::UseKey,
            keys: vec![boundary.to_owned()],
        })
        .expecting("keys", whole.to_string())
    }
}

impl MergeFacts {
    fn of(source: Option<&Region>, target: Option<&Region>) -> Self {
        let keys = |region: Option<&Region>| region.map_or_else(KeyRange::default, KeyRange::of);
        Self {
            source: RegionFacts::of(source),
            source_keys: keys(source),
            target: RegionFacts::of(target),
            target_keys: keys(target),
        }
    }

    fn boundary(&self) -> Option<&str> {
        self.source_keys.boundary(&self.target_keys)
    }
}

impl MergeRegions {
    /// PD's answer, from what it checks, in its order.
    async fn verdict(
        &self,
        tikv: &Tikv,
        snapshot: &RegionSnapshot,
        fit: Option<RegionFit>,
        target: &Region,
        target_fit: Option<RegionFit>,
    ) -> Result<Verdict, Error> {
        let source = &snapshot.region;
        for (region, fit) in [(source, fit), (target, target_fit)] {
            let well = region.pending_peers.is_empty() && region.down_peers.is_empty();
            if !well || !placement::is_replicated(region, fit.as_ref(), &snapshot.config) {
                let text = format!("region {} has abnormal peer", region.id);
                return Ok(refusals::rejected("PD:region:ErrRegionAbnormalPeer", text));
            }
        }
        if KeyRange::of(source)
            .boundary(&KeyRange::of(target))
            .is_none()
        {
            let text = "two regions are not adjacent";
            return Ok(refusals::rejected("PD:region:ErrRegionNotAdjacent", text));
        }
        if [source, target]
            .iter()
            .any(|region| region.peers.iter().any(in_joint_state))
        {
            let text = "cannot merge regions which are in joint state";
            return Ok(refusals::rejected("joint_state", text));
        }
        if !same_places(source, target) {
            if let Some(verdict) = snapshot.not_buildable(false) {
                return Ok(verdict);
            }
            if let Some(verdict) = snapshot.no_valid_leader(tikv, &target.peers, 2).await? {
                return Ok(verdict);
            }
        }
        let other = tikv.pd.operator(target.id).await.map_err(Error::Read)?;
        let other =
            operator_priority::occupied(other.as_ref(), Level::Urgent, &snapshot.config.schedule);
        if let Some(Verdict::WouldReject { code, text }) = &other {
            return Ok(refusals::rejected(code, text.as_str()));
        }
        Ok(match snapshot.accepted(Level::Urgent, None) {
            Verdict::WouldProceed => other.unwrap_or(Verdict::WouldProceed),
            verdict => verdict,
        })
    }
}

/// Whether two regions have replicas of the same parts on the same stores.
fn same_places(source: &Region, target: &Region) -> bool {
    let learns = |peer: &Peer| peer.role == PeerRole::Learner;
    source.peers.len() == target.peers.len()
        && source.peers.iter().all(|peer| {
            target.peer_on(peer.store_id).is_some_and(|other| {
                learns(peer) == learns(other) && peer.is_witness == other.is_witness
            })
        })
}

/// How many replicas have to be copied before the merge.
fn copied_replicas(source: &Region, target: &Region) -> u64 {
    let missing = target
        .peers
        .iter()
        .filter(|peer| source.peer_on(peer.store_id).is_none());
    missing.count() as u64
}

/// Whether a region's replicas are not between two sets and none lags.
fn is_settled(region: Option<&Region>) -> bool {
    region.is_none_or(|region| {
        region.pending_peers.is_empty() && !region.peers.iter().any(in_joint_state)
    })
}
