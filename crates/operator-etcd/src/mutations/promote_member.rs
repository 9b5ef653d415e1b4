//! Gives a learner a vote: `promote_member`.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo,
    Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cluster::Etcd;
use crate::error::Error;
use crate::facts::{LIST, LeaderFacts, NOT_FOUND, Seen, refused, source};
use crate::ids::MemberId;

/// Gives a learner a vote, once it has caught up with the leader.
///
/// Proven by the list of members. Nothing takes the vote back but removing the member.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteMember {
    /// The learner, as `list_members` gives it.
    pub member_id: MemberId,
}

#[async_trait]
impl Mutation<Etcd> for PromoteMember {
    const NAME: &'static str = "promote_member";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = LeaderFacts;

    fn resources(&self) -> Vec<String> {
        vec!["members".to_owned()]
    }

    async fn plan(&self, etcd: &Etcd) -> Result<Plan<LeaderFacts>, Error> {
        let seen = etcd.seen().await?;
        Ok(seen.plan(|| self.verdict(&seen)))
    }

    async fn send(&self, etcd: &Etcd, b: &LeaderFacts, a: &Attempt) -> Result<Accepted, Error> {
        let body = self.member_id.body();
        etcd.send(b.asked()?, "/v3/cluster/member/promote", body, a)
            .await
    }

    async fn probe(&self, etcd: &Etcd, b: &LeaderFacts, sent: &Sent) -> Result<Progress, Error> {
        let seen = etcd.seen().await?;
        let learner = seen.member(self.member_id).map(|one| one.member.is_learner);
        let evidence = Evidence::new(source(LIST), "learner", json!(learner));
        let is_so = learner == Some(false) && seen.leader.is_some();
        let vote = if is_so { "a vote" } else { "no vote" };
        let text = format!("member {} has {vote}", self.member_id);
        Ok(seen.shown(is_so, b, sent, "no_vote", text, evidence))
    }

    fn undo(&self, _: &LeaderFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("etcd cannot demote a voter to a learner: remove the member and add another")
    }
}

impl PromoteMember {
    /// etcd's answer, from what it checks, in its order. Caught up is nine tenths of the log.
    fn verdict(&self, seen: &Seen) -> Verdict {
        let Some(one) = seen.member(self.member_id) else {
            return refused(NOT_FOUND);
        };
        if !one.member.is_learner {
            return Verdict::NoOp {
                already: format!("member {} has a vote", self.member_id),
            };
        }
        let leader = seen.leader.and_then(|id| seen.answer_of(id).ok());
        let caught_up = match (&one.answer, leader) {
            (Some((_, its)), Some((_, leaders))) => its.raft_index * 10 >= leaders.raft_index * 9,
            _ => false,
        };
        match caught_up {
            true => Verdict::WouldProceed,
            false => refused(
                "etcdserver: can only promote a learner member which is in sync with leader",
            ),
        }
    }
}
