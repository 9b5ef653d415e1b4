//! A step that proposes something, and carries it out.

use action_core::{FailureKind, Verdict, Work};
use serde_json::Value;

use crate::guard::GuardError;
use crate::identity::Actor;
use crate::proposal::{OutdatedBy, Proposal, Refusal, Request, Standing, StepAttemptId, Waits};
use crate::records::StepEvent;
use crate::state::Flow;
use crate::workflows::Workflows;
use crate::workflows::event::{FlowEvent, WatchFlow};
use crate::workflows::throttle::Runner;

/// What an error means for a step.
enum Trouble {
    /// What became of it is in the journal already, or will be decided by another look at it.
    LookAgain,
    /// Something is in the way that ends by itself.
    NotNow,
    /// It is not done; nothing was sent.
    Failed { code: &'static str, retryable: bool },
    /// There is nothing to take back that is ours.
    NotOurs,
    /// The caller has to know.
    Fatal,
}

impl Workflows {
    pub(super) async fn propose_step(
        &self,
        flow: &Flow,
        step: &str,
        attempt: u32,
        runner: &mut Runner,
        watch: WatchFlow<'_>,
    ) -> Result<(), GuardError> {
        let Some(Work::Action {
            name,
            parameters,
            lease,
            ..
        }) = flow.work(step)
        else {
            return Ok(());
        };
        let attempt_id = StepAttemptId {
            flow: flow.id.clone(),
            step: step.to_owned(),
            attempt,
        };
        let mut request = Request::new(name, Value::Object(parameters.clone()), &flow.by)
            .correlation_id(attempt_id.to_string())
            .carried_on_by(&runner.by)
            .reason(reason(flow, step));
        for who in others(flow, runner) {
            request = request.carried_out_by(who);
        }
        if let Some(lease) = lease {
            request = request.lease(lease.duration());
        }
        let proposed = match self.same_system(flow, name).await {
            Ok(()) => self.guard.propose(request).await,
            Err(error) => Err(error),
        };
        self.proposed(flow, step, proposed, false, runner, watch)
            .await
    }

    pub(super) async fn propose_back(
        &self,
        flow: &Flow,
        step: &str,
        proposal: &str,
        runner: &mut Runner,
        watch: WatchFlow<'_>,
    ) -> Result<(), GuardError> {
        let asked = flow.compensation.as_ref();
        let by: &Actor = asked.map_or(&flow.by, |asked| &asked.by);
        let why = match (asked, flow.undoing(step)) {
            (Some(asked), _) => asked.reason.clone(),
            (None, Some(undoing)) => reason(flow, undoing),
            (None, None) => reason(flow, step),
        };
        let system = match flow.work(step) {
            Some(Work::Action { name, .. }) => self.same_system(flow, name).await,
            _ => Ok(()),
        };
        let proposed = match system {
            Ok(()) => {
                let others = others(flow, runner);
                let (guard, carrier) = (&self.guard, &runner.by);
                guard
                    .propose_undo_in_flow(proposal, by, (&others, carrier), &why)
                    .await
            }
            Err(error) => Err(error),
        };
        self.proposed(flow, step, proposed, true, runner, watch)
            .await
    }

    async fn proposed(
        &self,
        flow: &Flow,
        step: &str,
        proposed: Result<Standing, GuardError>,
        back: bool,
        runner: &mut Runner,
        watch: WatchFlow<'_>,
    ) -> Result<(), GuardError> {
        let (standing, closed) = match proposed {
            Ok(Standing::Allowed(proposal) | Standing::Waits(Waits { proposal, .. })) => {
                watch(proposed_event(step, &proposal));
                return Ok(());
            }
            // Nobody is asked to agree to what would not be sent: it was closed at once.
            Ok(standing) => {
                let closed = match &standing {
                    Standing::RefusedByPlan { proposal, .. } => Some(proposal.clone()),
                    _ => None,
                };
                (GuardError::NotCarriedOut(Box::new(standing)), closed)
            }
            Err(error) => (error, None),
        };
        if let Some(closed) = &closed {
            watch(proposed_event(step, closed));
        }
        self.trouble(flow, step, standing, closed.as_ref(), back, runner, watch)
            .await
    }

    pub(super) async fn execute_step(
        &self,
        flow: &Flow,
        step: &str,
        proposal: &Proposal,
        back: bool,
        runner: &mut Runner,
        watch: WatchFlow<'_>,
    ) -> Result<(), GuardError> {
        if !proposal.request.may_be_carried_out_by(&runner.by) {
            let event = StepEvent::AskedAnew {
                by: runner.by.clone(),
                back,
            };
            return self.step_event(flow, step, event, watch).await;
        }
        let mut seen = |event| {
            watch(FlowEvent::Mutation {
                step: step.to_owned(),
                seen: Box::new(event),
            });
        };
        let executed = self.guard.execute(proposal, &runner.by, &mut seen).await;
        match executed.and_then(Standing::into_report) {
            Ok(_) => Ok(()),
            Err(error) => {
                self.trouble(flow, step, error, Some(proposal), back, runner, watch)
                    .await
            }
        }
    }

    async fn same_system(&self, flow: &Flow, name: &str) -> Result<(), GuardError> {
        let found = self.guard.registry.identity(name).await?;
        match flow.systems.get(name) {
            Some(planned) if *planned != found => Err(GuardError::WrongSystem {
                planned: planned.clone(),
                found,
            }),
            _ => Ok(()),
        }
    }

    /// Does what an error asks for. A proposal that will not be carried out is called off before
    /// anything is written of the step, so that nobody else carries it out.
    #[expect(
        clippy::too_many_arguments,
        reason = "they are what every way into trouble has at hand"
    )]
    pub(super) async fn trouble(
        &self,
        flow: &Flow,
        step: &str,
        error: GuardError,
        proposal: Option<&Proposal>,
        back: bool,
        runner: &mut Runner,
        watch: WatchFlow<'_>,
    ) -> Result<(), GuardError> {
        let reason = error.report();
        let event = match trouble(&error, back, proposal.is_some()) {
            Trouble::Fatal => return Err(error),
            Trouble::LookAgain | Trouble::NotNow => {
                runner.throttle.not_now(step, &reason, watch);
                return Ok(());
            }
            Trouble::NotOurs => StepEvent::Left {
                reason: reason.clone(),
            },
            Trouble::Failed { code, retryable } if back => StepEvent::NotTakenBack {
                code: code.to_owned(),
                reason: reason.clone(),
                retryable,
            },
            Trouble::Failed { code, retryable } => StepEvent::Failed {
                code: code.to_owned(),
                reason: reason.clone(),
                retryable,
            },
        };
        if let Some(proposal) = proposal {
            match self.guard.close(&proposal.id, &runner.by, &reason).await {
                Ok(true) => {}
                Ok(false) | Err(GuardError::Refused(_)) => {
                    runner.throttle.not_now(step, &reason, watch);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        self.step_event(flow, step, event, watch).await
    }
}

fn trouble(error: &GuardError, back: bool, is_proposed: bool) -> Trouble {
    let failed = |code, retryable| Trouble::Failed { code, retryable };
    match error {
        GuardError::Journal(_)
        | GuardError::Unrecorded { .. }
        | GuardError::Abandoned
        | GuardError::Workflow(_) => Trouble::Fatal,
        // A policy that cannot be read is for whoever wrote it: nothing is waited for.
        GuardError::Refused(Refusal::RulesWrong { .. }) => Trouble::Fatal,
        GuardError::Refused(refusal) if refusal.ends_by_itself() => Trouble::NotNow,
        // Whose token, row or key is gone does not go on, whoever carries their workflow.
        GuardError::Refused(Refusal::Token { .. } | Refusal::NotProven { .. }) => {
            failed("denied", false)
        }
        GuardError::Refused(Refusal::NotOurs { .. }) if back => Trouble::NotOurs,
        // For a person, and then for somebody to resume.
        GuardError::Refused(Refusal::WhoseUnknown { .. }) if back => failed(WHOSE_UNKNOWN, false),
        GuardError::Refused(Refusal::TakenOver { .. }) if is_proposed => failed("outdated", true),
        GuardError::Refused(Refusal::Observing | Refusal::NotEnabled { .. }) if is_proposed => {
            failed("observing", false)
        }
        // What is not ours waits for a reset, and for somebody to resume.
        GuardError::Refused(Refusal::Killed { .. }) if back => failed("killed", false),
        GuardError::Refused(_) => Trouble::LookAgain,
        GuardError::NoUndo { .. }
        | GuardError::NothingToUndo { .. }
        | GuardError::ChangedSince { .. } => Trouble::NotOurs,
        GuardError::NotCarriedOut(standing) => match &**standing {
            Standing::RefusedByPlan {
                verdict: Verdict::NoOp { .. },
                ..
            } if back => Trouble::NotOurs,
            Standing::RefusedByPlan { verdict, .. } => failed(code(verdict), false),
            // By the rules of the moment of sending, which stand against what was allowed before.
            Standing::Denied { .. } if is_proposed => failed("denied", false),
            Standing::Outdated {
                by: OutdatedBy::Facts(_),
                ..
            } => failed("drifted", true),
            Standing::Outdated {
                by: OutdatedBy::Time(_),
                ..
            } if is_proposed => failed("expired", false),
            Standing::Outdated { .. } if is_proposed => failed("outdated", true),
            _ => Trouble::LookAgain,
        },
        GuardError::WrongSystem { .. } => failed("other_system", false),
        GuardError::Actor(_) => failed("invalid_input", false),
        GuardError::Action(error) => match error.kind() {
            FailureKind::Busy | FailureKind::Unavailable if is_proposed => Trouble::NotNow,
            FailureKind::Busy => failed("busy", true),
            FailureKind::Unavailable => failed("unavailable", true),
            FailureKind::InvalidInput => failed("invalid_input", false),
            _ => failed("not_planned", false),
        },
    }
}

/// The code of a step that is not taken back, because it may be another's.
pub(super) const WHOSE_UNKNOWN: &str = "whose_unknown";

fn code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::NoOp { .. } => "no_op",
        Verdict::WouldReject { .. } => "would_reject",
        Verdict::NotAskedFor { .. } => "not_asked_for",
        Verdict::AcceptedButWillNotProgress { .. } => "would_not_progress",
        _ => "not_sent",
    }
}

fn proposed_event(step: &str, proposal: &Proposal) -> FlowEvent {
    FlowEvent::Proposed {
        step: step.to_owned(),
        proposal: proposal.id.clone(),
    }
}

/// Who is at a step beside who asks for it: who goes on with the workflow, and who let it go on.
fn others<'a>(flow: &'a Flow, runner: &'a Runner) -> Vec<&'a Actor> {
    flow.at_it(&runner.by).collect()
}

fn reason(flow: &Flow, step: &str) -> String {
    let title = flow.workflow.step(step).and_then(|step| step.title.clone());
    let title = title.map_or_else(String::new, |title| format!(", {title}"));
    let why = flow.reason.as_deref().unwrap_or(&flow.workflow.title);
    format!("step `{step}`{title}: {why}")
}
