//! Merges a region into its neighbour: `merge_regions`.
//!
//! Longer than its like: it is about two regions, each with facts of its own.

// length: two regions are planned and read, and either may be gone in the end.

use action_core::{Evidence, Outcome, Plan, Problem, Quantity, Undo};
use pd_client::operators::NewOperator;
use pd_client::regions::{Peer, Region};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::foreign_operator::{ForeignOperator, Since};
use crate::evidence::own_operator::SETTLE_MS;
use crate::facts::key_range::KeyRange;
use crate::facts::region::{RegionFacts, in_joint_state};
use crate::facts::traces::{KeepsTraces, Traces};
use crate::mutations::region::reading::{Reading, Shows, source};
use crate::mutations::region::region_operator::{RegionOperator, mutation_of_region_operator};
use crate::mutations::region::split_region::{SplitPoint, SplitRegion};
use crate::parameters::ids::RegionId;
use crate::pd_rules::merge_regions::check_merge;
use crate::pd_rules::merge_split::splits_again;
use crate::pd_rules::refusals;
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::stop::{Checked, verdict};

/// Merges a region into its neighbour. The neighbour keeps its id; the region is gone.
///
/// When the two have replicas on different stores, those of the region are moved to the stores of
/// the neighbour first, which copies data. These moves stay even if the merge does not happen.
///
/// PD refuses when one of the two has a replica that lags, does not answer or does not fit its
/// rules, when they are not neighbours, when one is in a joint state, and when a request or a drain
/// is at work on one of them. Proven by the neighbour having the keys of both. Taken back by
/// splitting at the key between them; the new region has another id. Takes about a second, and
/// about 20 ms per MiB where data is copied; PD gives up after at least ten minutes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeRegions {
    /// Region that becomes part of the other, and is gone afterwards.
    pub source_region_id: RegionId,
    /// Its neighbour, which keeps its id.
    pub target_region_id: RegionId,
}

/// Two regions as they were when their merge was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl KeepsTraces for MergeFacts {
    fn traces(&self) -> Option<&Traces> {
        self.target.traces()
    }
}

impl MergeFacts {
    fn of(source: &Region, target: &Region) -> Self {
        Self {
            source: RegionFacts::of(source),
            source_keys: KeyRange::of(source),
            target: RegionFacts::of(target),
            target_keys: KeyRange::of(target),
        }
    }

    /// The key between the two.
    fn boundary(&self) -> Option<&str> {
        self.source_keys.boundary(&self.target_keys)
    }

    /// The keys of both.
    fn whole(&self) -> Option<KeyRange> {
        self.source_keys.joined(&self.target_keys)
    }
}

mutation_of_region_operator! {
    MergeRegions = "merge_regions", before: MergeFacts,
    risk: High, reversible: true, idempotent: false
}

impl RegionOperator for MergeRegions {
    /// By PD's `MergeRegion::IsFinish` the neighbour's succeeds by any change of its keys. A region
    /// that was merged does not come back.
    fn success_proves(&self, shows: &Shows) -> bool {
        !matches!(shows, Shows::NotDone { .. } | Shows::HalfDone(_))
    }

    fn other_half(&self) -> Option<RegionId> {
        Some(self.source_region_id)
    }

    /// Of the two operators, the one on the neighbour is the one that ends by success.
    fn region_id(&self) -> RegionId {
        self.target_region_id
    }

    fn regions(&self) -> Vec<RegionId> {
        vec![self.source_region_id, self.target_region_id]
    }

    fn check(&self) -> Vec<Problem> {
        let other = "a region other than `source_region_id`";
        let problem = Problem::combination("/target_region_id", self.target_region_id, other);
        let same = self.source_region_id == self.target_region_id;
        same.then_some(problem).into_iter().collect()
    }

    fn operator(&self) -> NewOperator {
        NewOperator::MergeRegion {
            source: self.source_region_id.pd(),
            target: self.target_region_id.pd(),
        }
    }

    async fn plan(&self, tikv: &Tikv) -> Checked<Plan<MergeFacts>> {
        let (mut at, fit) = RegionSnapshot::read_with_fit(tikv, self.source_region_id).await?;
        let target = refusals::region(tikv, self.target_region_id).await?;
        let stores = target.peers.iter().map(|peer| peer.store_id);
        at.read_stores(tikv, stores).await?;
        let target_fit = tikv.pd.region_fit(target.id).await.map_err(Error::Read)?;
        let last = tikv.pd.operator(target.id).await.map_err(Error::Read)?;
        let mut facts = MergeFacts::of(&at.region, &target);
        facts.target = facts.target.with(Traces::of(last.as_ref()));
        let missing = |peer: &&Peer| at.region.peer_on(peer.store_id).is_none();
        let copied = target.peers.iter().filter(missing).count() as u64;
        let size = facts.source.size_mib.saturating_mul(copied);
        let deadline_ms = 600_000 + size.saturating_mul(6_000);
        let verdict =
            verdict(check_merge(tikv, (&at, fit), (&target, target_fit), last.as_ref()).await)?;
        let border = facts.boundary().filter(|_| verdict.may_be_sent());
        let split = match border {
            Some(key) => splits_again(tikv, &at, key).await?,
            None => None,
        };
        let mut plan = at.heard(Plan::new(verdict, facts.clone()));
        if let Some(cause) = split {
            plan = plan.reversed_by(&cause.code, cause.text);
        }
        for peer in &facts.target.peers {
            plan = plan.touches(at.domain(peer.store_id));
        }
        Ok(plan
            .same("source_keys", facts.source_keys.to_string())
            .same("target_keys", facts.target_keys.to_string())
            .same("adjacent", facts.boundary().is_some())
            .same("source_peers", facts.source.peers_text())
            .same("target_peers", facts.target.peers_text())
            .impact(Quantity::REGIONS, 2, "regions")
            .impact(
                Quantity::MOVED_MIB,
                size,
                "MiB copied to the neighbour's stores",
            )
            .impact(Quantity::LEADERS, 1, "leaders, of the merged region")
            .unknown("whether TiKV executes it: it waits until all replicas have caught up")
            .takes(
                1_000 + 20 * size,
                deadline_ms,
                "measured on idle clusters, plus 50 MiB/s; PD's timeout",
            )
            .follow(500, SETTLE_MS, deadline_ms))
    }

    async fn reading(&self, tikv: &Tikv, since: &Since<'_, MergeFacts>) -> Result<Reading, Error> {
        let (from, into) = (self.source_region_id, self.target_region_id);
        let before = since.before;
        let left = tikv.pd.region(from.pd()).await.map_err(Error::Read)?;
        let target = tikv.pd.region(into.pd()).await.map_err(Error::Read)?;
        let keys = left.as_ref().map(|region| KeyRange::of(region).to_string());
        let mut evidence = vec![Evidence::new(source(from), "source_keys", keys)];
        let keys = target.as_ref().map(KeyRange::of);
        if left.is_none() && keys.is_none() {
            let mut gone = Reading::gone(into);
            gone.evidence.append(&mut evidence);
            return Ok(gone);
        }
        let has = |whole: KeyRange| {
            let mut keys = keys.iter();
            keys.any(|keys| whole == *keys || whole.is_part_of(keys))
        };
        let merged = before.whole().is_some_and(has);
        let keys = keys.map_or_else(|| "no keys: it is gone".to_owned(), |keys| keys.to_string());
        evidence.push(Evidence::new(source(into), "target_keys", keys.as_str()));
        // Only of the two together is the key between them inside of one.
        let split_again = |other: &ForeignOperator<'_>| {
            let boundary = before.boundary().is_some_and(|key| other.splits_at(key));
            boundary && other.found_newer(before.target.version)
        };
        let (shows, there) = match &left {
            None if merged => {
                let summary = format!("region {from} is gone, region {into} has {keys}");
                (Shows::Done(summary), "gone".to_owned())
            }
            None if since.others.iter().any(split_again) => {
                let summary = format!("region {from} was merged into region {into}");
                (Shows::WasDone(summary), "gone".to_owned())
            }
            None => (Shows::Unclear { same: false }, "gone".to_owned()),
            Some(region) => {
                let now = RegionFacts::of(region);
                let peers = now.peers_text();
                let shows = if now.peers == before.source.peers {
                    Shows::NotDone { same: true }
                } else if is_settled(region) {
                    Shows::NotDone { same: false }
                } else {
                    Shows::HalfDone(format!("half moved: region {from} has {peers}"))
                };
                (shows, format!("on {peers}"))
            }
        };
        Ok(Reading {
            shows,
            state: format!("region {from} is {there}, region {into} has {keys}"),
            evidence,
        })
    }

    fn undo(&self, before: &MergeFacts, _: Option<&Outcome>) -> Undo {
        let (Some(boundary), Some(whole)) = (before.boundary(), before.whole()) else {
            return Undo::none("the two regions were not neighbours");
        };
        Undo::with::<Tikv, _>(&SplitRegion {
            region_id: self.target_region_id,
            policy: SplitPoint::UseKey,
            keys: vec![boundary.to_owned()],
        })
        .expecting("keys", whole.to_string())
    }
}

/// Whether a region's replicas are not between two sets and none lags.
fn is_settled(region: &Region) -> bool {
    region.pending_peers.is_empty() && !region.peers.iter().any(in_joint_state)
}
