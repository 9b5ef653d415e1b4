//! The system and its subject: a dial from 0 to 9 in a file, which this program reads and writes.

use std::path::PathBuf;

use action_core::{
    Accepted, ActionSet, Attempt, Attribution, Cost, Effect, Evidence, FailureKind, Mutation,
    Observation, Outcome, Plan, Progress, Risk, Sent, Subject, SubjectError, Undo, Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A dial in a folder. A file `silent` beside it makes it answer nobody; one `falls-silent`, from the
/// next request on.
pub(crate) struct Dial(pub(crate) PathBuf);

/// How the dial is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Reading {
    /// Where it points.
    value: u8,
    /// Whether it is locked.
    locked: bool,
    /// Which request changed it last.
    by: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Nothing was asked of it.
    #[error("the dial cannot be reached")]
    NotReached,
    /// It was asked, and did not answer.
    #[error("the dial did not answer")]
    NoAnswer,
}

impl SubjectError for Trouble {
    fn kind(&self) -> FailureKind {
        match self {
            Self::NotReached => FailureKind::Unavailable,
            Self::NoAnswer => FailureKind::Unknown,
        }
    }
}

impl Dial {
    fn path(&self) -> PathBuf {
        self.0.join("dial.json")
    }

    fn is_silent(&self) -> bool {
        self.0.join("silent").exists()
    }

    fn read(&self) -> Result<Reading, Trouble> {
        if self.is_silent() {
            return Err(Trouble::NotReached);
        }
        let Ok(text) = std::fs::read(self.path()) else {
            return Ok(Reading::default());
        };
        serde_json::from_slice(&text).map_err(|_| Trouble::NotReached)
    }

    /// One request. What goes wrong with it, the file `falls-silent` and the variable `DIAL` say.
    async fn write(
        &self,
        attempt: &Attempt,
        change: impl FnOnce(&mut Reading),
    ) -> Result<Accepted, Trouble> {
        let mut reading = self.read()?;
        change(&mut reading);
        reading.by.clone_from(&attempt.id);
        // From here on nobody can take it back: the guard is asked last.
        let _permit = attempt.permit().await.map_err(|_| Trouble::NotReached)?;
        let text = serde_json::to_vec(&reading).map_err(|_| Trouble::NotReached)?;
        std::fs::write(self.path(), text).map_err(|_| Trouble::NoAnswer)?;
        match std::env::var("DIAL").as_deref() {
            Ok("kills its caller") => std::process::exit(9),
            _ if self.0.join("falls-silent").exists() => {
                let _ = std::fs::rename(self.0.join("falls-silent"), self.0.join("silent"));
                Err(Trouble::NoAnswer)
            }
            _ => Ok(Accepted::new("click")),
        }
    }

    /// Whether a request of ours did it: the dial says which changed it last.
    fn progress(
        &self,
        sent: &Sent,
        is_so: impl FnOnce(&Reading) -> bool,
    ) -> Result<Progress, Trouble> {
        let reading = self.read()?;
        let evidence = vec![
            Evidence::new("the dial", "value", reading.value),
            Evidence::new("the dial", "by", &*reading.by),
        ];
        let shown = match reading.locked {
            true => format!("the dial is at {}, locked", reading.value),
            false => format!("the dial is at {}", reading.value),
        };
        if is_so(&reading) && reading.by == sent.attempt.id {
            return Ok(Progress::applied(Attribution::Ours, shown, evidence));
        }
        Ok(Progress::not_applied("not_set", shown, true, evidence))
    }
}

#[async_trait]
impl Subject for Dial {
    const NAME: &'static str = "dial";
    type Error = Trouble;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<ReadDial>()
            .mutation::<TurnDial>()
            .mutation::<LockDial>()
            .mutation::<UnlockDial>()
    }

    async fn identity(&self) -> Result<String, Trouble> {
        Ok("the only dial".to_owned())
    }
}

/// Reads the dial.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadDial {}

#[async_trait]
impl Observation<Dial> for ReadDial {
    const NAME: &'static str = "read_dial";
    const COST: Cost = Cost::Point;
    type Output = Reading;

    async fn observe(&self, dial: &Dial) -> Result<Reading, Trouble> {
        dial.read()
    }
}

/// Turns the dial. It is done when the call returns.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TurnDial {
    /// Where the dial points afterwards.
    #[schemars(range(min = 0, max = 9))]
    value: u8,
}

#[async_trait]
impl Mutation<Dial> for TurnDial {
    const NAME: &'static str = "turn_dial";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = Reading;

    fn resources(&self) -> Vec<String> {
        vec!["dial".to_owned()]
    }

    async fn plan(&self, dial: &Dial) -> Result<Plan<Reading>, Trouble> {
        let before = dial.read()?;
        let verdict = if before.locked {
            let (code, text) = ("locked".to_owned(), "the dial is locked".to_owned());
            Verdict::WouldReject { code, text }
        } else if before.value == self.value {
            Verdict::NoOp {
                already: format!("the dial is at {}", before.value),
            }
        } else {
            Verdict::WouldProceed
        };
        let (value, locked) = (before.value, before.locked);
        Ok(Plan::new(verdict, before)
            .same("value", value)
            .same("locked", locked)
            .follow(1, 0, 50))
    }

    async fn send(&self, dial: &Dial, _: &Reading, attempt: &Attempt) -> Result<Accepted, Trouble> {
        dial.write(attempt, |reading| reading.value = self.value)
            .await
    }

    async fn probe(&self, dial: &Dial, _: &Reading, sent: &Sent) -> Result<Progress, Trouble> {
        dial.progress(sent, |reading| reading.value == self.value)
    }

    fn undo(&self, before: &Reading, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        let value = before.value;
        Undo::with::<Dial, _>(&Self { value }).expecting("value", self.value)
    }
}

/// Locks the dial: it is not turned until somebody unlocks it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockDial {}

#[async_trait]
impl Mutation<Dial> for LockDial {
    const NAME: &'static str = "lock_dial";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = Reading;

    fn resources(&self) -> Vec<String> {
        vec!["dial".to_owned()]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some("lock".to_owned())
    }

    async fn plan(&self, dial: &Dial) -> Result<Plan<Reading>, Trouble> {
        locked(dial, false)
    }

    async fn send(&self, dial: &Dial, _: &Reading, attempt: &Attempt) -> Result<Accepted, Trouble> {
        dial.write(attempt, |reading| reading.locked = true).await
    }

    async fn probe(&self, dial: &Dial, _: &Reading, sent: &Sent) -> Result<Progress, Trouble> {
        dial.progress(sent, |reading| reading.locked)
    }

    fn undo(&self, _: &Reading, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::with::<Dial, _>(&UnlockDial {}).expecting("locked", true)
    }
}

/// Unlocks the dial.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnlockDial {}

#[async_trait]
impl Mutation<Dial> for UnlockDial {
    const NAME: &'static str = "unlock_dial";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = Reading;

    fn resources(&self) -> Vec<String> {
        vec!["dial".to_owned()]
    }

    async fn plan(&self, dial: &Dial) -> Result<Plan<Reading>, Trouble> {
        locked(dial, true)
    }

    async fn send(&self, dial: &Dial, _: &Reading, attempt: &Attempt) -> Result<Accepted, Trouble> {
        dial.write(attempt, |reading| reading.locked = false).await
    }

    async fn probe(&self, dial: &Dial, _: &Reading, sent: &Sent) -> Result<Progress, Trouble> {
        dial.progress(sent, |reading| !reading.locked)
    }

    fn undo(&self, _: &Reading, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("who wants it locked can lock it")
    }
}

/// The plan of what needs the dial to be locked, or not to be.
fn locked(dial: &Dial, wanted: bool) -> Result<Plan<Reading>, Trouble> {
    let before = dial.read()?;
    let locked = before.locked;
    let verdict = match locked == wanted {
        true => Verdict::WouldProceed,
        false => Verdict::NoOp {
            already: format!("it is {}", if locked { "locked" } else { "not locked" }),
        },
    };
    Ok(Plan::new(verdict, before)
        .same("locked", locked)
        .follow(1, 0, 50))
}
