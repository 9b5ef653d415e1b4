//! A system to operate in steps: a plant with valves, and a gauge to wait for.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use action_core::{
    Accepted, ActionRegistry, ActionSet, Attempt, Cause, Cost, Effect, FailureKind, Mutation,
    NotPermitted, Observation, Outcome, Plan, Progress, Risk, Sent, Subject, SubjectError, Undo,
    Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

/// The plant. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Plant {
    shared: Arc<Mutex<Shared>>,
    /// Sends that are held back until the test lets them go on.
    pub(crate) gate: Arc<Semaphore>,
}

#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) open: BTreeSet<String>,
    /// Every request to change something, in the order they came.
    pub(crate) sent: Vec<String>,
    /// What becomes of the next requests; of those after, what is asked for.
    pub(crate) next: VecDeque<Becomes>,
    /// Whether what was lost has not happened, and no longer can.
    pub(crate) lost_for_good: bool,
    /// What its plans answer, when that is not what is so.
    pub(crate) verdict: Option<&'static str>,
    pub(crate) pressure: u64,
    /// Subtracted from the pressure at each reading.
    pub(crate) falls_by: u64,
    pub(crate) readings: u64,
    /// What happens before the next request asks for its permit.
    pub(crate) before_permit: Option<Box<dyn FnOnce() + Send>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Becomes {
    Busy,
    Refused,
    /// Accepted, and nothing is seen of it.
    Lost,
    /// Not answered, and nothing is seen of it.
    Unanswered,
    /// Done, once the gate lets it.
    Held,
}

impl Plant {
    pub(crate) fn new() -> Self {
        let shared = Shared {
            name: "plant 1".to_owned(),
            ..Shared::default()
        };
        Self {
            shared: Arc::new(Mutex::new(shared)),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    pub(crate) fn sent(&self) -> Vec<String> {
        self.lock().sent.clone()
    }

    pub(crate) fn open(&self) -> Vec<String> {
        self.lock().open.iter().cloned().collect()
    }

    pub(crate) fn next(&self, next: impl IntoIterator<Item = Becomes>) {
        self.lock().next.extend(next);
    }

    pub(crate) fn registry(&self) -> ActionRegistry {
        let mut registry = ActionRegistry::new();
        registry.register(self.clone()).unwrap();
        registry
    }

    async fn send(
        &self,
        what: &str,
        valve: &str,
        open: bool,
        attempt: &Attempt,
    ) -> Result<Accepted, Trouble> {
        let before_permit = self.lock().before_permit.take();
        if let Some(happens) = before_permit {
            happens();
        }
        let permit = attempt.permit().await?;
        let next = {
            let mut plant = self.lock();
            plant.sent.push(format!("{what} {valve}"));
            plant.next.pop_front()
        };
        drop(permit);
        match next {
            Some(Becomes::Busy) => return Err(Trouble::Busy),
            Some(Becomes::Refused) => return Err(Trouble::Refused),
            Some(Becomes::Unanswered) => return Err(Trouble::Unanswered),
            Some(Becomes::Lost) => return Ok(Accepted::new("as you wish")),
            Some(Becomes::Held) => self.gate.acquire().await.unwrap().forget(),
            None => {}
        }
        let mut plant = self.lock();
        if open {
            plant.open.insert(valve.to_owned());
        } else {
            plant.open.remove(valve);
        }
        Ok(Accepted::new("done"))
    }

    fn plan(&self, valve: &str, open: bool) -> Plan<bool> {
        let is_open = self.lock().open.contains(valve);
        let (code, text) = ("rust".to_owned(), "it is rusty".to_owned());
        let verdict = match self.lock().verdict {
            Some("would_reject") => Some(Verdict::WouldReject { code, text }),
            Some("not_asked_for") => Some(Verdict::NotAskedFor { code, text }),
            Some(_) => Some(Verdict::AcceptedButWillNotProgress {
                causes: vec![Cause::new("rust", "it is rusty")],
            }),
            None => None,
        };
        let verdict = if let Some(verdict) = verdict {
            verdict
        } else if is_open == open {
            let already = format!("valve {valve} is so already");
            Verdict::NoOp { already }
        } else {
            Verdict::WouldProceed
        };
        Plan::new(verdict, is_open)
            .same("open", is_open)
            .follow(20, 40, 120)
    }

    fn probe(&self, valve: &str, open: bool, sent: &Sent) -> Progress {
        let plant = self.lock();
        if plant.open.contains(valve) == open {
            Progress::applied(
                sent.attribution(),
                format!("valve {valve} turned"),
                Vec::new(),
            )
        } else if plant.lost_for_good {
            Progress::not_applied("lost", "it never came", true, Vec::new())
        } else {
            Progress::pending("nothing is seen", Vec::new())
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the plant is busy")]
    Busy,
    #[error("the plant does not want to")]
    Refused,
    #[error("the plant says nothing")]
    Unanswered,
    #[error(transparent)]
    NotPermitted(#[from] NotPermitted),
}

impl SubjectError for Trouble {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Busy => FailureKind::Busy,
            Self::Refused => FailureKind::Refused,
            Self::Unanswered => FailureKind::Unknown,
            Self::NotPermitted(_) => FailureKind::Unavailable,
        }
    }

    fn code(&self) -> Option<String> {
        match self {
            Self::NotPermitted(refused) => Some(refused.code.clone()),
            _ => None,
        }
    }
}

#[async_trait]
impl Subject for Plant {
    const NAME: &'static str = "plant";
    type Error = Trouble;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<ReadGauge>()
            .mutation::<OpenValve>()
            .mutation::<CloseValve>()
    }

    async fn identity(&self) -> Result<String, Trouble> {
        Ok(self.lock().name.clone())
    }
}

/// Opens a valve until it is closed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenValve {
    /// Which.
    valve: String,
}

/// Closes a valve.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseValve {
    /// Which.
    valve: String,
}

#[async_trait]
impl Mutation<Plant> for OpenValve {
    const NAME: &'static str = "open_valve";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = bool;

    fn resources(&self) -> Vec<String> {
        vec![format!("valve/{}", self.valve)]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some(format!("open/{}", self.valve))
    }

    async fn plan(&self, plant: &Plant) -> Result<Plan<bool>, Trouble> {
        Ok(plant.plan(&self.valve, true))
    }

    async fn send(
        &self,
        plant: &Plant,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Trouble> {
        plant.send("open", &self.valve, true, attempt).await
    }

    async fn probe(&self, plant: &Plant, _: &bool, sent: &Sent) -> Result<Progress, Trouble> {
        Ok(plant.probe(&self.valve, true, sent))
    }

    fn undo(&self, _: &bool, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        let valve = self.valve.clone();
        Undo::with::<Plant, _>(&CloseValve { valve }).expecting("open", true)
    }
}

#[async_trait]
impl Mutation<Plant> for CloseValve {
    const NAME: &'static str = "close_valve";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = bool;

    fn resources(&self) -> Vec<String> {
        vec![format!("valve/{}", self.valve)]
    }

    async fn plan(&self, plant: &Plant) -> Result<Plan<bool>, Trouble> {
        Ok(plant.plan(&self.valve, false))
    }

    async fn send(
        &self,
        plant: &Plant,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Trouble> {
        plant.send("close", &self.valve, false, attempt).await
    }

    async fn probe(&self, plant: &Plant, _: &bool, sent: &Sent) -> Result<Progress, Trouble> {
        Ok(plant.probe(&self.valve, false, sent))
    }

    fn undo(&self, _: &bool, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("valves are opened on purpose")
    }
}

/// Reads the gauge.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadGauge {}

/// What the gauge shows.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Gauge {
    /// In bar.
    pressure: u64,
}

#[async_trait]
impl Observation<Plant> for ReadGauge {
    const NAME: &'static str = "read_gauge";
    const COST: Cost = Cost::Point;
    type Output = Gauge;

    async fn observe(&self, plant: &Plant) -> Result<Gauge, Trouble> {
        let mut plant = plant.lock();
        plant.readings += 1;
        let pressure = plant.pressure;
        plant.pressure = pressure.saturating_sub(plant.falls_by);
        Ok(Gauge { pressure })
    }
}
