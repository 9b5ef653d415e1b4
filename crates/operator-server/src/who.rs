//! Who asks: proven, or refused.

use std::sync::Arc;

use action_core::Risk;
use action_guard::{Actor, ProvenBy, Target, TokenStatus};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use operator_mcp::Ceiling;

use crate::gate::{Cluster, Gate};
use crate::known::Known;
use crate::problem::Problem;

/// Who asks, how that is proven, and what they may ask for at most: an agent, or a person.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    /// Who, and how that is proven, which is written into each record that is made for them.
    pub(crate) actor: Actor,
    /// The clusters they may ask about, by name; none is all that the gate serves.
    clusters: Option<Arc<[String]>>,
    /// What they may ask for, below what the gate allows.
    pub(crate) up_to: Ceiling,
}

impl Asker {
    /// An agent, by its token.
    pub(crate) fn by_token(actor: Actor, token: &TokenStatus) -> Self {
        let grant = &token.made.grant;
        Self {
            actor,
            clusters: Some(grant.clusters.as_slice().into()),
            up_to: Ceiling::UpTo(grant.up_to),
        }
    }

    /// Somebody who is known by another proof than a token.
    pub(crate) fn known(known: &Known, proof: ProvenBy) -> Self {
        let clusters = Arc::from(known.clusters.as_slice());
        Self {
            actor: known.actor.clone().proven(proof),
            clusters: (!known.clusters.is_empty()).then_some(clusters),
            up_to: known.up_to,
        }
    }

    /// A person, by their signature over the request.
    pub(crate) fn by_signature(actor: Actor) -> Self {
        Self {
            actor,
            clusters: None,
            up_to: Ceiling::UpTo(Risk::High),
        }
    }

    /// Whether they may ask about this system, if it is served.
    pub(crate) fn reaches(&self, target: &Target) -> bool {
        let is_it = |clusters: &Arc<[String]>| clusters.iter().any(|name| name == target.called());
        self.clusters.as_ref().is_none_or(is_it)
    }

    /// Whether they are a person who may ask about everything.
    pub(crate) fn sees_all(&self) -> bool {
        self.actor.is_user() && self.clusters.is_none()
    }

    /// Refuses who is no person.
    pub(crate) fn person(&self, what: &str) -> Result<(), Problem> {
        match self.actor.is_user() {
            true => Ok(()),
            false => Err(Problem::not_a_person(what)),
        }
    }

    /// Refuses who is no person who may ask about everything: what is of all clusters, such as a pause or a
    /// token, is for them alone.
    pub(crate) fn person_of_all(&self, what: &str) -> Result<(), Problem> {
        self.person(what)?;
        match self.sees_all() {
            true => Ok(()),
            false => {
                let text = format!("access to all clusters is needed {what}");
                Err(Problem::new(StatusCode::FORBIDDEN, "not_theirs", text))
            }
        }
    }

    /// A cluster that they may ask about; every other one is as if there was none.
    pub(crate) fn cluster<'g>(&self, gate: &'g Gate, name: &str) -> Result<&'g Cluster, Problem> {
        let may_ask = |clusters: &Arc<[String]>| clusters.iter().any(|known| known == name);
        let is_theirs = self.clusters.as_ref().is_none_or(may_ask);
        let cluster = gate.clusters().get(name).filter(|_| is_theirs);
        cluster.ok_or_else(Problem::not_found)
    }

    /// Refuses an action of a higher risk than they, or the gate, may ask for.
    pub(crate) fn may_ask_for(&self, cluster: &Cluster, action: &str) -> Result<(), Problem> {
        let catalogue = cluster.guard.catalogue();
        match catalogue.definition(action) {
            Some(action) if !self.most(cluster).covers(action) => {
                let text = "its risk is higher than the caller or this gate may request";
                Err(Problem::new(StatusCode::FORBIDDEN, "too_risky", text))
            }
            _ => Ok(()),
        }
    }

    /// Refuses who may only look, where what they do lets others send.
    pub(crate) fn may_let_others_send(&self) -> Result<(), Problem> {
        match self.up_to {
            Ceiling::ReadOnly => {
                let text = "a caller with read-only access cannot do this";
                Err(Problem::new(StatusCode::FORBIDDEN, "too_risky", text))
            }
            Ceiling::UpTo(_) => Ok(()),
        }
    }

    /// The least of what they and the gate may ask for.
    pub(crate) fn most(&self, cluster: &Cluster) -> Ceiling {
        self.up_to.min(cluster.ceiling)
    }

    /// Whether they may see what this one asked for: a person sees everything on their clusters, an
    /// agent its own.
    pub(crate) fn may_see(&self, requester: &str) -> bool {
        self.actor.is_user() || requester.eq_ignore_ascii_case(self.actor.as_str())
    }
}

/// Before everything: what a browser sends of itself is not for here.
pub(crate) async fn no_browser(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match is_no_browser(&gate, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Refuses what a browser sends of itself.
pub(crate) fn is_no_browser(gate: &Gate, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let refused = |code, text| Err(Problem::new(StatusCode::FORBIDDEN, code, text));
    if headers.contains_key(header::COOKIE) {
        return refused("cookie", "cookies are not accepted here");
    }
    if headers.contains_key(header::ORIGIN) {
        return refused("origin", "requests from web pages are not accepted here");
    }
    is_for(gate, request)
}

/// Refuses what is for another host.
pub(crate) fn is_for(gate: &Gate, request: &Request) -> Result<(), Problem> {
    match is_known_host(request, &gate.options().hosts) {
        true => Ok(()),
        false => {
            let text = "the host of the request target differs from `Host`";
            Err(Problem::new(StatusCode::FORBIDDEN, "host", text))
        }
    }
}

/// Whether it is for a host of the gate's. Where the target names one too (`GET http://host/…`), both are
/// the same: else somebody on the way may have gone by the other one.
fn is_known_host(request: &Request, known: &[String]) -> bool {
    let mut given = request.headers().get_all(header::HOST).iter();
    let (Some(only), None) = (given.next(), given.next()) else {
        return false;
    };
    let Ok(host) = only.to_str() else {
        return false;
    };
    let target = request.uri().authority();
    if target.is_some_and(|target| !target.as_str().eq_ignore_ascii_case(host)) {
        return false;
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_sees_what_everybody_asked_for_and_an_agent_its_own() {
        let asker = |who: &str| Asker {
            actor: who.parse().unwrap(),
            clusters: None,
            up_to: Ceiling::ReadOnly,
        };
        assert!(asker("user:ana").may_see("agent:night"));
        assert!(asker("agent:Night").may_see("agent:night"));
        assert!(!asker("agent:night").may_see("agent:nights"));
        assert!(!asker("agent:night").may_see("user:night"));
    }
}
