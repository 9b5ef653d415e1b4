//! Has another member lead: `move_leader`.

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
use crate::facts::{LeaderFacts, STATUS, Seen, refused, source, will_not};
use crate::ids::MemberId;

/// Has another member lead.
///
/// For a moment the cluster takes no writes. Proven by who leads. Taken back by moving it back.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveLeader {
    /// The member that leads afterwards: one with a vote, as `list_members` gives it.
    pub to_member_id: MemberId,
}

#[async_trait]
impl Mutation<Etcd> for MoveLeader {
    const NAME: &'static str = "move_leader";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = LeaderFacts;

    fn resources(&self) -> Vec<String> {
        vec!["leader".to_owned()]
    }

    async fn plan(&self, etcd: &Etcd) -> Result<Plan<LeaderFacts>, Error> {
        let seen = etcd.seen().await?;
        let plan = seen.plan(|| self.verdict(&seen));
        Ok(plan.touches(format!("member/{}", self.to_member_id)).takes(
            200,
            5_000,
            "three members on one machine",
        ))
    }

    async fn send(&self, etcd: &Etcd, b: &LeaderFacts, a: &Attempt) -> Result<Accepted, Error> {
        let body = json!({ "targetID": self.to_member_id.0.to_string() });
        let path = "/v3/maintenance/transfer-leadership";
        etcd.send(b.asked()?, path, body, a).await
    }

    async fn probe(&self, etcd: &Etcd, b: &LeaderFacts, sent: &Sent) -> Result<Progress, Error> {
        let seen = etcd.seen().await?;
        let evidence = Evidence::new(source(STATUS), "leader", json!(seen.leader));
        let leads = seen
            .leader
            .map_or("no member".to_owned(), |id| format!("member {id}"));
        let text = format!("{leads} leads");
        let is_so = seen.leader == Some(self.to_member_id);
        Ok(seen.shown(is_so, b, sent, "another_leads", text, evidence))
    }

    fn undo(&self, before: &LeaderFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        match &before.asked {
            None => Undo::none("there was no leader before"),
            Some(before) => Undo::with::<Etcd, _>(&Self {
                to_member_id: before.member_id,
            })
            .expecting("leader", json!(self.to_member_id)),
        }
    }
}

impl MoveLeader {
    /// etcd's answer, from what it checks, in its order.
    fn verdict(&self, seen: &Seen) -> Verdict {
        match seen.member(self.to_member_id) {
            _ if seen.leader == Some(self.to_member_id) => Verdict::NoOp {
                already: format!("member {} is the leader", self.to_member_id),
            },
            Some(one) if one.member.is_learner => refused("etcdserver: bad leader transferee"),
            None => refused("etcdserver: bad leader transferee"),
            Some(one) if one.answer.is_none() => will_not(
                "member_silent",
                format!(
                    "member {} does not answer, and etcd would wait for it",
                    one.member.id()
                ),
            ),
            Some(_) => Verdict::WouldProceed,
        }
    }
}
