//! What was left behind: `doctor`.

use action_core::{Cost, Observation, Role};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::observations::doctor::leftovers::Leftovers;
use crate::pd_rules::room;

mod drains;
mod half_moved;
pub(crate) mod leftovers;
mod pauses;
mod rules;
mod settings;
mod stores;
mod versions;

/// Finds leftovers and unhealthy parts: drains, pauses, overrides, disabled scheduling, unfinished
/// moves, stores that are down or do not become empty, mixed versions, clocks that differ.
///
/// A finding need not be wrong: somebody may be at work. Each has what was read that shows it, the
/// next safe step, the action that fixes it where all its parameters are known, and, for a lasting
/// effect, the key by which a journal knows who asked for it. No findings: nothing was left.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Doctor {}

const MOST_FINDINGS: usize = 100;

#[async_trait]
impl Observation<Tikv> for Doctor {
    const NAME: &'static str = "doctor";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Leftovers);
    type Output = Leftovers;

    async fn observe(&self, tikv: &Tikv) -> Result<Leftovers, Error> {
        let mut found = Leftovers::default();
        let stores = tikv.pd.stores().await.map_err(Error::Read)?;
        let config = tikv.pd.config().await.map_err(Error::Read)?;
        let members = tikv.pd.members().await.map_err(Error::Read)?;
        drains::find(tikv, &stores, &config, &members, &mut found).await?;
        pauses::find(tikv, &config, &mut found).await?;
        let overrides = settings::find(tikv, (&config, &stores), &mut found).await?;
        let rules = room::rules(tikv, &config).await?;
        let rules = rules.as_deref();
        let set = (&config, overrides.as_ref());
        stores::find(tikv, &stores, set, rules, &mut found).await?;
        rules::find(rules, &stores, &config, &mut found);
        half_moved::find(tikv, &stores, &mut found).await?;
        versions::find(tikv, &stores, &config, &members, &mut found).await?;
        found.cut |= found.findings.len() > MOST_FINDINGS;
        found.findings.truncate(MOST_FINDINGS);
        Ok(found)
    }
}
