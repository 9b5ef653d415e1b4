//! See [`Guard`].

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use action_core::{ActionError, ActionRegistry, Attempt, Catalogue, FailureKind, Outcome, Undo};
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::{Drift, GuardError};
use crate::follow::Following;
use crate::journal_file::{FileIntent, FileRecord, JournalFile};
use crate::plan_hash::PlanHash;
use crate::proposal::{Proposal, Request};
use crate::record::Answer;
use crate::report::{Event, Report};

/// Carries out mutations so that each has an intent on disk before, and an outcome after.
///
/// Cheap to clone; clones share the registry and the journal.
#[derive(Clone)]
pub struct Guard {
    pub(crate) registry: Arc<ActionRegistry>,
    pub(crate) journal: JournalFile,
}

/// Takes what is seen on the way.
pub(crate) type Watch<'a> = &'a mut (dyn FnMut(Event) + Send);

impl Guard {
    /// A guard of these actions. Nobody else can send them from here on.
    #[must_use]
    pub fn new(registry: ActionRegistry, journal: JournalFile) -> Self {
        Self {
            registry: Arc::new(registry),
            journal,
        }
    }

    /// The actions, without the right to change anything.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        self.registry.catalogue()
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &JournalFile {
        &self.journal
    }

    /// Plans a mutation: what it would do, and what would take it back. Reads only.
    ///
    /// # Errors
    /// What is wrong with the request, or what the system could not be asked for.
    pub async fn propose(&self, mut request: Request) -> Result<Proposal, GuardError> {
        let name = request.action.as_str();
        let parameters = self.registry.validate(name, request.parameters)?;
        let resources = self.registry.resources(name, parameters.clone())?;
        let lasting_effect = self.registry.lasting_effect(name, parameters.clone())?;
        let system = self.registry.identity(name).await?;
        let plan = self.registry.plan(name, parameters.clone()).await?;
        let undo = self
            .registry
            .undo(name, parameters.clone(), &plan.before, None)?;
        let expires_at = jiff::Timestamp::MAX;
        let plan_hash = PlanHash::of(name, &parameters, &system, &plan.preconditions, expires_at);
        request.parameters = parameters;
        Ok(Proposal {
            id: Uuid::now_v7().to_string(),
            request,
            system,
            plan,
            undo,
            resources,
            lasting_effect,
            undoes: None,
            plan_hash,
            expires_at,
        })
    }

    /// Carries out what was proposed: plans anew, writes and syncs the intent, sends once, and
    /// follows until the outcome is known or the plan's deadline is over.
    ///
    /// When the future is dropped after the intent was written, the intent stays open and
    /// [`recover`](Self::recover) finds the outcome.
    ///
    /// # Errors
    /// When it was not sent, and why. A refusal by the system is an outcome, not an error.
    pub async fn execute(
        &self,
        proposal: &Proposal,
        watch: Watch<'_>,
    ) -> Result<Report, GuardError> {
        let Request {
            action, parameters, ..
        } = &proposal.request;
        let found = self.registry.identity(action).await?;
        if found != proposal.system {
            let planned = proposal.system.clone();
            return Err(GuardError::WrongSystem { planned, found });
        }
        let plan = self.registry.plan(action, parameters.clone()).await?;
        if !plan.verdict.may_be_sent() {
            return Err(GuardError::NotSent {
                verdict: plan.verdict,
            });
        }
        let drift = Drift::between(&proposal.plan, &plan);
        if !drift.is_empty() {
            return Err(GuardError::Drifted { changes: drift });
        }
        watch(Event::Replanned(plan.clone()));

        let attempt = Attempt::new(proposal.id.as_str(), unix_ms(), plan.clock);
        let intent = FileIntent {
            request: proposal.request.clone(),
            system: proposal.system.clone(),
            plan,
            attempt: attempt.clone(),
            resources: proposal.resources.clone(),
            lasting_effect: proposal.lasting_effect.clone(),
        };
        self.journal.begin(&proposal.id, &intent).await?;
        watch(Event::Intent {
            attempt: attempt.clone(),
        });

        let sent_at = Instant::now();
        let answer = self
            .registry
            .send(action, parameters.clone(), &attempt)
            .await;
        tracing::debug!(action, accepted = answer.is_ok(), "sent");
        let answer = read(answer);
        // Whatever happens to this record, the intent is there and the outcome will be.
        let noted = self
            .journal
            .append(&proposal.id, FileRecord::Answer(answer.clone()))
            .await;
        if let Err(error) = noted {
            tracing::warn!(
                error = action_core::report(&error),
                "answer not written down"
            );
        }
        let mut following = Following {
            guard: self,
            id: &proposal.id,
            intent: &intent,
            accepted: None,
            elapsed_before_ms: 0,
            since: sent_at,
        };
        let outcome = match answer {
            Answer::Accepted { accepted } => {
                watch(Event::Accepted(accepted.clone()));
                following.accepted = Some(accepted);
                following.finish(watch).await
            }
            Answer::Unclear { error, .. } => {
                watch(Event::Unanswered { error });
                following.finish(watch).await
            }
            Answer::Refused {
                code,
                error,
                retryable,
            } => Outcome::not_applied(code, error, retryable, Vec::new()),
        };
        let accepted = following.accepted;
        self.conclude(&proposal.id, &intent, accepted, outcome, watch)
            .await
    }

    /// Writes the outcome down and reports.
    pub(crate) async fn conclude(
        &self,
        id: &str,
        intent: &FileIntent,
        accepted: Option<action_core::Accepted>,
        outcome: Outcome,
        watch: Watch<'_>,
    ) -> Result<Report, GuardError> {
        watch(Event::Outcome(outcome.clone()));
        let Request {
            action, parameters, ..
        } = &intent.request;
        let before = &intent.plan.before;
        let undo = self
            .registry
            .undo(action, parameters.clone(), before, Some(&outcome));
        let report = Report {
            id: id.to_owned(),
            action: action.clone(),
            parameters: parameters.clone(),
            attempt: intent.attempt.clone(),
            accepted,
            undo: undo.unwrap_or_else(|error| Undo::none(error.report())),
            outcome,
        };
        let record = FileRecord::Outcome(report.outcome.clone());
        match self.journal.append(id, record).await {
            Ok(()) => Ok(report),
            Err(source) => Err(GuardError::Unrecorded {
                report: Box::new(report),
                source,
            }),
        }
    }
}

/// What an answer says about the mutation.
fn read(answer: Result<action_core::Accepted, ActionError>) -> Answer {
    let error = match answer {
        Ok(accepted) => return Answer::Accepted { accepted },
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

pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
