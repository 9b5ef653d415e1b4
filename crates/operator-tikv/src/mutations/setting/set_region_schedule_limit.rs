//! Moves of replicas at a time: `set_region_schedule_limit`.

use action_core::{Accepted, Attempt, Effect, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::mutations::setting::schedule_setting::{Setting, SettingFacts};
use crate::parameters::schedule_limit::ScheduleLimit;

/// Sets how many moves of replicas PD's schedulers run at a time.
///
/// They balance stores. Repairs and moves by request do not count.
///
/// PD refuses while an override with a time to live is in force, which it does not show. Proven by
/// reading the value back. Taken back by setting the value of before, if nobody has changed it
/// since. In force at once, and for good.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRegionScheduleLimit {
    /// Moves of replicas at a time; 0 for none.
    pub limit: ScheduleLimit,
}

const SETTING: Setting<u64> = Setting {
    name: "region-schedule-limit",
    shown: |config| config.region_schedule_limit,
};

#[async_trait]
impl Mutation<Tikv> for SetRegionScheduleLimit {
    const NAME: &'static str = "set_region_schedule_limit";
    const RISK: Risk = Risk::Medium;
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
