//! Whether stores can go down: `safe_to_stop`.

// length: the sentences by which a model chooses it are its documentation.

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

/// Says whether stores, or a failure domain, can be stopped now, all at once.
///
/// `safe` if no region would lose its majority or its last replica, and PD would keep its quorum;
/// `not_safe` with regions and reasons; `not_known` with what would decide it. Counts as gone what
/// other stores do not serve or may soon not: stores that PD does not hear of, that are being
/// emptied or drained, and replicas there that are down or pending. One that lags on a store that is
/// asked for has its vote, and may be needed. Learners, TiFlash too, have no vote.
///
/// Reads little: all regions of the stores if they have 1,000 at most, else only what PD lists as
/// unhealthy. So two stores of a large cluster are `not_known` together, as any region may have
/// replicas on both: `scan_safe_to_stop` reads all regions. After PD's start it is `not_known` until
/// regions have reported.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SafeToStop {
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
impl Observation<Tikv> for SafeToStop {
    const NAME: &'static str = "safe_to_stop";
    const COST: Cost = Cost::List;
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
        let mut snapshot = StopSnapshot::read(tikv).await?;
        let asked = snapshot.pick(self.label.as_deref(), self.store_ids.as_deref())?;
        snapshot
            .by_lists(tikv, asked, self.limit.get().into())
            .await
    }
}
