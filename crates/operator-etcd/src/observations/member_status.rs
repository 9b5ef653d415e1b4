//! What one member says of itself: `member_status`.

use action_core::{Cost, Observation, bounded};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Etcd;
use crate::error::Error;
use crate::ids::MemberId;

/// Reads what one member says of itself: version, size of its database, where it is in the log.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberStatus {
    /// The member, as `list_members` gives it.
    pub member_id: MemberId,
}

/// What a member says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct StatusView {
    /// etcd's version.
    pub version: String,
    /// Size of its database on disk, bytes.
    pub db_size: u64,
    /// What of that is used, bytes: the rest is freed when it is defragmented.
    pub db_size_in_use: u64,
    /// Who leads, as this member says; absent when it knows of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<MemberId>,
    /// Its term.
    pub raft_term: u64,
    /// The last entry of its log.
    pub raft_index: u64,
    /// The last entry that it has applied.
    pub raft_applied_index: u64,
    /// Revision of its keys.
    pub revision: u64,
    /// What it says is wrong, in its words.
    pub errors: Vec<String>,
}

#[async_trait]
impl Observation<Etcd> for MemberStatus {
    const NAME: &'static str = "member_status";
    const COST: Cost = Cost::Point;
    type Output = StatusView;

    async fn observe(&self, etcd: &Etcd) -> Result<StatusView, Error> {
        let seen = etcd.seen().await?;
        let (_, status) = seen.answer_of(self.member_id)?;
        Ok(StatusView {
            version: bounded(&status.version),
            db_size: status.db_size,
            db_size_in_use: status.db_size_in_use,
            leader: (status.leader != 0).then_some(MemberId(status.leader)),
            raft_term: status.raft_term,
            raft_index: status.raft_index,
            raft_applied_index: status.raft_applied_index,
            revision: status.header.revision,
            errors: status.errors.iter().map(|error| bounded(error)).collect(),
        })
    }
}
