//! The last look before the first byte of a request goes out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use action_core::{
    Accepted, ActionDefinition, ActionError, FailureKind, NotPermitted, Plan, SendPermit,
    SendPermits,
};
use async_trait::async_trait;
use jiff::Timestamp;

use crate::failpoint::passed;
use crate::guard::Guard;
use crate::guard::authority::{allow_for_each, rules_now, rules_to_send_by};
use crate::guard::token_scope::tokens_allow;
use crate::proposal::{Answer, Intent, Phase, Proposal, Refusal};
use crate::state::State;

/// Gives one permit to send the request of one intent, after a last look at everything that may
/// stop it. The send lock is taken before that look, and held for as long as the permit is: who
/// stops sends either is seen by the look, or waits for the lock.
pub(crate) struct SendGate {
    guard: Guard,
    proposal: String,
    system: String,
    /// The effect that it takes back, as it was when it was proposed.
    undoes: Option<String>,
    definition: Arc<ActionDefinition>,
    plan: Plan,
    send_by: Timestamp,
    /// The number of its intent in the journal. It has none when the glass is broken.
    recorded: Option<u64>,
    called_off: Box<dyn Fn() -> bool + Send + Sync>,
    asked: Mutex<Asked>,
}

/// Whether the subject has asked for its permit, and what it was told.
#[derive(Debug, Clone)]
enum Asked {
    Never,
    Given,
    Refused(NotPermitted),
}

/// The code of a request that was sent without a permit.
const NO_PERMIT: &str = "no_permit";

impl SendGate {
    pub(crate) fn new(
        guard: &Guard,
        proposal: &Proposal,
        definition: Arc<ActionDefinition>,
        intent: &Intent,
        recorded: Option<u64>,
        called_off: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            guard: guard.clone(),
            proposal: proposal.id.clone(),
            system: proposal.system.clone(),
            undoes: proposal.undoes.clone(),
            definition,
            plan: intent.plan.clone(),
            send_by: intent.send_by,
            recorded,
            called_off: Box::new(called_off),
            asked: Mutex::new(Asked::Never),
        }
    }

    /// Whether it may be sent, as everything stands.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn look(&self) -> Result<(), NotPermitted> {
        if (self.called_off)() {
            return refused("cancelled", "it was cancelled before");
        }
        let stopped = self.guard.journal.is_stopped().await;
        let state = self.guard.journal.state().await;
        // What cannot be read does not allow it.
        let (Ok(stopped), Ok(state)) = (stopped, state) else {
            return refused("stopped", "cannot read whether sending is stopped");
        };
        self.is_wanted(&state)?;
        if let Err(why) = self.guard.may_send_by_policy(&state).await {
            return refused("other_policy", &why);
        }
        if stopped || state.killed_on(&self.system).is_some() {
            if !self.takes_back_ours(&state) {
                return refused("stopped", "the kill switch is set");
            }
        } else if state.observing(&self.system).is_some() {
            return refused("stopped", "the mode is observe");
        } else if let Err(why) = self.is_enabled(&state) {
            return refused("stopped", &why.to_string());
        } else if self.was_stopped(&state) && !self.takes_back_ours(&state) {
            let reason = "the mode or the kill switch was set after its intent was recorded";
            return refused("stopped", reason);
        }
        if Timestamp::now() > self.send_by {
            return refused("late", "its time limit for sending passed");
        }
        Ok(())
    }

    /// Whether those who enabled sends are proven, where that is wanted.
    fn is_enabled(&self, state: &State) -> Result<(), Refusal> {
        let rules = rules_now(&self.guard.rules);
        self.guard
            .trust
            .sends_are_enabled(&*rules, state, &self.system)
    }

    /// Whether it is still to be sent, by the journal and by the rules.
    fn is_wanted(&self, state: &State) -> Result<(), NotPermitted> {
        let Some(status) = state.open.get(&self.proposal) else {
            if self.recorded.is_some() {
                return refused("not_ours", "the journal has no open intent for it");
            }
            return Ok(());
        };
        let me = self.guard.journal.instance();
        if status.phase != Phase::Executing || status.owner.as_deref() != Some(me) {
            return refused("not_ours", "another process took it over");
        }
        if status.cancel.is_some() {
            return refused("cancelled", "it was cancelled before");
        }
        let request = &status.proposal.request;
        let trust = self.guard.trust;
        let paused = state
            .none_is_paused(request, Timestamp::now())
            .and_then(|()| {
                let rules = rules_now(&self.guard.rules);
                trust.nobody_is_paused(&*rules, state, request, Timestamp::now())
            });
        if let Err(paused) = paused {
            return refused("paused", &paused.to_string());
        }
        let recorded = self.recorded.unwrap_or(u64::MAX);
        if let Some(pause) = state.was_paused_after(request, recorded) {
            let reason = format!("`{}` was paused after its intent was written", pause.agent);
            return refused("paused", &reason);
        }
        if let Some(taken_over) = &status.taken_over {
            let reason = format!("proposal {} takes it back", taken_over.by);
            return refused("taken_back", &reason);
        }
        if let Some(by) = state.outdated_by(status) {
            let reason = format!("proposal {by} changed the same resource after it was planned");
            return refused("outdated", &reason);
        }
        let (definition, plan, now) = (&self.definition, &self.plan, Timestamp::now());
        let trusting = (self.guard.trust, &self.guard.listed);
        let allowed = rules_to_send_by(&self.guard.rules).and_then(|rules| {
            tokens_allow(&*rules, &status.proposal, definition, state, now)?;
            allow_for_each(status, trusting, now, |status| {
                rules.allow_at_send(status, definition, plan, state, now)
            })
        });
        allowed.map_err(|refusal| NotPermitted::new("denied", refusal.to_string()))
    }

    /// Whether somebody has set the mode or the kill switch since its intent was written: what a stop
    /// has stopped does not go on when the stop is over.
    fn was_stopped(&self, state: &State) -> bool {
        self.recorded
            .is_some_and(|intent| state.last_switch_on(&self.system) > intent)
    }

    fn takes_back_ours(&self, state: &State) -> bool {
        // What the journal has is what counts, when it has it.
        let recorded = state.open.get(&self.proposal);
        let undoes = recorded.map_or(&self.undoes, |status| &status.proposal.undoes);
        let undone = undoes.as_ref();
        undone.is_some_and(|undone| state.effects.contains_key(undone))
    }

    /// What came back, given whether the subject asked before it sent.
    pub(crate) fn answer(&self, answer: Result<Accepted, ActionError>) -> Answer {
        match (self.asked(), answer) {
            (Asked::Refused(refused), Err(_)) => Answer::Refused {
                error: refused.to_string(),
                code: refused.code,
                retryable: true,
            },
            (Asked::Never | Asked::Refused(_), Ok(accepted)) => {
                let action = self.definition.name.as_str();
                tracing::error!(action, "sent without a permit: a bug in the subject");
                Answer::Accepted {
                    accepted,
                    code: Some(NO_PERMIT.to_owned()),
                }
            }
            (_, answer) => read(answer),
        }
    }

    fn asked(&self) -> Asked {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Keeps what the subject was told.
    fn told(&self, asked: Asked) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }

    async fn permit(&self) -> Result<SendPermit, NotPermitted> {
        if let Asked::Given = self.asked() {
            return Err(NotPermitted::new("sent_before", "there is one permit"));
        }
        let lock = self.guard.journal.send_lock(&self.proposal).await;
        let lock = lock.map_err(|error| {
            NotPermitted::new(
                "stopped",
                format!("the send lock: {}", action_core::report(&error)),
            )
        })?;
        self.look().await?;
        let left = self.send_by.duration_since(Timestamp::now());
        let left = Duration::try_from(left).unwrap_or_default();
        Ok(SendPermit::until(Instant::now() + left, lock))
    }
}

#[async_trait]
impl SendPermits for SendGate {
    async fn acquire(&self) -> Result<SendPermit, NotPermitted> {
        let permit = self.permit().await;
        match &permit {
            Ok(_) => self.told(Asked::Given),
            // A second one is refused; the first was given.
            Err(_) if matches!(self.asked(), Asked::Given) => {}
            Err(refused) => self.told(Asked::Refused(refused.clone())),
        }
        passed("send.permitted");
        permit
    }
}

fn refused(code: &str, reason: &str) -> Result<(), NotPermitted> {
    Err(NotPermitted::new(code, reason))
}

/// What an answer says about the mutation.
fn read(answer: Result<Accepted, ActionError>) -> Answer {
    let error = match answer {
        Ok(accepted) => {
            return Answer::Accepted {
                accepted,
                code: None,
            };
        }
        Err(error) => error,
    };
    let (code, words) = (error.code().to_owned(), error.report());
    match error.kind() {
        FailureKind::Refused | FailureKind::InvalidInput => Answer::Refused {
            code,
            error: words,
            retryable: false,
        },
        FailureKind::Busy | FailureKind::Unavailable => Answer::Refused {
            code,
            error: words,
            retryable: true,
        },
        _ => Answer::Unclear { code, error: words },
    }
}
