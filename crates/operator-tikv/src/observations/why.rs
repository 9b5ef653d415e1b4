//! Why something does not move: `why`.

// length: the sentences by which a model chooses it are its documentation.

use action_core::{Cost, Finding, Observation, Problem, Role};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::observations::findings::silent_members;
use crate::observations::why::question::{Moving, Why};
use crate::observations::why::snapshot::WhySnapshot;

mod barred;
mod cluster;
mod drained;
mod emptied;
mod leader_targets;
mod merge;
mod merge_snapshot;
mod nowhere;
mod offers;
pub(crate) mod question;
mod region;
mod snapshot;
mod source;
mod staying;
mod target;

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
    /// What PD does not know yet, as after its start: ask again once stores and regions have reported,
    /// within a minute or two.
    pub not_known_yet: Vec<String>,
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
            (Some(store), _) | (_, Some(store)) if self.what == Moving::Merges => {
                let wanted = "no store: merging does not depend on stores; give a region";
                vec![Problem::combination("/what", store, wanted)]
            }
            (Some(from), Some(to)) if from == to => vec![Problem::combination(
                "/to_store_id",
                to,
                "a store other than `from_store_id`",
            )],
            _ => Vec::new(),
        }
    }

    async fn observe(&self, tikv: &Tikv) -> Result<Explanation, Error> {
        let snapshot = WhySnapshot::read(tikv, self).await?;
        let mut findings = cluster::findings(&snapshot);
        findings.extend(region::findings(&snapshot));
        findings.extend(merge::findings(&snapshot));
        findings.extend(source::findings(&snapshot));
        findings.extend(target::findings(&snapshot));
        // What is held by itself is told of itself.
        let is_explained = findings.iter().any(source::holds_all);
        // As long as PD has a majority it is the last of what can be the cause.
        findings.extend(silent_members(&snapshot.health));
        let cut = findings.len() > MOST_FINDINGS;
        findings.truncate(MOST_FINDINGS);
        Ok(Explanation {
            findings,
            cut,
            unknown: snapshot.unknown(is_explained),
            not_known_yet: snapshot.known.not_yet,
        })
    }
}
