//! The keys of an issuer: asked for, kept, and asked for again within bounds.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use system_http::{BoxError, Connections, Limits};

/// What is read of keys at most, and how long that may take.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(5),
    body: 256 * 1024,
};

/// How many keys an issuer has at most.
const MOST_KEYS: usize = 64;

/// How long keys count that cannot be asked for again.
const LONGEST: Duration = Duration::from_hours(24);

/// How often keys are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// What is older is asked for again.
    pub(crate) fresh_for: Duration,
    /// Not before this is over since it was asked for, whatever comes.
    pub(crate) at_most_every: Duration,
}

/// The keys of an issuer, wherever they are published.
pub(crate) struct Keys {
    /// What the issuer is called.
    name: String,
    pub(crate) uri: String,
    pub(crate) ca: Option<Vec<u8>>,
    connections: Connections,
    held: Mutex<Held>,
    /// Held by who asks.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    keys: Vec<Key>,
    read_at: Option<Instant>,
    asked_at: Option<Instant>,
}

#[derive(Clone)]
struct Key {
    id: String,
    /// The one that it is for, where it says so.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

impl Keys {
    pub(crate) fn new(
        name: &str,
        uri: &str,
        ca: Option<Vec<u8>>,
        connections: Connections,
    ) -> Self {
        Self {
            name: name.to_owned(),
            uri: uri.to_owned(),
            ca,
            connections,
            held: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    /// The key of this name, for signatures of this kind. Keys that grew old are asked for again, and so
    /// are they where this one is not among them; whoever comes meanwhile goes by those that are there.
    pub(crate) async fn find(&self, id: &str, how: Algorithm, pace: Pace) -> Option<DecodingKey> {
        let found = self.held().find(id, how);
        if found.is_some() {
            if self.held().is_due(true, pace)
                && let Ok(_asking) = self.asking.try_lock()
            {
                self.ask().await;
            }
        } else {
            // Somebody may be asking already, or have asked while this one waited.
            let _asking = self.asking.lock().await;
            let is_known = self.held().find(id, how).is_some();
            if self.held().is_due(is_known, pace) {
                self.ask().await;
            }
        }
        self.held().find(id, how)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self) {
        self.held().asked_at = Some(Instant::now());
        match self.read().await {
            Ok(keys) => {
                let mut held = self.held();
                held.keys = keys;
                held.read_at = Some(Instant::now());
            }
            Err(error) => {
                let (issuer, error) = (&self.name, system_http::report(&*error));
                tracing::warn!(
                    issuer,
                    error,
                    "cannot read the keys of the issuer; the previous ones stay in force"
                );
            }
        }
    }

    async fn read(&self) -> Result<Vec<Key>, BoxError> {
        let request = Request::get(&self.uri).header(header::ACCEPT, "application/json");
        let request = request.body(Bytes::new())?;
        let answer = system_http::read(&self.connections, request, LIMITS).await?;
        if answer.status != StatusCode::OK {
            return Err(format!("the status is {}", answer.status).into());
        }
        read(&answer.body?)
    }
}

impl Held {
    fn find(&self, id: &str, how: Algorithm) -> Option<DecodingKey> {
        let is_old = self.read_at.is_none_or(|at| at.elapsed() > LONGEST);
        let is_it = |key: &&Key| {
            let is_for = key.algorithm.is_none_or(|only| only == how);
            key.id == id && is_for && key.key.family() == how.family()
        };
        let mut keys = self.keys.iter().filter(|_| !is_old);
        keys.find(is_it).map(|found| found.key.clone())
    }

    /// Whether to ask for them now.
    fn is_due(&self, is_known: bool, pace: Pace) -> bool {
        let is_fresh = |at: Instant| at.elapsed() < pace.fresh_for;
        let is_enough = is_known && self.read_at.is_some_and(is_fresh);
        let is_too_soon = |at: Instant| at.elapsed() < pace.at_most_every;
        !is_enough && !self.asked_at.is_some_and(is_too_soon)
    }
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// The keys of a set by which signatures are verified. What else is in it is for others.
fn read(body: &[u8]) -> Result<Vec<Key>, BoxError> {
    let set: Set = serde_json::from_slice(body)?;
    if set.keys.len() > MOST_KEYS {
        return Err(format!("more than {MOST_KEYS} keys").into());
    }
    Ok(set.keys.into_iter().filter_map(key).collect())
}

fn key(listed: Value) -> Option<Key> {
    let listed: Jwk = serde_json::from_value(listed).ok()?;
    let common = &listed.common;
    let is_for_signatures = common
        .public_key_use
        .as_ref()
        .is_none_or(|is_for| *is_for == PublicKeyUse::Signature);
    let verifies = common
        .key_operations
        .as_ref()
        .is_none_or(|does| does.contains(&KeyOperations::Verify));
    let is_of_a_pair = !matches!(listed.algorithm, AlgorithmParameters::OctetKey(_));
    if !(is_for_signatures && verifies && is_of_a_pair) {
        return None;
    }
    let algorithm = match common.key_algorithm {
        None => None,
        Some(only) => Some(Algorithm::try_from(only).ok()?),
    };
    let key = DecodingKey::from_jwk(&listed).ok()?;
    if key.family() == AlgorithmFamily::Hmac {
        return None;
    }
    let id = listed.common.key_id?;
    Some(Key { id, algorithm, key })
}
