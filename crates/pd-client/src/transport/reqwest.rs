//! The default transport.

use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity};

use crate::builder::Timeouts;
use crate::error::{BoxError, InputError};
use crate::transport::seam::{Body, BodyChunks, HttpTransport, TransportError};

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// reqwest with everything off that would send a request elsewhere or again.
pub(crate) struct Reqwest(Client);

impl Reqwest {
    /// The system's certificates are read when there is `https` to speak and no other authority.
    pub(crate) fn new(
        https: bool,
        ca_pem: Option<&[u8]>,
        identity_pem: Option<&[u8]>,
        timeouts: &Timeouts,
    ) -> Result<Self, InputError> {
        let mut builder = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(timeouts.connect)
            // A connection that something in between has forgotten makes a write unanswered.
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true);
        builder = match ca_pem {
            Some(pem) => builder.tls_certs_only(certificates(pem)?),
            None if https => builder,
            // Reading the system's certificates takes time, and fails where there are none.
            None => builder.tls_certs_only([]),
        };
        if let Some(pem) = identity_pem {
            builder = builder.identity(identity(pem)?);
        }
        let client = builder.build();
        client.map(Self).map_err(|error| InputError::Setup {
            source: error.into(),
        })
    }
}

#[async_trait]
impl HttpTransport for Reqwest {
    async fn call(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(classified)?;
        let mut response = self.0.execute(request).await.map_err(classified)?;
        let announced = response.content_length();
        let mut answer = Response::new(());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer.map(|()| Body::from_chunks(announced, Chunks(response))))
    }
}

struct Chunks(reqwest::Response);

#[async_trait]
impl BodyChunks for Chunks {
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        self.0
            .chunk()
            .await
            .map_err(|error| error.without_url().into())
    }
}

/// The other side ended the TLS handshake because of who we are.
///
/// With TLS 1.3 this arrives after our side of the handshake is done, so that it does not count
/// as a connect error; the request is not read by a server that refuses the handshake.
#[derive(Debug, thiserror::Error)]
#[error(
    "PD refused our side of the TLS handshake ({alert}): {}",
    advice(alert)
)]
struct HandshakeRefused {
    alert: &'static str,
    source: BoxError,
}

fn advice(alert: &str) -> &'static str {
    match alert {
        "CertificateRequired" => "it requires a client certificate",
        _ => "it does not accept the client certificate",
    }
}

const ALERTS: &[&str] = &[
    "CertificateRequired",
    "BadCertificate",
    "UnknownCA",
    "CertificateUnknown",
    "CertificateExpired",
    "CertificateRevoked",
    "UnsupportedCertificate",
    "AccessDenied",
];

fn classified(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if let Some(alert) = handshake_alert(&error) {
        let source = error.into();
        return TransportError::not_sent(HandshakeRefused { alert, source });
    }
    if error.is_connect() || error.is_builder() {
        return TransportError::not_sent(error);
    }
    TransportError::maybe_sent(error)
}

fn handshake_alert(error: &reqwest::Error) -> Option<&'static str> {
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if let Some((_, alert)) = message.split_once("received fatal alert: ") {
            return ALERTS.iter().copied().find(|known| alert == *known);
        }
        cause = error.source();
    }
    None
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, InputError> {
    let refuse = |problem, source| InputError::Pem {
        what: "the CA bundle",
        problem,
        source,
    };
    let certificates = Certificate::from_pem_bundle(pem)
        .map_err(|error| refuse("a certificate in it cannot be read", Some(error.into())))?;
    if certificates.is_empty() {
        // Taken as it is, it would trust nothing and say so only at the first request.
        return Err(refuse("it holds no `BEGIN CERTIFICATE`, write PEM", None));
    }
    Ok(certificates)
}

fn identity(pem: &[u8]) -> Result<Identity, InputError> {
    let refuse = |problem, source| InputError::Pem {
        what: "the client identity",
        problem,
        source,
    };
    let text = String::from_utf8_lossy(pem);
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(refuse(
            "it holds no `BEGIN CERTIFICATE`, write certificate and key as PEM",
            None,
        ));
    }
    if !text.contains("PRIVATE KEY-----") {
        return Err(refuse(
            "it holds no `PRIVATE KEY`, append the key to the certificate",
            None,
        ));
    }
    Identity::from_pem(pem)
        .map_err(|error| refuse("its certificate or key cannot be read", Some(error.into())))
}
