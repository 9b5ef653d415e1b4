//! What the official conformance suite of the protocol asks: a server over HTTP, on loopback, with a toy
//! that has no system. Nobody proves who they are here; everybody is `agent:conformance`.
//!
//! Prints its address, and serves until it is killed. `.ci/play-clients` runs the suite against it.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use action_core::{
    Accepted, ActionRegistry, ActionSet, Attempt, Attribution, Cost, Effect, FailureKind, Mutation,
    Observation, Outcome, Plan, Progress, Risk, Sent, Subject, SubjectError, Undo, Verdict,
};
use action_guard::{Actor, Decider, Guard, MemoryJournal, Mode, Policy};
use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use operator_mcp::{Caller, Ceiling, HttpOptions, Server};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

const POLICY: &str = r#"
version = 1

[[rule]]
name = "it is a toy"
action = "*"
decision = "allow"
"#;

/// How often it was looked since it was wound up, and when each of its jobs is done.
#[derive(Debug, Clone, Default)]
struct Toy(Arc<AtomicU32>, Arc<Mutex<HashMap<String, Instant>>>);

impl Toy {
    fn jobs<T>(&self, look: impl FnOnce(&mut HashMap<String, Instant>) -> T) -> T {
        look(&mut self.1.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("This tool intentionally returns an error for testing")]
    OnPurpose,
    #[error("not permitted")]
    NotPermitted,
}

impl SubjectError for Broken {
    fn kind(&self) -> FailureKind {
        FailureKind::Refused
    }
}

#[async_trait]
impl Subject for Toy {
    const NAME: &'static str = "toy";
    type Error = Broken;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .observation::<SimpleText>()
            .observation::<NoLogs>()
            .observation::<NoQuestions>()
            .observation::<ErrorHandling>()
            .observation::<Greet>()
            .mutation::<WithProgress>()
            .mutation::<SlowCompute>()
            .mutation::<FailingJob>()
    }

    async fn identity(&self) -> Result<String, Broken> {
        Ok("toy 1".to_owned())
    }
}

/// What is read.
#[derive(Serialize, JsonSchema)]
struct Text {
    /// A text.
    text: &'static str,
}

/// Observations that read a text, under the names that the suite asks for.
macro_rules! reads {
    ($($observation:ident: $name:literal),*) => {$(
        /// Reads a text.
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        struct $observation {}

        #[async_trait]
        impl Observation<Toy> for $observation {
            const NAME: &'static str = $name;
            const COST: Cost = Cost::Point;
            type Output = Text;

            async fn observe(&self, _: &Toy) -> Result<Text, Broken> {
                let text = "This is a simple text response for testing.";
                Ok(Text { text })
            }
        }
    )*};
}

reads!(
    SimpleText: "test_simple_text",
    // What must not come: a message of the log, and a request beside the answer.
    NoLogs: "test_logging_tool",
    NoQuestions: "test_streaming_elicitation"
);

/// Never can be read.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ErrorHandling {}

#[async_trait]
impl Observation<Toy> for ErrorHandling {
    const NAME: &'static str = "test_error_handling";
    const COST: Cost = Cost::Point;
    type Output = Text;

    async fn observe(&self, _: &Toy) -> Result<Text, Broken> {
        Err(Broken::OnPurpose)
    }
}

/// Winds the toy up, which runs down after it was looked at a few times.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WithProgress {}

#[async_trait]
impl Mutation<Toy> for WithProgress {
    const NAME: &'static str = "test_tool_with_progress";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = ();

    fn resources(&self) -> Vec<String> {
        vec!["spring".to_owned()]
    }

    async fn plan(&self, _: &Toy) -> Result<Plan<()>, Broken> {
        Ok(Plan::new(Verdict::WouldProceed, ()))
    }

    async fn send(&self, toy: &Toy, (): &(), attempt: &Attempt) -> Result<Accepted, Broken> {
        let _permit = attempt.permit().await.map_err(|_| Broken::NotPermitted)?;
        toy.0.store(0, Ordering::Relaxed);
        Ok(Accepted::new("wound up"))
    }

    async fn probe(&self, toy: &Toy, (): &(), _: &Sent) -> Result<Progress, Broken> {
        Ok(match toy.0.fetch_add(1, Ordering::Relaxed) {
            looked @ 0..4 => Progress::pending(format!("it runs, seen {looked} times"), vec![]),
            _ => Progress::applied(Attribution::Ours, "it has run down", vec![]),
        })
    }

    fn undo(&self, (): &(), _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("what has run down has run down")
    }
}

/// Greets.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greet {
    /// Whom.
    name: String,
}

/// What is said.
#[derive(Serialize, JsonSchema)]
struct Greeting {
    /// It.
    text: String,
}

#[async_trait]
impl Observation<Toy> for Greet {
    const NAME: &'static str = "greet";
    const COST: Cost = Cost::Point;
    type Output = Greeting;

    async fn observe(&self, _: &Toy) -> Result<Greeting, Broken> {
        let text = format!("Hello, {}!", self.name);
        Ok(Greeting { text })
    }
}

/// Has the toy do something that takes as long as is said.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SlowCompute {
    /// How long, in seconds.
    #[schemars(range(min = 0, max = 600))]
    seconds: u16,
    /// What it is called.
    #[serde(default)]
    label: String,
}

#[async_trait]
impl Mutation<Toy> for SlowCompute {
    const NAME: &'static str = "slow_compute";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = ();

    fn resources(&self) -> Vec<String> {
        vec![format!("job/{}", self.label)]
    }

    async fn plan(&self, _: &Toy) -> Result<Plan<()>, Broken> {
        Ok(Plan::new(Verdict::WouldProceed, ()))
    }

    async fn send(&self, toy: &Toy, (): &(), attempt: &Attempt) -> Result<Accepted, Broken> {
        let _permit = attempt.permit().await.map_err(|_| Broken::NotPermitted)?;
        let done = Instant::now() + Duration::from_secs(self.seconds.into());
        toy.jobs(|jobs| jobs.insert(self.label.clone(), done));
        Ok(Accepted::new("begun"))
    }

    async fn probe(&self, toy: &Toy, (): &(), _: &Sent) -> Result<Progress, Broken> {
        let done = toy.jobs(|jobs| jobs.get(&self.label).copied());
        Ok(match done {
            Some(done) if Instant::now() >= done => {
                Progress::applied(Attribution::Ours, "it is computed", vec![])
            }
            _ => Progress::pending("it computes", vec![]),
        })
    }

    fn undo(&self, (): &(), _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("what is computed is computed")
    }
}

/// Has the toy do what it never does.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FailingJob {}

#[async_trait]
impl Mutation<Toy> for FailingJob {
    const NAME: &'static str = "failing_job";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = ();

    fn resources(&self) -> Vec<String> {
        vec!["job".to_owned()]
    }

    async fn plan(&self, _: &Toy) -> Result<Plan<()>, Broken> {
        Ok(Plan::new(Verdict::WouldProceed, ()))
    }

    async fn send(&self, toy: &Toy, (): &(), attempt: &Attempt) -> Result<Accepted, Broken> {
        let _permit = attempt.permit().await.map_err(|_| Broken::NotPermitted)?;
        let done = Instant::now() + Duration::from_millis(1_500);
        toy.jobs(|jobs| jobs.insert("failing".to_owned(), done));
        Ok(Accepted::new("begun"))
    }

    async fn probe(&self, toy: &Toy, (): &(), _: &Sent) -> Result<Progress, Broken> {
        let done = toy.jobs(|jobs| jobs.get("failing").copied());
        Ok(match done {
            Some(done) if Instant::now() >= done => {
                Progress::not_applied("spring_broken", "the spring has broken", false, vec![])
            }
            _ => Progress::pending("it tries", vec![]),
        })
    }

    fn undo(&self, (): &(), _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("nothing was done")
    }
}

async fn everybody(mut request: Request, next: Next) -> axum::response::Response {
    if let Ok(actor) = "agent:conformance".parse() {
        let caller = Caller::new(actor, Ceiling::UpTo(Risk::Low));
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut registry = ActionRegistry::new();
    registry.register(Toy::default())?;
    let policy: Policy = POLICY.parse()?;
    let guard = Guard::new(registry, MemoryJournal::new())
        .rules(Arc::new(policy))
        .settle_for(Duration::ZERO);
    let owner: Actor = "user:owner".parse()?;
    let controls = guard.controls();
    let mode = controls.set_mode(Mode::Execute, Decider::claimed(&owner), "it is a toy");
    mode.await?;
    let server = Server::new(guard, "agent:nobody".parse()?, Ceiling::UpTo(Risk::Low))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let mut options = HttpOptions::default();
    // The suite asks as a page of the same place, too.
    options.allowed_origins.push(address.clone());
    let router = Router::new().route_service("/mcp", server.over_http(options));
    writeln!(std::io::stdout(), "{address}/mcp")?;
    axum::serve(listener, router.layer(from_fn(everybody))).await?;
    Ok(())
}
