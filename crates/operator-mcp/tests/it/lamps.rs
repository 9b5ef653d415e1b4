//! Lamps in memory, which light up at once, only when they are let, or without saying so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use action_core::{
    Accepted, ActionRegistry, ActionSet, Attempt, Attribution, Cost, Effect, Evidence, FailureKind,
    Mutation, Observation, Outcome, Page, Plan, Progress, Risk, Role, Runbook, Sent, Step, Subject,
    SubjectError, Undo, Verdict, Workflow,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What there is, and how it behaves.
#[derive(Debug, Default)]
pub(crate) struct House {
    pub(crate) lit: BTreeMap<u8, bool>,
    /// What was sent, in order.
    pub(crate) sent: Vec<(u8, bool)>,
    /// Whether what is accepted waits until this is false again.
    pub(crate) slow: bool,
    /// Whether the answer to the next request is lost.
    pub(crate) lose_answer: bool,
    /// Whether requests are not answered until this is false again.
    pub(crate) hold_answers: bool,
    /// Whether requests wait to be sent until this is false again, and whether one does.
    pub(crate) hold_sends: bool,
    pub(crate) is_about_to_send: bool,
    /// Whether nothing can be read until this is false again.
    pub(crate) hold_reads: bool,
    /// How many plans can be made yet; those after them fail, once answers are not held.
    pub(crate) plans_left: Option<usize>,
    /// Which house it is, if it is not the first.
    pub(crate) moved_to: Option<&'static str>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Lamps(pub(crate) Arc<Mutex<House>>);

impl Lamps {
    pub(crate) fn house<T>(&self, look: impl FnOnce(&mut House) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    pub(crate) fn registry(&self) -> ActionRegistry {
        let mut registry = ActionRegistry::new();
        registry.register(self.clone()).unwrap();
        registry
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Dark {
    #[error("no answer came")]
    NoAnswer,
    #[error("not permitted")]
    NotPermitted,
}

impl SubjectError for Dark {
    fn kind(&self) -> FailureKind {
        match self {
            Self::NoAnswer => FailureKind::Unknown,
            Self::NotPermitted => FailureKind::Refused,
        }
    }
}

#[async_trait]
impl Subject for Lamps {
    const NAME: &'static str = "lamps";
    type Error = Dark;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<ListLamps>()
            .mutation::<SwitchLamp>()
            .mutation::<RewireLamp>()
            .mutation::<UnscrewLamp>()
            .observation::<LightLamps>()
    }

    fn pages() -> Vec<Page> {
        let text = "# Reasons\n\nNo bulb: screw one in.\n";
        vec![Page::new("reasons", "Reasons", text)]
    }

    fn runbooks() -> Vec<Runbook> {
        let text = "# Light lamp {lamp}\n\nCall `switch_lamp` with lamp {lamp}. Why: {why}.\n";
        vec![Runbook::of::<LightUp>("light_up", "Light a lamp", text)]
    }

    async fn identity(&self) -> Result<String, Dark> {
        let moved_to = self.house(|house| house.moved_to);
        Ok(moved_to.unwrap_or("house 1").to_owned())
    }
}

/// Lists the lamps, and whether each is lit.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListLamps {
    /// How many are made up, to be a long list.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100_000))]
    count: u32,
}

/// All lamps.
#[derive(Serialize, JsonSchema)]
struct AllLamps {
    /// Each.
    lamps: Vec<Lamp>,
}

/// One lamp.
#[derive(Serialize, JsonSchema)]
struct Lamp {
    /// Which.
    lamp: u32,
    /// Whether it is lit.
    lit: bool,
}

#[async_trait]
impl Observation<Lamps> for ListLamps {
    const NAME: &'static str = "list_lamps";
    const COST: Cost = Cost::List;
    type Output = AllLamps;

    async fn observe(&self, lamps: &Lamps) -> Result<AllLamps, Dark> {
        while lamps.house(|house| house.hold_reads) {
            tokio::task::yield_now().await;
        }
        let lit = lamps.house(|house| house.lit.clone());
        let real = lit.into_iter().map(|(lamp, lit)| Lamp {
            lamp: lamp.into(),
            lit,
        });
        let made_up = (1_000..1_000 + self.count).map(|lamp| Lamp { lamp, lit: false });
        Ok(AllLamps {
            lamps: real.chain(made_up).collect(),
        })
    }
}

/// Switches a lamp.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SwitchLamp {
    /// Which.
    #[schemars(range(min = 1, max = 9))]
    lamp: u8,
    /// Whether it is lit then.
    lit: bool,
}

/// Rewires a lamp, which is never taken back.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RewireLamp {
    /// Which.
    #[schemars(range(min = 1, max = 9))]
    lamp: u8,
}

/// Lights one lamp.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LightUp {
    /// Which.
    #[schemars(range(min = 1, max = 9))]
    lamp: u8,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Unscrews a lamp, which takes a new wire to take back.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UnscrewLamp {
    /// Which.
    #[schemars(range(min = 1, max = 9))]
    lamp: u8,
}

/// Says how lamps are lit one after the other, those that are dark.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LightLamps {
    /// Which.
    lamps: Vec<u32>,
}

#[async_trait]
impl Observation<Lamps> for LightLamps {
    const NAME: &'static str = "light_lamps";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Workflow);
    type Output = Workflow;

    async fn observe(&self, lamps: &Lamps) -> Result<Workflow, Dark> {
        let mut workflow = Workflow::new("light lamps");
        for lamp in self
            .lamps
            .iter()
            .filter_map(|lamp| u8::try_from(*lamp).ok())
        {
            if lamps.house(|house| house.lit.get(&lamp) != Some(&true)) {
                let switch = SwitchLamp { lamp, lit: true };
                workflow = workflow.then(Step::mutation(format!("lamp-{lamp}"), &switch));
            }
        }
        Ok(workflow)
    }
}

async fn send(lamps: &Lamps, lamp: u8, lit: bool, attempt: &Attempt) -> Result<Accepted, Dark> {
    lamps.house(|house| house.is_about_to_send = true);
    while lamps.house(|house| house.hold_sends) {
        tokio::task::yield_now().await;
    }
    let _permit = attempt.permit().await.map_err(|_| Dark::NotPermitted)?;
    lamps.house(|house| {
        house.sent.push((lamp, lit));
        house.lit.insert(lamp, lit);
    });
    while lamps.house(|house| house.hold_answers) {
        tokio::task::yield_now().await;
    }
    lamps.house(|house| match std::mem::take(&mut house.lose_answer) {
        true => Err(Dark::NoAnswer),
        false => Ok(Accepted::new("switched")),
    })
}

fn probe(lamps: &Lamps, lamp: u8, lit: bool) -> Progress {
    lamps.house(|house| {
        let seen = house.lit.get(&lamp).copied().unwrap_or(false);
        let evidence = vec![Evidence::new("the house", "lit", seen)];
        match seen == lit && !house.slow {
            true => Progress::applied(Attribution::Ours, format!("lamp {lamp} shows it"), evidence),
            false => Progress::pending(format!("lamp {lamp} warms up"), evidence),
        }
    })
}

#[async_trait]
impl Mutation<Lamps> for SwitchLamp {
    const NAME: &'static str = "switch_lamp";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = bool;

    fn resources(&self) -> Vec<String> {
        vec![format!("lamp/{}", self.lamp)]
    }

    async fn plan(&self, lamps: &Lamps) -> Result<Plan<bool>, Dark> {
        let left = lamps.house(|house| match &mut house.plans_left {
            Some(left) => Some(std::mem::replace(left, left.saturating_sub(1))),
            None => None,
        });
        if left == Some(0) {
            while lamps.house(|house| house.hold_answers) {
                tokio::task::yield_now().await;
            }
            return Err(Dark::NoAnswer);
        }
        let lit = lamps.house(|house| house.lit.get(&self.lamp).copied().unwrap_or(false));
        let verdict = match (self.lamp, lit == self.lit) {
            (9, _) => Verdict::WouldReject {
                code: "no_bulb".to_owned(),
                text: "lamp 9 has no bulb".to_owned(),
            },
            (_, true) => Verdict::NoOp {
                already: "it is as wanted".to_owned(),
            },
            (_, false) => Verdict::WouldProceed,
        };
        Ok(Plan::new(verdict, lit).same("lit", lit))
    }

    async fn send(&self, lamps: &Lamps, _: &bool, attempt: &Attempt) -> Result<Accepted, Dark> {
        send(lamps, self.lamp, self.lit, attempt).await
    }

    async fn probe(&self, lamps: &Lamps, _: &bool, _: &Sent) -> Result<Progress, Dark> {
        Ok(probe(lamps, self.lamp, self.lit))
    }

    fn undo(&self, before: &bool, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::with(&Self {
            lamp: self.lamp,
            lit: *before,
        })
    }
}

#[async_trait]
impl Mutation<Lamps> for RewireLamp {
    const NAME: &'static str = "rewire_lamp";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = false;
    type Before = Value;

    fn resources(&self) -> Vec<String> {
        vec![format!("lamp/{}", self.lamp)]
    }

    async fn plan(&self, _: &Lamps) -> Result<Plan, Dark> {
        Ok(Plan::new(Verdict::WouldProceed, Value::Null))
    }

    async fn send(&self, lamps: &Lamps, _: &Value, attempt: &Attempt) -> Result<Accepted, Dark> {
        send(lamps, self.lamp, true, attempt).await
    }

    async fn probe(&self, lamps: &Lamps, _: &Value, _: &Sent) -> Result<Progress, Dark> {
        Ok(probe(lamps, self.lamp, true))
    }

    fn undo(&self, _: &Value, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("wires stay where they are")
    }
}

#[async_trait]
impl Mutation<Lamps> for UnscrewLamp {
    const NAME: &'static str = "unscrew_lamp";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = Value;

    fn resources(&self) -> Vec<String> {
        vec![format!("lamp/{}", self.lamp)]
    }

    async fn plan(&self, _: &Lamps) -> Result<Plan, Dark> {
        Ok(Plan::new(Verdict::WouldProceed, Value::Null))
    }

    async fn send(&self, lamps: &Lamps, _: &Value, attempt: &Attempt) -> Result<Accepted, Dark> {
        send(lamps, self.lamp, false, attempt).await
    }

    async fn probe(&self, lamps: &Lamps, _: &Value, _: &Sent) -> Result<Progress, Dark> {
        Ok(probe(lamps, self.lamp, false))
    }

    fn undo(&self, _: &Value, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::with(&RewireLamp { lamp: self.lamp })
    }
}
