//! Ends an alarm: `disarm_alarm`.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo,
    Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::alarms::{ALARM, AlarmKind};
use crate::cluster::Etcd;
use crate::error::Error;
use crate::facts::{LeaderFacts, source};
use crate::ids::MemberId;

/// Ends an alarm, so that the cluster takes writes again. What raised it may raise it anew.
///
/// After `nospace`: compact and defragment first. Proven by the list of alarms.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DisarmAlarm {
    /// The member that raised it, as `list_alarms` gives it.
    pub member_id: MemberId,
    /// Which alarm.
    pub alarm: AlarmKind,
}

#[async_trait]
impl Mutation<Etcd> for DisarmAlarm {
    const NAME: &'static str = "disarm_alarm";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = LeaderFacts;

    fn resources(&self) -> Vec<String> {
        vec!["alarms".to_owned()]
    }

    async fn plan(&self, etcd: &Etcd) -> Result<Plan<LeaderFacts>, Error> {
        let seen = etcd.seen().await?;
        let armed = etcd
            .alarms(&seen)
            .await?
            .iter()
            .any(|one| one.is(self.member_id, self.alarm));
        let plan = seen.plan(|| match armed {
            true => Verdict::WouldProceed,
            false => Verdict::NoOp {
                already: "there is no such alarm".to_owned(),
            },
        });
        Ok(plan.unknown("whether the cause of the alarm is gone"))
    }

    async fn send(&self, etcd: &Etcd, b: &LeaderFacts, a: &Attempt) -> Result<Accepted, Error> {
        let member = self.member_id.0.to_string();
        let alarm = self.alarm.as_str();
        let body = json!({ "action": "DEACTIVATE", "memberID": member, "alarm": alarm });
        etcd.send(b.asked()?, ALARM, body, a).await
    }

    async fn probe(&self, etcd: &Etcd, b: &LeaderFacts, sent: &Sent) -> Result<Progress, Error> {
        let seen = etcd.seen().await?;
        let armed = etcd
            .alarms(&seen)
            .await?
            .iter()
            .any(|one| one.is(self.member_id, self.alarm));
        let evidence = Evidence::new(source(ALARM), "armed", json!(armed));
        let text = format!("the alarm is {}", if armed { "on" } else { "over" });
        Ok(seen.shown(!armed, b, sent, "still_armed", text, evidence))
    }

    fn undo(&self, _: &LeaderFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("only etcd can raise an alarm")
    }
}
