//! The HTTP server in front of the cluster, one listener per member.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming as Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::api::answer::Answer;
use crate::api::{self, Incoming};
use crate::clock::Time;
use crate::cluster::Cluster;
use crate::control;
use crate::drip::Drip;
use crate::fault::{Effect, Faults};
use crate::gotext::http_date;
use crate::received::{Received, Write};
use crate::store_metrics;
use crate::wire::{Instead, Wire};

/// How often a real clock lets things happen when nobody asks.
const TICK: Duration = Duration::from_millis(50);

/// What the server's tasks and the test share.
#[derive(Debug)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) cluster: Cluster,
    pub(crate) faults: Faults,
    pub(crate) received: Received,
    /// With a real clock: an instant and the simulated time it stands for.
    pub(crate) real: Option<(Instant, Time)>,
    /// Whether the control path is served.
    pub(crate) control: bool,
}

impl State {
    /// Lets time pass, with everything that happens on the way. A real clock jumps.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let end = self.cluster.now + duration;
        self.cluster.advance_to(end);
        if let Some((_, time)) = &mut self.real {
            *time = *time + duration;
        }
    }
}

impl Shared {
    pub(crate) fn new(state: State) -> Arc<Self> {
        Arc::new(Self(Mutex::new(state)))
    }

    /// The state, brought up to the present if the clock is real.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((instant, time)) = state.real {
            let now = time + instant.elapsed();
            state.cluster.advance_to(now);
        }
        state
    }
}

/// Lets time pass for a cluster with a real clock.
pub(crate) async fn tick(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(TICK);
    loop {
        interval.tick().await;
        drop(shared.state());
    }
}

/// Serves one member until the task is aborted, its connections with it.
pub(crate) async fn listen(shared: Arc<Shared>, listener: TcpListener, member: usize) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(shared.clone(), stream, member));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream, member: usize) {
    let _ = stream.set_nodelay(true);
    let instead = Instead::default();
    let wire = Wire::new(stream, instead.clone());
    let service = service_fn(move |request| {
        let (shared, instead) = (shared.clone(), instead.clone());
        async move { respond(&shared, request, member, &instead).await }
    });
    // A connection that breaks is the client's business, or a fault the test asked for.
    let _ = http1::Builder::new().serve_connection(wire, service).await;
}

/// The connection is closed instead of answering.
#[derive(Debug)]
struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer is given")
    }
}

impl std::error::Error for NoAnswer {}

async fn respond(
    shared: &Shared,
    request: Request<Body>,
    member: usize,
    instead: &Instead,
) -> Result<Response<Drip>, NoAnswer> {
    let (head, body) = request.into_parts();
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let path = target.strip_prefix("/pd/api/v1").unwrap_or(target);
    let (effect, delay) = shared.state().faults.strike(head.method.as_str(), path);
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if matches!(effect, Effect::CloseBeforeReading) {
        return Err(NoAnswer);
    }
    let body = body.collect().await.map_err(|_| NoAnswer)?.to_bytes();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let mut state = shared.state();
    if path == control::PATH && state.control {
        let answer = control::handle(&mut state, head.method.as_str(), &body);
        return Ok(response(answer, &http_date(state.cluster.now), None));
    }
    if let Some(store_id) = store_metrics::asked_for(path) {
        let answer = store_metrics::answer(&state.cluster, store_id);
        return Ok(response(answer, &http_date(state.cluster.now), None));
    }
    state.received.record(Write {
        method: head.method.as_str().to_owned(),
        path: path.to_owned(),
        caller_id: header("x-caller-id").map(str::to_owned),
        body: String::from_utf8_lossy(&body).into_owned(),
        member,
    });
    let incoming = Incoming {
        method: head.method.as_str(),
        target,
        body: &body,
        member,
        follower_may_answer: header("pd-allow-follower-handle").is_some_and(|v| !v.is_empty()),
    };
    let (answer, pause) = struck(&mut state, &incoming, effect, instead)?;
    Ok(response(answer, &http_date(state.cluster.now), pause))
}

/// The answer, with what the fault does to it.
fn struck(
    state: &mut State,
    incoming: &Incoming<'_>,
    effect: Effect,
    instead: &Instead,
) -> Result<(Answer, Option<Duration>), NoAnswer> {
    let cluster = &mut state.cluster;
    Ok(match effect {
        Effect::CloseBeforeReading | Effect::DropBeforeApply => return Err(NoAnswer),
        Effect::ResetBeforeApply => {
            instead.reset();
            return Err(NoAnswer);
        }
        Effect::ResetAfterApply => {
            api::handle(cluster, incoming);
            instead.reset();
            return Err(NoAnswer);
        }
        Effect::ReplyLostAfterApply => {
            api::handle(cluster, incoming);
            return Err(NoAnswer);
        }
        Effect::Drip(between) => (api::handle(cluster, incoming), Some(between)),
        Effect::Garbage(bytes) => {
            instead.set(bytes);
            (Answer::empty(200), None)
        }
        Effect::AnswerInstead(given) => {
            let body = given.body.into_bytes();
            (
                Answer::of(given.status, Some(&given.content_type), body),
                None,
            )
        }
        Effect::TruncatedAfterApply => {
            let answer = api::handle(cluster, incoming);
            instead.set(truncated(&answer, &http_date(cluster.now)));
            (answer, None)
        }
        Effect::Nothing => (api::handle(cluster, incoming), None),
    })
}

fn response(answer: Answer, date: &str, pause: Option<Duration>) -> Response<Drip> {
    let body = Bytes::from(answer.body);
    let mut response = Response::new(match pause {
        Some(pause) => Drip::slow(body, pause),
        None => Drip::at_once(body),
    });
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(DATE, date);
    if let Some(content_type) = &answer.content_type {
        set(CONTENT_TYPE, content_type);
    }
    for (name, value) in &answer.headers {
        if let Ok(name) = http::HeaderName::from_bytes(name.as_bytes()) {
            set(name, value);
        }
    }
    response
}

/// An answer that announces its whole body and ends half way through it.
fn truncated(answer: &Answer, date: &str) -> Bytes {
    let mut bytes = format!(
        "HTTP/1.1 {} OK\r\n{CONTENT_TYPE}: {}\r\n{DATE}: {date}\r\n{CONTENT_LENGTH}: {}\r\n\r\n",
        answer.status,
        answer.content_type.as_deref().unwrap_or("text/plain"),
        answer.body.len().max(2),
    )
    .into_bytes();
    bytes.extend_from_slice(&answer.body[..answer.body.len() / 2]);
    bytes.into()
}
