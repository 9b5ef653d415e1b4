//! Pauses a scheduler, and ends the pause: `pause_scheduler` and `resume_scheduler`.

use std::time::Duration;

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
use crate::facts::pd_clock::{PdTime, unix_ms};
use crate::facts::schedulers::{NOT_LOADED, are_loaded_now, loaded, stored};
use crate::parameters::bounded::bounded;
use crate::parameters::scheduler_name::SchedulerName;
use crate::pd_rules::refusals::scheduler_not_found;
use crate::pd_rules::stop::{Checked, Stop, nothing_to_do, planned, verdict};

/// Pauses one of PD's schedulers for a given time.
///
/// It continues when the time is over, or earlier if PD's leader changes, because PD keeps pauses
/// in memory only. A paused drain moves no more leaders but still keeps leaders away. Pausing a
/// paused scheduler restarts the time, so the pause may end sooner: the plan says so.
///
/// PD refuses for an unknown scheduler. Proven by PD listing it as paused until then. Taken back by
/// `resume_scheduler`. In force at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseScheduler {
    /// Scheduler to pause, such as `balance-region-scheduler`.
    pub scheduler: SchedulerName,
    /// Duration in seconds, at most a day.
    pub seconds: PauseSeconds,
}

bounded! {
    /// How long a pause is: 1 to 86,400 seconds.
    PauseSeconds(u32): 1 to 86_400, "the duration of a pause"
}

/// A scheduler as it was when its pause, or the end of it, was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PauseFacts {
    /// Whether it was there, and not switched off.
    pub exists: bool,
    /// Until when it was paused, by PD's clock: milliseconds after 1970; `None` when it was not.
    pub paused_until_unix_ms: Option<u64>,
    /// For how many seconds more.
    pub left_seconds: Option<u32>,
}

#[async_trait]
impl Mutation<Tikv> for PauseScheduler {
    const NAME: &'static str = "pause_scheduler";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = false;
    const SHOWN_AT_ONCE: bool = false;
    type Before = PauseFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("scheduler/{}", self.scheduler)]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some(format!("pause-scheduler/{}", self.scheduler))
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<PauseFacts>, Error> {
        planned(self.planned(tikv).await)
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        let time = Duration::from_secs(self.seconds.get().into());
        accepted(pd.pause_scheduler(self.scheduler.as_str(), time).await)
    }

    async fn probe(
        &self,
        tikv: &Tikv,
        before: &PauseFacts,
        sent: &Sent,
    ) -> Result<Progress, Error> {
        let paused = tikv.pd.paused_schedulers().await.map_err(Error::Read)?;
        let name = &self.scheduler;
        let pause = paused.iter().find(|one| one.name == name.as_str());
        let until = pause.and_then(|pause| pause.resume_at).and_then(unix_ms);
        let evidence = vec![Evidence::new(PAUSED, PAUSED_UNTIL, until)];
        let lasts_ms = u64::from(self.seconds.get()) * 1_000;
        if pause.is_some() && until != before.paused_until_unix_ms {
            let by = match (&sent.accepted, self.is_length_of(pause)) {
                (Some(_), true) => Attribution::Ours,
                (_, false) => Attribution::Another,
                (None, true) => Attribution::Undecided,
            };
            let text = format!("`{name}` is paused");
            return Ok(Progress::applied(by, text, evidence));
        }
        if sent.accepted.is_some() && pause.is_none() && sent.elapsed_ms >= lasts_ms {
            let text = format!("`{name}` was paused; the pause has ended");
            return Ok(Progress::applied(Attribution::Ours, text, evidence));
        }
        if pause.is_none() && !are_loaded_now(tikv).await? {
            return Ok(Progress::pending(NOT_LOADED, evidence));
        }
        if sent.elapsed_ms < SETTLE_MS {
            let text = format!("`{name}` is not paused yet");
            return Ok(Progress::pending(text, evidence));
        }
        Ok(if sent.accepted.is_some() {
            let text = format!(
                "PD accepted it, but `{name}` is not paused: PD's leader changed, or somebody resumed it"
            );
            Progress::not_applied("pause_lost", text, true, evidence)
        } else {
            let text = format!("`{name}` has not been paused");
            Progress::not_applied("no_trace", text, true, evidence)
        })
    }

    fn undo(&self, before: &PauseFacts, _: Option<&Accepted>, outcome: Option<&Outcome>) -> Undo {
        if before.paused_until_unix_ms.is_some() {
            return Undo::none("it was already paused; resuming it would end that pause too");
        }
        let back = ResumeScheduler {
            scheduler: self.scheduler.clone(),
        };
        let undo = Undo::with::<Tikv, _>(&back).expecting("paused", true);
        // A pause with another end is somebody else's.
        let mut facts = outcome.iter().flat_map(|outcome| &outcome.evidence);
        match facts.find(|one| one.fact == PAUSED_UNTIL && one.value.is_u64()) {
            Some(until) => undo.expecting(PAUSED_UNTIL, until.value.clone()),
            None => undo,
        }
    }
}

impl PauseScheduler {
    async fn planned(&self, tikv: &Tikv) -> Checked<Plan<PauseFacts>> {
        let facts = PauseFacts::read(tikv, &self.scheduler).await?;
        let verdict = verdict(facts.check_exists().map(|()| self.displaced(&facts)))?;
        Ok(facts
            .preconditions(Plan::new(verdict, facts.clone()))
            .impact("schedulers", 1, "schedulers that stop")
            .unknown("whether PD's leader changes in the meantime, which ends the pause")
            .lasts(Duration::from_secs(self.seconds.get().into()))
            .takes(100, 1_000, "PD keeps it in memory")
            .follow(500, SETTLE_MS, 60_000)
            .clock(tikv.clock()))
    }

    /// A pause that is there is replaced, also by one that ends sooner.
    fn displaced(&self, facts: &PauseFacts) -> Verdict {
        let Some(until) = facts.paused_until_unix_ms else {
            return Verdict::WouldProceed;
        };
        let end = i64::try_from(until).ok();
        let end = end.and_then(|end| jiff::Timestamp::from_millisecond(end).ok());
        let end = end.map_or_else(|| "an unknown time".to_owned(), |end| format!("{end:.0}"));
        let effect = match facts.left_seconds {
            Some(left) if left > self.seconds.get() => "shortens",
            Some(_) => "lengthens",
            None => "replaces",
        };
        let displaced = format!(
            "the pause of `{}` that is in force until {end}: this {effect} it to {} s after it is sent",
            self.scheduler,
            self.seconds.get()
        );
        Verdict::WouldDisplace { displaced }
    }

    /// Whether a pause is as long as this one, to two seconds.
    fn is_length_of(&self, pause: Option<&pd_client::schedulers::PausedScheduler>) -> bool {
        let times = pause.and_then(|pause| Some((pause.paused_at?, pause.resume_at?)));
        let length = times.and_then(|(from, until)| until.duration_since(from).ok());
        let wanted = Duration::from_secs(self.seconds.get().into());
        length.is_none_or(|length| length.abs_diff(wanted) <= Duration::from_secs(2))
    }
}

/// The schedulers there are, also those that are paused, once PD has loaded them. Waits for that as
/// long as it was told to. One read where a scheduler is there, else two at a time.
async fn once_loaded(tikv: &Tikv, name: &str) -> Checked<Vec<String>> {
    let running = tikv.pd.schedulers().await.map_err(Stop::of_first_read)?;
    if running.iter().any(|one| one == name) {
        return Ok(running);
    }
    let schedule = tikv.pd.schedule_config().await.map_err(Error::Read)?;
    let stored = stored(&schedule);
    let read = |pd: pd_client::Client| async move { pd.schedulers().await };
    let are_loaded = |running: &Vec<String>| loaded(running, &stored);
    let running = tikv.pd.read_until(tikv.waits, read, are_loaded).await;
    let running = running.map_err(Error::Read)?;
    if are_loaded(&running) {
        return Ok(running);
    }
    Err(Error::NotKnownYet { text: NOT_LOADED }.into())
}

/// What evidence and plans call the end of a pause.
const PAUSED_UNTIL: &str = "paused_until_unix_ms";

const PAUSED: &str = "GET /pd/api/v1/schedulers?status=paused&timestamp=true";

impl PauseFacts {
    /// Three reads, and more where there is no such scheduler. Waits for PD to load them.
    async fn read(tikv: &Tikv, name: &SchedulerName) -> Checked<Self> {
        let pd = &tikv.pd;
        let names = once_loaded(tikv, name.as_str()).await?;
        // Before 7.6 those that are switched off are among them.
        let disabled = pd.disabled_schedulers().await.map_err(Error::Read)?;
        let paused = pd.paused_schedulers().await.map_err(Error::Read)?;
        let is = |one: &String| one == name.as_str();
        let pause = paused.iter().find(|one| one.name == name.as_str());
        let until = pause.and_then(|pause| pause.resume_at);
        let left = until.and_then(|until| Some(PdTime::now(tikv)?.seconds_until(until)));
        Ok(Self {
            exists: names.iter().any(is) && !disabled.iter().any(is),
            paused_until_unix_ms: until.and_then(unix_ms),
            left_seconds: left.and_then(|left| u32::try_from(left).ok()),
        })
    }

    /// Whether there is such a scheduler.
    fn check_exists(&self) -> Checked {
        self.exists.then_some(()).ok_or_else(scheduler_not_found)
    }

    /// What a plan relies on.
    fn preconditions<B>(&self, plan: Plan<B>) -> Plan<B> {
        plan.same("exists", self.exists)
            .same("paused", self.paused_until_unix_ms.is_some())
            .same(PAUSED_UNTIL, self.paused_until_unix_ms)
    }
}

/// Resumes one of PD's schedulers before its pause ends.
///
/// It may move leaders and replicas at once.
///
/// PD refuses for an unknown scheduler. Proven by PD not listing it as paused. Taken back by
/// pausing it for the rest of the time. In force at once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeScheduler {
    /// Scheduler to resume, such as `balance-region-scheduler`.
    pub scheduler: SchedulerName,
}

#[async_trait]
impl Mutation<Tikv> for ResumeScheduler {
    const NAME: &'static str = "resume_scheduler";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    const SHOWN_AT_ONCE: bool = false;
    type Before = PauseFacts;

    fn resources(&self) -> Vec<String> {
        vec![format!("scheduler/{}", self.scheduler)]
    }

    async fn plan(&self, tikv: &Tikv) -> Result<Plan<PauseFacts>, Error> {
        planned(self.planned(tikv).await)
    }

    async fn send(
        &self,
        tikv: &Tikv,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Error> {
        let pd = tikv.sender(attempt);
        accepted(pd.resume_scheduler(self.scheduler.as_str()).await)
    }

    async fn probe(&self, tikv: &Tikv, _: &PauseFacts, sent: &Sent) -> Result<Progress, Error> {
        let paused = tikv.pd.paused_schedulers().await.map_err(Error::Read)?;
        let name = &self.scheduler;
        let is_paused = paused.iter().any(|one| one.name == name.as_str());
        let evidence = vec![Evidence::new(PAUSED, "paused", is_paused)];
        if !is_paused && !are_loaded_now(tikv).await? {
            return Ok(Progress::pending(NOT_LOADED, evidence));
        }
        if !is_paused {
            let by = sent.attribution();
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

    fn undo(&self, before: &PauseFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
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

impl ResumeScheduler {
    async fn planned(&self, tikv: &Tikv) -> Checked<Plan<PauseFacts>> {
        let facts = PauseFacts::read(tikv, &self.scheduler).await?;
        let verdict = verdict(self.check_resume(&facts))?;
        Ok(facts
            .preconditions(Plan::new(verdict, facts.clone()))
            .impact("schedulers", 1, "schedulers that continue")
            .takes(100, 1_000, "PD keeps it in memory")
            .follow(500, SETTLE_MS, 60_000)
            .clock(tikv.clock()))
    }

    fn check_resume(&self, facts: &PauseFacts) -> Checked<Verdict> {
        facts.check_exists()?;
        match facts.paused_until_unix_ms {
            Some(_) => Ok(Verdict::WouldProceed),
            None => Err(nothing_to_do(format!("`{}` is not paused", self.scheduler))),
        }
    }
}
