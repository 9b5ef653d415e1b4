//! The default transport.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::time::Instant;

use crate::endpoint::Endpoint;
use crate::error::{BoxError, InputError};
use crate::transport::certificates::{Certificates, Loaded};
use crate::transport::seam::{Body, BodyChunks, HttpTransport, TransportError};

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// reqwest with everything off that would send a request elsewhere or again.
pub(crate) struct Reqwest {
    certificates: Certificates,
    https: bool,
    connect: Duration,
    current: Mutex<Current>,
}

/// A client, and the certificates it was made with.
struct Current {
    client: Client,
    loaded: Loaded,
    /// When files are looked at next.
    look: Instant,
}

impl Reqwest {
    /// `https` is an endpoint that needs it, if there is one.
    pub(crate) fn new(
        https: Option<&Endpoint>,
        certificates: Certificates,
        connect: Duration,
    ) -> Result<Self, InputError> {
        if let Some(endpoint) = https
            && !has_tls()
        {
            return Err(InputError::NoTls {
                what: format!("`{endpoint}`"),
            });
        }
        if !certificates.are_none() && !has_tls() {
            return Err(InputError::NoTls {
                what: "a certificate".to_owned(),
            });
        }
        let loaded = certificates.load()?;
        let https = https.is_some();
        let client = client(&loaded, https, connect)?;
        let look = Instant::now() + certificates.look_every;
        Ok(Self {
            certificates,
            https,
            connect,
            current: Mutex::new(Current {
                client,
                loaded,
                look,
            }),
        })
    }

    /// The client with the certificates of now. Those that are no good leave it as it was.
    fn client(&self) -> Client {
        let mut current = self.current();
        if self.certificates.are_files() && current.look <= Instant::now() {
            current.look = Instant::now() + self.certificates.look_every;
            match self.changed(&current.loaded) {
                Ok(None) => {}
                Ok(Some((client, loaded))) => {
                    tracing::info!("certificates have changed and are used from now on");
                    (current.client, current.loaded) = (client, loaded);
                }
                Err(error) => {
                    let error = crate::Error::from(error).report();
                    tracing::warn!(error, "certificates have changed and are not used");
                }
            }
        }
        current.client.clone()
    }

    /// A new client, if files are not what they were.
    fn changed(&self, before: &Loaded) -> Result<Option<(Client, Loaded)>, InputError> {
        let loaded = self.certificates.load()?;
        if loaded == *before {
            return Ok(None);
        }
        let client = client(&loaded, self.https, self.connect)?;
        Ok(Some((client, loaded)))
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HttpTransport for Reqwest {
    async fn call(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(classified)?;
        let client = self.client();
        let mut response = client.execute(request).await.map_err(|error| {
            // The reason may be a certificate that has been replaced meanwhile.
            self.current().look = Instant::now();
            classified(error)
        })?;
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

fn client(loaded: &Loaded, https: bool, connect: Duration) -> Result<Client, InputError> {
    let builder = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(connect)
        // A connection that something in between has forgotten makes a write unanswered.
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true);
    let client = with_tls(builder, loaded, https)?.build();
    client.map_err(|error| InputError::Setup {
        source: error.into(),
    })
}

#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
fn with_tls(
    builder: reqwest::ClientBuilder,
    loaded: &Loaded,
    https: bool,
) -> Result<reqwest::ClientBuilder, InputError> {
    let config = crate::transport::tls::config(loaded, https)?;
    Ok(builder.tls_backend_preconfigured(config))
}

#[cfg(not(any(feature = "tls-aws-lc", feature = "tls-ring")))]
fn with_tls(
    builder: reqwest::ClientBuilder,
    _: &Loaded,
    _: bool,
) -> Result<reqwest::ClientBuilder, InputError> {
    Ok(builder)
}

const fn has_tls() -> bool {
    cfg!(any(feature = "tls-aws-lc", feature = "tls-ring"))
}

/// Whether the request can have reached the other side.
fn classified(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    #[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
    let error = match crate::transport::tls::refused_handshake(error) {
        Ok(refused) => return TransportError::not_sent(refused),
        Err(error) => error,
    };
    if error.is_connect() || error.is_builder() {
        return TransportError::not_sent(error);
    }
    TransportError::maybe_sent(error)
}
