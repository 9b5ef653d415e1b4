//! What is answered.

// length: what is shown has 24 fields, each with its unit or source.

use action_core::{Cause, Safety};
use schemars::JsonSchema;
use serde::Serialize;

use crate::parameters::ids::{RegionId, StoreId};

/// What decides whatever regions decide.
pub(super) const SCAN: &str = "`scan_safe_to_stop` reads all regions";

/// Whether stores can go down now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct StopSafety {
    /// `safe`, `not_safe` or `not_known`.
    pub answer: Safety,
    /// The answer and its first reason, in one sentence.
    pub summary: String,
    /// The stores that would go down, by id.
    pub stores: Vec<AskedStore>,
    /// Why they must not go down, besides the regions below: `pd_quorum`, `no_store_left`,
    /// `too_few_voters`.
    pub reasons: Vec<Cause>,
    /// Regions that would lose their majority or their last replica, as many as were asked for.
    pub unsafe_regions: Vec<UnsafeRegion>,
    /// How many such regions were found, given or not.
    pub unsafe_total: u64,
    /// Whether some are left out.
    pub cut: bool,
    /// What keeps the answer from being known, each with what would decide it.
    pub undecided: Vec<Cause>,
    /// Other stores whose replicas are counted as gone already: `GET /pd/api/v1/stores` and the
    /// drains in force.
    pub counted_as_gone: Vec<GoneStore>,
    /// Regions that were looked at one by one.
    pub regions_looked_at: u64,
    /// Regions there are: `GET /pd/api/v1/regions/count`.
    pub regions: u64,
    /// Why PD could not put what these stores hold elsewhere if they stayed down for longer than
    /// `max-store-down-time`: rules that the other stores do not fit. Does not change the answer.
    pub not_replaced: Vec<Cause>,
    /// Members of PD on the same hosts, which would go down with them: by name, from
    /// `GET /pd/api/v1/members`.
    pub pd_members: Vec<String>,
    /// Other stores on the same hosts, which a host that goes down takes along. They are not
    /// counted: ask for them as well.
    pub stores_beside: Vec<StoreId>,
    /// What was not looked at, and may matter.
    pub not_looked_at: Vec<String>,
}

impl StopSafety {
    /// What was asked about one store, said of it.
    pub(crate) fn of_one(&self) -> String {
        let (begins, instead) = match self.answer {
            Safety::Safe => ("safe", "it is safe to stop now"),
            Safety::NotSafe => ("not safe", "it is not safe to stop now"),
            Safety::NotKnown => ("not known", "whether it is safe to stop is not known"),
        };
        let rest = self.summary.strip_prefix(begins);
        format!("{instead}{}", rest.unwrap_or_default())
    }
}

/// A store that would go down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AskedStore {
    /// Its id.
    pub store_id: StoreId,
    /// Its state in PD's word.
    pub state: String,
    /// Whether PD hears of it: if not, it takes nothing more with it.
    pub heard: bool,
    /// Whether it is a TiFlash store, whose replicas have no vote.
    pub tiflash: bool,
    /// Regions it holds a replica of.
    pub regions: u64,
}

/// Another store whose replicas are counted as gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct GoneStore {
    /// Its id.
    pub store_id: StoreId,
    /// Why.
    pub why: GoneBecause,
    /// Regions it holds a replica of.
    pub regions: u64,
}

/// Why a store's replicas are counted as gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GoneBecause {
    /// PD has not heard of it for more than 20 s.
    NotHeard,
    /// It is being emptied.
    Offline,
    /// Its leaders are being drained: somebody may be about to stop it.
    Draining,
    /// It is a tombstone.
    Removed,
}

impl GoneBecause {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NotHeard => "no heartbeats",
            Self::Offline => "being emptied",
            Self::Draining => "being drained",
            Self::Removed => "removed",
        }
    }
}

/// A region that would be lost, for as long as the stores are down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct UnsafeRegion {
    /// Its id.
    pub region_id: RegionId,
    /// What it would lose.
    pub loses: Loss,
    /// Replicas with a vote.
    pub voters: u64,
    /// Those among them that would be left.
    pub voters_left: u64,
    /// Its replicas and what becomes of each, such as `store 3 Voter: would go down`; 16 at most.
    pub replicas: Vec<String>,
}

/// What a region would lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// Its last replica that answers and holds data; it has no majority already.
    LastReplica,
    /// Its majority: it could be neither read nor written.
    Majority,
    /// One more voter, where it has no majority already.
    VoterWithoutMajority,
    /// Its last replica that may lead: those left hold the log only.
    LastThatMayLead,
}
