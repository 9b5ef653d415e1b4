//! Where one actor asks for mutations: proposals that are found again, looked at, and cancelled.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use action_core::ActionError;
use action_guard::{
    Actor, Asked, Guard, GuardError, Proposal, ProposalStatus, Refusal, Request, Standing,
};
use jiff::Timestamp;
use rmcp::RoleServer;
use rmcp::model::CallToolResult;
use rmcp::service::RequestContext;
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::Answer;
use crate::errors;
use crate::listed::Listed;
use crate::offer::Ceiling;
use crate::own_tools::{
    CancelProposalParameters, GetProposalParameters, ListProposalsParameters, PlanParameters,
};
use crate::read_answers::{self, InShort, PlanAnswer, ProposalsAnswer};
use crate::runs::Runs;
use crate::served::Systems;

/// So long after a call, the same one is taken for a repetition of it.
pub(crate) const REPEATED_WITHIN: Duration = Duration::from_secs(60);

/// Between two looks whether something has changed, in this process or another.
const LOOK: Duration = Duration::from_millis(250);

/// One actor, at one guard.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) guard: Guard,
    pub(crate) actor: Actor,
    pub(crate) ceiling: Ceiling,
    pub(crate) answer_within: Duration,
    pub(crate) most: usize,
    pub(crate) approve: Option<String>,
    pub(crate) confirm: Option<String>,
    /// The systems that are served, as they were asked.
    pub(crate) systems: Systems,
    /// What was left out of the list of tools when it was last asked for.
    pub(crate) listed: Listed,
    /// The workflows that are gone on with.
    pub(crate) runs: Runs,
    pub(crate) asking: Asking,
    /// That nobody is there any more: what was not sent is not sent then.
    pub(crate) client_gone: CancellationToken,
    /// What is being sent, up to its answer, and what is being answered.
    pub(crate) at_work: TaskTracker,
}

/// Locks that are held while it is looked whether an actor has asked for the same workflow, and until it is
/// started. Two actors may have one lock, which only makes one of them wait.
#[derive(Clone, Default)]
pub(crate) struct Asking(Arc<[Mutex<()>; 32]>);

impl Asking {
    pub(crate) async fn lock(&self, actor: &Actor) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        actor.as_str().to_ascii_lowercase().hash(&mut hasher);
        let at = hasher.finish() % self.0.len() as u64;
        self.0[at as usize].lock().await
    }
}

impl Desk {
    /// The answer that says how a proposal stands.
    pub(crate) fn answer(&self, standing: &Standing) -> CallToolResult {
        self.said(standing, false)
    }

    pub(crate) fn said(&self, standing: &Standing, repeated: bool) -> CallToolResult {
        let mut answer = Answer::of(standing, self.approve.as_deref());
        if repeated {
            answer.repeated = true;
            answer.summary = format!("already requested: {}", answer.summary);
        }
        answer.into_result(self.most)
    }

    /// Proposes a mutation, unless this actor has just asked for the same.
    ///
    /// `key` is what a client gave its call, so that it may repeat it.
    pub(crate) async fn propose(
        &self,
        action: &str,
        arguments: Value,
        key: Option<&str>,
    ) -> Result<Asked, GuardError> {
        let mut request = Request::new(action, arguments, &self.actor);
        request.idempotency_key = key.map(str::to_owned);
        self.guard.propose_once(request, REPEATED_WITHIN).await
    }

    /// Which system an action is for, in its own words.
    pub(crate) async fn system_of(&self, action: &str) -> Result<String, ActionError> {
        self.systems.of(&self.guard.catalogue(), action).await
    }

    /// Whether this server serves a system, which an action was for. What cannot be asked now is not
    /// hidden from whose it is.
    pub(crate) async fn serves(&self, action: &str, system: &str) -> bool {
        self.guard.catalogue().definition(action).is_some()
            && (self.system_of(action).await).map_or(true, |found| found == system)
    }

    /// Those of this actor, on what this server serves.
    async fn of_mine<'s>(
        &self,
        all: impl Iterator<Item = &'s Arc<ProposalStatus>>,
    ) -> Vec<&'s Arc<ProposalStatus>> {
        let mut mine = Vec::new();
        for status in all {
            if self.is_mine(status).await {
                mine.push(status);
            }
        }
        mine
    }

    async fn is_mine(&self, status: &ProposalStatus) -> bool {
        let Proposal {
            request, system, ..
        } = &status.proposal;
        self.actor.as_str().eq_ignore_ascii_case(&request.actor)
            && self.serves(&request.action, system).await
    }

    /// How a proposal of this actor stands. That of another, or on what this server does not serve, is as
    /// unknown as one that is none.
    pub(crate) async fn mine(&self, id: &str) -> Result<Standing, GuardError> {
        let status = self.guard.proposal_status(id).await?;
        if !self.is_mine(&status).await {
            let id = id.to_owned();
            return Err(GuardError::Refused(Refusal::UnknownProposal { id }));
        }
        self.guard.standing(id).await
    }

    /// `plan`: what would become of a mutation. Nothing of it is recorded.
    pub(crate) async fn plan(&self, asked: PlanParameters) -> CallToolResult {
        let arguments = Value::Object(asked.arguments);
        let request = Request::new(asked.action, arguments, &self.actor);
        match self.guard.draft(request).await {
            Err(failure) => errors::failed(&failure),
            Ok(draft) => read_answers::into_result(&PlanAnswer::of(&draft), self.most),
        }
    }

    /// `list_proposals`: this actor's, the latest first.
    pub(crate) async fn list(&self, asked: ListProposalsParameters) -> CallToolResult {
        let state = match self.guard.state().await {
            Ok(state) => state,
            Err(failure) => return errors::failed(&failure.into()),
        };
        let now = Timestamp::now();
        let ended = state.ended.iter().filter(|_| asked.ended);
        let mut mine = self.of_mine(state.open.values().chain(ended)).await;
        if !asked.ended {
            mine.retain(|status| !status.phase_at(now).is_end());
        }
        mine.sort_by(|one, other| other.proposal.id.cmp(&one.proposal.id));
        if let Some(cursor) = &asked.cursor {
            mine.retain(|status| status.proposal.id < *cursor);
        }
        let limit = usize::from(asked.limit);
        let is_more = mine.len() > limit;
        mine.truncate(limit);
        let last = mine.last().filter(|_| is_more);
        let next_cursor = last.map(|status| status.proposal.id.clone());
        let proposals = mine.iter().map(|status| InShort::of(status, now));
        let listed = ProposalsAnswer {
            proposals: proposals.collect(),
            next_cursor,
        };
        read_answers::into_result(&listed, self.most)
    }

    /// `get_proposal`: how one stands, once it has changed or the time is over.
    pub(crate) async fn get(
        &self,
        asked: GetProposalParameters,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResult {
        let may_change =
            |standing: &Standing| matches!(standing, Standing::InProgress(_) | Standing::Waits(_));
        let look = || self.mine(&asked.proposal_id);
        match self
            .changed(look, may_change, asked.wait_seconds, context)
            .await
        {
            Ok(standing) => self.answer(&standing),
            Err(failure) => errors::failed(&failure),
        }
    }

    /// What is seen, once it has changed or cannot any more, the time is over or nobody waits.
    pub(crate) async fn changed<T: Clone + PartialEq, F: Future<Output = Result<T, GuardError>>>(
        &self,
        look: impl Fn() -> F,
        may_change: impl Fn(&T) -> bool,
        wait_seconds: u8,
        context: &RequestContext<RoleServer>,
    ) -> Result<T, GuardError> {
        let wait = Duration::from_secs(wait_seconds.into()).min(self.answer_within);
        let until = Instant::now() + wait;
        let first = look().await?;
        let mut seen = first.clone();
        while may_change(&seen) && seen == first && Instant::now() < until {
            tokio::select! {
                () = sleep_until(until.min(Instant::now() + LOOK)) => {}
                () = context.ct.cancelled() => break,
                () = self.client_gone.cancelled() => break,
            }
            seen = look().await?;
        }
        Ok(seen)
    }

    /// `cancel_proposal`: one of which nothing was sent.
    pub(crate) async fn cancel(&self, asked: CancelProposalParameters) -> CallToolResult {
        match self.cancelled(&asked.proposal_id, &asked.reason).await {
            Ok(standing) => self.answer(&standing),
            Err(failure) => errors::failed(&failure),
        }
    }

    /// How a proposal of this actor stands after it was cancelled, if nothing of it was sent.
    pub(crate) async fn cancelled(&self, id: &str, reason: &str) -> Result<Standing, GuardError> {
        let standing = self.mine(id).await?;
        if !matches!(standing, Standing::Allowed(_) | Standing::Waits(_)) {
            return Ok(standing);
        }
        self.guard.cancel(id, &self.actor, reason).await?;
        self.guard.standing(id).await
    }
}
