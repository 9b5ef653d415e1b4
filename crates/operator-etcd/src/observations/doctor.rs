//! What was left behind: `doctor`.

use action_core::{Cost, Observation, Role};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Etcd;
use crate::error::Error;
use crate::observations::findings::Findings;

/// Looks for what was left behind: alarms, learners, members that never started, databases that are
/// mostly free space, mixed versions. A finding need not be wrong: somebody may be at work.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Doctor {}

#[async_trait]
impl Observation<Etcd> for Doctor {
    const NAME: &'static str = "doctor";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Leftovers);
    type Output = Findings;

    async fn observe(&self, etcd: &Etcd) -> Result<Findings, Error> {
        Ok(Findings::left_behind(etcd, &etcd.seen().await?).await)
    }
}
