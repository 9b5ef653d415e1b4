//! The client: queries, with a bound on time and size.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use system_http::{BodyError, BoxError, Certificates, Connections, Limits, Pem};
use url::Url;

use crate::error::Error;
use crate::sample::{Answer, Sample};

/// A client of one Prometheus. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    connections: Arc<Connections>,
    base: Url,
    authorization: Option<HeaderValue>,
    limits: Limits,
}

/// Settings of a [`Client`].
#[derive(Clone)]
#[must_use = "`build` makes the client"]
pub struct ClientBuilder {
    address: String,
    ca_pem: Option<Vec<u8>>,
    bearer: Option<String>,
    timeout: Duration,
    largest: usize,
}

/// How much of a refusal's words is kept.
const LONGEST_MESSAGE: usize = 400;

impl Client {
    /// A client with default settings of the Prometheus at this address, such as
    /// `http://prometheus:9090`; a path before `/api/v1` may follow.
    ///
    /// # Errors
    /// When that is not an address. Nothing is sent.
    pub fn new(address: &str) -> Result<Self, Error> {
        Self::builder(address).build()
    }

    /// Settings of a new client.
    pub fn builder(address: &str) -> ClientBuilder {
        ClientBuilder {
            address: address.to_owned(),
            ca_pem: None,
            bearer: None,
            timeout: Duration::from_secs(10),
            largest: 4 * 1024 * 1024,
        }
    }

    /// Where it asks, without a path.
    #[must_use]
    pub fn address(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// What an expression of PromQL is now: a number for each series. A scalar is one without
    /// labels.
    ///
    /// `GET /api/v1/query`, Prometheus 2 and later.
    ///
    /// # Errors
    /// [`Error::Refused`] in the words of Prometheus when the expression is wrong or takes too
    /// long; [`Error::Unreadable`] when the expression gives a range or text.
    pub async fn query(&self, expression: &str) -> Result<Vec<Sample>, Error> {
        let mut url = self.base.clone();
        url.query_pairs_mut().append_pair("query", expression);
        let mut request = Request::get(url.as_str());
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request
            .body(Bytes::new())
            .map_err(|error| self.unanswered(error))?;
        let answer = system_http::read(&*self.connections, request, self.limits).await;
        let answer = answer.map_err(|error| self.unanswered(error.source))?;
        let body = answer.body.map_err(|error| match error {
            BodyError::TooLarge => Error::TooLarge {
                limit: self.limits.body,
            },
            BodyError::Broken(source) => self.unanswered(source),
        })?;
        self.read(answer.status.as_u16(), &body)
    }

    fn read(&self, status: u16, body: &[u8]) -> Result<Vec<Sample>, Error> {
        let answer: Answer = match serde_json::from_slice(body) {
            Ok(answer) => answer,
            // A proxy in between, as a rule.
            Err(_) if status != 200 => {
                let text = String::from_utf8_lossy(body);
                return Err(refused(status, "", &text));
            }
            Err(error) => return Err(self.unreadable(error)),
        };
        match answer.data {
            Some(data) if answer.status == "success" && status == 200 => Ok(data.samples()),
            _ => Err(refused(status, &answer.error_type, &answer.error)),
        }
    }

    fn unanswered(&self, error: impl Into<BoxError>) -> Error {
        Error::Unanswered {
            address: self.address(),
            source: error.into(),
        }
    }

    fn unreadable(&self, error: serde_json::Error) -> Error {
        Error::Unreadable {
            address: self.address(),
            source: error.into(),
        }
    }
}

fn refused(status: u16, kind: &str, message: &str) -> Error {
    let message = match message.trim() {
        "" => format!("Prometheus answered with status {status}"),
        words => words.chars().take(LONGEST_MESSAGE).collect(),
    };
    Error::Refused {
        status,
        kind: kind.chars().take(LONGEST_MESSAGE).collect(),
        message,
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Trusts these certificates (PEM) and no others. Without, the system's are trusted.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem = Some(pem.into());
        self
    }

    /// Shows this token with each query.
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(token.into());
        self
    }

    /// Limits how long an answer may take, connecting included. 10 s unless told.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Limits how large an answer may be, in bytes. 4 MiB unless told.
    pub fn body_cap(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Makes the client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Address`] and [`Error::Setup`], saying what is wrong.
    pub fn build(self) -> Result<Client, Error> {
        let base = endpoint(&self.address)?;
        let certificates = Certificates {
            ca: self.ca_pem.map(Pem::Given),
            ..Certificates::default()
        };
        let https = (base.scheme() == "https").then_some(base.as_str());
        let connections = Connections::new(https, certificates, self.timeout);
        let bearer = self.bearer.map(|bearer| format!("Bearer {bearer}"));
        let authorization = bearer.map(|bearer| {
            let mut value = HeaderValue::from_str(&bearer).map_err(Error::setup)?;
            value.set_sensitive(true);
            Ok(value)
        });
        Ok(Client {
            connections: Arc::new(connections.map_err(Error::setup)?),
            base,
            authorization: authorization.transpose()?,
            limits: Limits {
                time: self.timeout,
                body: self.largest,
            },
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address is still unchecked and may hold a password.
        f.debug_struct("ClientBuilder").finish_non_exhaustive()
    }
}

/// What may be shown of an address that was refused: all where it can hold no secret, and else
/// nothing. What a password makes of an address, nobody can take apart again.
fn shown(given: &str) -> String {
    let rest = match given.split_once("://") {
        Some(("http" | "https", rest)) => rest,
        _ => given,
    };
    let (host, port) = rest.split_once(':').unwrap_or((rest, ""));
    let is_host = (host.bytes()).all(|at| at.is_ascii_alphanumeric() || b"-._".contains(&at));
    if is_host && port.bytes().all(|at| at.is_ascii_digit()) && given.len() <= 100 {
        given.to_owned()
    } else {
        "[redacted]".to_owned()
    }
}

/// The address of instant queries.
fn endpoint(given: &str) -> Result<Url, Error> {
    let refuse = |problem| Error::Address {
        given: shown(given),
        problem,
    };
    let mut url = Url::parse(given.trim())
        .map_err(|_| refuse("use a scheme, a host and a port, such as http://prometheus:9090"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("use http or https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("leave out user and password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("leave out what follows `?` and `#`"));
    }
    let path = format!("{}/api/v1/query", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}
