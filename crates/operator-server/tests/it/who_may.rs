//! The table of who can do what in docs/security.md: each cell of it is asked of a gate.

mod flows;

use std::future::pending;
use std::sync::Arc;

use action_core::Risk;
use action_guard::{
    Actor, AgentToken, Approval, Controls, Decider, Hash, Mode, NewSession, PlanHash, Proof,
    ProvenBy, Request, SignedRequest, TokenGrant, Unrestricted,
};
use jiff::{SignedDuration, Timestamp};
use operator_mcp::Ceiling;
use operator_server::{
    Algorithm, CertificateName, Client as Listed, Issuer, Kind, Known, Options, Subject, Trust,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::rustls::ALL_VERSIONS;

use crate::certificates::{Authority, Client, dns, named};
use crate::client::Answer;
use crate::house::{BEN, GATE, House, MALLORY, actor, id, key};
use crate::provider::{Pair, Provider, now};

const PAGE: &str = include_str!("../../../../docs/security.md");
const HEADING: &str = "## Who can do what at a gate\n";

const URL: &str = "https://localhost:7070";
const ISSUER: [&str; 2] = ["https://agents.example.com", "https://people.example.com"];

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Token,
    AgentsCertificate,
    AgentsJwt,
    Key,
    Certificate,
    OfOneCluster,
    OnlyLooks,
    Jwt,
    Nobody,
    /// A process on the gate's host that can write its journal, has no key of anybody, and chooses its own
    /// policy.
    Shell,
    /// Who reaches the listener of the figures.
    Metrics,
}

const WHO: [(Who, &str); 11] = [
    (Who::Token, "agent, token"),
    (Who::AgentsCertificate, "agent, certificate"),
    (Who::AgentsJwt, "agent, JWT"),
    (Who::Key, "person, key"),
    (Who::Certificate, "person, certificate"),
    (Who::OfOneCluster, "the same, of one cluster"),
    (Who::OnlyLooks, "the same, `up_to = \"none\"`"),
    (Who::Jwt, "person, JWT"),
    (Who::Nobody, "nobody"),
    (Who::Shell, "shell on the host"),
    (Who::Metrics, "reads figures"),
];

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Read,
    ReadOthers,
    Tokens,
    Propose,
    CarryOut,
    CarryOutOthers,
    Approve,
    Reject,
    Cancel,
    CancelOthers,
    Stop,
    StopOne,
    EndStop,
    Observe,
    Execute,
    Pause,
    Resume,
    Start,
    ReadOthersFlow,
    Confirm,
    LetGoOn,
    CancelFlow,
    TakeBackFlow,
    Recover,
    Resolve,
    Release,
    Findings,
    MakeToken,
    RevokeToken,
    Sessions,
    EndSession,
}

const DEEDS: [(Deed, &str); 31] = [
    (Deed::Read, "read their own"),
    (Deed::ReadOthers, "read others' proposals"),
    (Deed::Tokens, "see the tokens"),
    (Deed::Propose, "propose"),
    (Deed::CarryOut, "carry out their own"),
    (Deed::CarryOutOthers, "carry out others'"),
    (Deed::Approve, "approve an agent's"),
    (Deed::Reject, "reject an agent's"),
    (Deed::Cancel, "cancel their own"),
    (Deed::CancelOthers, "cancel others'"),
    (Deed::Stop, "stop everything"),
    (Deed::StopOne, "stop their cluster"),
    (Deed::EndStop, "end a stop"),
    (Deed::Observe, "set the mode to observe"),
    (Deed::Execute, "set the mode to execute"),
    (Deed::Pause, "pause an agent"),
    (Deed::Resume, "resume an agent"),
    (Deed::Start, "start a workflow"),
    (Deed::ReadOthersFlow, "read others' workflows"),
    (Deed::Confirm, "confirm a step"),
    (Deed::LetGoOn, "let others' workflow go on"),
    (Deed::CancelFlow, "cancel others' workflow"),
    (Deed::TakeBackFlow, "take others' workflow back"),
    (Deed::Recover, "look for outcomes"),
    (Deed::Resolve, "resolve others'"),
    (Deed::Release, "give up others' effect"),
    (Deed::Findings, "see what the gate's checks found"),
    (Deed::MakeToken, "make a token"),
    (Deed::RevokeToken, "revoke a token"),
    (Deed::Sessions, "see who is logged in with a browser"),
    (Deed::EndSession, "end a browser session"),
];

/// The authorities, the issuers and their keys.
struct World {
    gates: Authority,
    clients: Authority,
    pair: Pair,
    trust: Trust,
}

fn known(who: &str, clusters: &[&str], up_to: Ceiling) -> Known {
    Known {
        actor: actor(who),
        clusters: clusters.iter().map(|&name| name.to_owned()).collect(),
        up_to,
        owner: None,
    }
}

impl World {
    async fn new() -> Self {
        let (gates, clients, pair) = (Authority::new(), Authority::new(), Pair::es256());
        let provider = Provider::new(&[pair.public("k")]).await;
        let all = Ceiling::UpTo(Risk::High);
        let listed = |name: &str, known| Listed {
            name: CertificateName::Dns(format!("{name}.example.com")),
            known,
        };
        let issuer = |at: usize, kind, known| Issuer {
            name: format!("issuer {at}"),
            issuer: ISSUER[at].to_owned(),
            jwks_uri: provider.uri(),
            ca: None,
            kind,
            algorithms: vec![Algorithm::Es256],
            max_lifetime: Issuer::MAX_LIFETIME,
            subjects: vec![Subject {
                sub: "s".to_owned(),
                known,
            }],
        };
        let mut trust = gates.trust();
        trust.client_ca = Some(clients.pem());
        trust.url = Some(URL.to_owned());
        trust.session_key = Some(GATE.as_bytes().to_vec());
        trust.clients = vec![
            listed("night", known("agent:night", &["prod"], all)),
            listed("cleo", known("user:cleo", &[], all)),
            listed("dan", known("user:dan", &["prod"], all)),
            listed("eve", known("user:eve", &[], Ceiling::ReadOnly)),
        ];
        trust.issuers = vec![
            issuer(0, Kind::Agent, known("agent:jot", &["prod"], all)),
            issuer(1, Kind::User, known("user:finn", &[], all)),
        ];
        Self {
            gates,
            clients,
            pair,
            trust,
        }
    }

    fn jwt(&self, issuer: &str) -> String {
        let claims = json!({
            "iss": issuer, "sub": "s", "aud": format!("{URL}/mcp/prod"), "exp": now() + 300,
            "iat": now() - 60, "client_id": "c", "jti": "1",
        });
        let header = self.pair.header("k").to_string();
        self.pair.sign(&header, &claims.to_string())
    }
}

/// A gate on which nothing has happened, who asks it, and what others asked for.
struct Room<'w> {
    world: &'w World,
    house: House,
    who: Who,
    secret: String,
    /// The token of another agent.
    day: String,
    metrics: std::net::SocketAddr,
    /// Requested by another agent, and allowed.
    others: Value,
    /// Requested by one whose proposals take a person's approval.
    waits: Value,
    /// The token of that one, by its id and its secret.
    token: (String, String),
    /// A person who is logged in with a browser, by the id of their session.
    session: String,
}

impl<'w> Room<'w> {
    async fn new(world: &'w World, who: Who) -> Self {
        let mut options = Options::default();
        options.most_per_minute = 100_000;
        let house = House::trusting(options, &world.trust).await;
        let (_, secret) = house.token("agent:night").await;
        let (_, day) = house.token("agent:day").await;
        let token = house.token("agent:careful").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let metrics = listener.local_addr().unwrap();
        tokio::spawn(house.gate.clone().serve_metrics(listener, pending()));
        let careful = token.1.clone();
        let issuer = "corp".to_owned();
        let now = Timestamp::now();
        let new = NewSession {
            actor: actor("user:zoe").proven(ProvenBy::Oidc {
                issuer,
                owner: None,
            }),
            row: "a row".to_owned(),
            auth_time: now,
            expires_at: now + SignedDuration::from_hours(1),
        };
        let opened = house.controls().open_session(new, &key(GATE)).await;
        let session = opened.unwrap().0.id;
        let mut room = Self {
            world,
            house,
            who,
            secret,
            day: day.clone(),
            metrics,
            others: Value::Null,
            waits: Value::Null,
            token,
            session,
        };
        room.others = room.asked_by(&day, 2).await;
        room.waits = room.asked_by(&careful, 3).await;
        room
    }

    async fn asked_by(&self, secret: &str, lamp: u8) -> Value {
        let line = format!("Authorization: Bearer {secret}");
        let client = Client::of(&self.world.gates);
        let body = wanted(lamp).to_string();
        let at = self.house.at;
        let asked = client.ask(at, "POST", PROPOSALS, &[&line], &body).await;
        asked.is(201).json()
    }

    /// Who asks, as they are called.
    fn actor(&self) -> Actor {
        actor(match self.who {
            Who::Token | Who::AgentsCertificate => "agent:night",
            Who::AgentsJwt => "agent:jot",
            Who::Key => "user:ben",
            Who::Certificate => "user:cleo",
            Who::OfOneCluster => "user:dan",
            Who::OnlyLooks => "user:eve",
            Who::Jwt => "user:finn",
            Who::Nobody | Who::Shell | Who::Metrics => "user:ana",
        })
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let line = match self.who {
            Who::Token => format!("Authorization: Bearer {}", self.secret),
            Who::AgentsJwt => format!("Authorization: Bearer {}", self.world.jwt(ISSUER[0])),
            Who::Jwt => format!("Authorization: Bearer {}", self.world.jwt(ISSUER[1])),
            Who::Key => signature(&self.actor(), method, path, &body),
            _ => "X-Nothing: 1".to_owned(),
        };
        let shows = |name: &str| {
            let own = named(&[dns(&format!("{name}.example.com"))]);
            let own = self.world.clients.issue(&own);
            Client::showing(&self.world.gates, &own, ALL_VERSIONS)
        };
        let client = match self.who {
            Who::AgentsCertificate => shows("night"),
            Who::Certificate => shows("cleo"),
            Who::OfOneCluster => shows("dan"),
            Who::OnlyLooks => shows("eve"),
            _ => Client::of(&self.world.gates),
        };
        let at = match self.who {
            Who::Metrics => self.metrics,
            _ => self.house.at,
        };
        client.ask(at, method, path, &[&line], &body).await
    }

    async fn post(&self, path: &str, body: Value) -> bool {
        let answer = self.ask("POST", path, &body).await;
        let is_no = [400, 401, 403, 404, 405, 422].contains(&answer.status);
        assert!(answer.status / 100 == 2 || is_no, "{path}: {answer:?}");
        answer.status / 100 == 2
    }

    async fn get(&self, path: &str) -> bool {
        self.ask("GET", path, &Value::Null).await.status == 200
    }

    /// Something of their own, if they may ask for it.
    async fn own(&self) -> Option<String> {
        let asked = self.ask("POST", PROPOSALS, &wanted(1)).await;
        (asked.status == 201).then(|| id(&asked.json()).to_owned())
    }

    /// What lets something be sent again: as they are known, or by a signature over just that besides.
    async fn allowing(
        &self,
        path: &str,
        body: Value,
        proof: impl Fn(&Actor) -> Proof,
    ) -> &'static str {
        if self.post(path, body.clone()).await {
            return "yes";
        }
        let mut signed = body;
        signed["proof"] = json!(proof(&self.actor()));
        match self.post(path, signed).await {
            true => "signed",
            false => "no",
        }
    }

    /// The key that they have: one that the policy lists, or another.
    fn key(&self) -> action_guard::PrivateKey {
        key(if self.who == Who::Key { BEN } else { MALLORY })
    }

    async fn can(&self, deed: Deed) -> &'static str {
        if self.who == Who::Shell {
            return self.shell_can(deed).await;
        }
        let (others, waits) = (of(&self.others), of(&self.waits));
        let why = || json!({"reason": "a test"});
        let plain = match deed {
            Deed::Read => self.get("/api/v1/state").await,
            Deed::ReadOthers => self.get(&others).await,
            Deed::Tokens => self.get("/api/v1/tokens").await,
            Deed::Propose => self.own().await.is_some(),
            Deed::CarryOut => match self.own().await {
                Some(id) => {
                    self.carries_out(&format!("/api/v1/proposals/{id}"), 1)
                        .await
                }
                None => false,
            },
            Deed::CarryOutOthers => self.carries_out(&others, 2).await,
            Deed::Approve => {
                let plan = self.waits["proposal"]["plan_hash"].clone();
                let plan: PlanHash = serde_json::from_value(plan).unwrap();
                let soon = Timestamp::now() + SignedDuration::from_mins(5);
                let approval = Approval::new(self.actor(), plan, soon);
                let approval = approval.signed(id(&self.waits), &self.key());
                self.post(&format!("{waits}/approve"), json!(approval))
                    .await
            }
            Deed::Reject => self.post(&format!("{waits}/reject"), why()).await,
            Deed::Cancel => match self.own().await {
                Some(id) => {
                    self.post(&format!("/api/v1/proposals/{id}/cancel"), why())
                        .await
                }
                None => false,
            },
            Deed::CancelOthers => self.post(&format!("{others}/cancel"), why()).await,
            Deed::Stop => self.post("/api/v1/kill-switch", why()).await,
            Deed::StopOne => {
                let one = json!({"reason": "a test", "cluster": "prod"});
                self.post("/api/v1/kill-switch", one).await
            }
            Deed::Observe => {
                let observe = json!({"mode": "observe", "reason": "a test"});
                self.post("/api/v1/mode", observe).await
            }
            Deed::Pause => return self.pauses().await,
            Deed::Start
            | Deed::ReadOthersFlow
            | Deed::Confirm
            | Deed::LetGoOn
            | Deed::CancelFlow
            | Deed::TakeBackFlow => return flows::can(self, deed).await,
            Deed::Recover => {
                self.post("/api/v1/clusters/prod/recover", Value::Null)
                    .await
            }
            Deed::Resolve => {
                let path = format!("/api/v1/proposals/{}/resolve", self.unknown().await);
                let body = json!({"result": "applied", "reason": "a test"});
                self.post(&path, body).await
            }
            Deed::Findings => self.get("/api/v1/clusters/prod/findings").await,
            // There is none: who is told so could give one up.
            Deed::Release => {
                let (path, why) = (format!("{others}/release"), why());
                let asked = self.ask("POST", &path, &why).await;
                asked.status == 403 && asked.json()["code"] == "refused"
            }
            Deed::MakeToken => {
                let later = Timestamp::now() + SignedDuration::from_hours(1);
                let grant = TokenGrant::new(actor("agent:x"), later, "prod", Risk::Low);
                let now = Timestamp::now();
                let made = AgentToken::signed(grant, &self.actor(), now, &self.key());
                let (made, _) = made.unwrap();
                let token = json!({"hash": made.hash, "grant": made.grant, "proof": made.proof});
                let is_made = self.post("/api/v1/tokens", token).await;
                return if is_made { "signed" } else { "no" };
            }
            Deed::RevokeToken => {
                self.post(&format!("/api/v1/tokens/{}/revoke", self.token.0), why())
                    .await
            }
            Deed::Sessions => self.get("/api/v1/sessions").await,
            Deed::EndSession => {
                let end = format!("/api/v1/sessions/{}/end", self.session);
                self.post(&end, why()).await
            }
            Deed::EndStop | Deed::Execute | Deed::Resume => return self.lets_send(deed).await,
        };
        if plain { "yes" } else { "no" }
    }

    /// What another agent asks.
    async fn by_day(&self, method: &str, path: &str, body: &Value) -> Answer {
        let line = format!("Authorization: Bearer {}", self.day);
        let client = Client::of(&self.world.gates);
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        client
            .ask(self.house.at, method, path, &[&line], &body)
            .await
    }

    /// Something of another agent's of which nobody knows how it ended.
    async fn unknown(&self) -> String {
        self.house.lamps.house(|house| house.slow = true);
        let path = of(&self.others);
        let execute = format!("{path}/execute?wait_seconds=0");
        self.by_day("POST", &execute, &Value::Null).await.is(202);
        while self.house.sent().is_empty() {
            tokio::task::yield_now().await;
        }
        let why = json!({"reason": "a test"});
        let cancelled = self.by_day("POST", &format!("{path}/cancel"), &why).await;
        cancelled.is(200);
        loop {
            let shown = self.by_day("GET", &path, &Value::Null).await;
            if shown.is(200).json()["phase"] == "unknown" {
                return id(&self.others).to_owned();
            }
        }
    }

    async fn carries_out(&self, path: &str, lamp: u8) -> bool {
        let is_done = self.post(&format!("{path}/execute"), Value::Null).await;
        assert_eq!(is_done, self.house.sent() == [(lamp, true)], "{path}");
        is_done
    }

    async fn pauses(&self) -> &'static str {
        let pause = |agent: &str| format!("/api/v1/agents/{agent}/pause");
        let why = || json!({"reason": "a test"});
        if self.post(&pause("agent:careful"), why()).await {
            return "yes";
        }
        match self.post(&pause(self.actor().as_str()), why()).await {
            true => "itself",
            false => "no",
        }
    }

    async fn lets_send(&self, deed: Deed) -> &'static str {
        let (ana, controls) = (actor("user:ana"), self.house.controls());
        let day = actor("agent:day");
        match deed {
            Deed::EndStop => drop(controls.stop(&ana, "a test").await.unwrap()),
            Deed::Resume => drop(controls.pause(&day, &ana, None, "a test").await.unwrap()),
            _ => {
                let by = Decider::claimed(&ana);
                controls
                    .set_mode(Mode::Observe, by, "a test")
                    .await
                    .unwrap();
            }
        }
        let state = self.house.journal.state().await.unwrap();
        let (last, now, key) = (state.last_switch, Timestamp::now(), self.key());
        let pause = state.pause_of("agent:day").map_or(0, |pause| pause.seq);
        let why = json!({"reason": "a test"});
        match deed {
            Deed::EndStop => {
                let proof = |by: &Actor| Proof::of_reset(None, by, last, now, &key);
                self.allowing("/api/v1/kill-switch/reset", why, proof).await
            }
            Deed::Resume => {
                let proof = |by: &Actor| Proof::of_resume(&day, by, pause, now, &key);
                self.allowing("/api/v1/agents/agent:day/resume", why, proof)
                    .await
            }
            _ => {
                let execute = json!({"mode": "execute", "reason": "a test"});
                let proof = |by: &Actor| Proof::of_mode(Mode::Execute, None, by, last, now, &key);
                self.allowing("/api/v1/mode", execute, proof).await
            }
        }
    }

    /// What a process does that writes the journal as it likes: in vain where the gate does not take its
    /// word.
    async fn shell_can(&self, deed: Deed) -> &'static str {
        let local = self.house.local();
        let controls = Controls::new(Arc::clone(&self.house.journal), Arc::new(Unrestricted));
        let (carl, night) = (actor("user:carl"), actor("agent:night"));
        let by = Decider::claimed(&carl);
        let others = id(&self.others);
        let can = match deed {
            Deed::Read | Deed::ReadOthers | Deed::Tokens | Deed::Sessions => {
                local.state().await.is_ok()
            }
            Deed::Propose | Deed::CarryOut | Deed::Cancel => {
                let parameters = json!({"lamp": 1, "lit": true});
                let request = Request::new("switch_lamp", parameters, &night);
                let asked = local.propose(request).await.unwrap();
                let asked = asked.into_proposal().unwrap();
                if deed == Deed::Cancel {
                    return said(local.cancel(&asked.id, &night, "x").await.is_ok());
                }
                // The agent whose name it has given has its own token.
                let token = format!("Authorization: Bearer {}", self.secret);
                let path = format!("/api/v1/proposals/{}/execute", asked.id);
                let client = Client::of(&self.world.gates);
                let at = self.house.at;
                client.ask(at, "POST", &path, &[&token], "").await.is(403);
                assert!(self.house.sent().is_empty());
                return if deed == Deed::Propose { "void" } else { "no" };
            }
            // It has no keys to the cluster, and the gate takes no word of it.
            Deed::CarryOutOthers => false,
            Deed::Approve => {
                let plan = self.waits["proposal"]["plan_hash"].clone();
                let plan: PlanHash = serde_json::from_value(plan).unwrap();
                let waits = id(&self.waits);
                controls.approve(waits, &plan, by, None).await.unwrap();
                let token = format!("Authorization: Bearer {}", self.token.1);
                let path = format!("/api/v1/proposals/{waits}/execute");
                let client = Client::of(&self.world.gates);
                let at = self.house.at;
                client.ask(at, "POST", &path, &[&token], "").await.is(403);
                assert!(self.house.sent().is_empty());
                return "void";
            }
            Deed::Reject => controls.reject(id(&self.waits), &carl, "x").await.is_ok(),
            Deed::CancelOthers => controls.cancel(others, &carl, "x").await.is_ok(),
            Deed::Stop | Deed::StopOne => controls.stop(&carl, "x").await.is_ok(),
            Deed::EndStop => {
                controls.stop(&carl, "x").await.unwrap();
                controls.reset(by, "x").await.unwrap();
                controls.set_mode(Mode::Execute, by, "x").await.unwrap();
                return self.in_vain().await;
            }
            Deed::Observe => controls.set_mode(Mode::Observe, by, "x").await.is_ok(),
            Deed::Execute => {
                controls.set_mode(Mode::Observe, by, "x").await.unwrap();
                controls.set_mode(Mode::Execute, by, "x").await.unwrap();
                return self.in_vain().await;
            }
            Deed::Pause => controls.pause(&night, &carl, None, "x").await.is_ok(),
            Deed::Resume => {
                controls.pause(&night, &carl, None, "x").await.unwrap();
                controls.resume(&night, by, "x").await.unwrap();
                return self.in_vain().await;
            }
            Deed::Start
            | Deed::ReadOthersFlow
            | Deed::Confirm
            | Deed::LetGoOn
            | Deed::CancelFlow
            | Deed::TakeBackFlow => return flows::shell_can(self, deed).await,
            // It has no keys to the cluster, and what is found is in the memory of the gate.
            Deed::Recover | Deed::Findings => false,
            Deed::Resolve => {
                let unknown = self.unknown().await;
                let applied = action_core::OutcomeKind::Applied;
                let resolved = controls.resolve(&unknown, &carl, applied, "x").await;
                resolved.is_ok()
            }
            Deed::Release => {
                let released = controls.release(others, &carl, "x").await;
                let why = released.map_err(|error| error.to_string());
                why.is_err_and(|why| !why.contains("claimed"))
            }
            Deed::MakeToken => {
                let later = Timestamp::now() + SignedDuration::from_hours(1);
                let grant = TokenGrant::new(night, later, "prod", Risk::Low);
                let ana = actor("user:ana");
                let made = self.house.controls();
                let made = made.make_token(grant, &ana, &key(MALLORY)).await;
                made.is_ok()
            }
            Deed::EndSession => {
                let ended = controls.end_session(&self.session, &carl, "x").await;
                ended.is_ok()
            }
            Deed::RevokeToken => {
                let revoked = controls.revoke_token(&self.token.0, &carl, "x").await;
                revoked.is_ok()
            }
        };
        said(can)
    }
}

impl Room<'_> {
    /// Whether the gate sends nothing, which it would have sent for an agent before.
    async fn in_vain(&self) -> &'static str {
        let token = format!("Authorization: Bearer {}", self.secret);
        let client = Client::of(&self.world.gates);
        let post = async |path: &str, body: &str| {
            client
                .ask(self.house.at, "POST", path, &[&token], body)
                .await
        };
        let asked = post(PROPOSALS, &wanted(4).to_string()).await;
        if asked.status == 201 {
            let execute = of(&asked.json()) + "/execute";
            post(&execute, "").await.is(403);
        } else {
            asked.is(403);
        }
        match self.house.sent().is_empty() {
            true => "void",
            false => "yes",
        }
    }
}

fn said(can: bool) -> &'static str {
    if can { "yes" } else { "no" }
}

const PROPOSALS: &str = "/api/v1/clusters/prod/proposals";

fn wanted(lamp: u8) -> Value {
    json!({"action": "switch_lamp", "parameters": {"lamp": lamp, "lit": true}})
}

fn of(shown: &Value) -> String {
    format!("/api/v1/proposals/{}", id(shown))
}

/// The line by which Ben proves that a request is his.
fn signature(by: &Actor, method: &str, path: &str, body: &str) -> String {
    let (at, digest) = (Timestamp::now(), Hash::of(body.as_bytes()).to_string());
    let request = SignedRequest::new("localhost", method, path, &digest);
    let signature = request.signed(by, at, &key(BEN));
    format!("Authorization: Signed {by} {at} {digest} {signature}")
}

/// The page says what the gate does, in each cell.
#[tokio::test(flavor = "multi_thread")]
async fn each_cell_of_the_table_is_what_the_gate_does() {
    let world = World::new().await;
    let header = WHO.map(|(_, name)| name).join("|");
    let mut table = vec![
        format!("||{header}|"),
        format!("|---|{}", "---|".repeat(WHO.len())),
    ];
    for (deed, name) in DEEDS {
        let mut row = format!("|{name}|");
        for (who, _) in WHO {
            let can = Room::new(&world, who).await.can(deed).await;
            row += &format!("{can}|");
        }
        table.push(row);
    }
    let table = table.join("\n");
    let (_, below) = PAGE.split_once(HEADING).unwrap_or_default();
    let printed = below.lines().filter(|line| line.starts_with('|'));
    let printed: Vec<&str> = printed.take(DEEDS.len() + 2).collect();
    assert_eq!(
        printed.join("\n"),
        table,
        "write into docs/security.md:\n{table}"
    );
}
