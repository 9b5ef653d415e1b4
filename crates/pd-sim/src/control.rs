//! `/sim/control`: scripting the simulator from another process. Off unless the builder says so.
//!
//! A `POST` carries one JSON object with one command; what comes back is `{}`, or `400` with
//! `{"error": "…"}`. Durations are milliseconds.
//!
//! ```json
//! {"fault": {"effect": "lose_reply", "method": "POST", "path": "/operators", "times": 1}}
//! {"clear_faults": {}}
//! {"advance": {"ms": 5000}}
//! {"change_leader": {"election_ms": 13000, "outage": "redirect_failed"}}
//! {"store": {"id": 3, "stuck": true}}
//! ```
//!
//! A fault's `effect` is one of `delay`, `close`, `drop`, `lose_reply`, `reset_before`,
//! `reset_after`, `truncate`, `drip`, `garbage`, `too_many_requests`, `no_leader`,
//! `redirect_failed`, `panic` and `answer`. `path` is relative to `/pd/api/v1` and holds for
//! everything below it. Optional are `delay_ms`, `skip` (requests to let pass first), `times`
//! (1 by default, 0 for every request), and for `answer` the `status`, `content_type` and `body`.
//!
//! An `outage` is `redirect_failed` or `no_leader`. Of a store, `stuck`, `ignores_operators`,
//! `refuses_leaders` and `heartbeat_age_ms` can be set.
//!
//! A `GET` tells `now_ms` (Unix), the `leader`, how many requests were `received`, and the `writes`
//! among them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::answer::Answer;
use crate::cluster::members::Outage;
use crate::fault::Fault;
use crate::received::Write;
use crate::server::State;

/// Where it is.
pub(crate) const PATH: &str = "/sim/control";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Command {
    Fault(FaultInput),
    ClearFaults(Nothing),
    Advance(AdvanceInput),
    ChangeLeader(LeaderInput),
    Store(StoreInput),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceInput {
    ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeaderInput {
    #[serde(default)]
    election_ms: u64,
    outage: OutageInput,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutageInput {
    RedirectFailed,
    NoLeader,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreInput {
    id: u64,
    stuck: Option<bool>,
    ignores_operators: Option<bool>,
    refuses_leaders: Option<bool>,
    heartbeat_age_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultInput {
    effect: EffectInput,
    method: String,
    path: String,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    skip: usize,
    #[serde(default = "once")]
    times: usize,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default = "plain")]
    content_type: String,
    #[serde(default)]
    body: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EffectInput {
    Delay,
    Close,
    Drop,
    LoseReply,
    ResetBefore,
    ResetAfter,
    Truncate,
    Drip,
    Garbage,
    TooManyRequests,
    NoLeader,
    RedirectFailed,
    Panic,
    Answer,
}

fn once() -> usize {
    1
}

fn ok() -> u16 {
    200
}

fn plain() -> String {
    "text/plain".to_owned()
}

impl From<FaultInput> for Fault {
    fn from(input: FaultInput) -> Self {
        let (method, path) = (&*input.method, &*input.path);
        let delay = Duration::from_millis(input.delay_ms);
        let fault = match input.effect {
            EffectInput::Delay => Self::slow(method, path, delay),
            EffectInput::Close => Self::close_before_reading(method, path),
            EffectInput::Drop => Self::dropped_before_apply(method, path),
            EffectInput::LoseReply => Self::reply_lost_after_apply(method, path),
            EffectInput::ResetBefore => Self::reset_before_apply(method, path),
            EffectInput::ResetAfter => Self::reset_after_apply(method, path),
            EffectInput::Truncate => Self::truncated_after_apply(method, path),
            EffectInput::Drip => Self::slow_drip(method, path, delay),
            EffectInput::Garbage => Self::garbage(method, path),
            EffectInput::TooManyRequests => Self::too_many_requests(method, path),
            EffectInput::NoLeader => Self::no_leader(method, path),
            EffectInput::RedirectFailed => Self::redirect_failed(method, path),
            EffectInput::Panic => Self::panicked(method, path),
            EffectInput::Answer => {
                Self::answer(method, path, input.status, &input.content_type, &input.body)
            }
        };
        let fault = match input.effect {
            EffectInput::Delay | EffectInput::Drip => fault,
            _ => fault.delayed(delay),
        };
        let fault = fault.after(input.skip);
        match input.times {
            0 => fault.always(),
            times => fault.times(times),
        }
    }
}

/// Answers a request to the control path.
pub(crate) fn handle(state: &mut State, method: &str, body: &[u8]) -> Answer {
    match method {
        "GET" => Answer::ok(&Report::of(state)),
        "POST" => match serde_json::from_slice(body) {
            Ok(command) => match run(state, command) {
                Ok(()) => Answer::ok(&Done {}),
                Err(error) => Answer::json(400, &Refused { error }),
            },
            Err(error) => Answer::json(
                400,
                &Refused {
                    error: error.to_string(),
                },
            ),
        },
        _ => Answer::method_not_allowed(),
    }
}

#[derive(Serialize)]
struct Done {}

#[derive(Serialize)]
struct Refused {
    error: String,
}

#[derive(Serialize)]
struct Report<'a> {
    now_ms: i64,
    leader: Option<&'a str>,
    received: usize,
    writes: Vec<WriteBody<'a>>,
}

#[derive(Serialize)]
struct WriteBody<'a> {
    method: &'a str,
    path: &'a str,
    caller_id: Option<&'a str>,
    body: &'a str,
    member: usize,
}

impl<'a> From<&'a Write> for WriteBody<'a> {
    fn from(write: &'a Write) -> Self {
        Self {
            method: &write.method,
            path: &write.path,
            caller_id: write.caller_id.as_deref(),
            body: &write.body,
            member: write.member,
        }
    }
}

impl<'a> Report<'a> {
    fn of(state: &'a State) -> Self {
        Self {
            now_ms: state.cluster.now.unix_nanos() / 1_000_000,
            leader: state
                .cluster
                .members
                .leader()
                .map(|member| member.name.as_str()),
            received: state.received.total(),
            writes: state.received.writes.iter().map(WriteBody::from).collect(),
        }
    }
}

fn run(state: &mut State, command: Command) -> Result<(), String> {
    match command {
        Command::Fault(input) => state.faults.add(input.into()),
        Command::ClearFaults(Nothing {}) => state.faults.clear(),
        Command::Advance(AdvanceInput { ms }) => state.advance(Duration::from_millis(ms)),
        Command::ChangeLeader(input) => {
            let outage = match input.outage {
                OutageInput::RedirectFailed => Outage::RedirectFailed,
                OutageInput::NoLeader => Outage::NoLeader,
            };
            let election = Duration::from_millis(input.election_ms);
            state.cluster.change_leader(election, outage);
        }
        Command::Store(input) => {
            let cluster = &mut state.cluster;
            let now = cluster.now;
            let Some(store) = cluster.stores.get_mut(&input.id) else {
                return Err(format!("there is no store {}", input.id));
            };
            if let Some(stuck) = input.stuck {
                store.stuck = stuck;
            }
            if let Some(ignores) = input.ignores_operators {
                store.ignores_operators = ignores;
            }
            if let Some(refuses) = input.refuses_leaders {
                store.refuses_leaders = refuses;
            }
            if let Some(age) = input.heartbeat_age_ms {
                store.last_heartbeat = now - Duration::from_millis(age);
            }
            cluster.check_holders_of(input.id);
        }
    }
    Ok(())
}
