//! Settings of a client.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use system_http::{Certificates, Connections, HttpTransport, Identity, Pem};

use crate::client::{Client, Shared, checked_caller_id};
use crate::clock::Clock;
use crate::endpoint::{self, Endpoint};
use crate::error::{Error, InputError};
use crate::transport::known::KnownMembers;
use crate::transport::read::Reading;

/// Settings of a [`Client`].
///
/// ```no_run
/// # fn example() -> Result<(), pd_client::Error> {
/// use pd_client::{Client, Timeouts};
///
/// let pd = Client::builder()
///     .endpoints("https://pd-0:2379,https://pd-1:2379")
///     .ca_file("ca.pem")
///     .client_identity_files("client.pem", "client-key.pem")
///     .timeouts(Timeouts { list: std::time::Duration::from_secs(120), ..Timeouts::default() })
///     .caller_id("night-shift")
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "`build` makes the client"]
pub struct ClientBuilder {
    endpoints: Vec<String>,
    certificates: Certificates,
    timeouts: Timeouts,
    body_cap: usize,
    caller_id: String,
    reading: Reading,
    refresh: Duration,
    transport: Option<Arc<dyn HttpTransport>>,
}

/// How long PD may take, by what is asked of it.
///
/// A read that fails goes on to the next endpoint and takes at most twice its time-out in all,
/// unless it is given [a deadline](ClientBuilder::read_deadline).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect, TLS included. Shorter than the others, so that a connection that is never
    /// made is known to have carried nothing.
    pub connect: Duration,
    /// To read one thing. PD itself may wait three seconds for a leader.
    pub point: Duration,
    /// To read as many things as the cluster has, or to wait while PD splits or scatters regions.
    pub list: Duration,
    /// To change something, from the first byte of the request on. Before, the leader is looked
    /// for when it is not known, a connection is made, and a point read on it says which cluster
    /// this is.
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            point: Duration::from_secs(5),
            list: Duration::from_secs(60),
            write: Duration::from_secs(10),
        }
    }
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            endpoints: Vec::new(),
            certificates: Certificates::default(),
            timeouts: Timeouts::default(),
            body_cap: 256 * 1024 * 1024,
            caller_id: "pd-client".to_owned(),
            reading: Reading::default(),
            refresh: Duration::from_secs(60),
            transport: None,
        }
    }
}

impl ClientBuilder {
    /// Adds endpoints, separated by commas. Without a scheme, or with `pd://`, they are HTTP.
    pub fn endpoints(mut self, endpoints: &str) -> Self {
        self.endpoints
            .extend(endpoints.split(',').map(str::to_owned));
        self
    }

    /// Adds endpoints one by one.
    pub fn endpoint_list<E: Into<String>>(
        mut self,
        endpoints: impl IntoIterator<Item = E>,
    ) -> Self {
        self.endpoints.extend(endpoints.into_iter().map(Into::into));
        self
    }

    /// Trusts these certificates (PEM) and no others. Without, the system's are trusted.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.ca = Some(Pem::Given(pem.into()));
        self
    }

    /// As [`ca_pem`](Self::ca_pem), from a file that may change: new connections are made with
    /// what is in it then.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.certificates.ca = Some(Pem::File(path.into()));
        self
    }

    /// Shows this certificate to PD. PEM, the private key appended.
    pub fn client_identity_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.identity = Some(Identity::Given(pem.into()));
        self
    }

    /// As [`client_identity_pem`](Self::client_identity_pem), from two files (or one, named
    /// twice) that may change: new connections are made with what is in them then. While they do
    /// not fit each other, what they held before is used.
    pub fn client_identity_files(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.certificates.identity = Some(Identity::Files {
            certificate: certificate.into(),
            key: key.into(),
        });
        self
    }

    /// Looks this often whether files with certificates have changed, along with a request, and
    /// after one that could not be sent. Ten seconds by default.
    pub fn look_at_files_every(mut self, time: Duration) -> Self {
        self.certificates.look_every = time;
        self
    }

    /// Limits how long PD may take.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Limits how large an answer may be, in bytes: 256 MiB by default. That to a write may not be
    /// larger than 64 KiB.
    pub fn body_cap(mut self, bytes: usize) -> Self {
        self.body_cap = bytes;
        self
    }

    /// Names the caller in PD's log and metrics (`X-Caller-ID`). `pd-client` by default.
    pub fn caller_id(mut self, caller_id: impl Into<String>) -> Self {
        self.caller_id = caller_id.into();
        self
    }

    /// Tries reads for this long, see [`Client::with_read_deadline`].
    pub fn read_deadline(mut self, deadline: Duration) -> Self {
        self.reading.deadline = Some(deadline);
        self
    }

    /// Asks PD this often who its members are, along with a read. Those that are not configured
    /// are read from when none of the configured endpoints answers. A minute by default.
    pub fn refresh_members_every(mut self, time: Duration) -> Self {
        self.refresh = time;
        self
    }

    /// Sends requests through this instead of hyper. Certificates are its own then.
    pub fn transport(mut self, transport: impl HttpTransport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Makes the client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Input`], naming what is wrong and what is right.
    pub fn build(self) -> Result<Client, Error> {
        Ok(self.checked()?)
    }

    fn checked(self) -> Result<Client, InputError> {
        let mut endpoints: Vec<Endpoint> = Vec::with_capacity(self.endpoints.len());
        for given in &self.endpoints {
            let endpoint = endpoint::parse(given)?;
            if !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
        if endpoints.is_empty() {
            return Err(InputError::NoEndpoint);
        }
        self.timeouts.checked()?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(Connections::new(
                endpoints
                    .iter()
                    .find(|endpoint| endpoint.is_https())
                    .map(Endpoint::as_str),
                self.certificates,
                self.timeouts.connect,
            )?),
        };
        Ok(Client {
            caller_id: checked_caller_id(&self.caller_id)?,
            reading: self.reading,
            cluster_id: None,
            permit: None,
            shared: Arc::new(Shared {
                transport,
                endpoints,
                preferred: AtomicUsize::new(0),
                timeouts: self.timeouts,
                body_cap: self.body_cap,
                leader: None.into(),
                members: KnownMembers::none_yet().into(),
                refresh: self.refresh,
                clock: Clock::default().into(),
            }),
        })
    }
}

impl Timeouts {
    fn checked(&self) -> Result<(), InputError> {
        let connect = self.connect;
        for (what, total) in [
            ("point", self.point),
            ("list", self.list),
            ("write", self.write),
        ] {
            if connect.is_zero() || connect >= total {
                return Err(InputError::Timeouts {
                    what,
                    connect,
                    total,
                });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The identity holds a private key, and an endpoint that is still unchecked a password.
        f.debug_struct("ClientBuilder")
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
