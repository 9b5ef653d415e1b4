//! The default transport: reqwest for reads, and a connection of its own for each write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
use crate::transport::seam::{
    Body, BodyChunks, HttpTransport, TransportError, WriteConnection, WriteTransport,
};
use crate::transport::tls::{self, Tls};
use crate::transport::write_connection;

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// reqwest with everything off that would send a request elsewhere or again.
pub(crate) struct Reqwest {
    certificates: Certificates,
    https: bool,
    connect: Duration,
    current: Mutex<Current>,
    /// Files are to be looked at before their time.
    look_now: Arc<AtomicBool>,
}

/// How connections are made, and the certificates that say it.
struct Current {
    client: Client,
    tls: Tls,
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
            && !Tls::IS_THERE
        {
            return Err(InputError::NoTls {
                what: format!("`{endpoint}`"),
            });
        }
        if !certificates.are_none() && !Tls::IS_THERE {
            return Err(InputError::NoTls {
                what: "a certificate".to_owned(),
            });
        }
        let loaded = certificates.load()?;
        let https = https.is_some();
        let current = Current::new(loaded, https, connect, certificates.look_every)?;
        Ok(Self {
            certificates,
            https,
            connect,
            current: Mutex::new(current),
            look_now: Arc::default(),
        })
    }

    /// What the certificates of now say. Those that are no good leave it as it was.
    fn refreshed(&self) -> MutexGuard<'_, Current> {
        let mut current = self.current();
        let now = self.look_now.swap(false, Ordering::Relaxed) || current.look <= Instant::now();
        if self.certificates.are_files() && now {
            current.look = Instant::now() + self.certificates.look_every;
            match self.changed(&current.loaded) {
                Ok(None) => {}
                Ok(Some(changed)) => {
                    tracing::info!("certificates have changed and are used from now on");
                    *current = changed;
                }
                Err(error) => {
                    let error = crate::Error::from(error).report();
                    tracing::warn!(error, "certificates have changed and are not used");
                }
            }
        }
        current
    }

    /// What files say, if they are not what they were.
    fn changed(&self, before: &Loaded) -> Result<Option<Current>, InputError> {
        let loaded = self.certificates.load()?;
        if loaded == *before {
            return Ok(None);
        }
        let every = self.certificates.look_every;
        Current::new(loaded, self.https, self.connect, every).map(Some)
    }

    /// The reason of a failure may be a certificate that has been replaced meanwhile.
    fn look_soon(&self) {
        self.look_now.store(true, Ordering::Relaxed);
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn new(
        loaded: Loaded,
        https: bool,
        connect: Duration,
        look_every: Duration,
    ) -> Result<Self, InputError> {
        let tls = Tls::new(&loaded, https)?;
        Ok(Self {
            client: client(&tls, connect)?,
            tls,
            loaded,
            look: Instant::now() + look_every,
        })
    }
}

#[async_trait]
impl HttpTransport for Reqwest {
    async fn call(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError> {
        let request = reqwest::Request::try_from(request).map_err(classified)?;
        let client = self.refreshed().client.clone();
        let mut response = client.execute(request).await.map_err(|error| {
            self.look_soon();
            classified(error)
        })?;
        let announced = response.content_length();
        let mut answer = Response::new(());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer.map(|()| Body::from_chunks(announced, Chunks(response))))
    }

    fn writes(&self) -> Option<&dyn WriteTransport> {
        Some(self)
    }
}

#[async_trait]
impl WriteTransport for Reqwest {
    async fn connect(&self, origin: &str) -> Result<Box<dyn WriteConnection>, TransportError> {
        let tls = self.refreshed().tls.clone();
        let failed = Arc::clone(&self.look_now);
        match write_connection::connect(origin, self.connect, &tls, failed).await {
            Ok(connection) => Ok(Box::new(connection)),
            Err(error) => {
                self.look_soon();
                Err(TransportError::not_sent(error))
            }
        }
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

fn client(tls: &Tls, connect: Duration) -> Result<Client, InputError> {
    let builder = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(connect)
        // A connection that something in between has forgotten makes a read fail.
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true);
    let client = tls.applied(builder).build();
    client.map_err(|error| InputError::Setup {
        source: error.into(),
    })
}

/// Whether the request can have reached the other side.
fn classified(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let unsent = error.is_connect() || error.is_builder();
    match tls::refused_handshake(error, unsent) {
        Ok(refused) => TransportError::not_sent(refused),
        Err(error) if unsent => TransportError::not_sent(error),
        Err(error) => TransportError::maybe_sent(error),
    }
}
