//! What should hold at all times: `check_invariants`.

use action_core::{Cost, Finding, Observation, Role};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Etcd;
use crate::error::Error;
use crate::observations::findings::Findings;

/// Checks what should hold at all times: a member leads, all answer and keep up, no alarm is on.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckInvariants {}

/// What does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Invariants {
    /// Whether something is violated.
    pub violated: bool,
    /// Every breach.
    pub breaches: Vec<Finding>,
    /// What could not be checked.
    pub unknown: Vec<String>,
}

#[async_trait]
impl Observation<Etcd> for CheckInvariants {
    const NAME: &'static str = "check_invariants";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Invariants);
    type Output = Invariants;

    async fn observe(&self, etcd: &Etcd) -> Result<Invariants, Error> {
        let found = Findings::in_the_way(etcd, &etcd.seen().await?).await;
        Ok(Invariants {
            violated: !found.findings.is_empty(),
            breaches: found.findings,
            unknown: found.unknown,
        })
    }
}
