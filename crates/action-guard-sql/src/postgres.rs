//! PostgreSQL: one server, shared by the processes of several hosts.

use std::fmt;
use std::sync::Arc;

use action_guard::{JournalError, SendLock, Sender};
use async_trait::async_trait;
use jiff::Timestamp;

use crate::options::SqlOptions;
use crate::postgres::connect::Address;
use crate::postgres::session::{Sending, Session};
use crate::postgres::store::PostgresStore;
use crate::store::{Place, Store, known_instance};

mod connect;
mod session;
mod store;

/// A schema in a database of a server.
pub(crate) struct PostgresPlace {
    address: Arc<Address>,
    instance: String,
    session: Arc<Session>,
}

impl fmt::Debug for PostgresPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresPlace")
            .field("name", &self.address.name)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

impl PostgresPlace {
    pub(crate) fn new(
        url: &str,
        instance: String,
        options: &SqlOptions,
    ) -> Result<Self, JournalError> {
        let address = Arc::new(Address::new(url, &instance, options)?);
        let id = known_instance(&instance)?;
        let session = Arc::new(Session::new(Arc::clone(&address), id));
        Ok(Self {
            address,
            instance,
            session,
        })
    }
}

impl SqlOptions {
    /// Checks the address of a server by itself, without asking the server.
    ///
    /// # Errors
    /// When it is none, or one that these options refuse.
    pub fn check_address(&self, url: &str) -> Result<(), JournalError> {
        Address::new(url, "", self).map(drop)
    }
}

#[async_trait]
impl Place for PostgresPlace {
    fn name(&self) -> &Arc<str> {
        &self.address.name
    }

    fn instance(&self) -> &str {
        &self.instance
    }

    async fn enter(&self) -> Result<(), JournalError> {
        self.address.prepare().await?;
        Ok(self.session.enter().await?)
    }

    async fn stay(&self) {
        self.session.stay().await;
    }

    async fn leave(&self) {
        self.session.leave().await;
    }

    fn store(&self) -> Box<dyn Store> {
        Box::new(PostgresStore::new(Arc::clone(&self.address)))
    }

    fn sends_until(&self, send_by: Timestamp) {
        self.session.sends_until(send_by);
    }

    fn outlives_unclear_commits(&self) -> bool {
        true
    }

    async fn is_alive(&self, instance: &str) -> Result<bool, JournalError> {
        Ok(self.session.is_alive(known_instance(instance)?).await?)
    }

    async fn is_stopped(&self) -> Result<bool, JournalError> {
        Ok(self.session.is_stopped().await?)
    }

    async fn stop(&self) -> Result<(), JournalError> {
        Ok(self.session.stop().await?)
    }

    async fn unstop(&self) -> Result<(), JournalError> {
        Ok(self.session.unstop().await?)
    }

    async fn send_lock(&self, _: &str) -> Result<SendLock, JournalError> {
        let sending = Sending::begin(Arc::clone(&self.session)).await?;
        Ok(SendLock::new(sending))
    }

    async fn senders(&self) -> Result<Vec<Sender>, JournalError> {
        Ok(self.session.senders().await?)
    }
}
