//! What is answered where something is done, for the OpenAPI document: tests hold every answer that they see to
//! it. What a system or the policy says within it is an object here.

// length: a table, one type for each answer.

#![expect(
    dead_code,
    reason = "they are schemas: what is answered is made where it is answered"
)]

use std::collections::BTreeMap;

use action_core::{Outcome, Workflow};
use schemars::JsonSchema;
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// A time in UTC, as RFC 3339 has it.
#[derive(JsonSchema)]
#[schemars(extend("format" = "date-time"))]
pub(crate) struct Time(String);

/// Somebody: a name where it is claimed, else with how it was proven.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Actor {
    Claimed(String),
    Proven { actor: String, proven_by: ProvenBy },
}

/// How it was proven who somebody is: with which token, certificate or issuer, and who answers for them.
#[derive(JsonSchema)]
struct ProvenBy {
    kind: Kind,
    owner: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Kind {
    Claimed,
    Token,
    Mtls,
    Oidc,
    Link,
    Signature,
    Gate,
}

/// A system, and what it is called.
#[derive(JsonSchema)]
struct Target {
    subject: String,
    cluster: Option<String>,
    system: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Mode {
    Observe,
    Execute,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Phase {
    NeedsApproval,
    Approved,
    Executing,
    Unknown,
    Applied,
    NotApplied,
    Denied,
    Rejected,
    Cancelled,
    Expired,
}

#[derive(JsonSchema)]
pub(crate) struct Me {
    actor: String,
    proven_by: ProvenBy,
    clusters: Vec<Target>,
}

#[derive(JsonSchema)]
struct Request {
    action: String,
    parameters: Object,
    actor: String,
    proven_by: Option<ProvenBy>,
    carried_out_by: Option<Vec<Actor>>,
    carried_on_by: Option<Actor>,
    reason: Option<String>,
    correlation_id: Option<String>,
    idempotency_key: Option<String>,
    lease_ms: Option<u64>,
}

#[derive(JsonSchema)]
struct Proposal {
    id: String,
    request: Request,
    system: String,
    cluster: Option<String>,
    plan: Object,
    undo: Object,
    resources: Vec<String>,
    plan_hash: String,
    expires_at: Time,
}

#[derive(JsonSchema)]
pub(crate) struct Proposed {
    proposal: Proposal,
    seq: u64,
    proposed_at: Time,
    phase: Phase,
    ruling: Object,
    approvals: Option<Vec<Object>>,
    cancel: Option<Cancel>,
    intent: Option<Object>,
    answer: Option<Object>,
    outcome: Option<Outcome>,
    resolved_by: Option<Actor>,
    ended_at: Option<Time>,
}

/// Who does not want it, and why.
#[derive(JsonSchema)]
struct Cancel {
    by: Actor,
    reason: String,
    at: Time,
}

/// A proposal, how it stands for programs, and in words.
#[derive(JsonSchema)]
pub(crate) struct Stands {
    #[schemars(flatten)]
    proposed: Proposed,
    standing: Value,
    says: String,
}

#[derive(JsonSchema)]
pub(crate) struct Proposals {
    proposals: Vec<Proposed>,
    /// The `before` of the next page.
    next: Option<String>,
}

#[derive(JsonSchema)]
pub(crate) struct Planned {
    action: String,
    parameters: Object,
    system: String,
    plan: Object,
    undo: Object,
}

#[derive(JsonSchema)]
pub(crate) struct Drafted {
    proposal: Proposal,
    ruling: Object,
    may_be_sent: bool,
}

#[derive(JsonSchema)]
struct State {
    seq: u64,
    at: Option<Time>,
    mode: Mode,
    killed: Option<Object>,
    open: BTreeMap<String, Proposed>,
    ended: Vec<Proposed>,
    effects: BTreeMap<String, Object>,
    pauses: Option<BTreeMap<String, Pause>>,
}

#[derive(JsonSchema)]
pub(crate) struct Seen {
    state: State,
    /// Whether everything is stopped by other means than a record.
    kill_file: bool,
}

#[derive(JsonSchema)]
struct Record {
    kind: String,
}

#[derive(JsonSchema)]
struct Entry {
    v: u32,
    seq: u64,
    at: Time,
    instance: String,
    prev: String,
    target: Option<Target>,
    record: Record,
    hash: String,
}

#[derive(JsonSchema)]
struct Head {
    seq: u64,
    hash: String,
}

#[derive(JsonSchema)]
pub(crate) struct Journal {
    entries: Vec<Entry>,
    /// The `after` of the next page.
    next: Option<u64>,
    /// For people who may see all.
    head: Option<Head>,
}

#[derive(JsonSchema)]
pub(crate) struct Modes {
    mode: Mode,
    killed: Option<Object>,
    /// Of each cluster to which nothing is sent although the mode is execute, why.
    unverified: Option<BTreeMap<String, String>>,
}

#[derive(JsonSchema)]
pub(crate) struct ModeSet {
    mode: Mode,
}

#[derive(JsonSchema)]
pub(crate) struct Stopped {
    stopped: bool,
    unrecorded: Option<String>,
    cancelled: Vec<String>,
    in_motion: Vec<String>,
    may_have_been_sent: Vec<String>,
    still_sending: Vec<Object>,
    in_force: Vec<Object>,
}

#[derive(JsonSchema)]
pub(crate) struct Reset {
    reset: bool,
}

#[derive(JsonSchema)]
struct Pause {
    agent: Actor,
    by: Actor,
    reason: String,
    at: Time,
    until: Option<Time>,
    seq: u64,
    ended: Option<Value>,
}

#[derive(JsonSchema)]
pub(crate) struct Paused {
    pause: Option<Pause>,
    still_sending: Vec<Object>,
}

#[derive(JsonSchema)]
pub(crate) struct Resumed {
    pause: Option<Pause>,
}

#[derive(JsonSchema)]
pub(crate) struct Tokens {
    tokens: BTreeMap<String, Object>,
}

#[derive(JsonSchema)]
pub(crate) struct TokenMade {
    id: String,
    grant: Object,
    by: Actor,
}

#[derive(JsonSchema)]
pub(crate) struct TokenRevoked {
    id: String,
    revoked: bool,
}

#[derive(JsonSchema)]
struct Session {
    id: String,
    actor: String,
    proven_by: String,
    auth_time: Time,
    expires_at: Time,
}

#[derive(JsonSchema)]
pub(crate) struct Sessions {
    sessions: Vec<Session>,
}

#[derive(JsonSchema)]
pub(crate) struct SessionEnded {
    id: String,
    ended: bool,
    approved: Value,
}

#[derive(JsonSchema)]
struct Action {
    name: String,
    subject: String,
    description: String,
    parameters: Vec<Object>,
}

#[derive(JsonSchema)]
pub(crate) struct Actions {
    actions: Vec<Action>,
}

/// What an observation or this document says: each has members of its own.
#[derive(JsonSchema)]
pub(crate) struct Anything(Object);

#[derive(JsonSchema)]
pub(crate) struct Recovered {
    recovered: Vec<Report>,
    /// Whether the gate still looks.
    in_progress: bool,
}

#[derive(JsonSchema)]
struct Report {
    id: String,
    action: String,
    parameters: Object,
    outcome: Outcome,
    undo: Object,
}

#[derive(JsonSchema)]
pub(crate) struct Released {
    id: String,
    released: bool,
}

#[derive(JsonSchema)]
struct Flow {
    id: String,
    workflow: Workflow,
    systems: BTreeMap<String, String>,
    by: Actor,
    resumed_by: Option<Actor>,
    reason: Option<String>,
    started_at: Time,
    scheduled_at: Option<Time>,
    begin_by: Option<Time>,
    steps: Option<BTreeMap<String, Object>>,
    applied: Option<Vec<String>>,
    cancel: Option<Cancel>,
    compensation: Option<Cancel>,
    ended: Option<Object>,
}

#[derive(JsonSchema)]
struct NextSteps {
    ended: Option<String>,
    stopped: Option<Object>,
    ready: Vec<Object>,
    waiting: Vec<Object>,
}

#[derive(JsonSchema)]
pub(crate) struct Started {
    flow: Flow,
    next_steps: NextSteps,
    is_carried_on: bool,
    held_up: Option<String>,
}

#[derive(JsonSchema)]
pub(crate) struct Workflows {
    workflows: Vec<Started>,
}

#[derive(JsonSchema)]
pub(crate) struct Previewed {
    workflow: Workflow,
    steps: Vec<PlannedStep>,
}

#[derive(JsonSchema)]
struct PlannedStep {
    step: String,
    action: String,
    risk: Option<String>,
    proposal: Option<Proposal>,
    ruling: Option<Object>,
    unplanned: Option<String>,
}
