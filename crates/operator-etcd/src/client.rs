//! The client: etcd's v3 JSON gateway, where every call is a POST with a JSON body.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use action_core::Attempt;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use system_http::{
    BodyError, BoxError, Certificates, Connections, Limits, OneWrite, Origin, Sent, TransportError,
};

use crate::error::{Error, UNHEALTHY};
use crate::send_permit::AttemptPermit;
use crate::wire::{Refusal, Status};

/// A client of one etcd cluster. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    connections: Arc<Connections>,
    pub(crate) endpoints: Vec<Origin>,
    read: Limits,
    write: Limits,
}

/// Which member of which cluster a write is for.
pub(crate) struct For<'a> {
    pub(crate) at: &'a Origin,
    pub(crate) member_id: u64,
    pub(crate) cluster_id: u64,
}

const CONNECT: Duration = Duration::from_secs(2);
const STATUS: &str = "/v3/maintenance/status";

/// gRPC's codes of refusals that were decided before anything was done.
const DECIDED: [u32; 9] = [3, 5, 6, 7, 8, 9, 11, 12, 16];

impl Client {
    /// A client of these endpoints, separated by commas.
    ///
    /// # Errors
    /// When an endpoint is not one, or a certificate cannot be used.
    pub fn new(endpoints: &str, certificates: Certificates) -> Result<Self, Error> {
        let endpoints = endpoints.split(',').map(Origin::parse);
        let endpoints: Vec<Origin> = endpoints.collect::<Result<_, _>>().map_err(setup)?;
        let https = endpoints.iter().find(|endpoint| endpoint.is_https());
        let connections = Connections::new(https.map(Origin::as_str), certificates, CONNECT);
        Ok(Self {
            connections: Arc::new(connections.map_err(setup)?),
            endpoints,
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

    /// Asks one member.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        at: &Origin,
        path: &str,
        body: &Value,
    ) -> Result<T, Error> {
        let not_read = |source: BoxError| Error::NotRead {
            at: at.to_string(),
            source,
        };
        let request = request(at, path, body)?;
        let answer = system_http::read(&*self.connections, request, self.read).await;
        let answer = answer.map_err(|error| not_read(error.source))?;
        let body = answer.body.map_err(|error| not_read(error.into()))?;
        read(answer.status, &body).map_err(|error| match error {
            NotSaid::Refused(refusal) => Error::Refused(refusal.message),
            NotSaid::Unreadable(source) => not_read(source),
        })
    }

    /// Sends a write once, on a connection on which that member has said who it is.
    pub(crate) async fn write<T: DeserializeOwned>(
        &self,
        to: For<'_>,
        path: &str,
        body: &Value,
        attempt: &Attempt,
    ) -> Result<T, Error> {
        let at = to.at.to_string();
        let not_sent = |source: BoxError| Error::NotSent {
            at: at.clone(),
            source,
        };
        let request = request(to.at, path, body)?;
        let connected = OneWrite::connect(&*self.connections, to.at.as_str(), CONNECT).await;
        let mut connection = connected.map_err(|error| not_sent(error.source))?;
        let who = self::request(to.at, STATUS, &json!({}))?;
        let who = connection.read(who, self.read).await;
        let who = who.map_err(|error| not_sent(error.source))?;
        let status: Status = read(who.status(), who.body()).map_err(|error| match error {
            NotSaid::Refused(refusal) => not_sent(refusal.message.into()),
            NotSaid::Unreadable(source) => not_sent(source),
        })?;
        let found = (status.header.member_id, status.header.cluster_id);
        if found != (to.member_id, to.cluster_id) {
            let shown = |(member, cluster)| format!("{member:x} of cluster {cluster:x}");
            return Err(Error::OtherSystem {
                at,
                expected: shown((to.member_id, to.cluster_id)),
                found: shown(found),
            });
        }
        let permit = AttemptPermit(attempt);
        let answer = connection.send(request, Some(&permit), self.write).await;
        let answer = answer.map_err(|error| not_written(error, &at))?;
        let unanswered = |source: BoxError| Error::Unanswered {
            at: at.clone(),
            source,
        };
        let body = answer
            .body
            .map_err(|error: BodyError| unanswered(error.into()))?;
        read(answer.status, &body).map_err(|error| match error {
            NotSaid::Refused(refusal) if refusal.is_decided() => Error::Refused(refusal.message),
            NotSaid::Refused(refusal) => unanswered(refusal.message.into()),
            NotSaid::Unreadable(source) => unanswered(source),
        })
    }
}

/// Why an answer is not what was asked for.
enum NotSaid {
    Refused(Refusal),
    Unreadable(BoxError),
}

impl Refusal {
    /// Whether it says that nothing was done, and nothing will be.
    fn is_decided(&self) -> bool {
        DECIDED.contains(&self.code) || self.message == UNHEALTHY
    }
}

fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, NotSaid> {
    if status.is_success() {
        return serde_json::from_slice(body).map_err(|error| NotSaid::Unreadable(error.into()));
    }
    Err(match serde_json::from_slice(body) {
        Ok(refusal) => NotSaid::Refused(refusal),
        Err(_) => NotSaid::Unreadable(format!("it answered {status}, in no form of etcd's").into()),
    })
}

fn not_written(error: TransportError, at: &str) -> Error {
    let at = at.to_owned();
    match error.into_refusal() {
        Ok(refusal) => Error::NotPermitted(refusal),
        Err(TransportError { sent, source, .. }) => match sent {
            Sent::No => Error::NotSent { at, source },
            Sent::Maybe => Error::Unanswered { at, source },
        },
    }
}

fn request(at: &Origin, path: &str, body: &Value) -> Result<Request<Bytes>, Error> {
    let mut request = Request::new(Bytes::from(body.to_string()));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = at.uri(path.to_owned()).map_err(setup)?;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(request)
}

fn setup(source: impl Into<BoxError>) -> Error {
    Error::Setup(source.into())
}

/// No answer that is asked for is large.
fn limits(time: Duration) -> Limits {
    let body = 1024 * 1024;
    Limits { time, body }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}
