//! Adds a member without a vote: `add_learner_member`.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo,
    Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use subject_http::Origin;

use crate::cluster::{Etcd, NEW_MEMBER};
use crate::error::{Error, UNHEALTHY};
use crate::facts::{CONNECTED, LIST, LeaderFacts, Seen, refused, source};
use crate::mutations::RemoveMember;

/// Adds a member without a vote, to be started at this address and promoted once it has caught up.
///
/// Proven by the list of members. Taken back by removing it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddLearnerMember {
    /// Where other members will reach it, such as `http://etcd-3:2380`.
    pub peer_url: String,
}

#[async_trait]
impl Mutation<Etcd> for AddLearnerMember {
    const NAME: &'static str = "add_learner_member";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = LeaderFacts;

    fn resources(&self) -> Vec<String> {
        vec!["members".to_owned()]
    }

    async fn plan(&self, etcd: &Etcd) -> Result<Plan<LeaderFacts>, Error> {
        let seen = etcd.seen().await?;
        let plan = seen.plan(|| self.verdict(&seen));
        Ok(plan.unknown(CONNECTED))
    }

    async fn send(&self, etcd: &Etcd, b: &LeaderFacts, a: &Attempt) -> Result<Accepted, Error> {
        let body = json!({ "peerURLs": [self.peer_url], "isLearner": true });
        etcd.send(b.asked()?, "/v3/cluster/member/add", body, a)
            .await
    }

    async fn probe(&self, etcd: &Etcd, b: &LeaderFacts, sent: &Sent) -> Result<Progress, Error> {
        let seen = etcd.seen().await?;
        let there = seen.at_peer_url(&self.peer_url);
        let id = json!(there.map(|one| one.member.id()));
        let evidence = Evidence::new(source(LIST), NEW_MEMBER, id);
        let is_so = there.is_some() && seen.leader.is_some();
        let is = if is_so {
            "is a member"
        } else {
            "is not a member"
        };
        let text = format!("`{}` {is}", self.peer_url);
        Ok(seen.shown(is_so, b, sent, "not_listed", text, evidence))
    }

    fn undo(&self, _: &LeaderFacts, accepted: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        let id = accepted.and_then(|accepted| accepted.facts.get(NEW_MEMBER)?.as_str());
        match id.and_then(|id| id.parse().ok()) {
            Some(member_id) => Undo::with::<Etcd, _>(&RemoveMember { member_id }),
            None => Undo::none("the id of the added member is known once etcd has answered"),
        }
    }
}

impl AddLearnerMember {
    /// etcd's answer, from what it checks, in its order.
    fn verdict(&self, seen: &Seen) -> Verdict {
        if !self.peer_url.contains("://") || Origin::parse(&self.peer_url).is_err() {
            return refused("etcdserver: given member URLs are invalid");
        }
        match seen.at_peer_url(&self.peer_url) {
            Some(one) if one.member.is_learner => Verdict::NoOp {
                already: format!("it is learner {}", one.member.id()),
            },
            _ if seen.voters().any(|one| one.answer.is_none()) => refused(UNHEALTHY),
            Some(_) => refused("etcdserver: Peer URLs already exists"),
            None if seen.members.iter().any(|one| one.member.is_learner) => {
                refused("etcdserver: too many learner members in cluster")
            }
            None => Verdict::WouldProceed,
        }
    }
}
