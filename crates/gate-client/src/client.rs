//! Asks a gate, and reads its answers as JSON.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request};
use serde_json::Value;
use system_http::{Limits, Sent, TransportError};

use crate::place::{Place, PlaceError, bearer};

/// How long an answer may take: a gate says after 45 seconds at the latest that something goes on.
const WITHIN: Duration = Duration::from_secs(90);

/// How long an answer may be, in bytes.
const MOST: usize = 64 * 1024 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request, as who asks may sign it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// What `Host` says.
    pub host: &'a str,
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path with its query.
    pub path: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Asked<'a> {
    /// A request to a gate.
    #[must_use]
    pub fn new(host: &'a str, method: &'a str, path: &'a str, body: &'a [u8]) -> Self {
        Self {
            host,
            method,
            path,
            body,
        }
    }
}

/// Writes what `Authorization` says, for a request.
type Signer = Box<dyn Fn(&Asked<'_>) -> String + Send + Sync>;

/// Who asks, by what proves it.
pub struct Who(Proof);

enum Proof {
    Token(HeaderValue),
    Signature(Signer),
    /// What is shown in the handshake of TLS, or nothing.
    Connection,
}

impl Who {
    /// Who has this token.
    ///
    /// # Errors
    /// When no header can hold it.
    pub fn token(token: &str) -> Result<Self, PlaceError> {
        Ok(Self(Proof::Token(bearer(token)?)))
    }

    /// Who signs each request: this writes what `Authorization` says.
    #[must_use]
    pub fn signing(sign: impl Fn(&Asked<'_>) -> String + Send + Sync + 'static) -> Self {
        Self(Proof::Signature(Box::new(sign)))
    }

    /// Who has shown a certificate in the handshake, or nobody.
    #[must_use]
    pub fn of_connection() -> Self {
        Self(Proof::Connection)
    }

    /// What stands in `Authorization`, where something does.
    ///
    /// # Errors
    /// When no header can hold it.
    pub fn authorization(&self, asked: &Asked<'_>) -> Result<Option<HeaderValue>, PlaceError> {
        match &self.0 {
            Proof::Token(token) => Ok(Some(token.clone())),
            Proof::Signature(sign) => {
                let value = HeaderValue::from_str(&sign(asked));
                let mut value = value.map_err(|_| PlaceError::Token)?;
                value.set_sensitive(true);
                Ok(Some(value))
            }
            Proof::Connection => Ok(None),
        }
    }
}

/// What a gate answered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Value,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Nothing of the request has left.
    #[error("cannot reach the gate at {gate}")]
    NotSent {
        /// Where.
        gate: String,
        /// Why.
        #[source]
        source: TransportError,
    },
    /// It may have been read, and no whole answer came back.
    #[error("the answer of the gate at {gate} was lost")]
    Lost {
        /// Where.
        gate: String,
        /// Why.
        #[source]
        source: TransportError,
    },
    /// What came back is no answer of a gate.
    #[error(
        "what answers at {gate} (status {status}) is not a gate: give the address of the gate itself"
    )]
    NotUnderstood {
        /// Where.
        gate: String,
        /// The status.
        status: u16,
    },
}

/// A gate, and who asks it.
pub struct Client {
    place: Place,
    who: Who,
}

impl Client {
    /// Asks this gate, for this one.
    #[must_use]
    pub fn new(place: Place, who: Who) -> Self {
        Self { place, who }
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Asks for what a path has.
    ///
    /// # Errors
    /// When there is no answer. A refusal is one.
    pub async fn get(&self, path: &str) -> Result<Answer, AskError> {
        self.ask(Method::GET, path, Bytes::new(), None).await
    }

    /// Asks for something to be done, once.
    ///
    /// # Errors
    /// When there is no answer. A refusal is one.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, AskError> {
        let body = body.to_string().into();
        self.ask(Method::POST, path, body, None).await
    }

    /// The same, with the key by which it can be repeated.
    ///
    /// # Errors
    /// When there is no answer. A refusal is one.
    pub async fn post_by_key(
        &self,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<Answer, AskError> {
        let body = body.to_string().into();
        self.ask(Method::POST, path, body, Some(key)).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        key: Option<&str>,
    ) -> Result<Answer, AskError> {
        let failed = |error: TransportError| {
            let (gate, sent) = (self.place.address().to_owned(), error.sent);
            match sent {
                Sent::No => AskError::NotSent {
                    gate,
                    source: error,
                },
                Sent::Maybe => AskError::Lost {
                    gate,
                    source: error,
                },
            }
        };
        let request = self.request(method, path, body, key).map_err(failed)?;
        let connection = self.place.connect().await.map_err(failed)?;
        let limits = Limits {
            time: WITHIN,
            body: MOST,
        };
        let answer = connection.send(request, None, limits).await;
        let answer = answer.map_err(failed)?;
        let status = answer.status.as_u16();
        let body = answer.body.map_err(TransportError::maybe_sent);
        let read = serde_json::from_slice(&body.map_err(failed)?);
        let gate = || self.place.address().to_owned();
        match read {
            Ok(body) => Ok(Answer { status, body }),
            Err(_) => Err(AskError::NotUnderstood {
                gate: gate(),
                status,
            }),
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        key: Option<&str>,
    ) -> Result<Request<Bytes>, TransportError> {
        let asked = Asked::new(self.place.host(), method.as_str(), path, &body);
        let who = self.who.authorization(&asked);
        let who = who.map_err(TransportError::not_sent)?;
        let key = key.map(HeaderValue::from_str).transpose();
        let key = key.map_err(TransportError::not_sent)?;
        let uri = self.place.uri(path)?;
        let mut request = Request::new(body);
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(who.map(|who| (AUTHORIZATION, who)));
        headers.extend(key.map(|key| (IDEMPOTENCY_KEY, key)));
        Ok(request)
    }
}
