//! A system to operate: dials behind a server on the loopback, and the subject that turns them.
//!
//! What is asked for is answered first and happens a little later, as with a cluster that does its
//! work in the background. The server counts what it receives.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use action_core::{
    Accepted, ActionRegistry, ActionSet, Attempt, Attribution, Effect, Evidence, FailureKind,
    Mutation, NotPermitted, Outcome, Plan, Progress, Risk, SendPermit, Sent, Subject, SubjectError,
    Undo, Verdict,
};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

/// After the send, when it can still take effect: much more than the server ever waits.
pub(crate) const SETTLE_MS: u64 = 300;

/// The server. It ends with its process.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    looked_at: Arc<Condvar>,
}

#[derive(Default)]
struct Shared {
    dials: BTreeMap<String, Dial>,
    /// Every request that would change something, by whom, in the order they came.
    received: Vec<(String, String)>,
    /// The dials that somebody has looked at.
    read: BTreeSet<String>,
    /// What is to happen to the next ones.
    behaviour: Behaviour,
    /// Accepted, and not done yet; nobody can see these.
    waiting: Vec<Change>,
}

/// Who does not say who they are: it may be whoever was not answered.
pub(crate) const NAMELESS: &str = "nameless";

/// One dial, as anybody can read it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dial {
    pub(crate) value: u64,
    /// Who turned it last.
    pub(crate) by: String,
    pub(crate) held: bool,
    /// Something is accepted and not done yet, and can be seen to be.
    pub(crate) coming: bool,
}

/// What the server does with what it is asked to change.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Behaviour {
    /// Until it happens.
    pub(crate) delay: Duration,
    /// It does not happen before [`Server::finish`], and everybody can see that it is to come.
    pub(crate) held_back: bool,
    /// No answer is given.
    pub(crate) silent: bool,
    /// It is refused.
    pub(crate) refuses: bool,
    /// It is answered, and never done.
    pub(crate) forgets: bool,
}

struct Change {
    /// `None` for when it is told to.
    at: Option<Instant>,
    request: Value,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::default(),
            looked_at: Arc::default(),
        };
        let serving = server.clone();
        // One after the other, so that whoever asks later sees what was asked before.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serving.serve(&stream);
            }
        });
        server
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        self.shared().behaviour = behaviour;
    }

    pub(crate) fn dial(&self, name: &str) -> Dial {
        self.shared().dials.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn turn_by_hand(&self, name: &str, dial: Dial) {
        self.shared().dials.insert(name.to_owned(), dial);
    }

    /// Who asked for changes of this dial, once for each request.
    pub(crate) fn senders(&self, name: &str) -> Vec<String> {
        let shared = self.shared();
        let of_it = shared.received.iter().filter(|(dial, _)| dial == name);
        of_it.map(|(_, by)| by.clone()).collect()
    }

    /// Whether all that was accepted is done.
    pub(crate) fn is_idle(&self) -> bool {
        self.shared().waiting.is_empty()
    }

    /// Does what was held back.
    pub(crate) fn finish(&self) {
        let mut shared = self.shared();
        for change in std::mem::take(&mut shared.waiting) {
            shared.change(&change);
        }
    }

    /// Waits until somebody looks at a dial, but not for ever.
    pub(crate) fn wait_for_a_look_at(&self, name: &str) {
        let unseen = |shared: &mut Shared| !shared.read.contains(name);
        let longest = Duration::from_secs(300);
        let waited = self
            .looked_at
            .wait_timeout_while(self.shared(), longest, unseen);
        drop(waited.unwrap());
    }

    /// As it is now, with all done that was to be done by now.
    fn shared(&self) -> MutexGuard<'_, Shared> {
        let mut shared = self.shared.lock().unwrap();
        let now = Instant::now();
        let (due, waiting) = std::mem::take(&mut shared.waiting)
            .into_iter()
            .partition(|change| change.at.is_some_and(|at| at <= now));
        shared.waiting = waiting;
        for change in due {
            shared.change(&change);
        }
        shared
    }

    fn serve(&self, stream: &TcpStream) {
        let mut line = String::new();
        // A killed process may have come this far and no further.
        if BufReader::new(stream).read_line(&mut line).is_err() || !line.ends_with('\n') {
            return;
        }
        let request: Value = serde_json::from_str(&line).unwrap();
        let name = request["dial"].as_str().unwrap().to_owned();
        let mut shared = self.shared();
        let answer = if request["op"] == "read" {
            let mut dial = shared.dials.get(&name).cloned().unwrap_or_default();
            let of_it = |change: &Change| change.at.is_none() && change.request["dial"] == *name;
            dial.coming = shared.waiting.iter().any(of_it);
            shared.read.insert(name);
            self.looked_at.notify_all();
            json!(dial)
        } else {
            let behaviour = shared.behaviour;
            let by = request["by"].as_str().unwrap().to_owned();
            shared.received.push((name, by));
            if !behaviour.refuses && !behaviour.forgets {
                let at = (!behaviour.held_back).then(|| Instant::now() + behaviour.delay);
                shared.waiting.push(Change { at, request });
            }
            if behaviour.silent {
                return;
            }
            json!({"refused": behaviour.refuses})
        };
        drop(shared);
        // The one who asked may be dead.
        let mut stream = stream;
        let _ = stream.write_all(format!("{answer}\n").as_bytes());
    }
}

impl Shared {
    fn change(&mut self, Change { request, .. }: &Change) {
        let name = request["dial"].as_str().unwrap().to_owned();
        let dial = self.dials.entry(name).or_default();
        match request["op"].as_str().unwrap() {
            "turn" => dial.value = request["value"].as_u64().unwrap(),
            "hold" => dial.held = true,
            _ => dial.held = false,
        }
        dial.by = request["by"].as_str().unwrap().to_owned();
    }
}

/// The subject.
pub(crate) struct Dials {
    address: SocketAddr,
    sends: Sends,
}

/// How the subject sends.
#[derive(Clone, Default)]
pub(crate) struct Sends {
    /// Stays here before it looks at a dial.
    pub(crate) before_look: Option<Arc<Hold>>,
    /// Stays here between its look at a dial and what a probe makes of it.
    pub(crate) after_look: Option<Arc<Hold>>,
    /// Stays here between what a plan of a release reads and what it makes of it.
    pub(crate) after_plans_look: Option<Arc<Hold>>,
    /// Its plans of a release say that it would be refused.
    pub(crate) plans_say_no: bool,
    /// Stays here before it asks for its permit, as one does whose reads are slow.
    pub(crate) before_permit: Option<Arc<Hold>>,
    /// Stays here with its permit.
    pub(crate) with_permit: Option<Arc<Hold>>,
    /// The whole process is stopped by the system while it has its permit.
    pub(crate) stopped_with_permit: bool,
    /// Does not ask.
    pub(crate) without_permit: bool,
    /// Asks again when it has one.
    pub(crate) asks_twice: bool,
    /// Says of a permit that it did not get what it says of a lost answer.
    pub(crate) hides_refusals: bool,
}

/// A place where a send stays until a test lets it go on.
pub(crate) struct Hold {
    reached: Semaphore,
    go: Semaphore,
}

impl Hold {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            reached: Semaphore::new(0),
            go: Semaphore::new(0),
        })
    }

    async fn stay(&self) {
        self.reached.add_permits(1);
        self.go.acquire().await.unwrap().forget();
    }

    /// Waits until a send is here.
    pub(crate) async fn is_reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    /// How many are or were here that nobody has waited for.
    pub(crate) fn unseen(&self) -> usize {
        self.reached.available_permits()
    }

    pub(crate) fn let_go(&self) {
        self.go.add_permits(1);
    }
}

pub(crate) fn registry(address: SocketAddr) -> ActionRegistry {
    registry_that(address, Sends::default())
}

pub(crate) fn registry_that(address: SocketAddr, sends: Sends) -> ActionRegistry {
    let mut registry = ActionRegistry::new();
    registry.register(Dials { address, sends }).unwrap();
    registry
}

/// Sends a signal to a process.
pub(crate) fn signal(name: &str, process: u32) {
    let sent = std::process::Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the dials cannot be reached")]
    NotSent(#[source] std::io::Error),
    #[error("the dials did not answer")]
    Unanswered,
    #[error("the dials do not want to")]
    Refused,
    #[error(transparent)]
    NotPermitted(#[from] NotPermitted),
}

impl SubjectError for Trouble {
    fn kind(&self) -> FailureKind {
        match self {
            Self::NotSent(_) | Self::NotPermitted(_) => FailureKind::Unavailable,
            Self::Unanswered => FailureKind::Unknown,
            Self::Refused => FailureKind::Refused,
        }
    }

    fn code(&self) -> Option<String> {
        match self {
            Self::NotPermitted(refused) => Some(refused.code.clone()),
            _ => None,
        }
    }
}

impl Dials {
    async fn ask(&self, request: &Value) -> Result<Value, Trouble> {
        Self::tell(self.connected().await?, request, None).await
    }

    async fn connected(&self) -> Result<tokio::net::TcpStream, Trouble> {
        let stream = tokio::net::TcpStream::connect(self.address).await;
        stream.map_err(Trouble::NotSent)
    }

    async fn tell(
        mut stream: tokio::net::TcpStream,
        request: &Value,
        permit: Option<SendPermit>,
    ) -> Result<Value, Trouble> {
        let line = format!("{request}\n");
        let sent = stream.write_all(line.as_bytes()).await;
        drop(permit);
        sent.map_err(|_| Trouble::Unanswered)?;
        let mut answer = String::new();
        let read = tokio::io::BufReader::new(stream)
            .read_line(&mut answer)
            .await;
        read.map_err(|_| Trouble::Unanswered)?;
        serde_json::from_str(&answer).map_err(|_| Trouble::Unanswered)
    }

    async fn dial(&self, name: &str) -> Result<Dial, Trouble> {
        if let Some(hold) = &self.sends.before_look {
            hold.stay().await;
        }
        let answer = self.ask(&json!({"op": "read", "dial": name})).await?;
        serde_json::from_value(answer).map_err(|_| Trouble::Unanswered)
    }

    async fn change(&self, request: Value, attempt: &Attempt) -> Result<Accepted, Trouble> {
        let stream = self.connected().await?;
        let permit = self.permitted(attempt).await?;
        let answer = Self::tell(stream, &request, permit).await?;
        if answer["refused"] == true {
            return Err(Trouble::Refused);
        }
        Ok(Accepted::new("will do"))
    }

    /// The permit, which has not ended; none when this subject does not ask.
    async fn permitted(&self, attempt: &Attempt) -> Result<Option<SendPermit>, Trouble> {
        if let Some(hold) = &self.sends.before_permit {
            hold.stay().await;
        }
        if self.sends.without_permit {
            return Ok(None);
        }
        let permit = match attempt.permit().await {
            Err(_) if self.sends.hides_refusals => return Err(Trouble::Unanswered),
            permit => permit?,
        };
        if self.sends.asks_twice {
            assert!(attempt.permit().await.is_err());
        }
        if let Some(hold) = &self.sends.with_permit {
            hold.stay().await;
        }
        if self.sends.stopped_with_permit {
            signal("STOP", std::process::id());
            // It is stopped soon, and not necessarily at once.
            while permit.not_after().is_some_and(|at| Instant::now() <= at) {
                std::thread::yield_now();
            }
        }
        if permit.not_after().is_some_and(|at| Instant::now() > at) {
            return Err(NotPermitted::new("late", "its permit has ended").into());
        }
        Ok(Some(permit))
    }

    /// Whether the dial shows what was asked for, and by us.
    async fn progress(
        &self,
        name: &str,
        sent: &Sent,
        done: impl Fn(&Dial) -> bool,
    ) -> Result<Progress, Trouble> {
        let dial = self.dial(name).await?;
        if let Some(hold) = &self.sends.after_look {
            hold.stay().await;
        }
        let mut evidence = vec![Evidence::new("read", "by", dial.by.as_str())];
        let earlier = sent.earlier.iter().find(|read| read.fact == "by");
        evidence.extend(earlier.map(|by| Evidence::new("earlier", "first_by", by.value.clone())));
        let unanswered = sent.accepted.is_none();
        Ok(if dial.by == sent.attempt.id && done(&dial) {
            Progress::applied(Attribution::Ours, format!("{name} shows it"), evidence)
        } else if dial.by == NAMELESS && unanswered && done(&dial) {
            let text = format!("{name} shows it, and not whose doing it is");
            Progress::applied(Attribution::Undecided, text, evidence)
        } else if dial.coming || sent.elapsed_ms < SETTLE_MS {
            Progress::pending("not to be seen yet", evidence)
        } else {
            Progress::not_applied("no_trace", "it would show by now", true, evidence)
        })
    }
}

#[async_trait]
impl Subject for Dials {
    const NAME: &'static str = "dials";
    type Error = Trouble;

    fn actions() -> ActionSet<Self> {
        ActionSet::new()
            .mutation::<TurnDial>()
            .mutation::<HoldDial>()
            .mutation::<ReleaseDial>()
    }

    async fn identity(&self) -> Result<String, Trouble> {
        let whose = self.dial("identity").await?.by;
        Ok(if whose.is_empty() {
            "the dials".to_owned()
        } else {
            whose
        })
    }
}

/// Turns a dial. It shows a little later.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TurnDial {
    /// Which.
    dial: String,
    /// Where it points afterwards.
    value: u64,
}

#[async_trait]
impl Mutation<Dials> for TurnDial {
    const NAME: &'static str = "turn_dial";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = Dial;

    fn resources(&self) -> Vec<String> {
        vec![format!("dial/{}", self.dial)]
    }

    async fn plan(&self, dials: &Dials) -> Result<Plan<Dial>, Trouble> {
        let before = dials.dial(&self.dial).await?;
        let value = before.value;
        Ok(Plan::new(Verdict::WouldProceed, before)
            .same("value", value)
            .follow(1, SETTLE_MS, 60_000))
    }

    async fn send(
        &self,
        dials: &Dials,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Trouble> {
        let (dial, value, by) = (&self.dial, self.value, &attempt.id);
        let request = json!({"op": "turn", "dial": dial, "value": value, "by": by});
        dials.change(request, attempt).await
    }

    async fn probe(&self, dials: &Dials, _: &Dial, sent: &Sent) -> Result<Progress, Trouble> {
        let shows = |dial: &Dial| dial.value == self.value;
        dials.progress(&self.dial, sent, shows).await
    }

    fn undo(&self, before: &Dial, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        let dial = self.dial.clone();
        let value = before.value;
        Undo::with(&Self { dial, value }).expecting("value", self.value)
    }
}

/// Holds a dial, so that it stays where it is until it is released.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldDial {
    /// Which.
    dial: String,
    /// What the server wants to hear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("writeOnly" = true))]
    pin: Option<String>,
}

#[async_trait]
impl Mutation<Dials> for HoldDial {
    const NAME: &'static str = "hold_dial";
    const RISK: Risk = Risk::High;
    const EFFECT: Effect = Effect::Lasting;
    const REVERSIBLE: bool = true;
    const IDEMPOTENT: bool = true;
    type Before = Dial;

    fn resources(&self) -> Vec<String> {
        vec![format!("dial/{}", self.dial)]
    }

    fn lasting_effect(&self) -> Option<String> {
        Some(format!("hold/{}", self.dial))
    }

    async fn plan(&self, dials: &Dials) -> Result<Plan<Dial>, Trouble> {
        let before = dials.dial(&self.dial).await?;
        let held = before.held;
        Ok(Plan::new(Verdict::WouldProceed, before)
            .same("held", held)
            .follow(1, SETTLE_MS, 60_000))
    }

    async fn send(
        &self,
        dials: &Dials,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Trouble> {
        let request = json!({"op": "hold", "dial": &self.dial, "by": &attempt.id});
        dials.change(request, attempt).await
    }

    async fn probe(&self, dials: &Dials, _: &Dial, sent: &Sent) -> Result<Progress, Trouble> {
        dials.progress(&self.dial, sent, |dial| dial.held).await
    }

    fn undo(&self, _: &Dial, _: Option<&Accepted>, outcome: Option<&Outcome>) -> Undo {
        let dial = self.dial.clone();
        let undo = Undo::with(&ReleaseDial { dial });
        match outcome {
            Some(_) => undo.expecting("held", true),
            None => undo,
        }
    }
}

/// Releases a dial.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseDial {
    /// Which.
    dial: String,
}

#[async_trait]
impl Mutation<Dials> for ReleaseDial {
    const NAME: &'static str = "release_dial";
    const RISK: Risk = Risk::Low;
    const EFFECT: Effect = Effect::OneShot;
    const REVERSIBLE: bool = false;
    const IDEMPOTENT: bool = true;
    type Before = Dial;

    fn resources(&self) -> Vec<String> {
        vec![format!("dial/{}", self.dial)]
    }

    async fn plan(&self, dials: &Dials) -> Result<Plan<Dial>, Trouble> {
        let before = dials.dial(&self.dial).await?;
        if let Some(hold) = &dials.sends.after_plans_look {
            hold.stay().await;
        }
        let held = before.held;
        let verdict = if dials.sends.plans_say_no {
            let (code, text) = ("no".to_owned(), "the dials do not want to".to_owned());
            Verdict::WouldReject { code, text }
        } else if held || before.coming {
            Verdict::WouldProceed
        } else {
            Verdict::NoOp {
                already: "nobody holds it".to_owned(),
            }
        };
        Ok(Plan::new(verdict, before)
            .same("held", held)
            .follow(1, SETTLE_MS, 60_000))
    }

    async fn send(
        &self,
        dials: &Dials,
        _: &Self::Before,
        attempt: &Attempt,
    ) -> Result<Accepted, Trouble> {
        let request = json!({"op": "release", "dial": &self.dial, "by": &attempt.id});
        dials.change(request, attempt).await
    }

    async fn probe(&self, dials: &Dials, _: &Dial, sent: &Sent) -> Result<Progress, Trouble> {
        dials.progress(&self.dial, sent, |dial| !dial.held).await
    }

    fn undo(&self, _: &Dial, _: Option<&Accepted>, _: Option<&Outcome>) -> Undo {
        Undo::none("who wants it held can hold it")
    }
}
