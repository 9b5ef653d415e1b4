//! The client: reads that may be asked of another endpoint, and writes that are sent once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use action_core::{Addresses, Attempt, ConnectError, TlsFiles, report};
use bytes::Bytes;
use http::Request;
use serde::de::DeserializeOwned;
use system_http::{
    BoxError, Certificates, Connections, Limits, OneWrite, Origin, OriginError, Sent,
    TransportError,
};

use crate::call::Call;
use crate::error::HttpError;
use crate::permit::AttemptPermit;
use crate::settings::certificates;

/// How a system speaks.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct Dialect {
    /// What answers, as sentences name it.
    pub name: &'static str,
    /// What an answer says whose status, the first argument, is not 2xx.
    pub refused: fn(u16, &str) -> NotDone,
}

/// What an answer says that is no success.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotDone {
    /// Nothing was done, and nothing will be.
    Refused {
        /// A stable code.
        code: String,
        /// The system's words.
        text: String,
    },
    /// It decides nothing: what was asked for may have been done all the same.
    Unclear(BoxError),
}

impl NotDone {
    /// Refused in these words.
    #[must_use]
    pub fn refused(code: &str, text: impl Into<String>) -> Self {
        let (code, text) = (code.to_owned(), text.into());
        Self::Refused { code, text }
    }

    /// It decides nothing.
    pub fn unclear(what: impl Into<BoxError>) -> Self {
        Self::Unclear(what.into())
    }
}

/// Which system a write is for: asked on the connection that it is sent on.
#[expect(clippy::exhaustive_structs, reason = "made by callers")]
pub struct Whose<'a, I> {
    /// Asks who is there.
    pub ask: Call,
    /// The name in the answer.
    pub named: fn(&I) -> String,
    /// The name of the one that it is for; any where there is none.
    pub expected: Option<&'a str>,
}

/// A client of one system. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct HttpClient {
    dialect: Dialect,
    connections: Arc<Connections>,
    first: Origin,
    others: Vec<Origin>,
    read: Limits,
    write: Limits,
}

const CONNECT: Duration = Duration::from_secs(2);

impl HttpClient {
    /// A client of the endpoints in this setting, separated by commas.
    ///
    /// # Errors
    /// When an endpoint is not one, or a file of TLS cannot be used; names the setting.
    pub fn connect(
        dialect: Dialect,
        setting: &str,
        addresses: &Addresses,
        tls: &TlsFiles,
    ) -> Result<Self, ConnectError> {
        let certificates = certificates(tls)?;
        let made = Self::new(dialect, addresses.as_str(), certificates);
        made.map_err(|error| {
            let is_address = std::error::Error::source(&error)
                .is_some_and(|source| source.downcast_ref::<OriginError>().is_some());
            let setting = match (is_address, &tls.ca) {
                (true, _) => setting,
                (false, Some(_)) => "tls_ca",
                (false, None) => "tls_cert",
            };
            ConnectError::setting(setting, report(&error))
        })
    }

    /// The same, from what the settings name.
    ///
    /// # Errors
    /// When an endpoint is not one, or a certificate cannot be used.
    pub fn new(
        dialect: Dialect,
        endpoints: &str,
        certificates: Certificates,
    ) -> Result<Self, HttpError> {
        let system = dialect.name;
        let setup = |source: BoxError| HttpError::Setup { system, source };
        let parsed = endpoints.split(',').map(Origin::parse);
        let parsed: Result<Vec<Origin>, OriginError> = parsed.collect();
        let mut others = parsed.map_err(|error| setup(error.into()))?;
        let https = others.iter().find(|endpoint| endpoint.is_https());
        let connections = Connections::new(https.map(Origin::as_str), certificates, CONNECT);
        Ok(Self {
            dialect,
            connections: Arc::new(connections.map_err(|error| setup(error.into()))?),
            // Splitting gives one part at least.
            first: others.remove(0),
            others,
            read: limits(Duration::from_secs(5)),
            write: limits(Duration::from_secs(10)),
        })
    }

    /// The same client, with this much time for the answer to a read and to a write.
    #[must_use]
    pub fn with_timeouts(mut self, read: Duration, write: Duration) -> Self {
        self.read = limits(read);
        self.write = limits(write);
        self
    }

    /// The endpoint that was named first.
    #[must_use]
    pub fn first(&self) -> &Origin {
        &self.first
    }

    /// All of them.
    pub fn endpoints(&self) -> impl Iterator<Item = &Origin> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Asks the first endpoint that answers.
    ///
    /// # Errors
    /// What the system refuses; when none answers, what the last failed with.
    pub async fn read<T: DeserializeOwned>(&self, call: Call) -> Result<T, HttpError> {
        let mut answer = self.read_at(&self.first, call.clone()).await;
        for endpoint in &self.others {
            if !matches!(answer, Err(HttpError::NotRead { .. })) {
                break;
            }
            answer = self.read_at(endpoint, call.clone()).await;
        }
        answer
    }

    /// Asks this endpoint.
    ///
    /// # Errors
    /// What the system refuses, or why there is no answer.
    pub async fn read_at<T: DeserializeOwned>(
        &self,
        at: &Origin,
        call: Call,
    ) -> Result<T, HttpError> {
        let request = self.request(at, &call)?;
        let not_read = |source: BoxError| HttpError::NotRead {
            system: self.dialect.name,
            at: at.to_string(),
            source,
        };
        let answer = system_http::read(&*self.connections, request, self.read).await;
        let answer = answer.map_err(|error| not_read(error.source))?;
        let body = answer.body.map_err(|error| not_read(error.into()))?;
        self.said(answer.status.as_u16(), &body, not_read)
    }

    /// Sends a write once, on a connection on which the system has said who it is, with the
    /// attempt's permit.
    ///
    /// # Errors
    /// [`HttpError::Unanswered`] when it may have been done; every other promises that it is not.
    pub async fn write<I: DeserializeOwned, T: DeserializeOwned>(
        &self,
        at: &Origin,
        whose: Whose<'_, I>,
        call: Call,
        attempt: &Attempt,
    ) -> Result<T, HttpError> {
        let system = self.dialect.name;
        let not_sent = |source: BoxError| HttpError::NotSent {
            system,
            at: at.to_string(),
            source,
        };
        let unanswered = |source: BoxError| HttpError::Unanswered {
            system,
            at: at.to_string(),
            source,
        };
        let (ask, request) = (self.request(at, &whose.ask)?, self.request(at, &call)?);
        let connected = OneWrite::connect(&*self.connections, at.as_str(), CONNECT).await;
        let mut connection = connected.map_err(|error| not_sent(error.source))?;
        let who = connection.read(ask, self.read).await;
        let who = who.map_err(|error| not_sent(error.source))?;
        let who: I = self.said(who.status().as_u16(), who.body(), not_sent)?;
        let found = (whose.named)(&who);
        if let Some(expected) = whose.expected.filter(|expected| *expected != found) {
            return Err(HttpError::OtherSystem {
                at: at.to_string(),
                expected: expected.to_owned(),
                found,
            });
        }
        let permit = AttemptPermit(attempt.clone());
        let answer = connection.send(request, Some(&permit), self.write).await;
        let answer = answer.map_err(|error| match error.into_refusal() {
            Ok(refusal) => HttpError::NotPermitted(refusal),
            Err(TransportError { sent, source, .. }) => match sent {
                Sent::No => not_sent(source),
                Sent::Maybe => unanswered(source),
            },
        })?;
        let body = answer.body.map_err(|error| unanswered(error.into()))?;
        self.said(answer.status.as_u16(), &body, unanswered)
    }

    fn request(&self, at: &Origin, call: &Call) -> Result<Request<Bytes>, HttpError> {
        call.to(at).map_err(|source| HttpError::Setup {
            system: self.dialect.name,
            source,
        })
    }

    /// What an answer says, and what it is when it says nothing.
    fn said<T: DeserializeOwned>(
        &self,
        status: u16,
        body: &[u8],
        unclear: impl Fn(BoxError) -> HttpError,
    ) -> Result<T, HttpError> {
        if (200..300).contains(&status) {
            // No body is JSON's null.
            let body = if body.is_empty() { b"null" } else { body };
            return serde_json::from_slice(body).map_err(|error| unclear(error.into()));
        }
        match (self.dialect.refused)(status, &String::from_utf8_lossy(body)) {
            NotDone::Refused { code, text } => Err(HttpError::Refused { code, text }),
            NotDone::Unclear(source) => Err(unclear(source)),
        }
    }
}

/// No answer that is asked for is large.
fn limits(time: Duration) -> Limits {
    let body = 1024 * 1024;
    Limits { time, body }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints: Vec<&str> = self.endpoints().map(Origin::as_str).collect();
        f.debug_struct("HttpClient")
            .field("endpoints", &endpoints)
            .finish_non_exhaustive()
    }
}
