//! The server itself: what it says of itself, which tools there are, and what is called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use action_guard::{Actor, Guard};
use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServiceExt as _};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer;
use crate::desk::{Asking, Desk};
use crate::errors::{self, Wrong};
use crate::lines::Lines;
use crate::listed::Listed;
use crate::offer::{Called, Ceiling, OfferError, Offered, offered};
use crate::own_tools::OwnTool;
use crate::runs::Runs;
use crate::served::Systems;

/// How long after its client has gone a server waits for what it is sending.
const AT_THE_END: Duration = Duration::from_secs(20);

/// The member of a call's `_meta` by which a client repeats it: the same key is the same proposal.
const IDEMPOTENCY_KEY: &str = "idempotencyKey";

/// How long it may be, in bytes: it is kept in the journal.
const MOST_KEY: usize = 256;

/// How long a call's arguments may be as JSON, in bytes: those of a mutation are kept in the journal.
const MOST_ARGUMENTS: usize = 65_536;

/// Serves the actions of a guard to one actor. Cheap to clone; clones are the same server.
#[derive(Clone)]
pub struct Server {
    pub(crate) name: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) tools: Arc<BTreeMap<String, Offered>>,
    pub(crate) desk: Arc<Desk>,
}

/// Why a server could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The client did not begin as the protocol says, or was gone before it did.
    #[error("the client did not start with the handshake of the protocol")]
    Begin(#[source] Box<rmcp::service::ServerInitializeError>),
    /// The task that serves has died.
    #[error("the server stopped unexpectedly")]
    Died(#[from] tokio::task::JoinError),
}

impl Server {
    /// A server of these actions, for this actor, up to a ceiling.
    ///
    /// # Errors
    /// When an action has the name of one of the server's own tools.
    pub fn new(guard: Guard, actor: Actor, ceiling: Ceiling) -> Result<Self, OfferError> {
        let tools = offered(&guard.catalogue(), ceiling)?;
        Ok(Self {
            name: "operator".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            tools: Arc::new(tools),
            desk: Arc::new(Desk {
                guard,
                actor,
                ceiling,
                answer_within: Duration::from_secs(45),
                most: 50_000,
                approve: None,
                confirm: None,
                systems: Systems::default(),
                listed: Listed::default(),
                runs: Runs::default(),
                asking: Asking::default(),
                client_gone: CancellationToken::new(),
                at_work: TaskTracker::new(),
            }),
        })
    }

    /// The same server, which calls itself so.
    #[must_use]
    pub fn named(mut self, name: &str, version: &str) -> Self {
        (self.name, self.version) = (name.into(), version.into());
        self
    }

    /// The same server; a call that is still followed after so long answers that it is in progress.
    /// 45 seconds unless set.
    #[must_use]
    pub fn answer_within(self, patience: Duration) -> Self {
        self.with(|desk| desk.answer_within = patience)
    }

    /// The same server; no answer is longer than so many characters. 50,000 unless set.
    #[must_use]
    pub fn most_characters(self, most: usize) -> Self {
        self.with(|desk| desk.most = most)
    }

    /// The same server; what waits says that people approve it by this command, before its id.
    #[must_use]
    pub fn approved_by(self, command: impl Into<String>) -> Self {
        self.with(|desk| desk.approve = Some(command.into()))
    }

    /// The same server; a step of a workflow that waits for a person says that they confirm it by this
    /// command, before the workflow's id and the step.
    #[must_use]
    pub fn confirmed_by(self, command: impl Into<String>) -> Self {
        self.with(|desk| desk.confirm = Some(command.into()))
    }

    /// Whether it goes on with this workflow now, for whomever.
    #[cfg(feature = "http")]
    pub(crate) fn is_at(&self, workflow: &str) -> bool {
        self.desk.runs.is_at(workflow)
    }

    /// Nobody else has the desk while a server is built.
    fn with(mut self, change: impl FnOnce(&mut Desk)) -> Self {
        if let Some(desk) = Arc::get_mut(&mut self.desk) {
            change(desk);
        }
        self
    }

    /// Serves the client at stdin and stdout until it is gone. What was not sent by then is not sent;
    /// the answer to what is being sent is waited for; what is only followed is recovered by the next
    /// process.
    ///
    /// # Errors
    /// When the client does not begin as the protocol says.
    pub async fn serve_stdio(self) -> Result<(), ServeError> {
        let server = self.clone();
        let recovering = tokio::spawn({
            let guard = self.desk.guard.clone();
            async move { drop(guard.recover(&mut |_| {}).await) }
        });
        let running = self.serve(Lines::stdio()).await;
        let running = running.map_err(|error| ServeError::Begin(Box::new(error)))?;
        running.waiting().await?;
        recovering.abort();
        server.end().await;
        Ok(())
    }

    /// Sends nothing more, and waits for the answer to what is being sent, and until each call has
    /// answered. What is followed, and what takes longer than this, is found by the next process.
    pub(crate) async fn end(&self) {
        let desk = &self.desk;
        desk.client_gone.cancel();
        desk.at_work.close();
        let _ = tokio::time::timeout(AT_THE_END, desk.at_work.wait()).await;
    }

    /// The same server for another actor, under a ceiling that is no higher.
    #[cfg(feature = "http")]
    pub(crate) fn of(&self, actor: &Actor, ceiling: Ceiling) -> Self {
        let mut server = self.clone();
        let mut desk = Desk::clone(&self.desk);
        desk.ceiling = desk.ceiling.min(ceiling);
        desk.actor = actor.clone();
        server.desk = Arc::new(desk);
        server
    }

    /// Whether nothing is sent any more.
    #[cfg(feature = "http")]
    pub(crate) fn is_ending(&self) -> bool {
        self.desk.client_gone.is_cancelled()
    }

    /// One of the tools, unless this server's ceiling leaves it out.
    pub(crate) fn offered(&self, name: &str) -> Option<&Offered> {
        let found = self.tools.get(name)?;
        (found.needs <= self.desk.ceiling).then_some(found)
    }

    pub(crate) async fn called(
        &self,
        called: Called,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResponse {
        let arguments = Value::Object(request.arguments.clone().unwrap_or_default());
        let length = arguments.to_string().len();
        if length > MOST_ARGUMENTS {
            let why =
                format!("the arguments are too large: {length} bytes, at most {MOST_ARGUMENTS}");
            return errors::wrong_arguments(&request.name, &Wrong::Other(why)).into();
        }
        let desk = &self.desk;
        match called {
            Called::Observation => {
                let observed = desk.guard.catalogue();
                let result = tokio::select! {
                    observed = observed.observe(&request.name, arguments) => match observed {
                        Ok(found) => answer::structured(found, desk.most),
                        Err(failure) => errors::action_failed(&failure),
                    },
                    () = context.ct.cancelled() => errors::refused("the client cancelled the call"),
                    () = desk.client_gone.cancelled() => errors::refused("the server is shutting down"),
                };
                result.into()
            }
            Called::Mutation => match key(context) {
                Ok(key) => desk.mutate(&request.name, arguments, key, context).await,
                Err(wrong) => wrong.into(),
            },
            Called::Own(own) => self.own(own, arguments, context).await,
        }
    }

    async fn own(
        &self,
        own: OwnTool,
        arguments: Value,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResponse {
        let desk = &self.desk;
        let result = match own {
            OwnTool::Plan => match read(own, arguments) {
                Ok(asked) => desk.plan(asked).await,
                Err(wrong) => wrong,
            },
            OwnTool::ListProposals => match read(own, arguments) {
                Ok(asked) => desk.list(asked).await,
                Err(wrong) => wrong,
            },
            OwnTool::GetProposal => match read(own, arguments) {
                Ok(asked) => desk.get(asked, context).await,
                Err(wrong) => wrong,
            },
            OwnTool::ExecuteProposal => match read(own, arguments) {
                Ok(asked) => return desk.execute(asked, context).await,
                Err(wrong) => wrong,
            },
            OwnTool::CancelProposal => match read(own, arguments) {
                Ok(asked) => desk.cancel(asked).await,
                Err(wrong) => wrong,
            },
            OwnTool::Undo => match read(own, arguments) {
                Ok(asked) => return desk.undo(asked, context).await,
                Err(wrong) => wrong,
            },
            OwnTool::StartWorkflow => match (read(own, arguments), key(context)) {
                (Ok(asked), Ok(key)) => desk.start_workflow(asked, key, context).await,
                (Err(wrong), _) | (_, Err(wrong)) => wrong,
            },
            OwnTool::ExplainPolicy => match read(own, arguments) {
                Ok(asked) => desk.explain_policy(asked).await,
                Err(wrong) => wrong,
            },
            OwnTool::CancelWorkflow => match read(own, arguments) {
                Ok(asked) => desk.cancel_workflow(asked).await,
                Err(wrong) => wrong,
            },
            OwnTool::GetWorkflow => match read(own, arguments) {
                Ok(asked) => desk.get_workflow(asked, context).await,
                Err(wrong) => wrong,
            },
        };
        result.into()
    }
}

/// The key by which a client repeats a call, if it gave one.
fn key(context: &RequestContext<RoleServer>) -> Result<Option<&str>, CallToolResult> {
    match context.meta.0.0.get(IDEMPOTENCY_KEY) {
        None => Ok(None),
        Some(Value::String(key)) if (1..=MOST_KEY).contains(&key.len()) => Ok(Some(key)),
        Some(Value::String(_)) => Err(errors::refused(
            "invalid `idempotencyKey`: use 1 to 256 bytes",
        )),
        Some(_) => Err(errors::refused("invalid `idempotencyKey`: use a string")),
    }
}

/// What a tool of the server is given.
fn read<P: DeserializeOwned>(own: OwnTool, arguments: Value) -> Result<P, CallToolResult> {
    own.read(arguments)
        .map_err(|problems| errors::wrong_arguments(own.name(), &problems))
}
