//! A whole subject: a dial on a panel, that is set at once, and set back to its old value.

use std::sync::{Arc, Mutex, PoisonError};

use action_core::{
    Accepted, ActionSet, Attempt, Cost, Effect, Evidence, FailureKind, Mutation, NotPermitted,
    Observation, Outcome, Plan, Progress, Risk, Sent, Subject, SubjectError, Undo, Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The system: a panel with a dial from 0 to 10, and a stop at 8.
pub(crate) struct Panel(Mutex<PanelState>);

pub(crate) struct PanelState {
    pub(crate) serial: u64,
    pub(crate) value: u8,
    pub(crate) turns: u64,
    /// What is lost of the next turn.
    pub(crate) lose: Option<Lost>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It does not arrive.
    Request,
    /// It is done, and nobody hears of it.
    Answer,
}

/// A handle on a panel.
pub(crate) struct Dial(pub(crate) Arc<Panel>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The panel's words.
    #[error("{0}")]
    Refused(String),
    #[error("no answer from the panel")]
    Unanswered,
    #[error(transparent)]
    NotPermitted(#[from] NotPermitted),
    #[error("nothing was sent: this is panel {found}, not {expected}")]
    OtherPanel { expected: String, found: String },
}

impl SubjectError for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Refused(_) => FailureKind::Refused,
            // It may have happened: the one kind that says so.
            Self::Unanswered => FailureKind::Unknown,
            Self::NotPermitted(_) | Self::OtherPanel { .. } => FailureKind::Unavailable,
        }
    }
}

#[async_trait]
impl Subject for Dial {
    const NAME: &'static str = "dial";
    type Error = Error;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<ReadDial>()
            .mutation::<SetDial>()
    }

    /// The serial number of its panel.
    async fn identity(&self) -> Result<String, Error> {
        Ok(self.0.read(|panel| panel.serial.to_string()))
    }
}

/// Reads the dial.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadDial {}

/// What the dial shows.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Reading {
    /// Its value, 0 to 10.
    value: u8,
}

#[async_trait]
impl Observation<Dial> for ReadDial {
    const NAME: &'static str = "read_dial";
    const COST: Cost = Cost::Point;
    type Output = Reading;

    async fn observe(&self, dial: &Dial) -> Result<Reading, Error> {
        Ok(Reading {
            value: dial.value(),
        })
    }
}

/// Sets the dial. It is done when the call returns.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetDial {
    /// Where the dial points afterwards.
    #[schemars(range(min = 0, max = 10))]
    value: u8,
}

#[async_trait]
impl Mutation<Dial> for SetDial {
    const NAME: &'static str = "set_dial";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = u8;

    fn resources(&self) -> Vec<String> {
        vec!["dial".to_owned()]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some("dial".to_owned())
    }

    async fn plan(&self, dial: &Dial) -> Result<Plan<u8>, Error> {
        let before = dial.value();
        let verdict = match stopped(self.value) {
            Some(text) => Verdict::WouldReject {
                code: "stopped".to_owned(),
                text,
            },
            None if before == self.value => Verdict::NoOp {
                already: format!("the dial is at {before}"),
            },
            None => Verdict::WouldProceed,
        };
        let steps = before.abs_diff(self.value).into();
        Ok(Plan::new(verdict, before)
            .same("value", before)
            .impact("turn", steps, "steps"))
    }

    async fn send(&self, dial: &Dial, _: &u8, attempt: &Attempt) -> Result<Accepted, Error> {
        let found = dial.identity().await?;
        if let Some(expected) = attempt.system.clone().filter(|one| *one != found) {
            return Err(Error::OtherPanel { expected, found });
        }
        // Held until the request has left.
        let _permit = attempt.permit().await?;
        dial.0.turn(self.value).map(Accepted::new)
    }

    async fn probe(&self, dial: &Dial, _: &u8, sent: &Sent) -> Result<Progress, Error> {
        let now = dial.value();
        let evidence = vec![Evidence::new("the dial", "value", now)];
        let text = format!("the dial is at {now}");
        // A turn that is not seen at once is not on its way either.
        Ok(sent.shown(now == self.value, 0, "not_set", text, evidence))
    }

    fn undo(&self, before: &u8, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::with::<Dial, _>(&Self { value: *before }).expecting("value", self.value)
    }
}

impl Dial {
    fn value(&self) -> u8 {
        self.0.read(|panel| panel.value)
    }
}

impl Panel {
    pub(crate) fn new(value: u8) -> Arc<Self> {
        Arc::new(Self(Mutex::new(PanelState {
            serial: 17,
            value,
            turns: 0,
            lose: None,
        })))
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&mut PanelState) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn turn(&self, value: u8) -> Result<String, Error> {
        self.read(|panel| {
            let lose = panel.lose.take();
            if lose == Some(Lost::Request) {
                return Err(Error::Unanswered);
            }
            panel.turns += 1;
            if let Some(text) = stopped(value) {
                return Err(Error::Refused(text));
            }
            panel.value = value;
            match lose {
                Some(_) => Err(Error::Unanswered),
                None => Ok("click".to_owned()),
            }
        })
    }
}

/// What the panel says beyond its stop.
fn stopped(value: u8) -> Option<String> {
    (value > 8).then(|| "the stop is at 8".to_owned())
}
