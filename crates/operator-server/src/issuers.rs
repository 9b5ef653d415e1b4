//! Issuers of JWTs that are believed, and whom their tokens prove.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use action_guard::ProvenBy;
use axum::http::Uri;
use jsonwebtoken::Algorithm;
use system_http::{Certificates, Connections, Origin, Pem};

use crate::issuer::{Issuer, Kind, Subject};
use crate::jwks::{Keys, Pace};
use crate::jwt::{Claims, Dated as _, Form, Unverified};
use crate::known::Known;
use crate::signatures;
use crate::trust::{Trust, TrustError};

/// How long connecting to where keys are may take.
const CONNECT: Duration = Duration::from_secs(3);

/// All that are believed.
#[derive(Default)]
pub(crate) struct Issuers {
    /// Where this gate is, as who asks writes it.
    url: String,
    by_iss: BTreeMap<String, Believed>,
}

struct Believed {
    name: String,
    algorithms: Vec<Algorithm>,
    max_lifetime: Duration,
    by_sub: BTreeMap<String, Known>,
    keys: Arc<Keys>,
}

/// Whom a token proves, for which clusters.
pub(crate) struct Proven {
    pub(crate) known: Known,
    pub(crate) proof: ProvenBy,
}

impl Issuers {
    /// Those of a list, with the keys that are known of them.
    pub(crate) fn new(trust: &Trust, before: &Self) -> Result<Self, TrustError> {
        let url = match (&trust.url, trust.issuers.first()) {
            (Some(url), _) => resource_server(url)?,
            (None, Some(first)) => {
                return Err(refused(
                    &first.name,
                    "access tokens name this gate by its address: give the `url` under which agents reach it",
                ));
            }
            (None, None) => return Ok(Self::default()),
        };
        signatures::by_ring();
        let mut all = Self {
            url,
            by_iss: BTreeMap::new(),
        };
        let (mut names, mut actors) = (BTreeSet::new(), BTreeSet::new());
        for issuer in &trust.issuers {
            check(issuer, &mut names, &mut actors)?;
            let believed = Believed {
                name: issuer.name.clone(),
                algorithms: issuer.algorithms.iter().map(|&one| one.into()).collect(),
                max_lifetime: issuer.max_lifetime,
                by_sub: by_sub(&issuer.subjects)?,
                keys: before.keys_of(issuer).map_or_else(
                    || {
                        let (name, uri) = (&issuer.name, &issuer.jwks_uri);
                        keys(name, uri, issuer.ca.as_deref())
                    },
                    Ok,
                )?,
            };
            if all.by_iss.insert(issuer.issuer.clone(), believed).is_some() {
                return Err(refused(&issuer.name, "its `issuer` is listed twice"));
            }
        }
        Ok(all)
    }

    /// The same keys, if they are published at the same place still.
    fn keys_of(&self, issuer: &Issuer) -> Option<Arc<Keys>> {
        let mut all = self.by_iss.values().map(|believed| &believed.keys);
        let is_it = |keys: &&Arc<Keys>| keys.uri == issuer.jwks_uri && keys.ca == issuer.ca;
        all.find(is_it).map(Arc::clone)
    }

    /// What a cluster is called in `aud` (RFC 8707), where tokens are believed at all.
    pub(crate) fn resource(&self, cluster: &str) -> Option<String> {
        let is_there = !self.by_iss.is_empty();
        is_there.then(|| format!("{}/mcp/{cluster}", self.url))
    }

    /// Where the metadata of that is (RFC 9728).
    pub(crate) fn metadata(&self, cluster: &str) -> Option<String> {
        let is_there = !self.by_iss.is_empty();
        let path = "/.well-known/oauth-protected-resource/mcp";
        is_there.then(|| format!("{}{path}/{cluster}", self.url))
    }

    /// Who issues tokens for this gate.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_iss.keys().map(String::as_str)
    }

    /// Whether a token of this issuer can still prove this one.
    pub(crate) fn may_prove(&self, issuer: &str, who: &str) -> bool {
        self.of(issuer, who).next().is_some()
    }

    /// The rows of this one, at this issuer.
    pub(crate) fn of<'a>(&'a self, issuer: &str, who: &'a str) -> impl Iterator<Item = &'a Known> {
        let believed = self.by_iss.values().find(|one| one.name == issuer);
        let known = believed.into_iter().flat_map(|one| one.by_sub.values());
        known.filter(move |known| known.actor.as_str().eq_ignore_ascii_case(who))
    }

    /// Whom this token proves now.
    pub(crate) async fn known(&self, token: &str, pace: Pace) -> Option<Proven> {
        let token = Unverified::read(token, Form::Access)?;
        let believed = self.by_iss.get(&token.issuer)?;
        if !believed.algorithms.contains(&token.algorithm) {
            return None;
        }
        let key = believed.keys.find(&token.key, token.algorithm, pace).await;
        let claims: Claims = token.verified(&key?)?;
        if !believed.lasts_short_enough(&claims) {
            return None;
        }
        let listed = believed.by_sub.get(&claims.sub)?;
        let clusters = self.clusters(claims.aud.all(), listed)?;
        let known = Known {
            clusters,
            ..listed.clone()
        };
        let (issuer, owner) = (believed.name.clone(), known.owner());
        Some(Proven {
            known,
            proof: ProvenBy::Oidc { issuer, owner },
        })
    }

    /// The clusters that a token is for, of those that who it proves may ask about. None where it is for
    /// somebody else, too, who could bring it here.
    fn clusters(&self, audience: &[String], listed: &Known) -> Option<Vec<String>> {
        let prefix = format!("{}/mcp/", self.url);
        let named = audience.iter().map(|one| one.strip_prefix(&prefix));
        let named = named.collect::<Option<Vec<_>>>()?;
        let is_theirs = |name: &str| {
            listed.clusters.is_empty() || listed.clusters.iter().any(|one| one == name)
        };
        let theirs = named.into_iter().filter(|name| is_theirs(name));
        let theirs: Vec<String> = theirs.map(str::to_owned).collect();
        (!theirs.is_empty()).then_some(theirs)
    }
}

impl Believed {
    /// Whether a token is valid for no longer than its issuer's may be. The log says so, as who brings it is
    /// told nothing.
    fn lasts_short_enough(&self, claims: &Claims) -> bool {
        let (lasts, most) = (claims.lasts_seconds(), self.max_lifetime.as_secs_f64());
        let is_short = lasts <= most;
        if !is_short {
            let issuer = &*self.name;
            tracing::warn!(
                issuer,
                lifetime_seconds = lasts,
                max_lifetime_seconds = most,
                "access token refused: `exp` minus `iat` is more than `max_lifetime` of its issuer"
            );
        }
        is_short
    }
}

/// The address of this gate, without a slash at its end.
pub(crate) fn resource_server(url: &str) -> Result<String, TrustError> {
    let has_scheme = url.starts_with("https://") || url.starts_with("http://");
    let origin = Origin::parse(url).ok().filter(|_| has_scheme);
    let origin = origin.map(|origin| origin.as_str().to_owned());
    origin.ok_or_else(|| {
        refused(
            url,
            "invalid address: use `https://host:port` without a path",
        )
    })
}

fn check(
    issuer: &Issuer,
    names: &mut BTreeSet<String>,
    actors: &mut BTreeSet<String>,
) -> Result<(), TrustError> {
    let wrong = |problem| Err(refused(&issuer.name, problem));
    if issuer.name.is_empty() || issuer.issuer.is_empty() {
        return wrong("an issuer needs a name and an `issuer`");
    }
    if issuer.max_lifetime.is_zero() {
        return wrong("`max_lifetime` is zero: use a duration such as 1h");
    }
    if issuer.algorithms.is_empty() {
        return wrong("`algorithms` is missing, such as ES256");
    }
    if !names.insert(issuer.name.to_ascii_lowercase()) {
        return wrong("its name is listed twice");
    }
    if !is_private(&issuer.jwks_uri) {
        return wrong("invalid `jwks_uri`: use `https://…`, or `http://…` on this machine");
    }
    for subject in &issuer.subjects {
        let actor = subject.known.actor.as_str().to_ascii_lowercase();
        let is_of_kind = match issuer.kind {
            Kind::Agent => actor.starts_with("agent:"),
            Kind::User => actor.starts_with("user:"),
        };
        if !is_of_kind {
            let problem = "its issuer is for the other kind of actor (agents or people)";
            return Err(refused(&actor, problem));
        }
        if !actors.insert(actor.clone()) {
            let problem = "it is listed for two subjects (names ignore case)";
            return Err(refused(&actor, problem));
        }
    }
    Ok(())
}

pub(crate) fn by_sub(subjects: &[Subject]) -> Result<BTreeMap<String, Known>, TrustError> {
    let mut by_sub = BTreeMap::new();
    for subject in subjects {
        let known = subject.known.clone();
        if subject.sub.is_empty() || by_sub.insert(subject.sub.clone(), known).is_some() {
            let who = subject.known.actor.as_str();
            return Err(refused(who, "its `sub` is empty or listed twice"));
        }
    }
    Ok(by_sub)
}

/// Whether nobody on the way can put other keys in place of those that are read there.
pub(crate) fn is_private(uri: &str) -> bool {
    let Ok(read) = uri.parse::<Uri>() else {
        return false;
    };
    let Some(authority) = read.authority() else {
        return false;
    };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let is_here = host == "localhost" || is_loopback;
    let is_safe = match read.scheme_str() {
        Some("https") => true,
        Some("http") => is_here,
        _ => false,
    };
    is_safe && !authority.as_str().contains('@')
}

/// The keys that an issuer publishes at an address.
pub(crate) fn keys(name: &str, uri: &str, ca: Option<&[u8]>) -> Result<Arc<Keys>, TrustError> {
    let connections = connections(uri, ca)?;
    let keys = Keys::new(name, uri, ca.map(<[u8]>::to_vec), connections);
    Ok(Arc::new(keys))
}

/// How an address of an issuer's is reached.
pub(crate) fn connections(uri: &str, ca: Option<&[u8]>) -> Result<Connections, TrustError> {
    let certificates = Certificates {
        ca: ca.map(|pem| Pem::Given(pem.to_vec())),
        ..Certificates::default()
    };
    let https = Some(uri).filter(|uri| uri.starts_with("https:"));
    let connections = Connections::new(https, certificates, CONNECT);
    connections.map_err(|error| TrustError::Pem {
        what: "authorities of an issuer",
        problem: "they cannot be read",
        source: Some(Box::new(error)),
    })
}

pub(crate) fn refused(who: &str, problem: &'static str) -> TrustError {
    let who = who.to_owned();
    TrustError::Known { who, problem }
}
