//! The default transport: connections that are kept for reads, and one of its own for each write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use tokio::time::Instant;

use crate::certificates::{Certificates, Loaded};
use crate::connection::{Http1, connect};
use crate::error::{SetupError, report};
use crate::tls::Tls;
use crate::transport::{Body, HttpTransport, TransportError, WriteConnection, WriteTransport};

pub(crate) use idle::Idle;

mod idle;

/// What connections are made with, and those that are idle. Nothing is sent elsewhere or again: no
/// proxy of the environment, no redirect, no second try.
pub struct Connections {
    certificates: Certificates,
    https: bool,
    connect: Duration,
    current: Mutex<Current>,
    /// Files are to be looked at before their time.
    look_now: Arc<AtomicBool>,
}

/// How connections are made, and the certificates that say it.
struct Current {
    tls: Tls,
    /// Made with these certificates.
    idle: Arc<Idle>,
    loaded: Loaded,
    /// When files are looked at next.
    look: Instant,
}

impl Connections {
    /// `https` is an address that needs it, if there is one; `connect` is the time to make a
    /// connection, TLS included.
    ///
    /// # Errors
    /// When certificates or a key cannot be used.
    pub fn new(
        https: Option<&str>,
        certificates: Certificates,
        connect: Duration,
    ) -> Result<Self, SetupError> {
        if let Some(address) = https
            && !Tls::IS_THERE
        {
            return Err(SetupError::NoTls {
                what: format!("`{address}`"),
            });
        }
        if !certificates.are_none() && !Tls::IS_THERE {
            return Err(SetupError::NoTls {
                what: "a certificate".to_owned(),
            });
        }
        let loaded = certificates.load()?;
        let https = https.is_some();
        let current = Current::new(loaded, https, certificates.look_every)?;
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
                    tracing::info!("changed certificates loaded");
                    *current = changed;
                }
                Err(error) => {
                    let error = report(&error);
                    tracing::warn!(error, "changed certificates cannot be used");
                }
            }
        }
        current
    }

    /// What files say, if they are not what they were.
    fn changed(&self, before: &Loaded) -> Result<Option<Current>, SetupError> {
        let loaded = self.certificates.load()?;
        if loaded == *before {
            return Ok(None);
        }
        let every = self.certificates.look_every;
        Current::new(loaded, self.https, every).map(Some)
    }

    /// The reason of a failure may be a certificate that has been replaced meanwhile.
    fn look_soon(&self) {
        self.look_now.store(true, Ordering::Relaxed);
    }

    /// Opens a connection to the origin of this URI.
    async fn open(&self, origin: &Uri, tls: &Tls) -> Result<Http1, TransportError> {
        let failed = Arc::clone(&self.look_now);
        let opened = connect(origin, self.connect, tls, failed).await;
        opened.map_err(|error| {
            self.look_soon();
            TransportError::not_sent(error)
        })
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn new(loaded: Loaded, https: bool, look_every: Duration) -> Result<Self, SetupError> {
        Ok(Self {
            tls: Tls::new(&loaded, https)?,
            idle: Arc::default(),
            loaded,
            look: Instant::now() + look_every,
        })
    }
}

#[async_trait]
impl HttpTransport for Connections {
    async fn call(&self, request: Request<Bytes>) -> Result<Response<Body>, TransportError> {
        let (tls, idle) = {
            let current = self.refreshed();
            (current.tls.clone(), Arc::clone(&current.idle))
        };
        let connection = match idle.take(request.uri()) {
            Some(connection) => connection,
            None => self.open(request.uri(), &tls).await?,
        };
        connection.get(request, idle).await
    }

    fn writes(&self) -> Option<&dyn WriteTransport> {
        Some(self)
    }
}

#[async_trait]
impl WriteTransport for Connections {
    async fn connect(&self, origin: &str) -> Result<Box<dyn WriteConnection>, TransportError> {
        let tls = self.refreshed().tls.clone();
        let origin: Uri = origin.parse().map_err(TransportError::not_sent)?;
        Ok(Box::new(self.open(&origin, &tls).await?))
    }
}
