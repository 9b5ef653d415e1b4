//! A workflow that was started, and what became of it so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use action_core::{Retry, Work, Workflow};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::Actor;
use crate::proposal::Request;
use crate::state::proposal_status::Cancel;

/// A workflow that was started, and what became of it so far.
///
/// What it proposed has a status of its own; this has what is not in those: which proposal is for which
/// step, what was waited for and seen, and what people said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flow {
    /// Unique, and later than those started before.
    pub id: String,
    /// What is to be done, the parameters in their schemas' own types.
    pub workflow: Arc<Workflow>,
    /// Which system each of its actions was for when it started. It goes on with no other.
    pub systems: BTreeMap<String, String>,
    /// Who started it, and asks for its mutations.
    pub by: Actor,
    /// Who let it go on last, after something failed. The rules speak for them too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_by: Option<Actor>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What ties it to the records of who started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// Its first step does not begin before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<Timestamp>,
    /// Its first step does not begin after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begin_by: Option<Timestamp>,
    /// The steps that have begun, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, StepState>,
    /// The steps whose mutations were applied, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<String>,
    /// That somebody does not want it to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<Cancel>,
    /// That somebody wants taken back what it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation: Option<Cancel>,
    /// How it ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// How a workflow ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ended {
    /// How.
    pub how: Ending,
    /// When.
    pub at: Timestamp,
}

/// How a workflow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ending {
    /// All steps are done.
    Completed,
    /// It was cancelled. What it did before stays.
    Cancelled,
    /// What it did is taken back, as far as it was its own.
    Compensated,
}

/// One step that has begun.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StepState {
    /// Since when it waits for what it observes, or for somebody to confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// What the step is for.
    pub forward: Attempts,
    /// Taking back its mutation, by whomever.
    #[serde(skip_serializing_if = "Attempts::is_untouched")]
    pub back: Attempts,
}

/// How often something was tried, and how it stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Attempts {
    /// How often.
    pub count: u32,
    /// How often since a person last let it go on.
    pub since_resumed: u32,
    /// The last proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// How it stands.
    pub state: AttemptState,
}

/// How something that a workflow does stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttemptState {
    /// Not done, and nothing is under way.
    #[default]
    Open,
    /// Its proposal has not ended.
    Proposed,
    /// Done.
    Done {
        /// When.
        at: Timestamp,
        /// What shows it, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
        /// Who said so, when it was somebody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Actor>,
    },
    /// Not done; nothing is under way.
    Failed(Failure),
    /// There is nothing of ours to take back.
    Left {
        /// Why.
        reason: String,
    },
}

/// Why something was not done. It can no longer happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// A stable code.
    pub code: String,
    /// Why, for people.
    pub reason: String,
    /// Whether the same may succeed when tried again.
    pub retryable: bool,
    /// When.
    pub at: Timestamp,
}

impl Attempts {
    fn is_untouched(&self) -> bool {
        *self == Self::default()
    }

    /// Whether its proposal has not ended.
    #[must_use]
    pub fn is_proposed(&self) -> bool {
        self.state == AttemptState::Proposed
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(
            self.state,
            AttemptState::Done { .. } | AttemptState::Left { .. }
        )
    }

    /// Whether it is tried again by itself.
    fn may_retry(&self, retry: Option<Retry>) -> bool {
        let times = retry.map_or(0, |retry| retry.times);
        match &self.state {
            AttemptState::Failed(failure) => failure.retryable && self.since_resumed <= times,
            _ => false,
        }
    }

    /// Why it failed for good, as long as nobody lets it go on.
    pub(crate) fn failed(&self, retry: Option<Retry>) -> Option<&Failure> {
        match &self.state {
            AttemptState::Failed(failure) if !self.may_retry(retry) => Some(failure),
            _ => None,
        }
    }

    /// Whether it could be proposed, if everything around it allows that.
    pub(crate) fn may_begin(&self, retry: Option<Retry>) -> bool {
        self.state == AttemptState::Open || self.may_retry(retry)
    }
}

impl Flow {
    /// Whether a step is done.
    #[must_use]
    pub fn is_done(&self, step: &str) -> bool {
        self.forward(step).is_settled()
    }

    /// Whether all that a step needs is done.
    #[must_use]
    pub fn is_ready(&self, step: &str) -> bool {
        let step = self.workflow.step(step);
        step.is_some_and(|step| step.needs.iter().all(|needed| self.is_done(needed)))
    }

    /// The first step that failed for good, and why.
    #[must_use]
    pub fn failed(&self) -> Option<(&str, &Failure)> {
        self.steps.iter().find_map(|(id, state)| {
            let back = state.back.failed(self.retry_back(id));
            // What somebody tried to take back and could not is in nobody's way until it is wanted.
            let back = back.filter(|_| self.compensation.is_some() || self.undo_is_ready(id));
            let forward = state.forward.failed(self.retry(id));
            let forward = forward.filter(|_| self.compensation.is_none());
            Some((id.as_str(), forward.or(back)?))
        })
    }

    /// The mutation of a step that is still to be taken back, and has been applied: the last one
    /// first.
    #[must_use]
    pub fn next_to_take_back(&self) -> Option<&str> {
        let of_ours = |id: &&String| {
            let keep = matches!(self.work(id), Some(Work::Action { keep: true, .. }));
            !keep && !self.back(id).is_settled()
        };
        self.applied.iter().rev().find(of_ours).map(String::as_str)
    }

    /// What a step is.
    pub(crate) fn work(&self, step: &str) -> Option<Work<'_>> {
        self.workflow.step(step).map(action_core::Step::work)
    }

    pub(crate) fn forward(&self, step: &str) -> &Attempts {
        self.steps
            .get(step)
            .map_or(&NO_ATTEMPTS, |state| &state.forward)
    }

    pub(crate) fn back(&self, step: &str) -> &Attempts {
        self.steps
            .get(step)
            .map_or(&NO_ATTEMPTS, |state| &state.back)
    }

    /// How a step is tried again by itself.
    pub(crate) fn retry(&self, step: &str) -> Option<Retry> {
        match self.work(step) {
            Some(Work::Action { retry, .. } | Work::Undo { retry, .. }) => retry,
            _ => None,
        }
    }

    /// How taking back a step is tried again by itself: as the step that does it says, or else as
    /// the step itself.
    pub(crate) fn retry_back(&self, step: &str) -> Option<Retry> {
        let undoing = self.undoing(step).and_then(|undoing| self.retry(undoing));
        undoing.or_else(|| self.retry(step))
    }

    /// The step that takes another one back.
    pub(crate) fn undoing(&self, step: &str) -> Option<&str> {
        let mut steps = self.workflow.steps.iter();
        let undoes = |undoing: &&action_core::Step| matches!(undoing.work(), Work::Undo { of, .. } if of == step);
        steps.find(undoes).map(|undoing| undoing.id.as_str())
    }

    fn undo_is_ready(&self, step: &str) -> bool {
        self.undoing(step)
            .is_some_and(|undoing| self.is_ready(undoing))
    }

    /// Who is at its steps when somebody goes on with it, beside who asks for them. A gate, which carries
    /// it on for these, is not.
    pub(crate) fn at_it<'a>(&'a self, runner: &'a Actor) -> impl Iterator<Item = &'a Actor> {
        let runner = Some(runner).filter(|runner| !runner.is_gate());
        self.resumed_by.iter().chain(runner)
    }

    /// By whose authority something of it is done: who started it, or wants it taken back, and who let it
    /// go on last.
    pub(crate) fn asked_by(&self) -> impl Iterator<Item = &Actor> {
        let asks = self.compensation.as_ref().map_or(&self.by, |back| &back.by);
        self.resumed_by.iter().chain([asks])
    }

    /// Whether a request is for those who are at it when this one goes on with it, and nobody else.
    pub(crate) fn is_asked_for(&self, request: &Request, runner: &Actor) -> bool {
        let named = |who: &Actor| self.at_it(runner).any(|at_it| at_it.is_same(who));
        self.at_it(runner)
            .all(|who| request.may_be_carried_out_by(who))
            && request.carried_out_by.iter().all(named)
    }

    /// All that has a proposal that has not ended.
    pub(crate) fn proposed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.steps.iter().flat_map(|(id, state)| {
            let both = [&state.forward, &state.back].into_iter();
            both.filter(|attempts| attempts.is_proposed())
                .filter_map(|attempts| Some((id.as_str(), attempts.proposal.as_deref()?)))
        })
    }
}

/// Of a step that has not begun.
static NO_ATTEMPTS: Attempts = Attempts {
    count: 0,
    since_resumed: 0,
    proposal: None,
    state: AttemptState::Open,
};
