//! What is asked: what should move, from where and to where.

use crate::parameters::ids::{RegionId, StoreId};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Explains why something does not move or is not merged: a region, the regions of a store, or
/// anything in the cluster.
///
/// Name the region, the store it should leave, the store it should come to, or nothing, which asks
/// about scheduling as a whole. Each finding has a stable code, what was read that shows it, and
/// the next safe step. No findings: nothing that can be read is in the way. It asks about what PD
/// does by itself; operators by request look neither at limits nor at halted scheduling.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// Region that does not move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_id: Option<RegionId>,
    /// Store that leaders or replicas do not leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_store_id: Option<StoreId>,
    /// Store that leaders or replicas do not come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_store_id: Option<StoreId>,
    /// What should move.
    #[serde(default)]
    pub what: Moving,
}

/// What should move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moving {
    /// Leaders and replicas.
    #[default]
    Anything,
    /// Leaders only.
    Leaders,
    /// Replicas only.
    Replicas,
    /// Nothing: why is the region not merged into its neighbour, or nothing merged at all.
    Merges,
}

impl Moving {
    pub(super) fn leaders(self) -> bool {
        matches!(self, Self::Anything | Self::Leaders)
    }

    pub(super) fn replicas(self) -> bool {
        matches!(self, Self::Anything | Self::Replicas)
    }
}
