//! Where one actor asks for work in several steps: workflows that are started, gone on with and looked at.

use std::sync::Arc;

use action_core::Workflow;
use action_guard::{Flow, FlowRun, GuardError, Hash, Refusal, StartOptions, State, Workflows};
use jiff::Timestamp;
use rmcp::RoleServer;
use rmcp::model::CallToolResult;
use rmcp::service::RequestContext;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::answer;
use crate::desk::{Desk, REPEATED_WITHIN};
use crate::errors;
use crate::flow_answer::FlowAnswer;
use crate::own_tools::{CancelWorkflowParameters, GetWorkflowParameters, StartWorkflowParameters};
use crate::progress::{Progress, of_flow};
use crate::runs::AtIt;

/// Before what was asked for and its key, in the journal.
const KEY: &str = "mcp:";

/// How many an agent has under way at most.
const MOST_OF_ONE: usize = 4;

/// Why a workflow is not started.
pub(crate) enum NotStarted {
    Refused(String),
    /// The key of the call stands for another call.
    KeyUsed,
    Failed(GuardError),
}

impl<E: Into<GuardError>> From<E> for NotStarted {
    fn from(failure: E) -> Self {
        Self::Failed(failure.into())
    }
}

impl Desk {
    /// `start_workflow`: starts one, or goes on with one that waited, and follows it for as long as a
    /// client waits.
    pub(crate) async fn start_workflow(
        &self,
        asked: StartWorkflowParameters,
        key: Option<&str>,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResult {
        let started = match &asked.workflow_id {
            Some(id) if asked.workflow.is_none() && asked.document.is_none() => {
                self.to_go_on(id).await
            }
            _ => self.started(&asked, key).await,
        };
        match started {
            Ok((flow, repeated)) => self.go_on_with(&flow.id, repeated, context).await,
            Err(NotStarted::Refused(why)) => errors::refused(&why),
            Err(NotStarted::KeyUsed) => errors::refused(
                "this `idempotencyKey` belongs to an earlier call with other arguments: use a new one",
            ),
            Err(NotStarted::Failed(failure)) => errors::failed(&failure),
        }
    }

    /// `get_workflow`: how one stands, once it has changed or the time is over.
    pub(crate) async fn get_workflow(
        &self,
        asked: GetWorkflowParameters,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResult {
        let look = || self.flow_answer(&asked.workflow_id, false);
        let may_change = FlowAnswer::may_change;
        match self
            .changed(look, may_change, asked.wait_seconds, context)
            .await
        {
            Ok(answer) => answer.into_result(self.most),
            Err(failure) => errors::failed(&failure),
        }
    }

    /// `cancel_workflow`: it ends at its next step. What it did stays.
    pub(crate) async fn cancel_workflow(&self, asked: CancelWorkflowParameters) -> CallToolResult {
        let (id, reason) = (&asked.workflow_id, &asked.reason);
        let workflows = Workflows::new(self.guard.clone());
        let cancelled = async {
            let run = self.my_flow(id).await?;
            if run.flow.ended.is_none() {
                workflows.cancel(id, &self.actor, reason).await?;
            }
            self.flow_answer(id, false).await
        };
        match cancelled.await {
            Ok(answer) => answer.into_result(self.most),
            Err(failure) => errors::failed(&failure),
        }
    }

    /// Whether room for others is left: there is a limit of all workflows under way.
    fn has_room(&self, state: &State) -> bool {
        let mine = |flow: &&Arc<Flow>| flow.ended.is_none() && self.actor.is_same(&flow.by);
        state.flows.values().filter(mine).count() < MOST_OF_ONE
    }

    /// One that was started before, if this server may go on with it.
    async fn to_go_on(&self, id: &str) -> Result<(Arc<Flow>, bool), NotStarted> {
        let run = self.my_flow(id).await?;
        self.covers_all(&run.flow.workflow).await?;
        Ok((run.flow, false))
    }

    async fn started(
        &self,
        asked: &StartWorkflowParameters,
        key: Option<&str>,
    ) -> Result<(Arc<Flow>, bool), NotStarted> {
        let workflows = Workflows::new(self.guard.clone());
        let request = match (&asked.workflow, &asked.document, &asked.workflow_id) {
            (Some(name), None, None) => json!({"workflow": name, "arguments": asked.arguments}),
            (None, Some(document), None) => json!({ "document": document }),
            _ => {
                let why = "give exactly one of `workflow`, `document` and `workflow_id`";
                return Err(NotStarted::Refused(why.to_owned()));
            }
        };
        // What is made may differ from call to call: what was asked for does not.
        let request = Hash::of(request.to_string().as_bytes()).to_string();
        let _asking = self.asking.lock(&self.actor).await;
        if let Some(earlier) = self.started_before(&request, key, None).await? {
            let run = self.my_flow(&earlier).await?;
            return Ok((run.flow, true));
        }
        let workflow = match (&asked.workflow, &asked.document) {
            (Some(name), _) => {
                let arguments = Value::Object(asked.arguments.clone());
                workflows.make(name, arguments).await?
            }
            (None, document) => {
                let document = Value::Object(document.clone().unwrap_or_default());
                let read = Workflow::read_for(&document, &self.guard.catalogue());
                read.map_err(GuardError::from)?
            }
        };
        let state = self.guard.state().await.map_err(GuardError::from)?;
        if !self.has_room(&state) {
            return Err(NotStarted::Refused(format!(
                "you have {MOST_OF_ONE} workflows in progress, which is the maximum: wait until one ends, or call `cancel_workflow`"
            )));
        }
        workflows
            .check_secrets(&workflow)
            .map_err(GuardError::from)?;
        self.covers_all(&workflow).await?;
        let correlation_id = match key {
            Some(key) => format!("{KEY}{request}:{key}"),
            None => format!("{KEY}{request}"),
        };
        let mut options = StartOptions::default();
        options.correlation_id = Some(correlation_id);
        options.reason.clone_from(&asked.reason);
        let flow = workflows.start(&workflow, &self.actor, options).await?;
        // Another server may have been asked the same at the same moment: the first counts.
        let earlier = self.started_before(&request, key, Some(&flow)).await;
        if matches!(earlier, Ok(None)) {
            return Ok((flow, false));
        }
        let why = "the same was requested through another server";
        workflows.cancel(&flow.id, &self.actor, why).await?;
        let earlier = earlier?.unwrap_or_else(|| flow.id.clone());
        Ok((self.my_flow(&earlier).await?.flow, true))
    }

    /// The workflow of an earlier call that this one repeats; earlier than `ours`, where that was
    /// started for it already.
    async fn started_before(
        &self,
        request: &str,
        key: Option<&str>,
        ours: Option<&Flow>,
    ) -> Result<Option<String>, NotStarted> {
        let state = self.guard.state().await.map_err(GuardError::from)?;
        let now = Timestamp::now();
        let mut mine = Vec::new();
        let order = |flow: &Flow| (flow.started_at, flow.id.clone());
        for flow in state.flows.values() {
            let is_earlier = ours.is_none_or(|ours| order(flow) < order(ours));
            if is_earlier && self.is_my_flow(flow).await {
                mine.push(flow);
            }
        }
        let asked = mine.into_iter().filter_map(|flow| {
            let given = flow.correlation_id.as_deref()?.strip_prefix(KEY)?;
            let (request, key) = match given.split_once(':') {
                Some((request, key)) => (request, Some(key)),
                None => (given, None),
            };
            Some((flow, request, key))
        });
        if key.is_some() {
            let mut keyed = asked.filter(|(_, _, theirs)| *theirs == key);
            return match keyed.next() {
                Some((flow, theirs, _)) if theirs == request => Ok(Some(flow.id.clone())),
                Some(_) => Err(NotStarted::KeyUsed),
                None => Ok(None),
            };
        }
        // What was not begun, and what was taken back, is asked for anew.
        let counts = |flow: &Flow| {
            let mut steps = flow.steps.values();
            let is_begun =
                flow.cancel.is_none() || steps.any(|step| step.forward.proposal.is_some());
            let age = now.duration_since(flow.started_at).unsigned_abs();
            age < REPEATED_WITHIN && is_begun && flow.compensation.is_none()
        };
        let same = asked.filter(|(flow, theirs, _)| *theirs == request && counts(flow));
        Ok(same.map(|(flow, ..)| flow.id.clone()).next_back())
    }

    /// Whether it is this actor's, on what this server serves.
    async fn is_my_flow(&self, flow: &Flow) -> bool {
        if !self.actor.is_same(&flow.by) {
            return false;
        }
        for (action, system) in &flow.systems {
            if !self.serves(action, system).await {
                return false;
            }
        }
        true
    }

    /// A workflow of this actor on what this server serves. That of another is as unknown as one that
    /// is none.
    async fn my_flow(&self, id: &str) -> Result<FlowRun, GuardError> {
        let state = self.guard.state().await?;
        let unknown = || GuardError::Refused(Refusal::UnknownFlow { id: id.to_owned() });
        let flow = Arc::clone(state.flows.get(id).ok_or_else(unknown)?);
        if !self.is_my_flow(&flow).await {
            return Err(unknown());
        }
        let next = action_guard::next_steps(&flow, &state, Timestamp::now());
        Ok(FlowRun::new(flow, next))
    }

    /// Goes on with a workflow as far as it goes without people, and says how it stands then, or once a
    /// client has waited long enough.
    async fn go_on_with(
        &self,
        id: &str,
        repeated: bool,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResult {
        let at_it = AtIt {
            workflows: Workflows::new(self.guard.clone()),
            by: self.actor.clone(),
            gone: self.client_gone.clone(),
            token: self.at_work.token(),
        };
        let (run, mut events) = self.runs.begin(id, at_it);
        let mut progress = Progress::of(context);
        let patience = sleep(self.answer_within);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                biased;
                Some(event) = events.recv() => progress.tell(of_flow(&event)).await,
                () = run.over.cancelled() => break,
                () = &mut patience => break,
                () = context.ct.cancelled() => {
                    // A client that has only gone finds it as it was left.
                    if !context.peer.is_transport_closed() {
                        let workflows = Workflows::new(self.guard.clone());
                        let why = "the client cancelled the call";
                        drop(workflows.cancel(id, &self.actor, why).await);
                    }
                    break;
                }
            }
        }
        match (self.flow_answer(id, repeated).await, run.failure()) {
            (Ok(answer), None) => answer.into_result(self.most),
            (Ok(answer), Some(failure)) => answer.held_up(&failure).into_result(self.most),
            (Err(failure), _) => errors::failed(&failure),
        }
    }

    async fn flow_answer(&self, id: &str, repeated: bool) -> Result<FlowAnswer, GuardError> {
        let run = self.my_flow(id).await?;
        let is_at_it = self.runs.is_at(id);
        let mut answer = FlowAnswer::of(&run, is_at_it, self.confirm.as_deref());
        for waits in &mut answer.waits_for {
            if let Some(proposal) = &waits.proposal_id {
                let standing = self.guard.standing(proposal).await?;
                waits.approval = answer::approval(&standing, self.approve.as_deref());
            }
        }
        if repeated {
            answer.repeated = true;
            answer.summary = format!("already requested: {}", answer.summary);
        }
        Ok(answer)
    }
}
