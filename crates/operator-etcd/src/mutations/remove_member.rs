//! Removes a member for good: `remove_member`.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo,
    Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cluster::Etcd;
use crate::error::{Error, UNHEALTHY};
use crate::facts::{CONNECTED, LIST, LeaderFacts, NOT_FOUND, Seen, SeenMember, refused, source};
use crate::ids::MemberId;

/// Removes a member for good. Its process ends, and its data cannot join again.
///
/// Proven by the list of members. There is no way back but to add a new member.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveMember {
    /// The member, as `list_members` gives it.
    pub member_id: MemberId,
}

#[async_trait]
impl Mutation<Etcd> for RemoveMember {
    const NAME: &'static str = "remove_member";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    const REQUIRES_APPROVAL: bool = true;
    type Before = LeaderFacts;

    fn resources(&self) -> Vec<String> {
        vec!["members".to_owned()]
    }

    async fn plan(&self, etcd: &Etcd) -> Result<Plan<LeaderFacts>, Error> {
        let seen = etcd.seen().await?;
        let plan = seen.plan(|| self.verdict(&seen));
        let plan = plan.touches(format!("member/{}", self.member_id));
        Ok(plan.unknown(CONNECTED))
    }

    async fn send(&self, etcd: &Etcd, b: &LeaderFacts, a: &Attempt) -> Result<Accepted, Error> {
        let body = self.member_id.body();
        etcd.send(b.asked()?, "/v3/cluster/member/remove", body, a)
            .await
    }

    async fn probe(&self, etcd: &Etcd, b: &LeaderFacts, sent: &Sent) -> Result<Progress, Error> {
        let seen = etcd.seen().await?;
        let listed = seen.member(self.member_id).is_some();
        let evidence = Evidence::new(source(LIST), "listed", json!(listed));
        // Who does not know of a leader may not know of the removal either.
        let is_so = !listed && seen.leader.is_some();
        let is = if is_so {
            "is removed"
        } else {
            "is not known to be removed"
        };
        let text = format!("member {} {is}", self.member_id);
        Ok(seen.shown(is_so, b, sent, "still_listed", text, evidence))
    }

    fn undo(&self, _: &LeaderFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("a removed member cannot join again: add a new one")
    }
}

impl RemoveMember {
    /// etcd's answer, from what it checks, in its order.
    fn verdict(&self, seen: &Seen) -> Verdict {
        let Some(one) = seen.member(self.member_id) else {
            return refused(NOT_FOUND);
        };
        if one.member.is_learner {
            return Verdict::WouldProceed;
        }
        let is_other = |other: &&SeenMember| other.member.id != one.member.id;
        let others: Vec<_> = seen.voters().filter(is_other).collect();
        let started = others.iter().filter(|other| other.member.is_started());
        if started.count() < others.len() / 2 + 1 {
            return refused(
                "etcdserver: re-configuration failed due to not enough started members",
            );
        }
        // One that is down takes no part in the quorum that is protected.
        let answering = seen.voters().filter(|voter| voter.answer.is_some()).count();
        match one.answer {
            Some(_) if answering < 2 + others.len() / 2 => refused(UNHEALTHY),
            _ => Verdict::WouldProceed,
        }
    }
}
