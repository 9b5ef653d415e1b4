//! The members: `list_members`.

use action_core::{Cost, Observation, Role, bounded};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Etcd;
use crate::error::Error;
use crate::facts::SeenMember;
use crate::ids::MemberId;

/// Lists the members of the cluster: who leads, who answers, who has no vote yet.
///
/// As the leader lists them, where it answers.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMembers {}

/// The members of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Members {
    /// All of them.
    pub members: Vec<MemberView>,
    /// Who leads; absent when no member knows of a leader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<MemberId>,
    /// How many voters may stop answering before the cluster takes no writes; negative when it
    /// takes none.
    pub spare_voters: i64,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct MemberView {
    /// Its id, in hexadecimal.
    pub member_id: MemberId,
    /// Its name; empty until it has started for the first time.
    pub name: String,
    /// Whether it has no vote.
    pub learner: bool,
    /// Whether it answers.
    pub answers: bool,
    /// Where other members reach it.
    pub peer_urls: Vec<String>,
    /// Where clients reach it.
    pub client_urls: Vec<String>,
}

#[async_trait]
impl Observation<Etcd> for ListMembers {
    const NAME: &'static str = "list_members";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Overview);
    type Output = Members;

    async fn observe(&self, etcd: &Etcd) -> Result<Members, Error> {
        let seen = etcd.seen().await?;
        Ok(Members {
            leader: seen.leader,
            spare_voters: seen.spare_without(&[]),
            members: seen.members.iter().map(MemberView::of).collect(),
        })
    }
}

impl MemberView {
    fn of(seen: &SeenMember) -> Self {
        let urls = |all: &[String]| all.iter().map(|url| bounded(url)).collect();
        Self {
            member_id: seen.member.id(),
            name: bounded(&seen.member.name),
            learner: seen.member.is_learner,
            answers: seen.answer.is_some(),
            peer_urls: urls(&seen.member.peer_urls),
            client_urls: urls(&seen.member.client_urls),
        }
    }
}
