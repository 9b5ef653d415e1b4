//! Workflows: previewed, started and looked at. The gate carries on what is started.

use std::sync::Arc;
use std::time::Duration;

use action_core::{Work, Workflow};
use action_guard::{Flow, GuardError, Hash, StartOptions, State, Workflows, next_steps};
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

use crate::api::Answer;
use crate::carry_on::{carry_on, is_on};
use crate::gate::{Cluster, Gate};
use crate::input::{Filter, Named, key, read};
use crate::problem::Problem;
use crate::proposals::Wait;
use crate::who::Asker;

/// How many an agent has under way at most: there is a limit of all of them.
const MOST_OF_AN_AGENT: usize = 4;

/// Before what was asked for and its key, in the journal.
const KEY: &str = "api:";

/// Between two looks whether something has changed for who waits for it.
const LOOK: Duration = Duration::from_millis(200);

/// A workflow that is not started, as a file has it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Described {
    document: Map<String, Value>,
}

/// The same, and when and why it is started.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Started {
    document: Map<String, Value>,
    reason: Option<String>,
    /// Its first step does not begin before this.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    scheduled_at: Option<Timestamp>,
    /// Its first step does not begin after this.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    begin_by: Option<Timestamp>,
}

/// What its mutations would do, and what the policy says of that.
pub(crate) async fn preview(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(name): Named<String>,
    body: Bytes,
) -> Answer {
    let cluster = asker.cluster(&gate, &name)?;
    let Described { document } = read(&body)?;
    let workflow = described(&asker, cluster, document)?;
    let workflows = Workflows::new(cluster.guard.clone());
    let steps = workflows.preview(&workflow, &asker.actor).await?;
    Ok(Json(json!({ "workflow": workflow, "steps": steps })).into_response())
}

/// Those that they may see, the oldest first.
pub(crate) async fn list(Gated(gate): Gated<Gate>, Extension(asker): Extension<Asker>) -> Answer {
    let state = gate.journal().state().await?;
    let flows = state.flows.values();
    let theirs = flows.filter(|flow| of(&gate, &asker, flow).is_some());
    let shown: Vec<_> = theirs.map(|flow| shown(&gate, flow, &state)).collect();
    Ok(Json(json!({ "workflows": shown })).into_response())
}

/// One, at once; or when it stands otherwise than now, if who asks waits for that.
pub(crate) async fn get(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(id): Named<String>,
    Filter(wait): Filter<Wait>,
) -> Answer {
    let until = wait.within(gate.options().answer_within);
    let until = until.map(|within| Instant::now() + within);
    let first = looked_at(&gate, &asker, &id).await?;
    let mut now = first.clone();
    while until.is_some_and(|until| Instant::now() < until) && may_change(&now) && now == first {
        tokio::time::sleep(LOOK).await;
        now = looked_at(&gate, &asker, &id).await?;
    }
    Ok(Json(now).into_response())
}

/// Starts one. From then on the gate carries it on, by the authority of who asks.
pub(crate) async fn start(
    Gated(gate): Gated<Gate>,
    Extension(asker): Extension<Asker>,
    Named(name): Named<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let cluster = asker.cluster(&gate, &name)?;
    let started: Started = read(&body)?;
    let workflow = described(&asker, cluster, started.document)?;
    let key = key(&headers)?.map(|key| (Hash::of(&body).to_string(), key));
    let state = gate.journal().state().await?;
    if let Some(earlier) = asked_before(&state, &asker, key.as_ref(), None)? {
        return Ok(answered(&gate, &earlier, &state, StatusCode::OK));
    }
    has_room(&state, &asker)?;
    let mut options = StartOptions::default();
    options.correlation_id = key
        .as_ref()
        .map(|(asked, key)| format!("{KEY}{asked}:{key}"));
    options.reason = started.reason;
    (options.scheduled_at, options.begin_by) = (started.scheduled_at, started.begin_by);
    let workflows = Workflows::new(cluster.guard.clone());
    let flow = workflows.start(&workflow, &asker.actor, options).await?;
    // The same may have been asked at the same moment, also at another gate: the first counts.
    let state = gate.journal().state().await?;
    if let Some(earlier) = asked_before(&state, &asker, key.as_ref(), Some(&flow))? {
        let why = "the same was requested before";
        workflows.cancel(&flow.id, &asker.actor, why).await?;
        return Ok(answered(&gate, &earlier, &state, StatusCode::OK));
    }
    let now = answered(&gate, &flow, &state, StatusCode::CREATED);
    carry_on(&gate, cluster, &flow.id);
    Ok(now)
}

/// A workflow that they may see, and where it is. Another one is as if there was none.
pub(crate) async fn seen<'g>(
    gate: &'g Gate,
    asker: &Asker,
    id: &str,
) -> Result<(&'g Cluster, Arc<Flow>), Problem> {
    let state = gate.journal().state().await?;
    let flow = state.flows.get(id).cloned();
    let flow = flow.ok_or_else(Problem::not_found)?;
    let cluster = of(gate, asker, &flow).ok_or_else(Problem::not_found)?;
    Ok((cluster, flow))
}

/// How one stands, as it is answered.
pub(crate) fn shown(gate: &Gate, flow: &Flow, state: &State) -> Value {
    let next = next_steps(flow, state, Timestamp::now());
    let held_up = gate.carried().held_up(&flow.id);
    json!({
        "flow": flow,
        "next_steps": next,
        "is_carried_on": gate.carried().is_at(&flow.id),
        "held_up": held_up.as_deref().map(action_core::printable),
    })
}

/// Refuses a workflow with a mutation of a higher risk than they, or the gate, may ask for. What takes a
/// step back is looked at when it is proposed.
pub(crate) fn may_ask_for_all(
    asker: &Asker,
    cluster: &Cluster,
    workflow: &Workflow,
) -> Result<(), Problem> {
    for step in &workflow.steps {
        if let Work::Action { name, .. } | Work::Observe { name, .. } = step.work() {
            asker.may_ask_for(cluster, name)?;
        }
    }
    Ok(())
}

/// A workflow of a request, once all that is wrong with it is said.
fn described(
    asker: &Asker,
    cluster: &Cluster,
    document: Map<String, Value>,
) -> Result<Workflow, Problem> {
    let catalogue = cluster.guard.catalogue();
    let workflow = Workflow::read_for(&Value::Object(document), &catalogue);
    let workflow = workflow.map_err(GuardError::from)?;
    may_ask_for_all(asker, cluster, &workflow)?;
    Ok(workflow)
}

/// The cluster of a workflow that they may see.
fn of<'g>(gate: &'g Gate, asker: &Asker, flow: &Flow) -> Option<&'g Cluster> {
    let is_theirs = asker.may_see(flow.by.as_str());
    let mut clusters = gate.clusters().values().filter(|_| is_theirs);
    clusters.find(|cluster| asker.reaches(&cluster.target) && is_on(cluster, flow))
}

async fn looked_at(gate: &Gate, asker: &Asker, id: &str) -> Result<Value, Problem> {
    let (_, flow) = seen(gate, asker, id).await?;
    let state = gate.journal().state().await?;
    Ok(shown(gate, &flow, &state))
}

/// Whether it may be otherwise in a while without anybody saying so.
fn may_change(shown: &Value) -> bool {
    let next = &shown["next_steps"];
    next.get("ended").is_none() && next.get("stopped").is_none()
}

fn answered(
    gate: &Gate,
    flow: &Flow,
    state: &State,
    status: StatusCode,
) -> axum::response::Response {
    (status, Json(shown(gate, flow, state))).into_response()
}

/// Refuses an agent that has as many under way as one may have.
fn has_room(state: &State, asker: &Asker) -> Result<(), Problem> {
    let flows = state.flows.values();
    let theirs = flows.filter(|flow| flow.ended.is_none() && asker.actor.is_same(&flow.by));
    match !asker.actor.is_user() && theirs.count() >= MOST_OF_AN_AGENT {
        true => {
            let text = format!(
                "you have {MOST_OF_AN_AGENT} workflows in progress, which is the maximum: cancel one first"
            );
            Err(Problem::new(StatusCode::CONFLICT, "too_many_open", text))
        }
        false => Ok(()),
    }
}

/// The workflow that they have started with this key before, or before this one.
fn asked_before(
    state: &State,
    asker: &Asker,
    key: Option<&(String, String)>,
    ours: Option<&Flow>,
) -> Result<Option<Arc<Flow>>, Problem> {
    let Some((asked, key)) = key else {
        return Ok(None);
    };
    let order = |flow: &Flow| (flow.started_at, flow.id.clone());
    let is_before = |flow: &Flow| ours.is_none_or(|ours| order(flow) < order(ours));
    let mut theirs = state.flows.values().filter_map(|flow| {
        let given = flow.correlation_id.as_deref()?.strip_prefix(KEY)?;
        let (before, theirs) = given.split_once(':')?;
        let is_it = theirs == key && asker.actor.is_same(&flow.by) && is_before(flow);
        is_it.then_some((flow, before))
    });
    match theirs.next() {
        None => Ok(None),
        Some((flow, before)) if before == asked => Ok(Some(Arc::clone(flow))),
        Some((flow, _)) => {
            let text = "this `Idempotency-Key` belongs to an earlier request with another body";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let problem = Problem::new(status, "key_used", text);
            Err(problem.with("workflow_id", json!(flow.id)))
        }
    }
}
