//! Whether members can go down: `safe_to_stop`.

use action_core::{Cost, Observation, Role, Safety};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Etcd;
use crate::error::{Error, refusal};
use crate::facts::NOT_FOUND;
use crate::ids::MemberId;

/// Says whether members can go down now, all of them at once: whether the other voters that answer
/// are a quorum. Members that do not answer count as gone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SafeToStop {
    /// Members that would be down at the same time, as `list_members` gives them.
    pub member_ids: Vec<MemberId>,
}

/// Whether members can go down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct StopSafety {
    /// Whether they can.
    pub answer: Safety,
    /// Why.
    pub reason: String,
    /// How many more voters could stop then; negative when there is no quorum.
    pub spare_voters: i64,
}

#[async_trait]
impl Observation<Etcd> for SafeToStop {
    const NAME: &'static str = "safe_to_stop";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Safety);
    type Output = StopSafety;

    async fn observe(&self, etcd: &Etcd) -> Result<StopSafety, Error> {
        let seen = etcd.seen().await?;
        if self.member_ids.iter().any(|id| seen.member(*id).is_none()) {
            return Err(refusal(NOT_FOUND));
        }
        let spare_voters = seen.spare_without(&self.member_ids);
        let (answer, reason) = match (seen.leader, spare_voters) {
            (None, _) => (
                Safety::NotKnown,
                "there is no leader, so the list of voters may be outdated",
            ),
            (_, 0..) => (Safety::Safe, "the other voters that answer are a quorum"),
            _ => (
                Safety::NotSafe,
                "the other voters that answer are not a quorum",
            ),
        };
        Ok(StopSafety {
            answer,
            reason: reason.to_owned(),
            spare_voters,
        })
    }
}
