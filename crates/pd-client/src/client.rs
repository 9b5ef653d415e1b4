//! The client.

use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use system_http::{HttpTransport, SendPermit};

use crate::builder::{ClientBuilder, Timeouts};
use crate::clock::{Clock, ClockOffset};
use crate::endpoint::Endpoint;
use crate::error::{Error, InputError};
use crate::ids::ClusterId;
use crate::transport::known::{KnownLeader, KnownMembers};
use crate::transport::read::{Asks, Reading};

/// A client of one PD cluster. Cheap to clone; clones share connections and what is known.
///
/// ```no_run
/// # async fn example() -> Result<(), pd_client::Error> {
/// let pd = pd_client::Client::new("pd-0:2379,pd-1:2379")?;
/// println!("{} stores", pd.stores().await?.len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) caller_id: HeaderValue,
    pub(crate) reading: Reading,
    /// The cluster that writes must reach.
    pub(crate) cluster_id: Option<ClusterId>,
    /// Asked before a write is sent.
    pub(crate) permit: Option<Arc<dyn SendPermit>>,
}

/// What clones share.
pub(crate) struct Shared {
    pub(crate) transport: Arc<dyn HttpTransport>,
    pub(crate) endpoints: Vec<Endpoint>,
    /// Index of the endpoint that answered last.
    pub(crate) preferred: AtomicUsize,
    pub(crate) timeouts: Timeouts,
    pub(crate) body_cap: usize,
    pub(crate) leader: Mutex<Option<KnownLeader>>,
    pub(crate) members: Mutex<KnownMembers>,
    /// How long what is known of members is good.
    pub(crate) refresh: Duration,
    pub(crate) clock: Mutex<Clock>,
}

impl Client {
    /// A client with default settings of these endpoints, separated by commas.
    ///
    /// # Errors
    /// When an endpoint is not one.
    pub fn new(endpoints: &str) -> Result<Self, Error> {
        Self::builder().endpoints(endpoints).build()
    }

    /// Settings of a new client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The same client under another name in PD's log and metrics (`X-Caller-ID`).
    ///
    /// # Errors
    /// When the name is empty, longer than 128 bytes, or not printable ASCII.
    pub fn with_caller_id(&self, caller_id: &str) -> Result<Self, Error> {
        Ok(Self {
            caller_id: checked_caller_id(caller_id)?,
            ..self.clone()
        })
    }

    /// The same client for writes to this cluster alone. Each is sent only after the server at the
    /// other end of its very connection has said that it is of this cluster.
    ///
    /// Without, a client holds to the first cluster it is told of: by [`cluster`](Self::cluster),
    /// when it looks for PD's leader, or by the first write.
    #[must_use]
    pub fn with_cluster_id(&self, cluster_id: ClusterId) -> Self {
        Self {
            cluster_id: Some(cluster_id),
            ..self.clone()
        }
    }

    /// The same client with writes that are sent only with this permit.
    #[must_use]
    pub fn with_send_permit(&self, permit: Arc<dyn SendPermit>) -> Self {
        Self {
            permit: Some(permit),
            ..self.clone()
        }
    }

    /// The same client with reads that are tried for this long: every endpoint is asked again and
    /// again, with growing pauses, while none of them can answer. A change of PD's leader takes
    /// some 13 seconds. Without, every endpoint is asked once. Writes do not wait.
    #[must_use]
    pub fn with_read_deadline(&self, deadline: Duration) -> Self {
        let reading = Reading {
            deadline: Some(deadline),
            ..self.reading
        };
        Self {
            reading,
            ..self.clone()
        }
    }

    /// The same client with reads that are asked of PD's leader alone, at its own address.
    ///
    /// Other members pass most reads on to the leader. What they answer themselves is `/version`,
    /// `/status`, `/health`, `/ping` and parts of `/config`, 8.5.5 and later.
    #[must_use]
    pub fn leader_only(&self) -> Self {
        let reading = Reading {
            asks: Asks::Leader,
            ..self.reading
        };
        Self {
            reading,
            ..self.clone()
        }
    }

    /// The configured endpoints, in order.
    pub fn endpoints(&self) -> impl Iterator<Item = &str> {
        self.shared.endpoints.iter().map(Endpoint::as_str)
    }

    /// How far PD's clock is ahead of ours, by the most recent answers; `None` before the first.
    #[must_use]
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        self.shared.clock().offset()
    }
}

impl Shared {
    pub(crate) fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn known_members(&self) -> MutexGuard<'_, KnownMembers> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn known_leader(&self) -> MutexGuard<'_, Option<KnownLeader>> {
        self.leader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints: Vec<_> = self.endpoints().collect();
        f.debug_struct("Client")
            .field("endpoints", &endpoints)
            .finish_non_exhaustive()
    }
}

/// A caller id that is safe in a header and in PD's log.
pub(crate) fn checked_caller_id(caller_id: &str) -> Result<HeaderValue, InputError> {
    let refuse = |problem| InputError::CallerId {
        given: caller_id.chars().take(40).collect(),
        problem,
    };
    if caller_id.is_empty() {
        return Err(refuse("it is empty"));
    }
    if caller_id.len() > 128 {
        return Err(refuse("it is longer than 128 bytes"));
    }
    if !caller_id
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ')
    {
        return Err(refuse("write printable ASCII only"));
    }
    if caller_id.trim() != caller_id {
        return Err(refuse("it begins or ends with a space"));
    }
    HeaderValue::from_str(caller_id).map_err(|_| refuse("it cannot be sent in a header"))
}
