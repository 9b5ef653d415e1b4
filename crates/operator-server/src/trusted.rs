//! What the gate shows and whom it believes, once that is known to be usable.

use std::sync::Arc;

use action_core::ActionDefinition;
use action_guard::{Actor, Approval, PrivateKey, ProvenBy, Request, Target};
use rustls::ServerConfig;

use crate::browser::Browsers;
use crate::certificates::Certificates;
use crate::issuers::Issuers;
use crate::known::Known;
use crate::tls;
use crate::trust::{Trust, TrustError};

/// What is in force.
#[derive(Default)]
pub(crate) struct Trusted {
    /// How a connection becomes a session.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) certificates: Certificates,
    pub(crate) issuers: Issuers,
    /// By which the gate says what it knows.
    pub(crate) key: Option<Arc<PrivateKey>>,
    /// Who logs in with a browser; `None` where nobody does.
    pub(crate) browsers: Option<Browsers>,
}

impl Trusted {
    /// What is to be in force after what was before.
    pub(crate) fn new(trust: &Trust, before: &Self) -> Result<Self, TrustError> {
        let clients = trust.clients.iter().map(|client| &client.known);
        let subjects = trust.issuers.iter().flat_map(|issuer| &issuer.subjects);
        let logging_in = trust.login.iter().flat_map(|login| &login.subjects);
        let subjects = subjects.chain(logging_in);
        let users = trust.local_users.iter().map(|user| &user.known);
        let subjects = subjects.map(|subject| &subject.known);
        for known in clients.chain(subjects).chain(users) {
            check(known)?;
        }
        let clients = trust.client_ca.as_deref().map(tls::clients).transpose()?;
        let tls = match &trust.identity {
            Some(identity) => Some(Arc::new(tls::config(identity, clients.clone())?)),
            None if clients.is_some() => return Err(TrustError::NoSession),
            None => None,
        };
        let certificates = Certificates::new(clients, &trust.clients)?;
        let issuers = Issuers::new(trust, &before.issuers)?;
        let key = trust.session_key.as_deref().map(key).transpose()?;
        let browsers = Browsers::new(trust, key.clone(), before.browsers.as_ref())?;
        Ok(Self {
            key,
            tls,
            certificates,
            issuers,
            browsers,
        })
    }

    /// Whether each of those who are at it could still prove who they are as they did.
    pub(crate) fn still_knows(&self, request: &Request) -> bool {
        let mut proofs = request.proofs();
        proofs.all(|(who, proof)| match proof {
            ProvenBy::Mtls { .. } => self.certificates.may_prove(who),
            ProvenBy::Oidc { issuer, .. } => self.issuers.may_prove(issuer, who),
            _ => true,
        })
    }

    /// Whether somebody could still prove who they are as they did, and may ask for this action there.
    pub(crate) fn may_ask(
        &self,
        who: &Actor,
        on: &Target,
        action: Option<&ActionDefinition>,
    ) -> bool {
        let is_theirs = |known: &Known| known.may_ask(on, action);
        match who.proven_by() {
            ProvenBy::Mtls { .. } => self.certificates.of(who.as_str()).any(is_theirs),
            ProvenBy::Oidc { issuer, .. } => self.issuers.of(issuer, who.as_str()).any(is_theirs),
            _ => true,
        }
    }

    /// Who approved in a browser, as they are listed now: `None` where they could not log in as they did.
    pub(crate) fn approver(&self, approval: &Approval) -> Option<&Known> {
        let row = self.browsers.as_ref()?.of_approval(approval)?;
        Some(&row.known)
    }
}

fn key(pem: &[u8]) -> Result<Arc<PrivateKey>, TrustError> {
    let key = PrivateKey::parse_pem(&String::from_utf8_lossy(pem));
    let key = key.map_err(|error| TrustError::Pem {
        what: "session key",
        problem: "it is not an ed25519 key: create one with `openssl genpkey -algorithm ed25519`",
        source: Some(Box::new(error)),
    })?;
    Ok(Arc::new(key))
}

/// Refuses who is not known by enough.
fn check(known: &Known) -> Result<(), TrustError> {
    let who = known.actor.as_str();
    let problem = match who.split_once(':') {
        Some(("agent", _)) if known.clusters.is_empty() => "an agent needs named clusters",
        None => "only agents and people can have credentials",
        Some((kind, _)) => match &known.owner {
            Some(_) if kind != "agent" => "only an agent has an owner",
            Some(owner) if !owner.is_user() => "the owner of an agent is a person: `user:NAME`",
            _ => return Ok(()),
        },
    };
    let who = who.to_owned();
    Err(TrustError::Known { who, problem })
}
