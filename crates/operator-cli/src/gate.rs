//! A gate that is asked for somebody: its answers, as what they are of, and its refusals as failures.

mod failure;

use std::sync::{Mutex, PoisonError};

use action_guard::{Actor, ProvenBy, SignedRequest, State, Target};
use gate_client::{Answer, AskError, Asked, Client, Who};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::settings::Global;
use crate::settings::server::Server;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;

pub(crate) use self::failure::LOST;
use self::failure::{refused, unanswered, unseen};

/// A gate, and who asks it, as it knows them.
pub(crate) struct Gate {
    client: Client,
    me: Me,
}

/// Who asks, and what they may ask about.
#[derive(Deserialize)]
struct Me {
    actor: Actor,
    proven_by: ProvenBy,
    clusters: Vec<Target>,
}

/// A state, as far as they may see it.
#[derive(Deserialize)]
pub(crate) struct Seen {
    pub(crate) state: State,
    /// Whether everything is stopped by other means than a record.
    pub(crate) kill_file: bool,
}

impl Gate {
    /// The gate that a command is given to, and the settings with who asks it and what its clusters are
    /// called.
    pub(crate) async fn open(global: &Global) -> Result<(Self, Global), Failure> {
        let who = who(global)?;
        let client = Client::new(global.server.place()?, who);
        let answer = client.get("/api/v1/me").await.map_err(unseen)?;
        let me: Me = read(answer)?;
        let mut global = global.clone();
        // Who signs has said themselves who they are.
        if me.proven_by != ProvenBy::Signature {
            global.state.proven = Some(me.actor.clone());
        }
        global.connection.names.clone_from(&me.clusters);
        Ok((Self { client, me }, global))
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &str {
        self.client.place().address()
    }

    /// How it is proven who asks, in a word.
    pub(crate) fn how_proven(&self) -> &'static str {
        match &self.me.proven_by {
            ProvenBy::Signature => "signed",
            other => other.word(),
        }
    }

    /// The clusters that they may ask about.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = &Target> {
        self.me.clusters.iter()
    }

    /// The cluster that is asked for, else the only one.
    pub(crate) fn cluster(&self, global: &Global) -> Result<&Target, Failure> {
        let names = self.me.clusters.iter().map(Target::called);
        let names = names.collect::<Vec<_>>().join("`, `");
        match (global.connection.cluster_asked_for(), &self.me.clusters[..]) {
            (Some(name), all) => {
                let found = all.iter().find(|target| target.called() == name);
                found.ok_or_else(|| {
                    Failure::usage(format!(
                        "the gate has no cluster `{name}`, or you have no access to it"
                    ))
                    .next(format!("known are `{names}`"))
                })
            }
            (None, [only]) => Ok(only),
            (None, _) => Err(Failure::usage("no cluster of the gate named")
                .next(format!("give `--cluster NAME`; known are `{names}`"))),
        }
    }

    /// The path of something of a cluster.
    pub(crate) fn path(&self, global: &Global, rest: &str) -> Result<String, Failure> {
        let cluster = gate_client::segment(self.cluster(global)?.called());
        Ok(format!("/api/v1/clusters/{cluster}/{rest}"))
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read(self.client.get(path).await.map_err(unseen)?)
    }

    /// Asks with a body for what is only looked at.
    pub(crate) async fn look<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        read(self.client.post(path, body).await.map_err(unseen)?)
    }

    /// Asks for something to be done, once.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        read(self.client.post(path, body).await.map_err(unanswered)?)
    }

    /// The same by a key, with which it is asked for again where the answer was lost.
    pub(crate) async fn post_by_key<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<T, Failure> {
        let mut again = REPEATS;
        loop {
            match self.client.post_by_key(path, body, key).await {
                Err(AskError::Lost { .. }) if again > 0 => again -= 1,
                answered => return read(answered.map_err(unanswered)?),
            }
        }
    }

    pub(crate) async fn seen(&self) -> Result<Seen, Failure> {
        self.get("/api/v1/state").await
    }
}

/// How often something is asked for again by its key.
const REPEATS: usize = 2;

/// What proves who asks: a token, else a certificate, else a key that signs each request. A gate takes one
/// of them.
fn who(global: &Global) -> Result<Who, Failure> {
    if let Some(token) = global.server.token()? {
        return by_token(global, token);
    }
    if global.server.has_certificate() {
        return Ok(Who::of_connection());
    }
    let key = global.state.key()?;
    let key = key.ok_or_else(|| {
        Failure::usage("no credentials for the gate").next(
            "give your key (`--sign-with FILE`), or a token (`--token-file FILE` or OPERATOR_TOKEN)",
        )
    })?;
    let by = global.state.actor()?;
    Ok(Who::signing(move |asked: &Asked<'_>| {
        let body = action_guard::Hash::of(asked.body).to_string();
        let request = SignedRequest::new(asked.host, asked.method, asked.path, &body);
        let at = Timestamp::now();
        let signature = request.signed(&by, at, &key);
        format!("Signed {by} {at} {body} {signature}")
    }))
}

/// What proves an agent: a token, else a certificate.
pub(crate) fn agent(global: &Global) -> Result<Who, Failure> {
    match global.server.token()? {
        Some(token) => by_token(global, token),
        None if global.server.has_certificate() => Ok(Who::of_connection()),
        None => Err(Server::no_token()),
    }
}

/// Who has this token, or the one that is in its file by then, or was last: those of issuers are good for
/// minutes.
fn by_token(global: &Global, token: String) -> Result<Who, Failure> {
    let wrong = |error| Failure::usage(format!("`--server`: {error}"));
    Who::token(&token).map_err(wrong)?;
    let (server, last) = (global.server.clone(), Mutex::new(token));
    Ok(Who::signing(move |_| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(Some(now)) = server.token() {
            *last = now;
        }
        format!("Bearer {last}")
    }))
}

/// What an answer says; a refusal is a failure.
fn read<T: DeserializeOwned>(answer: Answer) -> Result<T, Failure> {
    if !(200..300).contains(&answer.status) {
        return Err(refused(&answer));
    }
    serde_json::from_value(answer.body).map_err(|error| {
        let text = format!("cannot read the gate's answer: {error}");
        Failure::new(Exit::Failed, "not_understood", text)
            .next("this program and the gate may have different versions: use the same version")
    })
}
