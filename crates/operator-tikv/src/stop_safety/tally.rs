//! What was found of regions so far, in bounded memory.

use std::collections::{BTreeMap, BTreeSet};

use pd_client::RegionId;
use pd_client::regions::Region;

use crate::stop_safety::answer::{Loss, UnsafeRegion};
use crate::stop_safety::going::Going;
use crate::stop_safety::region::{Judged, judge};

/// So many regions are named in a sentence.
pub(crate) const NAMED: usize = 3;

/// What was found so far.
#[derive(Default)]
pub(super) struct Tally {
    /// So many regions are kept.
    most: usize,
    pub(super) looked_at: u64,
    pub(super) lost: BTreeMap<Loss, u64>,
    pub(super) regions: Vec<UnsafeRegion>,
    pub(super) no_leader: u64,
    pub(super) no_leader_named: Vec<RegionId>,
}

impl Tally {
    pub(super) fn keeping(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, region: &Region, going: &Going) {
        self.looked_at += 1;
        match judge(region, going) {
            None | Some(Judged::Kept) => {}
            Some(Judged::NoLeaderKnown) => {
                self.no_leader += 1;
                if self.no_leader_named.len() < NAMED {
                    self.no_leader_named.push(region.id);
                }
            }
            Some(Judged::Lost(found)) => {
                *self.lost.entry(found.loses).or_default() += 1;
                if self.regions.len() < self.most {
                    self.regions.push(found);
                }
            }
        }
    }

    /// Adds those that were not there before.
    pub(super) fn add_new(
        &mut self,
        regions: &[Region],
        going: &Going,
        seen: &mut BTreeSet<RegionId>,
    ) {
        for region in regions {
            if seen.insert(region.id) {
                self.add(region, going);
            }
        }
    }

    pub(super) fn lost_total(&self) -> u64 {
        self.lost.values().sum()
    }

    /// What would be lost, such as `12 regions would lose their majority, such as 17, 18`.
    pub(super) fn lost_text(&self) -> Option<String> {
        let parts = self.lost.iter().map(|(loss, count)| {
            let (is_one, regions) = (*count == 1, if *count == 1 { "region" } else { "regions" });
            let their = if is_one { "its" } else { "their" };
            let what = match loss {
                Loss::LastReplica => {
                    format!("{their} last responding replica")
                }
                Loss::Majority => format!("{their} majority"),
                Loss::VoterWithoutMajority => {
                    format!("one more voter, after {their} majority is already lost")
                }
                Loss::LastThatMayLead => format!("{their} last replica that can lead"),
            };
            format!("{count} {regions} would lose {what}")
        });
        let parts: Vec<String> = parts.collect();
        let some = self.regions.iter().take(NAMED);
        let some: Vec<String> = some.map(|one| one.region_id.to_string()).collect();
        let such_as = if some.is_empty() {
            String::new()
        } else {
            format!(", such as {}", some.join(", "))
        };
        (!parts.is_empty()).then(|| format!("{}{such_as}", parts.join("; ")))
    }
}
