//! Splits a region: `split_region`.

use action_core::{
    Accepted, Attempt, Attribution, Cause, Effect, Evidence, Mutation, Outcome, Plan, Problem,
    Progress, Quantity, Risk, Sent, Undo, Verdict,
};
use async_trait::async_trait;
use pd_client::operators::{NewOperator, SplitPolicy};
use pd_client::regions::Region;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{Observed, OperatorQuery, SETTLE_MS, accepted};
use crate::facts::key_range::KeyRange;
use crate::facts::region::in_joint_state;
use crate::mutations::region::merge_regions::MergeRegions;
use crate::mutations::region::region_operator::gone;
use crate::parameters::ids::RegionId;
use crate::pd_rules::operator_priority::Level;
use crate::pd_rules::refusals;
use crate::pd_rules::region_snapshot::RegionSnapshot;

/// Splits a region in two, or at keys of one's choice.
///
/// No data moves. PD merges small neighbours back after its `split-merge-interval`, an hour unless
/// set, so that a split for good needs writes or a label that keeps regions apart.
///
/// PD refuses when the region is in a joint state and when a request or a drain is at work on it.
/// It accepts splits that TiKV then does not make: keys outside the region, a region that cannot be
/// halved. Proven by the region's keys, which have become fewer, and by its neighbours. Taken back
/// by `merge_regions`, when two have come of it. Takes about a second; PD gives up after a minute.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitRegion {
    /// Region to split; it keeps its id for one of the parts.
    pub region_id: RegionId,
    /// Where it is split.
    pub policy: SplitPoint,
    /// Keys to split at with policy `usekey`, in hexadecimal as PD shows keys; none with others.
    #[serde(default)]
    pub keys: Vec<String>,
}

/// Where a region is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum SplitPoint {
    /// In the middle, found by reading the region.
    Scan,
    /// In the middle, estimated.
    Approximate,
    /// At the keys that are given.
    UseKey,
}

/// A region as it was when a split was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SplitFacts {
    /// Its keys.
    pub keys: KeyRange,
    /// Grows with each split and merge.
    pub version: u64,
}

#[async_trait]
impl Mutation<Tikv> for SplitRegion {
    const NAME: &'static str = "split_region";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = false;
    type Before = SplitFacts;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let by_key = self.policy == SplitPoint::UseKey;
        if by_key == self.keys.is_empty() {
            let expected = if by_key {
                "at least one key with policy `usekey`"
            } else {
                "no keys: only policy `usekey` takes them"
            };
            problems.push(Problem::combination("/keys", self.keys.len(), expected));
        }
        for (place, key) in self.keys.iter().enumerate() {
            let hex = key.bytes().all(|byte| byte.is_ascii_hexdigit());
            if key.is_empty() || key.len() % 2 == 1 || !hex {
                let expected = "a key in hexadecimal, two digits for each byte";
                let pointer = format!("/keys/{place}");
                problems.push(Problem::combination(&pointer, key, expected));
            }
        }
        problems
    }

    fn resources(&self) -> Vec<String> {
        vec![format!("region/{}", self.region_id)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<SplitFacts>, Error> {
        let snapshot = match RegionSnapshot::read(tikv, self.region_id).await? {
            Ok(snapshot) => snapshot,
            Err(verdict) => return Ok(Plan::new(verdict, SplitFacts::of(None))),
        };
        let facts = SplitFacts::of(Some(&snapshot.region));
        let interval = snapshot.config.schedule.split_merge_interval;
        let back = interval.map_or_else(String::new, |time| format!(" after {} s", time.as_secs()));
        Ok(Plan::new(self.verdict(&snapshot), facts.clone())
            .same("keys", facts.keys.to_string())
            .same("version", facts.version)
            .impact(Quantity::REGIONS, 1, "regions")
            .unknown("whether TiKV makes the split: it says nothing when it does not")
            .unknown(format!("whether PD merges the parts again{back}"))
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
        let policy = match self.policy {
            SplitPoint::Scan => SplitPolicy::Scan,
            SplitPoint::Approximate => SplitPolicy::Approximate,
            SplitPoint::UseKey => SplitPolicy::UseKey,
        };
        let operator = NewOperator::SplitRegion {
            region_id: self.region_id.pd(),
            policy,
            keys: self.keys.clone(),
        };
        accepted(tikv.sender(attempt).add_operator(operator).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &SplitFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        // The operator first: the region is then at least as new as what its operator says.
        let id = self.region_id;
        let starts = format!("split: region {id} use policy ");
        let query = OperatorQuery {
            region_id: id,
            desc: "admin-split-region",
            brief: &|brief| brief.starts_with(&starts),
        };
        let observed = Observed::on(tikv, &query, sent).await?;
        let region = tikv.pd.region(id.pd()).await.map_err(Error::Read)?;
        let Some(region) = region else {
            return Ok(gone(id, vec![observed.evidence(id)]));
        };
        let now = SplitFacts::of(Some(&region));
        let source = format!("GET /pd/api/v1/region/id/{id}");
        let mut evidence = vec![
            Evidence::new(source.as_str(), "keys", now.keys.to_string()),
            Evidence::new(source, "version", now.version),
            observed.evidence(id),
        ];
        let split = now.version > before.version && now.keys.is_part_of(&before.keys);
        if split {
            let others = before.keys.besides(&now.keys);
            let parts = neighbours(tikv, &others).await?;
            let complete = parts.iter().map(|part| &part.1).eq(others.iter());
            let ids: Vec<u64> = parts.iter().map(|part| part.0.get()).collect();
            let source = "GET /pd/api/v1/regions/key";
            evidence.push(Evidence::new(source, NEW_REGIONS, ids.clone()));
            evidence.push(Evidence::new(
                source,
                "two_parts",
                complete && ids.len() == 1,
            ));
        }
        if split || observed.ours_succeeded() {
            let by = if observed.ours_succeeded() {
                Attribution::Ours
            } else {
                Attribution::Undecided
            };
            let summary = if split {
                format!("region {id} has been split; it keeps {}", now.keys)
            } else {
                format!("region {id} was split; by now it has {}", now.keys)
            };
            return Ok(Progress::applied(by, summary, evidence));
        }
        if !observed.is_over(tikv, sent).await? {
            let summary = format!("region {id} has {}, which may still change", now.keys);
            return Ok(Progress::pending(summary, evidence));
        }
        let (code, words) = observed.ending(sent);
        let unchanged = now == *before;
        let text = if unchanged {
            format!("region {id} has {} as before: {words}", now.keys)
        } else {
            format!("region {id} has become {}: {words}", now.keys)
        };
        let code = if unchanged { code } else { "region_changed" };
        Ok(Progress::not_applied(code, text, unchanged, evidence))
    }

    fn undo(&self, _: &SplitFacts, _: Option<&Accepted>, outcome: Option<&Outcome>) -> Undo {
        let Some(outcome) = outcome else {
            return Undo::none("which regions come of it is known when it is done");
        };
        let fact = |name: &str| outcome.evidence.iter().find(|one| one.fact == name);
        let two = fact("two_parts").is_some_and(|fact| fact.value == true);
        let other = fact(NEW_REGIONS)
            .and_then(|fact| fact.value.get(0)?.as_u64())
            .and_then(|id| RegionId::new(id).ok());
        match other.filter(|_| two) {
            Some(other) => Undo::with::<Tikv, _>(&MergeRegions {
                source_region_id: other,
                target_region_id: self.region_id,
            })
            .expecting("adjacent", true),
            None => Undo::none("more than two regions have come of it, or none that was seen"),
        }
    }
}

/// What evidence calls the regions that a split has made.
const NEW_REGIONS: &str = "new_regions";

impl SplitFacts {
    fn of(region: Option<&Region>) -> Self {
        Self {
            keys: region.map_or_else(KeyRange::default, KeyRange::of),
            version: region.map_or(0, |region| region.epoch.version),
        }
    }
}

impl SplitRegion {
    /// PD's answer, from what it checks, in its order.
    fn verdict(&self, snapshot: &RegionSnapshot) -> Verdict {
        if snapshot.region.peers.iter().any(in_joint_state) {
            let text = "cannot split region which is in joint state";
            return refusals::rejected("joint_state", text);
        }
        let verdict = snapshot.accepted(Level::Urgent, None);
        let keys = KeyRange::of(&snapshot.region);
        let outside = self.keys.iter().all(|key| !keys.is_cut_by(key));
        if verdict == Verdict::WouldProceed && self.policy == SplitPoint::UseKey && outside {
            let text = format!("none of the keys is within {keys}");
            return Verdict::AcceptedButWillNotProgress {
                causes: vec![Cause::new("keys_outside", text)],
            };
        }
        verdict
    }
}

/// The regions that begin where these ranges do: one read each, at most two.
async fn neighbours(
    tikv: &Tikv,
    ranges: &[KeyRange],
) -> Result<Vec<(pd_client::RegionId, KeyRange)>, Error> {
    let mut found = Vec::new();
    for range in ranges {
        let region = tikv.pd.region_by_key(&range.start_key).await;
        if let Some(region) = region.map_err(Error::Read)? {
            found.push((region.id, KeyRange::of(&region)));
        }
    }
    Ok(found)
}
