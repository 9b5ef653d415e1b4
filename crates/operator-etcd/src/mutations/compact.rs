//! Drops old revisions: `compact`.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Problem, Progress, Risk, Sent,
    Undo, Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cluster::Etcd;
use crate::error::Error;
use crate::facts::{LeaderFacts, Seen, refused, source};

/// Drops what keys were before a revision. It frees space within the database, for good.
///
/// Proven by etcd, which refuses to read the revision before. Who watches from an older revision
/// has to begin anew.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compact {
    /// The oldest revision that is kept, 2 or above, as `member_status` gives the newest.
    pub revision: u64,
}

const RANGE: &str = "/v3/kv/range";
const COMPACTED: &str = "etcdserver: mvcc: required revision has been compacted";

#[async_trait]
impl Mutation<Etcd> for Compact {
    const NAME: &'static str = "compact";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = LeaderFacts;

    fn check(&self) -> Vec<Problem> {
        match self.revision {
            0 | 1 => vec![Problem::combination(
                "/revision",
                self.revision,
                "2 or above",
            )],
            _ => Vec::new(),
        }
    }

    fn resources(&self) -> Vec<String> {
        vec!["revisions".to_owned()]
    }

    async fn plan(&self, etcd: &Etcd) -> Result<Plan<LeaderFacts>, Error> {
        let seen = etcd.seen().await?;
        let newest = match seen.leader {
            Some(leader) => seen.answer_of(leader)?.1.header.revision,
            None => 0,
        };
        let done = seen.leader.is_some() && self.is_done(etcd, &seen).await?;
        Ok(seen.plan(|| match done {
            true => refused(COMPACTED),
            false if self.revision > newest => {
                refused("etcdserver: mvcc: required revision is a future revision")
            }
            false => Verdict::WouldProceed,
        }))
    }

    async fn send(&self, etcd: &Etcd, b: &LeaderFacts, a: &Attempt) -> Result<Accepted, Error> {
        let body = json!({ "revision": self.revision.to_string() });
        etcd.send(b.asked()?, "/v3/kv/compaction", body, a).await
    }

    async fn probe(&self, etcd: &Etcd, b: &LeaderFacts, sent: &Sent) -> Result<Progress, Error> {
        let seen = etcd.seen().await?;
        let done = self.is_done(etcd, &seen).await?;
        let evidence = Evidence::new(source(RANGE), "compacted", json!(done));
        let is = if done { "dropped" } else { "still there" };
        let text = format!("the history before revision {} is {is}", self.revision);
        Ok(seen.shown(done, b, sent, "not_compacted", text, evidence))
    }

    fn undo(&self, _: &LeaderFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("the compacted history is gone")
    }
}

impl Compact {
    /// Whether the revision before cannot be read any more, as a quorum says.
    async fn is_done(&self, etcd: &Etcd, seen: &Seen) -> Result<bool, Error> {
        let before = (self.revision - 1).to_string();
        let body = json!({ "key": "AA==", "count_only": true, "revision": before });
        match etcd.ask_leader::<Value>(seen, RANGE, &body).await {
            Ok(_) => Ok(false),
            Err(Error::Refused { text, .. }) if text == COMPACTED => Ok(true),
            Err(Error::Refused { text, .. }) if text.ends_with("is a future revision") => Ok(false),
            Err(error) => Err(error),
        }
    }
}
