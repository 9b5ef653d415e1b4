//! See [`ResumeScheduler`].

use action_core::{
    Accepted, Attempt, Attribution, Effect, Evidence, Mutation, Outcome, Plan, Progress, Risk,
    Sent, Undo, Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::evidence::own_operator::{SETTLE_MS, accepted};
use crate::mutations::scheduler_pause::{
    PAUSED, PauseFacts, PauseScheduler, PauseSeconds, not_found,
};
use crate::parameters::scheduler_name::SchedulerName;

/// Lets one of PD's schedulers go on before its pause is over.
///
/// It may move leaders and replicas at once.
///
/// PD refuses for a scheduler there is not. Proven by PD not listing it as paused. Taken back by
/// pausing it for the rest of the time. In force at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeScheduler {
    /// Scheduler that goes on, such as `balance-region-scheduler`.
    pub scheduler: SchedulerName,
}

#[async_trait]
impl Mutation<Tikv> for ResumeScheduler {
    const NAME: &'static str = "resume_scheduler";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = PauseFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("scheduler/{}", self.scheduler)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<PauseFacts>, Error> {
        let facts = match PauseFacts::read(tikv, &self.scheduler).await? {
            Ok(facts) => facts,
            Err(verdict) => return Ok(Plan::new(verdict, PauseFacts::nothing())),
        };
        let verdict = match (facts.exists, facts.paused_until_unix_ms) {
            (false, _) => not_found(),
            (true, None) => Verdict::NoOp {
                already: format!("`{}` is not paused", self.scheduler),
            },
            (true, Some(_)) => Verdict::WouldProceed,
        };
        Ok(facts
            .preconditions(Plan::new(verdict, facts.clone()))
            .impact("schedulers", 1, "schedulers that go on")
            .takes(100, 1_000, "PD keeps it in memory")
            .follow(500, SETTLE_MS, 60_000)
            .clock(tikv.clock()))
    }

    async fn send(&self, tikv: &Tikv, attempt: &Attempt) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        accepted(pd.resume_scheduler(self.scheduler.as_str()).await)
    }

    async fn probe(&self, tikv: &Tikv, _: &PauseFacts, sent: &Sent) -> Result<Progress, Error> {
        let paused = tikv.pd.paused_schedulers().await.map_err(Error::Read)?;
        let name = &self.scheduler;
        let is_paused = paused.iter().any(|one| one.name == name.as_str());
        let evidence = vec![Evidence::new(PAUSED, "paused", is_paused)];
        if !is_paused {
            let by = if sent.accepted.is_some() {
                Attribution::Ours
            } else {
                Attribution::Undecided
            };
            let text = format!("`{name}` is not paused");
            return Ok(Progress::applied(by, text, evidence));
        }
        let text = format!("`{name}` is still paused");
        Ok(if sent.elapsed_ms < SETTLE_MS {
            Progress::pending(text, evidence)
        } else {
            Progress::not_applied("still_paused", text, true, evidence)
        })
    }

    fn undo(&self, before: &PauseFacts, _: Option<&Outcome>) -> Undo {
        let left = before.left_seconds.map(|left| left.clamp(1, 86_400));
        match left.and_then(PauseSeconds::new) {
            Some(seconds) => Undo::with::<Tikv, _>(&PauseScheduler {
                scheduler: self.scheduler.clone(),
                seconds,
            })
            .expecting("paused", false),
            None => Undo::none("it was not paused before"),
        }
    }
}
