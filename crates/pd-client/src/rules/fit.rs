//! How a region's replicas fit its rules.

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::ids::RegionId;
use crate::lenient::null_is_default;
use crate::regions::Peer;
use crate::rules::Rule;
use crate::transport::Call;

impl Client {
    /// How the replicas of a region fit the rules that hold for it, as PD finds; `None` when rules
    /// are switched off.
    ///
    /// `GET /config/rules/region/{id}/detail`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] that [`is_not_found`](crate::PdError::is_not_found) when there is no such
    /// region.
    pub async fn region_fit(&self, id: RegionId) -> Result<Option<RegionFit>, Error> {
        let call = Call::point("/config/rules/region")
            .segment(id)
            .segment("detail");
        match self.read(call).await {
            Ok(answer) => answer.json().map(Some),
            Err(Error::Pd(refusal)) if refusal.is_placement_disabled() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// How a region's replicas fit its rules.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RegionFit {
    /// Each rule with the replicas it takes.
    #[serde(deserialize_with = "null_is_default")]
    pub rule_fits: Vec<RuleFit>,
    /// Replicas that no rule takes.
    #[serde(deserialize_with = "null_is_default")]
    pub orphan_peers: Vec<Peer>,
}

/// A rule with the replicas it takes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RuleFit {
    /// The rule.
    pub rule: Rule,
    /// The replicas it takes.
    #[serde(deserialize_with = "null_is_default")]
    pub peers: Vec<Peer>,
    /// Those of them that have another part than the rule says.
    #[serde(deserialize_with = "null_is_default")]
    pub peers_different_role: Vec<Peer>,
}

impl RegionFit {
    /// Whether every rule has the replicas it wants and none is left over.
    #[must_use]
    pub fn is_satisfied(&self) -> bool {
        let full = |fit: &RuleFit| {
            fit.peers.len() as u64 == fit.rule.count && fit.peers_different_role.is_empty()
        };
        !self.rule_fits.is_empty()
            && self.rule_fits.iter().all(full)
            && self.orphan_peers.is_empty()
    }
}
