//! Splits a region: `split_region`.
//!
//! Longer than its like: keys are checked, and evidence names the parts, for its undo.

// length: parts, keys and three policies, and no inverse operator but a merge for each part.

use action_core::{Evidence, Outcome, Plan, Problem, Quantity, Undo};
use pd_client::operators::{NewOperator, SplitPolicy};
use pd_client::regions::Region;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::foreign_operator::{ForeignOperator, Since};
use crate::evidence::own_operator::SETTLE_MS;
use crate::facts::key_range::KeyRange;
use crate::facts::traces::{KeepsTraces, Traces};
use crate::mutations::region::merge_regions::MergeRegions;
use crate::mutations::region::reading::{Reading, Shows, source};
use crate::mutations::region::region_operator::{RegionOperator, mutation_of_region_operator};
use crate::parameters::ids::RegionId;
use crate::pd_rules::merge_split::{MergesAgain, merges_again};
use crate::pd_rules::region_snapshot::RegionSnapshot;
use crate::pd_rules::split_region::check_split;
use crate::pd_rules::stop::{Checked, verdict};

/// Splits a region in two, or at given keys.
///
/// No data moves. PD merges small neighbours back after its `split-merge-interval`, an hour unless
/// set, so a permanent split needs writes, or a label that keeps the regions apart.
///
/// PD refuses when the region is in a joint state and when an operator of a request or a drain is
/// running on it. It accepts splits that TiKV then does not execute: keys outside the region, or a
/// region that cannot be halved. Proven by the region's keys, which have become fewer, and by its
/// neighbours. Taken back by `merge_regions`, if it resulted in two regions. Takes about a second;
/// PD gives up after a minute.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitRegion {
    /// Region to split; it keeps its id for one of the parts.
    pub region_id: RegionId,
    /// Where it is split.
    pub policy: SplitPoint,
    /// Keys to split at, in hexadecimal as PD shows them; only with policy `usekey`.
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SplitFacts {
    /// Its keys.
    pub keys: KeyRange,
    /// Grows with each split and merge.
    pub version: u64,
    /// What PD had in memory of it; `None` where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<Traces>,
}

impl KeepsTraces for SplitFacts {
    fn traces(&self) -> Option<&Traces> {
        self.traces.as_ref()
    }
}

impl SplitFacts {
    fn of(region: &Region) -> Self {
        Self {
            keys: KeyRange::of(region),
            version: region.epoch.version,
            traces: None,
        }
    }
}

mutation_of_region_operator! {
    SplitRegion = "split_region", before: SplitFacts,
    risk: Medium, reversible: true, idempotent: false
}

/// What evidence calls the regions that a split has made.
const NEW_REGIONS: &str = "new_regions";

impl RegionOperator for SplitRegion {
    /// By PD's `SplitRegion::IsFinish` it succeeds by any change of the region's keys.
    fn success_proves(&self, _: &Shows) -> bool {
        false
    }

    fn region_id(&self) -> RegionId {
        self.region_id
    }

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

    fn operator(&self) -> NewOperator {
        NewOperator::SplitRegion {
            region_id: self.region_id.pd(),
            policy: match self.policy {
                SplitPoint::Scan => SplitPolicy::Scan,
                SplitPoint::Approximate => SplitPolicy::Approximate,
                SplitPoint::UseKey => SplitPolicy::UseKey,
            },
            keys: self.keys.clone(),
        }
    }

    async fn plan(&self, tikv: &Tikv) -> Checked<Plan<SplitFacts>> {
        let at = RegionSnapshot::read(tikv, self.region_id, &[]).await?;
        let facts = SplitFacts {
            traces: at.facts().traces,
            ..SplitFacts::of(&at.region)
        };
        let verdict = verdict(check_split(&at, &self.keys))?;
        let merged = match verdict.may_be_sent() {
            true => merges_again(tikv, &at, &self.keys).await?,
            false => MergesAgain::No,
        };
        let plan = at.heard(Plan::new(verdict, facts.clone()));
        let plan = match merged {
            MergesAgain::By(cause) => plan.reversed_by(&cause.code, cause.text),
            MergesAgain::NotKnown(text) => plan.unknown(text),
            MergesAgain::No => plan,
        };
        Ok(plan
            .same("keys", facts.keys.to_string())
            .same("version", facts.version)
            .impact(Quantity::REGIONS, 1, "regions")
            .unknown(self.whether_made())
            .takes(1_000, 60_000, "measured on idle clusters; PD's timeout")
            .follow(500, SETTLE_MS, 120_000))
    }

    async fn reading(&self, tikv: &Tikv, since: &Since<'_, SplitFacts>) -> Result<Reading, Error> {
        let (id, before) = (self.region_id, since.before);
        let Some(region) = tikv.pd.region(id.pd()).await.map_err(Error::Read)? else {
            return Ok(Reading::gone(id));
        };
        let now = SplitFacts::of(&region);
        let mut evidence = vec![
            Evidence::new(source(id), "keys", now.keys.to_string()),
            Evidence::new(source(id), "version", now.version),
        ];
        let same = now.keys == before.keys;
        // A merge that left the region with what it had before found it smaller.
        let merged = |other: &ForeignOperator<'_>| {
            other.found_newer(before.version) && other.merges_into(id)
        };
        let shows = if now.version == before.version {
            Shows::NotDone { same }
        } else if now.keys.is_part_of(&before.keys) && self.is_border(tikv).await? {
            evidence.extend(parts(tikv, &before.keys.besides(&now.keys)).await?);
            Shows::Done(format!("region {id} has been split; it keeps {}", now.keys))
        } else if same && self.keys.is_empty() && since.others.iter().any(merged) {
            Shows::WasDone(format!("region {id} had been split"))
        } else {
            Shows::Unclear { same }
        };
        Ok(Reading {
            shows,
            state: format!("region {id} has {}", now.keys),
            evidence,
        })
    }

    fn instead(&self) -> Option<&'static str> {
        (self.policy == SplitPoint::Approximate).then_some(
            "with policy `approximate` TiKV does not split small or new regions: use `scan`, which reads the keys",
        )
    }

    fn undo(&self, _: &SplitFacts, outcome: Option<&Outcome>) -> Undo {
        let Some(outcome) = outcome else {
            return Undo::none("the resulting regions are known when it is done");
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
            None => Undo::none("it resulted in more than two regions, or in none that was seen"),
        }
    }
}

impl SplitRegion {
    /// What is not known of TiKV: without an estimate of the middle it does nothing.
    fn whether_made(&self) -> &'static str {
        match self.policy {
            SplitPoint::Approximate => {
                "whether TiKV splits it: for small or new regions it has no estimate of the middle and does nothing without an error; `scan` reads the keys"
            }
            _ => "whether TiKV splits it: it reports no error when it does not",
        }
    }

    /// Whether a region begins where it was to be split, as far as that was said: one read at most.
    async fn is_border(&self, tikv: &Tikv) -> Result<bool, Error> {
        let Some(key) = self.keys.first() else {
            return Ok(true);
        };
        let key = key.to_ascii_uppercase();
        let holder = tikv.pd.region_by_key(&key).await.map_err(Error::Read)?;
        Ok(holder.is_some_and(|holder| holder.start_key == key))
    }
}

/// The regions that begin where these ranges do: one read each, at most two.
async fn parts(tikv: &Tikv, ranges: &[KeyRange]) -> Result<[Evidence; 2], Error> {
    let (mut ids, mut found) = (Vec::new(), Vec::new());
    for range in ranges {
        let region = tikv.pd.region_by_key(&range.start_key).await;
        if let Some(region) = region.map_err(Error::Read)? {
            ids.push(region.id.get());
            found.push(KeyRange::of(&region));
        }
    }
    let source = "GET /pd/api/v1/regions/key";
    let two = found == ranges && ids.len() == 1;
    Ok([
        Evidence::new(source, NEW_REGIONS, ids),
        Evidence::new(source, "two_parts", two),
    ])
}
