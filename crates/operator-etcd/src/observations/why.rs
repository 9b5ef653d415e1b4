//! Why the cluster takes no writes: `why`.

use action_core::{Cost, Observation, Role};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Etcd;
use crate::error::Error;
use crate::observations::findings::Findings;

/// Says why the cluster takes no writes, or takes them slowly: no leader, an alarm, members that do
/// not answer or lag. No findings: nothing was seen in the way.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {}

#[async_trait]
impl Observation<Etcd> for Why {
    const NAME: &'static str = "why";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Diagnose);
    type Output = Findings;

    async fn observe(&self, etcd: &Etcd) -> Result<Findings, Error> {
        Ok(Findings::in_the_way(etcd, &etcd.seen().await?).await)
    }
}
