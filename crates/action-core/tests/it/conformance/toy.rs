//! A tank whose subject keeps all promises but one, as [`FLAW`] says.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use action_core::testing::{Example, FakeSystem};
use action_core::{
    Accepted, ActionSet, Attempt, Cost, Effect, Evidence, FailureKind, Mutation, Observation,
    Outcome, Plan, Progress, Risk, Sent, Settled, Subject, SubjectError, Undo, Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

thread_local! {
    /// What is wrong with the subject; a test has a thread of its own.
    pub(super) static FLAW: Cell<Flaw> = const { Cell::new(Flaw::None) };
}

/// What can be wrong with a subject, or with its fake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    UndocumentedParameter,
    ListedTwice,
    WritesOtherParameters,
    ExampleIsInvalid,
    ExampleIsNoOp,
    SaysNothingOfRefusals,
    ObservationWrites,
    ObservationFails,
    OutputIsNoObject,
    PlanWrites,
    PlanFails,
    PlanChanges,
    NoLastingName,
    SendsTwice,
    SendsNothing,
    SendFails,
    TriesAgain,
    ProbeWrites,
    ProbeFails,
    ProbeSeesNothing,
    SettledIsReversed,
    RemembersInMemory,
    FactsAreNotRead,
    UndoIsWrong,
    UndoIsNone,
    UndoExpectsOther,
    UndoWouldBeRejected,
    StateShowsNothing,
    RefusalIsNotForetold,
    RefusalHasNoWords,
    RefusalIsUnknown,
    RefusesNothing,
    AsksForNoPermit,
    SendsWithoutPermit,
    PermitIsUnknown,
    SendsToAnySystem,
    CachesIdentity,
    AcceptedWithoutAnswer,
    AppliedWithoutEvidence,
    LostIsUnavailable,
    LostIsNotApplied,
    DropSendsAgain,
}

fn is(flaw: Flaw) -> bool {
    FLAW.get() == flaw
}

/// A tank of 10 litres.
#[derive(Clone, Default)]
pub(super) struct Tank(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    number: u64,
    level: u64,
    wanted: u64,
    writes: u64,
    plans: u64,
    lose: Option<bool>,
}

impl Tank {
    fn with<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for a level, which is there a second later.
    fn fill(&self, level: u64) -> Result<(), Failure> {
        let lost = Failure::of(FailureKind::Unknown, "no answer");
        self.with(|tank| {
            let lose = tank.lose.take();
            if lose == Some(true) {
                return Err(lost);
            }
            tank.writes += 1;
            if level > 10 && !is(Flaw::RefusesNothing) {
                return Err(Failure::of(FailureKind::Refused, "it holds 10 litres"));
            }
            tank.wanted = level;
            match lose {
                Some(_) => Err(Failure::of(FailureKind::Unknown, "no answer")),
                None => Ok(()),
            }
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub(super) struct Failure {
    kind: FailureKind,
    words: String,
}

impl Failure {
    fn of(kind: FailureKind, words: &str) -> Self {
        let words = words.to_owned();
        Self { kind, words }
    }
}

impl SubjectError for Failure {
    fn kind(&self) -> FailureKind {
        self.kind
    }
}

/// A handle, with things that it should not keep.
pub(super) struct Handle {
    tank: Tank,
    identity: String,
    sent: Mutex<bool>,
}

#[async_trait]
impl Subject for Handle {
    const NAME: &'static str = "tank";
    type Error = Failure;

    fn actions() -> ActionSet<Self> {
        let actions = ActionSet::new()
            .observation::<ReadTank>()
            .mutation::<FillTank>();
        match FLAW.get() {
            Flaw::UndocumentedParameter => actions.observation::<Undocumented>(),
            Flaw::ListedTwice => actions.mutation::<FillTank>(),
            _ => actions,
        }
    }

    async fn identity(&self) -> Result<String, Failure> {
        if is(Flaw::CachesIdentity) {
            return Ok(self.identity.clone());
        }
        Ok(self.tank.with(|tank| tank.number.to_string()))
    }
}

/// Reads the level.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadTank {}

/// Reads nothing.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Undocumented {
    depth: u64,
}

/// The level, or what is none.
#[derive(Serialize, JsonSchema)]
#[schemars(with = "Level")]
#[serde(untagged)]
enum Seen {
    Level(Level),
    Number(u64),
}

/// The level.
#[derive(Serialize, JsonSchema)]
struct Level {
    /// In litres.
    level: u64,
}

#[async_trait]
impl Observation<Handle> for ReadTank {
    const NAME: &'static str = "read_tank";
    const COST: Cost = Cost::Point;
    type Output = Seen;

    async fn observe(&self, handle: &Handle) -> Result<Seen, Failure> {
        let level = handle.tank.with(|tank| tank.level);
        match FLAW.get() {
            Flaw::ObservationWrites => handle.tank.fill(5)?,
            Flaw::ObservationFails => return Err(Failure::of(FailureKind::Bug, "empty")),
            Flaw::OutputIsNoObject => return Ok(Seen::Number(level)),
            _ => {}
        }
        Ok(Seen::Level(Level { level }))
    }
}

#[async_trait]
impl Observation<Handle> for Undocumented {
    const NAME: &'static str = "undocumented";
    const COST: Cost = Cost::Point;
    type Output = Level;

    async fn observe(&self, _: &Handle) -> Result<Level, Failure> {
        Ok(Level { level: self.depth })
    }
}

/// Fills the tank up to a level. The pump does it later.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FillTank {
    /// The level afterwards, in litres.
    #[serde(serialize_with = "litres")]
    level: u64,
}

fn litres<S: Serializer>(level: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(level + u64::from(is(Flaw::WritesOtherParameters)))
}

/// What was in it.
#[derive(Serialize, Deserialize)]
struct Facts {
    level: u64,
    #[serde(default, skip)]
    hidden: u64,
}

#[async_trait]
impl Mutation<Handle> for FillTank {
    const NAME: &'static str = "fill_tank";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = Facts;

    fn resources(&self) -> Vec<String> {
        vec!["tank".to_owned()]
    }

    fn lasting_effect(&self) -> Option<String> {
        (!is(Flaw::NoLastingName)).then(|| "level".to_owned())
    }

    async fn plan(&self, handle: &Handle) -> Result<Plan<Facts>, Failure> {
        match FLAW.get() {
            Flaw::PlanWrites => handle.tank.fill(self.level)?,
            Flaw::PlanFails => return Err(Failure::of(FailureKind::Bug, "no plan")),
            _ => {}
        }
        let (level, plans) = handle.tank.with(|tank| {
            tank.plans += 1;
            (tank.level, tank.plans)
        });
        let text = match FLAW.get() {
            Flaw::RefusalHasNoWords => String::new(),
            _ => "it holds 10 litres".to_owned(),
        };
        let verdict = match self.level {
            11.. if !is(Flaw::RefusalIsNotForetold) => Verdict::WouldReject {
                code: "full".to_owned(),
                text,
            },
            wanted if wanted == level => Verdict::NoOp {
                already: "it is".to_owned(),
            },
            _ => Verdict::WouldProceed,
        };
        let hidden = level;
        let plan = Plan::new(verdict, Facts { level, hidden }).same("level", level);
        Ok(match is(Flaw::PlanChanges) {
            true => plan.same("plans", plans),
            false => plan,
        })
    }

    async fn send(
        &self,
        handle: &Handle,
        _: &Facts,
        attempt: &Attempt,
    ) -> Result<Accepted, Failure> {
        let found = handle.identity().await?;
        let is_other = attempt.system.as_ref().is_some_and(|one| *one != found);
        if is_other && !is(Flaw::SendsToAnySystem) {
            return Err(Failure::of(FailureKind::Unavailable, "another tank"));
        }
        let _again = Again(handle.tank.clone(), self.level);
        a_wait().await;
        if !is(Flaw::AsksForNoPermit)
            && let Err(error) = attempt.permit().await
        {
            match FLAW.get() {
                Flaw::SendsWithoutPermit => {}
                Flaw::PermitIsUnknown => {
                    return Err(Failure::of(FailureKind::Unknown, "not permitted"));
                }
                _ => return Err(Failure::of(FailureKind::Unavailable, &error.to_string())),
            }
        }
        *handle.sent.lock().unwrap() = true;
        let sent = match FLAW.get() {
            Flaw::SendsNothing => Ok(()),
            Flaw::SendFails => Err(Failure::of(FailureKind::Bug, "cannot")),
            _ => handle.tank.fill(self.level),
        };
        let sent = match (FLAW.get(), sent) {
            (Flaw::SendsTwice, Ok(())) | (Flaw::TriesAgain, Err(_)) => handle.tank.fill(self.level),
            (Flaw::AcceptedWithoutAnswer, Err(error)) if error.kind == FailureKind::Unknown => {
                Ok(())
            }
            (Flaw::LostIsUnavailable, Err(error)) if error.kind == FailureKind::Unknown => {
                Err(Failure::of(FailureKind::Unavailable, "no answer"))
            }
            (Flaw::RefusalIsUnknown, Err(error)) => {
                Err(Failure::of(FailureKind::Unknown, &error.words))
            }
            (_, sent) => sent,
        };
        a_wait().await;
        sent.map(|()| Accepted::new("pumping"))
    }

    async fn probe(
        &self,
        handle: &Handle,
        before: &Facts,
        sent: &Sent,
    ) -> Result<Progress, Failure> {
        match FLAW.get() {
            Flaw::ProbeWrites => handle.tank.fill(self.level)?,
            Flaw::ProbeFails => return Err(Failure::of(FailureKind::Bug, "no probe")),
            Flaw::FactsAreNotRead if before.hidden != before.level => {
                return Ok(Progress::pending("nothing is known", Vec::new()));
            }
            _ => {}
        }
        let level = handle.tank.with(|tank| tank.level);
        let evidence = vec![Evidence::new("the gauge", "level", level)];
        let text = format!("it holds {level} litres");
        let is_there = level == self.level && !is(Flaw::ProbeSeesNothing);
        let knows = !is(Flaw::RemembersInMemory) || *handle.sent.lock().unwrap();
        let unanswered = sent.accepted.is_none();
        Ok(match FLAW.get() {
            Flaw::AppliedWithoutEvidence if unanswered => {
                Progress::applied(sent.attribution(), text, evidence)
            }
            Flaw::LostIsNotApplied if unanswered => {
                Progress::not_applied("lost", text, true, evidence)
            }
            _ if is_there && knows => Progress::applied(sent.attribution(), text, evidence),
            _ if sent.elapsed_ms < 5_000 => Progress::pending(text, evidence),
            _ => Progress::not_applied("not_filled", text, true, evidence),
        })
    }

    async fn settled(
        &self,
        handle: &Handle,
        before: &Facts,
        sent: &Sent,
    ) -> Result<Settled, Failure> {
        if is(Flaw::SettledIsReversed) {
            return Ok(Settled::reversed("leak", "it leaks", Vec::new()));
        }
        Ok(match self.probe(handle, before, sent).await? {
            Progress::Applied { evidence, .. } => Settled::held(evidence),
            _ => Settled::not_known("not_seen", "it is not seen"),
        })
    }

    fn undo(&self, before: &Facts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        let level = match FLAW.get() {
            Flaw::UndoIsNone => return Undo::none("nobody knows how"),
            Flaw::UndoIsWrong => before.level + 1,
            Flaw::UndoWouldBeRejected => 11,
            _ => before.level,
        };
        let expected = self.level + u64::from(is(Flaw::UndoExpectsOther));
        Undo::with::<Handle, _>(&Self { level }).expecting("level", expected)
    }
}

/// Sends again when it is dropped before the end.
struct Again(Tank, u64);

impl Drop for Again {
    fn drop(&mut self) {
        if is(Flaw::DropSendsAgain) {
            let _ = self.0.fill(self.1);
        }
    }
}

/// Waits once.
async fn a_wait() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[async_trait]
impl FakeSystem for Tank {
    type Subject = Handle;

    async fn start(_: &str) -> Self {
        let tank = Self::default();
        tank.with(|tank| (tank.level, tank.wanted) = (2, 2));
        tank
    }

    async fn connect(&self) -> Handle {
        Handle {
            tank: self.clone(),
            identity: "1".to_owned(),
            sent: Mutex::new(false),
        }
    }

    fn example(&self, action: &str) -> Example {
        let level = match FLAW.get() {
            Flaw::ExampleIsInvalid => json!("full"),
            Flaw::ExampleIsNoOp => json!(2),
            _ => json!(7),
        };
        match action {
            "fill_tank" if is(Flaw::SaysNothingOfRefusals) => Example::new(json!({"level": level})),
            "fill_tank" => Example::new(json!({"level": level})).rejected(json!({"level": 11})),
            _ => Example::new(json!({})),
        }
    }

    async fn state(&self) -> Value {
        match is(Flaw::StateShowsNothing) {
            true => json!({}),
            false => json!({"level": self.with(|tank| tank.level)}),
        }
    }

    fn writes(&self) -> u64 {
        self.with(|tank| tank.writes)
    }

    fn lose_next_request(&self) {
        self.with(|tank| tank.lose = Some(true));
    }

    fn lose_next_answer(&self) {
        self.with(|tank| tank.lose = Some(false));
    }

    fn become_another(&self) {
        self.with(|tank| tank.number += 1);
    }

    async fn pass(&self, _: std::time::Duration) {
        self.with(|tank| tank.level = tank.wanted);
    }
}
