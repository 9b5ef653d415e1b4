//! Proposals: asked for, listed, carried out, called off and taken back.

use std::time::Duration;

use action_core::Undo;
use action_guard::{GuardError, Phase, Request, Standing};
use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Gated;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::api::{Answer, answered, seen, shown};
use crate::gate::{Cluster, Gate};
use crate::input::{Filter, Named, key, read};
use crate::problem::Problem;
use crate::who::Asker;

/// How many proposals a page has unless it is said, and at most.
const PAGE: usize = 50;
const LONGEST_PAGE: usize = 200;

/// Between two looks whether something has changed for who waits for it.
const LOOK: Duration = Duration::from_millis(200);

/// What a mutation is asked for with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) parameters: Map<String, Value>,
    reason: Option<String>,
    correlation_id: Option<String>,
    lease_seconds: Option<u32>,
    /// The id of a draft that was shown to who asks: the proposal has it, too, while this gate knows it.
    pub(crate) draft: Option<String>,
}

impl Wanted {
    /// The request of who asks, where they may ask for it.
    pub(crate) fn request(self, asker: &Asker, cluster: &Cluster) -> Result<Request, Problem> {
        asker.may_ask_for(cluster, &self.action)?;
        let parameters = Value::Object(self.parameters);
        let mut request = Request::new(&self.action, parameters, &asker.actor);
        (request.reason, request.correlation_id) = (self.reason, self.correlation_id);
        Ok(match self.lease_seconds {
            Some(seconds) => request.lease(Duration::from_secs(seconds.into())),
            None => request,
        })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    pub(crate) reason: String,
}

/// Why something is taken back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Undone {
    pub(crate) reason: String,
    /// As where something is proposed.
    pub(crate) draft: Option<String>,
}

/// Which proposals are listed, and how many.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    #[schemars(with = "Option<String>")]
    phase: Option<Phase>,
    /// Only those that have not ended.
    #[serde(default)]
    open: bool,
    requester: Option<String>,
    action: Option<String>,
    /// Only those before this one: the last of the page before.
    before: Option<String>,
    limit: Option<usize>,
}

/// How long an answer may wait.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    wait_seconds: Option<u16>,
}

impl Wait {
    pub(crate) fn within(&self, most: Duration) -> Option<Duration> {
        let asked = Duration::from_secs(self.wait_seconds?.into());
        Some(asked.min(most))
    }
}

/// Those that they may see, the latest first, a page at a time.
pub(crate) async fn list(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(name): Named<String>,
    Filter(wanted): Filter<Listed>,
) -> Answer {
    let cluster = asker.cluster(&gate, &name)?;
    let state = cluster.guard.state().await?;
    let now = Timestamp::now();
    let all = state.ended.iter().chain(state.open.values());
    let mut found: Vec<_> = all
        .filter(|status| {
            let (proposal, phase) = (&status.proposal, status.phase_at(now));
            let requester = &proposal.request.actor;
            let is = |wanted: &Option<String>, it: &str| {
                wanted.as_ref().is_none_or(|wanted| wanted == it)
            };
            proposal.target().is_same_system(&cluster.target)
                && asker.may_see(requester)
                && wanted.phase.is_none_or(|wanted| wanted == phase)
                && !(wanted.open && phase.is_end())
                && is(&wanted.requester, requester)
                && is(&wanted.action, &proposal.request.action)
                && wanted
                    .before
                    .as_ref()
                    .is_none_or(|before| proposal.id < *before)
        })
        .collect();
    found.sort_by(|one, other| other.proposal.id.cmp(&one.proposal.id));
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
    let is_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().map(|status| &status.proposal.id);
    let next = last.filter(|_| is_more);
    let shown: Vec<_> = found.iter().map(|status| shown(status)).collect();
    Ok(Json(json!({ "proposals": shown, "next": next })).into_response())
}

pub(crate) async fn propose(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(name): Named<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let cluster = asker.cluster(&gate, &name)?;
    let wanted: Wanted = read(&body)?;
    let draft = wanted.draft.clone();
    let mut request = wanted.request(&asker, cluster)?;
    request.idempotency_key = key(&headers)?;
    let draft = draft.and_then(|draft| gate.shown().take(&draft, &asker.actor));
    // Without a key, asking twice is asking for two.
    let asked = cluster
        .guard
        .propose_once_as(draft, request, Duration::ZERO);
    let asked = asked.await?;
    let id = asked.standing.proposal_id();
    let status = match asked.repeated {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    as_recorded(cluster, id, status).await
}

/// How it stands by the journal, which has no secrets.
async fn as_recorded(cluster: &Cluster, id: &str, status: StatusCode) -> Answer {
    let standing = cluster.guard.standing(id).await?;
    answered(&cluster.guard, id, &standing, status).await
}

/// One, at once; or when it stands otherwise than now, if who asks waits for that.
pub(crate) async fn get(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    Filter(wait): Filter<Wait>,
) -> Answer {
    let (cluster, status) = seen(&gate, &asker, &id).await?;
    if let Some(within) = wait.within(gate.options().answer_within) {
        let (until, was) = (Instant::now() + within, status.phase_at(Timestamp::now()));
        while !was.is_end() && Instant::now() < until {
            let status = cluster.guard.proposal_status(&id).await?;
            if status.phase_at(Timestamp::now()) != was {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    as_recorded(cluster, &id, StatusCode::OK).await
}

pub(crate) async fn execute(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    Filter(wait): Filter<Wait>,
) -> Answer {
    let (cluster, status) = seen(&gate, &asker, &id).await?;
    asker.may_ask_for(cluster, &status.proposal.request.action)?;
    if !gate.trusted().still_knows(&status.proposal.request) {
        let text = "the credentials with which it was requested are no longer valid";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_known", text));
    }
    let (guard, by) = (cluster.guard.clone(), asker.actor.clone());
    let proposal = status.proposal.clone();
    // Whoever asks and goes away: what is sent is followed.
    let doing = tokio::spawn(async move { guard.execute(&proposal, &by, &mut |_| {}).await });
    let most = gate.options().answer_within;
    match tokio::time::timeout(wait.within(most).unwrap_or(most), doing).await {
        Ok(Ok(standing)) => {
            let standing = standing?;
            let status = match standing {
                // Somebody else is at it.
                Standing::InProgress(_) => StatusCode::ACCEPTED,
                _ => StatusCode::OK,
            };
            answered(&cluster.guard, &id, &standing, status).await
        }
        Ok(Err(_)) => Err(GuardError::Abandoned.into()),
        Err(_) => as_recorded(cluster, &id, StatusCode::ACCEPTED).await,
    }
}

pub(crate) async fn cancel(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    let (cluster, _) = seen(&gate, &asker, &id).await?;
    let Reason { reason } = read(&body)?;
    let status = cluster.guard.cancel(&id, &asker.actor, &reason).await?;
    Ok(Json(shown(&status)).into_response())
}

/// A person refuses it for good.
pub(crate) async fn reject(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    let (cluster, _) = seen(&gate, &asker, &id).await?;
    asker.person("to reject a proposal")?;
    let Reason { reason } = read(&body)?;
    let controls = cluster.guard.controls();
    let status = controls.reject(&id, &asker.actor, &reason).await?;
    Ok(Json(shown(&status)).into_response())
}

/// Proposes what takes it back.
pub(crate) async fn undo(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    body: Bytes,
) -> Answer {
    let (cluster, status) = seen(&gate, &asker, &id).await?;
    may_undo(&asker, cluster, &status.proposal.undo)?;
    let Undone { reason, draft } = read(&body)?;
    let draft = draft.and_then(|draft| gate.shown().take(&draft, &asker.actor));
    let guard = &cluster.guard;
    let standing = guard.propose_undo_as(draft, &id, &asker.actor, &reason);
    let standing = standing.await?;
    as_recorded(cluster, standing.proposal_id(), StatusCode::CREATED).await
}

/// Refuses what takes something back by an action that they may not ask for.
pub(crate) fn may_undo(asker: &Asker, cluster: &Cluster, undo: &Undo) -> Result<(), Problem> {
    match undo {
        Undo::Action { name, .. } => asker.may_ask_for(cluster, name),
        _ => Ok(()),
    }
}
