//! Carries a mutation out within a call: sends once, follows, and answers before a client gives up.

use action_guard::{Event, GuardError, Proposal, Standing, Waits};
use rmcp::RoleServer;
use rmcp::model::{CallToolResponse, CreateTaskResult};
use rmcp::service::RequestContext;
use serde_json::Value;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::sleep;

use crate::desk::Desk;
use crate::errors;
use crate::own_tools::{ExecuteProposalParameters, UndoParameters};
use crate::progress::{Progress, of_mutation};
use crate::tasks::{TASK_AFTER, has_tasks};

impl Desk {
    /// A mutation's own tool: proposes it, and carries it out where the policy allows that.
    pub(crate) async fn mutate(
        &self,
        action: &str,
        arguments: Value,
        key: Option<&str>,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResponse {
        match self.propose(action, arguments, key).await {
            Err(failure) => errors::failed(&failure).into(),
            Ok(asked) => {
                if !asked.repeated {
                    self.show(&asked.standing, context).await;
                }
                self.go_on(asked.standing, asked.repeated, context).await
            }
        }
    }

    /// `execute_proposal`: one that people have approved.
    pub(crate) async fn execute(
        &self,
        asked: ExecuteProposalParameters,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResponse {
        let standing = match self.mine(&asked.proposal_id).await {
            Ok(standing) => standing,
            Err(failure) => return errors::failed(&failure).into(),
        };
        // Nobody is asked to approve what this server would not carry out then.
        if let Standing::Allowed(proposal) | Standing::Waits(Waits { proposal, .. }) = &standing
            && let Err(above) = self.is_covered(proposal)
        {
            return errors::refused(&above).into();
        }
        self.go_on(standing, false, context).await
    }

    /// `undo`: proposes what takes a proposal back, and carries that out where the policy allows it.
    pub(crate) async fn undo(
        &self,
        asked: UndoParameters,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResponse {
        let (id, actor) = (&asked.proposal_id, &self.actor);
        let reason = asked.reason.unwrap_or_else(|| format!("taking back {id}"));
        let proposed = async {
            self.mine(id).await?;
            let draft = self.guard.draft_undo(id, actor, &reason).await?;
            if let Err(above) = self.is_covered(draft.proposal()) {
                return Ok(Err(above));
            }
            self.guard.propose_draft(draft).await.map(Ok)
        };
        match proposed.await {
            Ok(Ok(standing)) => {
                self.show(&standing, context).await;
                self.go_on(standing, false, context).await
            }
            Ok(Err(above)) => errors::refused(&above).into(),
            Err(failure) => errors::failed(&failure).into(),
        }
    }

    /// Whether the ceiling of this server covers what a proposal does, and why not.
    fn is_covered(&self, proposal: &Proposal) -> Result<(), String> {
        let action = &proposal.request.action;
        let catalogue = self.guard.catalogue();
        let definition = catalogue.definition(action);
        match definition.is_some_and(|found| self.ceiling.covers(found)) {
            true => Ok(()),
            false => Err(format!(
                "the risk of `{action}` is higher than this server allows: leave it to a person"
            )),
        }
    }

    async fn go_on(
        &self,
        standing: Standing,
        repeated: bool,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResponse {
        let followed = match standing {
            Standing::Allowed(proposal) => self.follow(proposal, context).await,
            standing => Ok(standing),
        };
        match followed {
            Ok(Standing::InProgress(proposal)) if has_tasks(context) => {
                match self.task(&proposal.id).await {
                    Ok(task) => CreateTaskResult::new(task.task).into(),
                    Err(failure) => errors::failed(&failure).into(),
                }
            }
            Ok(standing) => self.said(&standing, repeated).into(),
            Err(failure) => errors::failed(&failure).into(),
        }
    }

    /// Sends, and follows for as long as a client waits. What was sent is followed to its end, whoever
    /// still listens.
    async fn follow(
        &self,
        proposal: Proposal,
        context: &RequestContext<RoleServer>,
    ) -> Result<Standing, GuardError> {
        let (id, waiting) = (proposal.id.clone(), proposal.clone());
        let desk = self.clone();
        let (seen, mut events) = unbounded_channel();
        let mut being_sent = Some(self.at_work.token());
        let mut work = tokio::spawn(async move {
            let mut watch = |event| {
                if comes_after_the_send(&event) {
                    being_sent = None;
                }
                drop(seen.send(event));
            };
            let done = desk.guard.execute(&proposal, &desk.actor, &mut watch);
            let done = done.await;
            if let Err(failure) = &done {
                desk.leave_nothing_open(&proposal.id, &failure.report())
                    .await;
            }
            done
        });
        let mut progress = Progress::of(context);
        let (mut is_begun, mut is_answered) = (false, false);
        let (patience, until_task) = (sleep(self.answer_within), sleep(TASK_AFTER));
        tokio::pin!(patience, until_task);
        let why = loop {
            tokio::select! {
                biased;
                Some(event) = events.recv() => {
                    is_begun |= matches!(event, Event::Intent { .. });
                    is_answered |= comes_after_the_send(&event);
                    progress.tell(of_mutation(&event)).await;
                }
                done = &mut work => return done.unwrap_or(Err(GuardError::Abandoned)),
                () = &mut patience => return Ok(Standing::InProgress(waiting)),
                () = &mut until_task, if is_begun && has_tasks(context) => {
                    return Ok(Standing::InProgress(waiting));
                }
                () = context.ct.cancelled() => break "the client cancelled the call",
                () = self.client_gone.cancelled(), if !is_begun => break "the client disconnected",
                () = self.client_gone.cancelled(), if is_answered => {
                    return Ok(Standing::InProgress(waiting));
                }
            }
        };
        // Before it is sent, this stops it; after that, the guard goes on following.
        work.abort();
        let _ = (&mut work).await;
        self.leave_nothing_open(&id, why).await;
        self.guard.standing(&id).await
    }

    /// Cancels a proposal that its call was to carry out at once, if nothing of it was sent.
    async fn leave_nothing_open(&self, id: &str, reason: &str) {
        if let Ok(Standing::Allowed(_)) = self.guard.standing(id).await {
            // Somebody may have been faster, and then it is as they left it.
            drop(self.guard.cancel(id, &self.actor, reason).await);
        }
    }
}

/// Whether it happens only when the request was answered, or its answer is given up.
fn comes_after_the_send(event: &Event) -> bool {
    !matches!(event, Event::Replanned(_) | Event::Intent { .. })
}
