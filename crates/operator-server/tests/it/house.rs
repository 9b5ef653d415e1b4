//! A gate to a house of lamps, with who may come.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use action_core::Risk;
use action_guard::{
    Actor, Approval, Controls, Decider, Guard, Hash, Journal, MemoryJournal, Mode, PlanHash,
    Policy, PrivateKey, Proof, SignedRequest, Target, TokenGrant,
};
use jiff::{SignedDuration, Timestamp};
use operator_mcp::Ceiling;
use operator_server::{Gate, GateError, Options, Trust};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Answer, ask};
use crate::lamps::Lamps;

/// Made by OpenSSL for these tests.
pub(crate) const ANA: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIC0CAbHEJl/1FE1Lvm0yFQad8H/fFESaXyBiRESmmgCS
-----END PRIVATE KEY-----";
pub(crate) const BEN: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH
-----END PRIVATE KEY-----";
pub(crate) const MALLORY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI
-----END PRIVATE KEY-----";

pub(crate) const GATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ
-----END PRIVATE KEY-----";

pub(crate) fn key(pem: &str) -> PrivateKey {
    PrivateKey::parse_pem(pem).unwrap()
}

pub(crate) fn actor(name: &str) -> Actor {
    name.parse().unwrap()
}

/// Lamps 1 to 4 are switched as one likes; for the rest people agree.
fn policy() -> Arc<Policy> {
    let people = [("user:ana", ANA), ("user:ben", BEN)].map(|(name, pem)| {
        let key = key(pem).public();
        format!("[[person]]\nname = \"{name}\"\nkey = \"{key}\"\n")
    });
    let rules = "[[rule]]\nname = \"no word\"\nproven_by = \"claimed\"\ndecision = \"deny\"\n\
                 [[rule]]\nname = \"careful\"\nactor = \"agent:careful\"\ndecision = \"approve\"\n\
                 by = \"user:*\"\nttl = \"15m\"\n\
                 [[rule]]\nname = \"shown\"\nactor = [\"agent:shown\", \"user:*\"]\n\
                 action = \"re*\"\ndecision = \"approve\"\nby = \"user:*\"\nttl = \"15m\"\n\
                 approval_proven_by = [\"signature\", \"oidc\", \"link\"]\n\
                 [[rule]]\nname = \"shown lamps\"\nactor = \"agent:shown\"\ndecision = \"approve\"\n\
                 by = \"user:*\"\nttl = \"15m\"\n\
                 approval_proven_by = [\"signature\", \"oidc\", \"link\"]\n\
                 [[rule]]\nname = \"all\"\ndecision = \"allow\"\n";
    let gate = key(GATE).public();
    let gate = format!("[[gate]]\nname = \"house\"\nkey = \"{gate}\"\n");
    let text = format!("version = 1\n{}{gate}{rules}", people.concat());
    Arc::new(text.parse().unwrap())
}

/// An open gate.
pub(crate) struct House {
    pub(crate) gate: Gate,
    pub(crate) lamps: Lamps,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) at: SocketAddr,
    pub(crate) end: Option<oneshot::Sender<()>>,
    pub(crate) serving: JoinHandle<Result<(), GateError>>,
}

pub(crate) fn prod() -> Target {
    Target::new("lamps", "house 1").named("prod")
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::trusting(options, &Trust::default()).await
    }

    pub(crate) async fn trusting(options: Options, trust: &Trust) -> Self {
        Self::up_to(options, trust, Risk::Medium).await
    }

    async fn up_to(options: Options, trust: &Trust, most: Risk) -> Self {
        let (lamps, journal) = (Lamps::default(), Arc::new(MemoryJournal::new()));
        let journal: Arc<dyn Journal> = journal;
        let most = Ceiling::UpTo(most);
        let house = Self::opened_trusting(&lamps, &journal, options, trust, most).await;
        // The first record is that it is there.
        while house.journal.state().await.unwrap().gates.is_empty() {
            tokio::task::yield_now().await;
        }
        let ana = actor("user:ana");
        let (now, controls) = (Timestamp::now(), house.controls());
        let proof = Proof::of_mode(Mode::Execute, None, &ana, 0, now, &key(ANA));
        let set = controls.set_mode(Mode::Execute, Decider::with_proof(&ana, &proof), "a test");
        set.await.unwrap();
        house
    }

    /// A gate that browsers reach where it listens, which is known only then.
    pub(crate) async fn browsed(options: Options, mut trust: Trust) -> (Self, Trust) {
        let house = Self::up_to(options, &Trust::default(), Risk::High).await;
        trust.url = Some(format!("http://{}", house.at));
        house.gate.trust(&trust).unwrap();
        (house, trust)
    }

    /// Another gate on the same journal, which browsers reach where it listens.
    pub(crate) async fn beside(&self, mut trust: Trust) -> Self {
        let (options, most) = (Options::default(), Ceiling::UpTo(Risk::High));
        let none = Trust::default();
        let other = Self::opened_trusting(&self.lamps, &self.journal, options, &none, most).await;
        trust.url = Some(format!("http://{}", other.at));
        other.gate.trust(&trust).unwrap();
        other
    }

    pub(crate) async fn opened(
        lamps: &Lamps,
        journal: &Arc<dyn Journal>,
        options: Options,
    ) -> Self {
        let most = Ceiling::UpTo(Risk::Medium);
        Self::opened_trusting(lamps, journal, options, &Trust::default(), most).await
    }

    async fn opened_trusting(
        lamps: &Lamps,
        journal: &Arc<dyn Journal>,
        options: Options,
        trust: &Trust,
        most: Ceiling,
    ) -> Self {
        let guard = Guard::over(lamps.registry(), Arc::clone(journal)).rules(policy());
        let guard = guard.settle_for(Duration::ZERO);
        let gate = Gate::new(options);
        let gate = gate.cluster(prod(), guard, most).unwrap();
        let gate = gate.trusting(trust).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel();
        let serving = tokio::spawn(gate.clone().serve(listener, async {
            drop(ended.await);
        }));
        Self {
            gate,
            lamps: lamps.clone(),
            journal: Arc::clone(journal),
            at,
            end: Some(end),
            serving,
        }
    }

    /// The same journal, as another process has it that takes everybody's word.
    pub(crate) fn local(&self) -> Guard {
        let guard = Guard::over(self.lamps.registry(), Arc::clone(&self.journal));
        guard.settle_for(Duration::ZERO).clusters([prod()])
    }

    pub(crate) fn controls(&self) -> Controls {
        Controls::new(Arc::clone(&self.journal), policy())
    }

    /// A token of Ana's, by its id and its secret.
    pub(crate) async fn token(&self, name: &str) -> (String, String) {
        self.token_of(name, "prod", Risk::High).await
    }

    pub(crate) async fn token_of(&self, name: &str, on: &str, up_to: Risk) -> (String, String) {
        let later = Timestamp::now() + SignedDuration::from_hours(1);
        let grant = TokenGrant::new(actor(name), later, on, up_to);
        let controls = self.controls();
        let made = controls
            .make_token(grant, &actor("user:ana"), &key(ANA))
            .await;
        let (made, secret) = made.unwrap();
        (made.id, secret.reveal().to_owned())
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, secret: &str, body: &Value) -> Answer {
        let token = format!("Authorization: Bearer {secret}");
        ask(self.at, method, path, &[&token], &text(body)).await
    }

    /// Asks with a signature of this person over the request.
    pub(crate) async fn ask_as(
        &self,
        (by, pem): (&str, &str),
        method: &str,
        path: &str,
        body: &Value,
    ) -> Answer {
        let body = text(body);
        let line = self.signature((by, pem), method, path, &body, Timestamp::now());
        ask(self.at, method, path, &[&line], &body).await
    }

    /// The line in the head by which a person proves that a request is theirs.
    pub(crate) fn signature(
        &self,
        (by, pem): (&str, &str),
        method: &str,
        path: &str,
        body: &str,
        at: Timestamp,
    ) -> String {
        let host = self.at.to_string();
        let digest = Hash::of(body.as_bytes()).to_string();
        let request = SignedRequest::new(&host, method, path, &digest);
        let signature = request.signed(&actor(by), at, &key(pem));
        format!("Authorization: Signed {by} {at} {digest} {signature}")
    }

    pub(crate) async fn get(&self, path: &str, secret: &str) -> Answer {
        self.ask("GET", path, secret, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, secret: &str, body: Value) -> Answer {
        self.ask("POST", path, secret, &body).await
    }

    pub(crate) async fn propose(&self, secret: &str, lamp: u8) -> Answer {
        let parameters = json!({"lamp": lamp, "lit": true});
        let body = json!({"action": "switch_lamp", "parameters": parameters});
        self.post("/api/v1/clusters/prod/proposals", secret, body)
            .await
    }

    /// Agrees with a signature over the plan of a proposal.
    pub(crate) async fn approve(&self, by: &str, pem: &str, proposal: &Value) -> Answer {
        let plan = proposal["proposal"]["plan_hash"].clone();
        self.approve_plan(by, pem, id(proposal), plan).await
    }

    pub(crate) async fn approve_plan(&self, by: &str, pem: &str, id: &str, plan: Value) -> Answer {
        let hash: PlanHash = serde_json::from_value(plan).unwrap();
        let soon = Timestamp::now() + SignedDuration::from_mins(5);
        let approval = Approval::new(actor(by), hash, soon).signed(id, &key(pem));
        let body = json!(approval).to_string();
        let path = format!("/api/v1/proposals/{id}/approve");
        ask(self.at, "POST", &path, &[], &body).await
    }

    pub(crate) fn sent(&self) -> Vec<(u8, bool)> {
        self.lamps.house(|house| house.sent.clone())
    }

    pub(crate) async fn proposals(&self) -> usize {
        let state = self.journal.state().await.unwrap();
        state.open.values().count() + state.ended.len()
    }
}

/// What is sent of a body; of none, nothing.
fn text(body: &Value) -> String {
    match body {
        Value::Null => String::new(),
        body => body.to_string(),
    }
}

/// The id of a proposal, as it is shown.
pub(crate) fn id(shown: &Value) -> &str {
    shown["proposal"]["id"]
        .as_str()
        .unwrap_or_else(|| unreachable!("{shown}"))
}
