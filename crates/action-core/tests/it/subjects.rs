//! A dial that is set at once, and a yard where wagons move after they were asked to.

use std::sync::Mutex;

use action_core::{
    Accepted, ActionSet, Attempt, Attribution, Cost, Effect, Evidence, FailureKind, Mutation,
    Observation, Outcome, Plan, Problem, Progress, Risk, Role, Sent, Subject, SubjectError, Undo,
    Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub(crate) struct YardError {
    kind: FailureKind,
    words: String,
}

impl SubjectError for YardError {
    fn kind(&self) -> FailureKind {
        self.kind
    }

    fn code(&self) -> Option<String> {
        Some("yard_says_no".to_owned())
    }
}

fn refused(words: impl Into<String>) -> YardError {
    YardError {
        kind: FailureKind::Refused,
        words: words.into(),
    }
}

/// Tracks 1 to 3, one wagon, and where it was last asked to go.
#[derive(Default)]
pub(crate) struct Yard {
    pub(crate) track: Mutex<u64>,
    pub(crate) order: Mutex<Option<(String, u64)>>,
}

#[async_trait]
impl Subject for Yard {
    const NAME: &'static str = "yard";
    type Error = YardError;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<ShowYard>()
            .mutation::<MoveWagon>()
    }

    async fn identity(&self) -> Result<String, YardError> {
        Ok("yard 7".to_owned())
    }
}

/// Shows where the wagon is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowYard {}

/// Where things are.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct YardView {
    /// The wagon's track.
    track: u64,
}

#[async_trait]
impl Observation<Yard> for ShowYard {
    const NAME: &'static str = "show_yard";
    const COST: Cost = Cost::Point;
    const ROLE: Option<Role> = Some(Role::Overview);
    type Output = YardView;

    async fn observe(&self, yard: &Yard) -> Result<YardView, YardError> {
        Ok(YardView {
            track: *yard.track.lock().unwrap(),
        })
    }
}

/// How fast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Speed {
    /// Walking pace.
    #[default]
    Slow,
    /// As fast as is safe.
    Fast,
}

/// Moves the wagon to another track.
///
/// The yard does it later: acceptance is not completion.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveWagon {
    /// Track it leaves.
    #[schemars(range(min = 1, max = 3))]
    from_track: u64,
    /// Track it is on afterwards.
    #[schemars(range(min = 1, max = 3))]
    to_track: u64,
    /// How fast it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    speed: Option<Speed>,
    /// Who is told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tell: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WagonFacts {
    track: u64,
}

#[async_trait]
impl Mutation<Yard> for MoveWagon {
    const NAME: &'static str = "move_wagon";
    const RISK: Risk = Risk::Medium;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = false;
    type Before = WagonFacts;

    fn check(&self) -> Vec<Problem> {
        if self.from_track == self.to_track {
            return vec![Problem::combination(
                "/to_track",
                self.to_track,
                "another track than `from_track`",
            )];
        }
        Vec::new()
    }

    fn resources(&self) -> Vec<String> {
        vec!["wagon".to_owned()]
    }

    async fn plan(&self, yard: &Yard) -> Result<Plan<WagonFacts>, YardError> {
        let track = *yard.track.lock().unwrap();
        let verdict = if track == self.from_track {
            Verdict::WouldProceed
        } else {
            Verdict::WouldReject {
                code: "no_wagon".to_owned(),
                text: format!("no wagon on track {}", self.from_track),
            }
        };
        Ok(Plan::new(verdict, WagonFacts { track }).same("track", track))
    }

    async fn send(
        &self,
        yard: &Yard,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, YardError> {
        if *yard.track.lock().unwrap() != self.from_track {
            return Err(refused(format!("no wagon on track {}", self.from_track)));
        }
        *yard.order.lock().unwrap() = Some((attempt.id.clone(), self.to_track));
        Ok(Accepted::new("order taken").fact("order", attempt.id.as_str()))
    }

    async fn probe(
        &self,
        yard: &Yard,
        before: &WagonFacts,
        sent: &Sent,
    ) -> Result<Progress, YardError> {
        let track = *yard.track.lock().unwrap();
        let order = yard.order.lock().unwrap().clone();
        let evidence = vec![Evidence::new("the yard", "track", track)];
        let ours = order.is_some_and(|(id, _)| id == sent.attempt.id);
        Ok(if track == self.to_track {
            let by = if ours {
                Attribution::Ours
            } else {
                Attribution::Undecided
            };
            Progress::applied(
                by,
                format!("the wagon left track {}", before.track),
                evidence,
            )
        } else if ours || sent.elapsed_ms < 5_000 {
            Progress::pending("the wagon has not moved yet", evidence)
        } else {
            Progress::not_applied("no_order", "the yard has no such order", true, evidence)
        })
    }

    fn undo(&self, before: &WagonFacts, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::with::<Yard, _>(&Self {
            from_track: self.to_track,
            to_track: before.track,
            speed: self.speed,
            tell: Vec::new(),
        })
        .expecting("track", self.to_track)
    }
}
