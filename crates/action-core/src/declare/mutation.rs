//! An action that changes something, and what names one: undos and findings.

use async_trait::async_trait;
use serde_json::Value;

use crate::declare::parameters::Parameters;
use crate::declare::subject::Subject;
use crate::schema::{Effect, Problem, Risk};
use crate::values::{
    Accepted, Attempt, Facts, Finding, Fix, Outcome, Plan, Progress, Sent, Settled, Undo,
};

/// An action that changes something.
///
/// Everything between [`plan`](Self::plan) and [`undo`](Self::undo) survives a restart as JSON:
/// the parameters, the facts and what was sent.
#[async_trait]
pub trait Mutation<S: Subject>: Parameters {
    /// What it is called: a verb and what it changes, in snake case.
    const NAME: &'static str;

    /// What it puts at stake: the lowest that is honest.
    const RISK: Risk;

    /// Whether it is over when done, or in force until taken back.
    const EFFECT: Effect;

    /// Whether [`undo`](Self::undo) gives an action, at least as a rule.
    const REVERSIBLE: bool;

    /// Whether a repetition after it is applied changes nothing more.
    const IDEMPOTENT: bool;

    /// Whether a person must agree where no policy says otherwise.
    const REQUIRES_APPROVAL: bool = false;

    /// Whether what is in force is shown whenever it is looked at: `false` where a system shows it
    /// only later, as after a change of its leader. What was applied and is not shown for a moment
    /// is then not known, and not reversed.
    const SHOWN_AT_ONCE: bool = true;

    /// What was read at planning.
    type Before: Facts;

    /// Problems between parameters that their types cannot rule out.
    fn check(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// What must not be changed by two mutations at a time, such as `region/12`.
    fn resources(&self) -> Vec<String>;

    /// Names what stays in force, such as `evict-leader/4`, so that its owner can be known.
    /// `None` for one-shot mutations.
    fn lasting_effect(&self) -> Option<String> {
        None
    }

    /// What would happen. Reads only.
    async fn plan(&self, subject: &S) -> Result<Plan<Self::Before>, S::Error>;

    /// Asks for it, in exactly one request. Returns when the system has accepted, which is not
    /// completion.
    ///
    /// What must be read for it (a leader's address, which system answers) is read first; then
    /// [`Attempt::permit`] is asked, and held until the request has been handed to the kernel.
    /// Nothing is read in between, and no other system than [`Attempt::system`] is sent to.
    async fn send(
        &self,
        subject: &S,
        before: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, S::Error>;

    /// Whether it has happened, is happening, or can no longer happen. Reads only.
    ///
    /// Asked after every send, also when the answer to it was lost, and after a restart.
    async fn probe(
        &self,
        subject: &S,
        before: &Self::Before,
        sent: &Sent,
    ) -> Result<Progress, S::Error>;

    /// Whether what was applied is still so, a settling time later, and what changed it if not.
    /// Reads only.
    ///
    /// Unless an action knows better it is what another probe says.
    async fn settled(
        &self,
        subject: &S,
        before: &Self::Before,
        sent: &Sent,
    ) -> Result<Settled, S::Error> {
        Ok(match self.probe(subject, before, sent).await? {
            Progress::Applied { evidence, .. } => Settled::held(evidence),
            Progress::NotApplied {
                cause, evidence, ..
            } => Settled::reversed(&cause.code, cause.text, evidence),
            Progress::NotKnown { cause, .. } => Settled::not_known(&cause.code, cause.text),
            Progress::Pending {
                summary, evidence, ..
            } if Self::SHOWN_AT_ONCE => Settled::reversed("changed_since", summary, evidence),
            Progress::Pending { summary, .. } => Settled::not_known("deadline", summary),
        })
    }

    /// Whether what it left in force is still there, however much later, and in what words it is
    /// not. Reads only. What is not shown is gone only where that proves it: else it is not known.
    ///
    /// Unless an action knows better it is what [`settled`](Self::settled) says.
    async fn still_in_force(
        &self,
        subject: &S,
        before: &Self::Before,
        sent: &Sent,
    ) -> Result<Settled, S::Error> {
        self.settled(subject, before, sent).await
    }

    /// The action that takes it back, or why there is none. Before the outcome is known it is a
    /// preview. `accepted` is what the system answered, where it answered.
    fn undo(
        &self,
        before: &Self::Before,
        accepted: Option<&Accepted>,
        outcome: Option<&Outcome>,
    ) -> Undo;
}

impl Undo {
    /// Taken back by a mutation of the same subject.
    #[must_use]
    pub fn with<S: Subject, M: Mutation<S>>(action: &M) -> Self {
        match serde_json::to_value(action) {
            Ok(Value::Object(parameters)) => Self::Action {
                name: M::NAME.to_owned(),
                parameters,
                expects: Vec::new(),
            },
            _ => Self::none(format!("the parameters of `{}` cannot be written", M::NAME)),
        }
    }
}

impl Finding {
    /// Fixed by a mutation of the same subject.
    #[must_use]
    pub fn fixed_by<S: Subject, M: Mutation<S>>(mut self, action: &M) -> Self {
        if let Ok(Value::Object(parameters)) = serde_json::to_value(action) {
            self.fix = Some(Fix {
                name: M::NAME.to_owned(),
                parameters,
            });
        }
        self
    }
}
