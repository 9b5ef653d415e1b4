//! Sets the level: `set_level`.

use action_core::{
    Accepted, Attempt, Effect, Evidence, Mutation, Outcome, Plan, Progress, Risk, Sent, Undo,
    Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use subject_http::{Call, HttpError};

use crate::system::SubjectName;

/// Sets the level. It is set when the system has answered.
///
/// Taken back by setting the level of before.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLevel {
    /// The level afterwards, in percent.
    #[schemars(range(min = 0, max = 100))]
    pub level: u64,
}

/// After a send, how long it may still take effect unseen, milliseconds.
const SETTLE_MS: u64 = 15_000;

#[async_trait]
impl Mutation<SubjectName> for SetLevel {
    const NAME: &'static str = "set_level";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = u64;

    fn resources(&self) -> Vec<String> {
        vec!["level".to_owned()]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some("level".to_owned())
    }

    async fn plan(&self, system: &SubjectName) -> Result<Plan<u64>, HttpError> {
        let now = system.level().await?;
        let verdict = match self.level {
            wanted if wanted == now.level => Verdict::NoOp {
                already: format!("the level is {wanted}"),
            },
            wanted if wanted > now.limit => Verdict::WouldReject {
                code: "above_limit".to_owned(),
                text: format!("the limit is {}", now.limit),
            },
            _ => Verdict::WouldProceed,
        };
        let change = now.level.abs_diff(self.level);
        Ok(Plan::new(verdict, now.level)
            .same("level", now.level)
            .impact("change", change, "percent")
            .follow(500, SETTLE_MS, 60_000))
    }

    async fn send(&self, system: &SubjectName, _: &u64, attempt: &Attempt) -> Result<Accepted, HttpError> {
        let call = Call::put("/level", &json!({ "level": self.level }));
        system.send(call, attempt).await
    }

    async fn probe(&self, system: &SubjectName, _: &u64, sent: &Sent) -> Result<Progress, HttpError> {
        let now = system.level().await?.level;
        let evidence = vec![Evidence::new("GET /level", "level", now)];
        let text = format!("the level is {now}");
        let is_so = now == self.level;
        Ok(sent.shown(is_so, SETTLE_MS, "not_set", text, evidence))
    }

    fn undo(&self, before: &u64, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::with::<SubjectName, _>(&Self { level: *before }).expecting("level", self.level)
    }
}
