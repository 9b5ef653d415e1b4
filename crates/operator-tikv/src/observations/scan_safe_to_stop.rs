//! Whether stores can go down, by every region: `scan_safe_to_stop`.

use action_core::{Cost, Observation, Problem, Role};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::parameters::ids::StoreId;
use crate::parameters::list_limit::Limit;
use crate::stop_safety::StopSnapshot;
use crate::stop_safety::answer::StopSafety;
use crate::stop_safety::asked::{MOST_STORES, check};

/// Says whether stores, or a failure domain, can be stopped now, by checking every region.
///
/// Answers as `safe_to_stop` does, and also for several stores at once: exactly which regions would
/// lose their majority or their last replica. Reads all regions, 1,024 at a time: a thousand
/// requests for a million of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanSafeToStop {
    /// Label that the stores have, as `key=value`, such as `zone=z1` or `host=h3`. Give either this
    /// or `store_ids`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Stores that would be down at the same time, 256 at most. Give either these or `label`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_ids: Option<Vec<StoreId>>,
    /// How many regions to give at most, of those that would be lost.
    #[serde(default)]
    pub limit: Limit<20, 1_000>,
}

#[async_trait]
impl Observation<Tikv> for ScanSafeToStop {
    const NAME: &'static str = "scan_safe_to_stop";
    const COST: Cost = Cost::Scan;
    const ROLE: Option<Role> = Some(Role::Safety);
    type Output = StopSafety;

    fn check(&self) -> Vec<Problem> {
        check(
            self.label.as_deref(),
            self.store_ids.as_deref(),
            MOST_STORES,
        )
    }

    async fn observe(&self, tikv: &Tikv) -> Result<StopSafety, Error> {
        let snapshot = StopSnapshot::read(tikv).await?;
        let asked = snapshot.pick(self.label.as_deref(), self.store_ids.as_deref())?;
        snapshot.by_scan(tikv, asked, self.limit.get().into()).await
    }
}
