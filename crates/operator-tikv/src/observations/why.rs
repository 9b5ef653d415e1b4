//! See [`Why`].

use action_core::{Cost, Finding, Observation, Problem, Role};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::observations::why::scene::Scene;
use crate::parameters::ids::{RegionId, StoreId};

pub(crate) mod cluster;
mod region;
mod scene;
mod source;
pub(crate) mod target;

/// Says why something does not move: a region, what is on a store, or anything at all.
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
}

impl Moving {
    fn leaders(self) -> bool {
        self != Self::Replicas
    }

    fn replicas(self) -> bool {
        self != Self::Leaders
    }
}

/// Why something does not move.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Explanation {
    /// What is in the way, what holds for the whole cluster first; empty when nothing is.
    pub findings: Vec<Finding>,
    /// Whether some are left out, beyond 40.
    pub cut: bool,
    /// What could not be read, and may be in the way all the same.
    pub unknown: Vec<String>,
}

const MOST_FINDINGS: usize = 40;

#[async_trait]
impl Observation<Tikv> for Why {
    const NAME: &'static str = "why";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Diagnose);
    type Output = Explanation;

    fn check(&self) -> Vec<Problem> {
        match (self.from_store_id, self.to_store_id) {
            (Some(from), Some(to)) if from == to => vec![Problem::combination(
                "/to_store_id",
                to,
                "another store than `from_store_id`",
            )],
            _ => Vec::new(),
        }
    }

    async fn observe(&self, tikv: &Tikv) -> Result<Explanation, Error> {
        let scene = Scene::read(tikv, self).await?;
        let mut findings = cluster::findings(&scene);
        findings.extend(region::findings(&scene));
        findings.extend(source::findings(&scene));
        findings.extend(target::findings(&scene));
        let cut = findings.len() > MOST_FINDINGS;
        findings.truncate(MOST_FINDINGS);
        Ok(Explanation {
            findings,
            cut,
            unknown: scene.unknown(),
        })
    }
}
