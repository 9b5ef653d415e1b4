//! What to do in a case, step by step. `docs/runbooks/` is written from these, by `cargo xtask docs`.

use action_core::Runbook;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parameters::{RegionId, StoreId};

/// Drains a store so that somebody can work on it, and takes the drain back when the work is over.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DrainStoreForMaintenance {
    /// Store that somebody works on.
    store_id: StoreId,
}

/// Spreads the work of a region that is read or written too much.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HotRegion {
    /// Region that is hot, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region_id: Option<RegionId>,
}

/// Finds what is in the way of leaders, replicas or a region that should move, and clears it away.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SomethingDoesNotMove {
    /// Region that does not move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region_id: Option<RegionId>,
    /// Store that is not left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from_store_id: Option<StoreId>,
    /// Store that nothing comes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_store_id: Option<StoreId>,
}

/// All of them.
pub(crate) fn runbooks() -> Vec<Runbook> {
    vec![
        Runbook::of::<DrainStoreForMaintenance>(
            "drain_store_for_maintenance",
            "Drain a store for maintenance",
            include_str!("runbooks/drain_store_for_maintenance.md"),
        ),
        Runbook::of::<HotRegion>(
            "hot_region",
            "A hot region",
            include_str!("runbooks/hot_region.md"),
        ),
        Runbook::of::<SomethingDoesNotMove>(
            "something_does_not_move",
            "Something does not move",
            include_str!("runbooks/something_does_not_move.md"),
        ),
    ]
}
