//! The code flow of OpenID Connect: where a browser is sent, and who comes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use action_core::report;
use axum::body::Bytes;
use axum::http::{Request, StatusCode, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use form_urlencoded::{Serializer, byte_serialize};
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use system_http::{Connections, Limits, OneWrite};

use crate::issuers::{by_sub, connections, is_private, keys, refused};
use crate::jwks::{Keys, Pace};
use crate::jwt::{Form, LoggedIn, Unverified};
use crate::known::Known;
use crate::login::Login;
use crate::signatures;
use crate::trust::TrustError;

/// What is read of an exchange at most, and how long that may take.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(10),
    body: 64 * 1024,
};

/// How long connecting to the provider may take.
const CONNECT: Duration = Duration::from_secs(3);

/// How old an ID token may be, in seconds: it was made for this login.
const LONGEST_LOGIN: f64 = 600.0;

/// How far clocks may be apart, in seconds.
const LEEWAY: f64 = 30.0;

/// How old a login may be that is asked for because the last one is too old, in seconds.
const FRESH: &str = "900";

/// A provider at which people log in.
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    redirect_uri: String,
    client_id: String,
    client_secret: String,
    algorithms: Vec<Algorithm>,
    by_sub: BTreeMap<String, Known>,
    keys: Arc<Keys>,
    connections: Connections,
}

/// What a browser that is about to log in has a secret for, and what follows from that: nothing of it is
/// kept here.
pub(crate) struct Attempt {
    pub(crate) state: String,
    nonce: String,
    verifier: String,
}

/// Why nobody came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotArrived {
    /// The provider does not answer.
    NoAnswer,
    /// It is not proven who it is.
    Unproven,
}

/// Why there is no ID token.
enum NotExchanged {
    NoAnswer(String),
    Refused(String),
}

fn refused_with(why: impl Into<String>) -> NotExchanged {
    NotExchanged::Refused(why.into())
}

/// Who has logged in, and when they proved it.
pub(crate) struct Arrived {
    pub(crate) sub: String,
    /// `None` where the provider does not say.
    pub(crate) auth_time: Option<Timestamp>,
}

impl Attempt {
    /// What follows from the secret of a browser.
    pub(crate) fn of(secret: &str) -> Self {
        let derived = |of: &str| {
            let hash = Sha256::digest(format!("operator {of} {secret}"));
            URL_SAFE_NO_PAD.encode(hash)
        };
        Self {
            state: derived("state"),
            nonce: derived("nonce"),
            verifier: derived("verifier"),
        }
    }
}

impl Provider {
    /// A provider as it is listed, with the keys that are known of it.
    pub(crate) fn new(
        login: &Login,
        origin: &str,
        before: Option<&Self>,
    ) -> Result<Self, TrustError> {
        let wrong = |problem| Err(refused(&login.name, problem));
        if login.name.is_empty() || login.issuer.is_empty() || login.client_id.is_empty() {
            return wrong("a login needs a name, an `issuer` and a `client_id`");
        }
        if login.client_secret.is_empty() {
            return wrong("its client secret is empty");
        }
        if login.algorithms.is_empty() {
            return wrong("it has no `algorithms`, such as ES256");
        }
        let places = [
            &login.authorization_endpoint,
            &login.token_endpoint,
            &login.jwks_uri,
        ];
        if !places.into_iter().all(|uri| is_private(uri)) {
            return wrong("its addresses must be `https://…`, or `http://…` on loopback");
        }
        signatures::by_ring();
        let (uri, ca) = (&login.jwks_uri, login.ca.as_deref());
        let same = before.map(|before| &before.keys);
        let same = same.filter(|keys| keys.uri == *uri && keys.ca == login.ca);
        Ok(Self {
            name: login.name.clone(),
            issuer: login.issuer.clone(),
            authorization_endpoint: login.authorization_endpoint.clone(),
            token_endpoint: login.token_endpoint.clone(),
            redirect_uri: format!("{origin}/login/callback"),
            client_id: login.client_id.clone(),
            client_secret: login.client_secret.clone(),
            algorithms: login.algorithms.iter().map(|&one| one.into()).collect(),
            by_sub: by_sub(&login.subjects)?,
            keys: same.map_or_else(|| keys(&login.name, uri, ca), |keys| Ok(Arc::clone(keys)))?,
            connections: connections(&login.token_endpoint, ca)?,
        })
    }

    /// Whom it proves, by their `sub`.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = (&str, &Known)> {
        self.by_sub.iter().map(|(sub, known)| (sub.as_str(), known))
    }

    pub(crate) fn known(&self, sub: &str) -> Option<&Known> {
        self.by_sub.get(sub)
    }

    /// Where a browser is sent to log in; `is_fresh` where it is to prove anew who it is.
    pub(crate) fn address(&self, attempt: &Attempt, is_fresh: bool) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&attempt.verifier));
        let mut query = Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", "openid")
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if is_fresh {
            query
                .append_pair("prompt", "login")
                .append_pair("max_age", FRESH);
        }
        let (place, query) = (&self.authorization_endpoint, query.finish());
        let joint = if place.contains('?') { '&' } else { '?' };
        format!("{place}{joint}{query}")
    }

    /// Who comes back with a code, or nobody. What was wrong is written to the log, and not told.
    pub(crate) async fn arrived(
        &self,
        attempt: &Attempt,
        code: &str,
        pace: Pace,
    ) -> Result<Arrived, NotArrived> {
        let provider = &*self.name;
        let token = match self.exchanged(attempt, code).await {
            Ok(token) => token,
            Err(failed) => {
                let (error, no) = match &failed {
                    NotExchanged::NoAnswer(error) => (error, NotArrived::NoAnswer),
                    NotExchanged::Refused(error) => (error, NotArrived::Unproven),
                };
                let error = &*action_core::redacted(error).into_owned();
                tracing::warn!(provider, error, "cannot exchange a login code");
                return Err(no);
            }
        };
        self.proven(attempt, &token, pace).await.map_err(|check| {
            tracing::warn!(provider, check, "an ID token was not accepted");
            NotArrived::Unproven
        })
    }

    /// Exchanges a code for an ID token, once. The access token that comes with it is not used.
    async fn exchanged(&self, attempt: &Attempt, code: &str) -> Result<String, NotExchanged> {
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("code_verifier", &attempt.verifier)
            .finish();
        let place: Uri = self
            .token_endpoint
            .parse()
            .map_err(|_| refused_with("it has no address"))?;
        let (Some(scheme), Some(host)) = (place.scheme_str(), place.authority()) else {
            return Err(refused_with("its address has no host"));
        };
        let origin = format!("{scheme}://{host}");
        let written = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let basic = format!(
            "{}:{}",
            written(&self.client_id),
            written(&self.client_secret)
        );
        let request = Request::post(&self.token_endpoint)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .header(
                header::AUTHORIZATION,
                format!("Basic {}", STANDARD.encode(basic)),
            )
            .body(Bytes::from(form))
            .map_err(|error| refused_with(report(&error)))?;
        let connection = OneWrite::connect(&self.connections, &origin, CONNECT).await;
        let connection = connection.map_err(|error| NotExchanged::NoAnswer(report(&error)))?;
        let answer = connection.send(request, None, LIMITS).await;
        let answer = answer.map_err(|error| NotExchanged::NoAnswer(report(&error)))?;
        if answer.status != StatusCode::OK {
            return Err(refused_with(format!("the status is {}", answer.status)));
        }
        let body = answer.body;
        let body = body.map_err(|error| NotExchanged::NoAnswer(report(&error)))?;
        let tokens: Tokens = serde_json::from_slice(&body)
            .map_err(|_| refused_with("the answer has no ID token"))?;
        Ok(tokens.id_token)
    }

    /// Whom an ID token proves, if it was made for this gate and for this login.
    async fn proven(
        &self,
        attempt: &Attempt,
        token: &str,
        pace: Pace,
    ) -> Result<Arrived, &'static str> {
        let token = Unverified::read(token, Form::Id).ok_or("it is no ID token")?;
        if token.issuer != self.issuer {
            return Err("`iss` is another");
        }
        if !self.algorithms.contains(&token.algorithm) {
            return Err("its algorithm is not listed");
        }
        let key = self.keys.find(&token.key, token.algorithm, pace).await;
        let key = key.ok_or("its key id is unknown")?;
        let claims: LoggedIn = token
            .verified(&key)
            .ok_or("its signature or one of its times is invalid")?;
        let is_for_us = claims.aud.all() == std::slice::from_ref(&self.client_id)
            && claims.azp.as_ref().is_none_or(|azp| *azp == self.client_id);
        let is_this_login = claims.nonce.as_ref() == Some(&attempt.nonce);
        let now = Timestamp::now().as_second() as f64;
        let is_new = claims.made_at() >= now - LONGEST_LOGIN;
        let auth = match claims.auth_time {
            Some(at) if at > now + LEEWAY || at < 0.0 => return Err("`auth_time` is to come"),
            Some(at) => {
                let at = Timestamp::from_second(at as i64);
                Some(at.map_err(|_| "`auth_time` is no time")?)
            }
            None => None,
        };
        let checks = [
            (is_for_us, "`aud` or `azp` is another client"),
            (is_this_login, "`nonce` belongs to another login"),
            (is_new, "it was issued too long ago"),
        ];
        match checks.into_iter().find(|(is_right, _)| !is_right) {
            Some((_, check)) => Err(check),
            None => Ok(Arrived {
                sub: claims.sub,
                auth_time: auth,
            }),
        }
    }
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}
