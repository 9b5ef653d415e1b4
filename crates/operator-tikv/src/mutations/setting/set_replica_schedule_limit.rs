//! Repairs of replicas at a time: `set_replica_schedule_limit`.

use action_core::{Accepted, Attempt, Effect, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::mutations::setting::schedule_setting::{Setting, SettingFacts};
use crate::parameters::schedule_limit::ScheduleLimit;

/// Sets how many repairs of replicas PD runs at a time.
///
/// Repairs replace replicas of stores that are offline or down: with 0 a lost store is not made up
/// for, and a store being emptied keeps what it holds.
///
/// PD refuses while an override with a time to live is in force, which it does not show. Proven by
/// reading the value back. Taken back by setting the value of before, if nobody has changed it
/// since. In force at once, and for good.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetReplicaScheduleLimit {
    /// Repairs at a time; 0 for none.
    pub limit: ScheduleLimit,
}

const SETTING: Setting<u64> = Setting {
    name: "replica-schedule-limit",
    shown: |config| config.replica_schedule_limit,
};

#[async_trait]
impl Mutation<Tikv> for SetReplicaScheduleLimit {
    const NAME: &'static str = "set_replica_schedule_limit";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = SettingFacts;

    fn resources(&self) -> Vec<String> {
        SETTING.resources()
    }

    fn lasting_effect(&self) -> Option<String> {
        SETTING.lasting_effect()
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<SettingFacts>, Error> {
        SETTING.plan(tikv, self.limit.get()).await
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        SETTING.send(tikv, attempt, self.limit.get()).await
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &SettingFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        SETTING.probe(tikv, self.limit.get(), before, sent).await
    }

    fn undo(&self, before: &SettingFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        SETTING.undo(self.limit.get(), before, |limit| {
            let limit = ScheduleLimit::new(limit)?;
            Some(Self { limit })
        })
    }
}
