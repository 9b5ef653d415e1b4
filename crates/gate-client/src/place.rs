//! Where a gate is, and how it is reached.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use system_http::{
    Body, Certificates, Connections, OneWrite, Origin, OriginError, SetupError, TransportError,
};

/// How long it may take to connect, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// What is not written as it is in one segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A text as one segment of a path, or one value of a query.
#[must_use]
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Where a gate is.
pub struct Place {
    connections: Connections,
    origin: Origin,
}

/// Why a gate is not asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// That is no address.
    #[error(transparent)]
    Address(#[from] OriginError),
    /// The token could be read on the way.
    #[error(
        "`{0}` is on another machine, and without TLS others on the network could read the token: use `https://`"
    )]
    Plain(Origin),
    /// No header can hold it.
    #[error("the token contains invalid characters")]
    Token,
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[from] SetupError),
}

impl Place {
    /// The gate at an address (`https://host:7070`). Nothing is asked yet.
    ///
    /// # Errors
    /// When there is no such address, it is not of this machine and without TLS, or the certificates
    /// cannot be used.
    pub fn new(address: &str, certificates: Certificates) -> Result<Self, PlaceError> {
        let origin = Origin::parse(address)?;
        if !origin.is_https() && !is_loopback(&origin) {
            return Err(PlaceError::Plain(origin));
        }
        let https = origin.is_https().then(|| origin.as_str().to_owned());
        let connections = Connections::new(https.as_deref(), certificates, CONNECT)?;
        Ok(Self {
            connections,
            origin,
        })
    }

    /// `https://host:7070`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.origin.as_str()
    }

    /// What `Host` says in requests to it.
    #[must_use]
    pub fn host(&self) -> &str {
        let address = self.origin.as_str();
        address.split_once("://").map_or(address, |(_, host)| host)
    }

    /// The URI of a path with its query.
    ///
    /// # Errors
    /// When that is no path: nothing was sent.
    pub fn uri(&self, path_and_query: &str) -> Result<Uri, TransportError> {
        let uri = self.origin.uri(path_and_query.to_owned());
        uri.map_err(TransportError::not_sent)
    }

    /// Sends a request on a connection of its own, once. The time is that until the head of the answer is
    /// here.
    ///
    /// # Errors
    /// When there is no answer. Any status is one.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        time: Duration,
    ) -> Result<Response<Body>, TransportError> {
        self.connect().await?.send_streamed(request, time).await
    }

    pub(crate) async fn connect(&self) -> Result<OneWrite, TransportError> {
        OneWrite::connect(&self.connections, self.origin.as_str(), CONNECT).await
    }
}

/// A token, as it stands in `Authorization`. It is not shown where headers are.
///
/// # Errors
/// When no header can hold it.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, PlaceError> {
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut value = value.map_err(|_| PlaceError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

fn is_loopback(origin: &Origin) -> bool {
    let host = origin.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
