//! The members of PD: `list_members`.

// length: what is asked and shown has 13 fields, each with its unit or source.

use action_core::{Cost, Observation};
use async_trait::async_trait;
use pd_client::members::Member;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;

/// Lists the members of PD: which leads, which answer, and their versions.
///
/// With fewer than three members, or one that does not answer, the loss of another may stop PD.
/// `cut` says whether the list is truncated, at 32.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMembers {}

/// The members of PD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct MemberList {
    /// By name.
    pub members: Vec<MemberView>,
    /// How many there are, given or not.
    pub total: u64,
    /// Whether some are left out.
    pub cut: bool,
    /// How many of them answer.
    pub healthy: u64,
    /// The name of the one that leads; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
}

/// A member of PD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct MemberView {
    /// Its name.
    pub name: String,
    /// Its id, as text: it is larger than a JSON number may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_id: Option<String>,
    /// Where clients reach it; at most 8 addresses.
    pub client_urls: Vec<String>,
    /// Its version, such as `v8.5.7`.
    pub version: String,
    /// Whether it answers.
    pub healthy: bool,
    /// Whether it leads PD.
    pub leads: bool,
    /// Whether it leads the etcd inside PD; for a while that may be another member.
    pub leads_etcd: bool,
    /// How much it should lead compared to others.
    pub leader_priority: i64,
}

const MOST_MEMBERS: usize = 32;
const MOST_URLS: usize = 8;

#[async_trait]
impl Observation<Tikv> for ListMembers {
    const NAME: &'static str = "list_members";
    const COST: Cost = Cost::Point;
    type Output = MemberList;

    async fn observe(&self, tikv: &Tikv) -> Result<MemberList, Error> {
        let mut all = tikv.pd.members().await.map_err(Error::Read)?;
        let health = tikv.pd.health().await.map_err(Error::Read)?;
        let answers = |member: &Member| {
            let mut of_it = health.iter();
            let of_it = of_it.find(|one| one.member_id == member.member_id);
            of_it.is_some_and(|one| one.health)
        };
        let is = |leader: &Option<Member>, member: &Member| {
            let leader = leader.as_ref();
            leader.is_some_and(|leader| leader.member_id == member.member_id)
        };
        all.members.sort_by(|one, other| one.name.cmp(&other.name));
        let members = all.members.iter().take(MOST_MEMBERS).map(|member| {
            let urls = member.client_urls.iter().take(MOST_URLS);
            MemberView {
                name: bounded(&member.name),
                member_id: member.member_id.map(|id| id.to_string()),
                client_urls: urls.map(|url| bounded(url)).collect(),
                version: bounded(&member.binary_version),
                healthy: answers(member),
                leads: is(&all.leader, member),
                leads_etcd: is(&all.etcd_leader, member),
                leader_priority: member.leader_priority,
            }
        });
        Ok(MemberList {
            members: members.collect(),
            total: all.members.len() as u64,
            cut: all.members.len() > MOST_MEMBERS,
            healthy: all.members.iter().filter(|one| answers(one)).count() as u64,
            leader: all.leader.as_ref().map(|leader| bounded(&leader.name)),
        })
    }
}
