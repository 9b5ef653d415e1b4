//! Affinity groups: regions that PD keeps together, on the same stores.

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::transport::Call;

/// No id of a group is longer: `idRegexp` of `pkg/schedule/affinity/group.go`.
const LONGEST_ID: usize = 64;

impl Client {
    /// An affinity group; `None` when there is none with this id, or PD has no such groups.
    ///
    /// `GET /pd/api/v2/affinity-groups/{id}`, 8.5.5 and later.
    pub async fn affinity_group(&self, id: &str) -> Result<Option<AffinityGroup>, Error> {
        let is_meant = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(is_meant) {
            return Ok(None);
        }
        let call = Call::point(&format!("/affinity-groups/{id}")).v2();
        match self.read(call).await {
            Ok(answer) => Ok(Some(answer.json()?)),
            Err(Error::Pd(refusal)) if refusal.status == 404 => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Regions that PD keeps together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AffinityGroup {
    /// Its id, which its regions have as the value of their label `affinity_group`.
    pub id: String,
    /// `pending` while PD keeps nothing together; `preparing` or `stable` otherwise.
    pub phase: String,
    /// The store that is to lead its regions; 0 until one is chosen.
    #[serde(default)]
    pub leader_store_id: u64,
    /// The stores that are to hold its voters; none until they are chosen.
    #[serde(default)]
    pub voter_store_ids: Vec<u64>,
}
