//! The session that says that an instance lives, for as long as it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use action_guard::{Hash, Sender};
use jiff::Timestamp;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::failure::{Failure, Kind};
use crate::postgres::connect::{Address, NAME};

/// Shared, so that a session that takes the place of a lost one need not wait until the server has
/// found out that it is lost.
const LIVE: &str = "SELECT pg_advisory_lock_shared($1)";
const IS_ALIVE: &str = "SELECT EXISTS (
    SELECT 1 FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid::bigint = (($1 >> 32) & 4294967295)
        AND objid::bigint = ($1 & 4294967295))";
const IS_STOPPED: &str = "SELECT EXISTS (SELECT 1 FROM journal_stop)";
const STOP: &str = "INSERT INTO journal_stop (id) VALUES (1) ON CONFLICT DO NOTHING";
const UNSTOP: &str = "DELETE FROM journal_stop";
const STILL_THERE: &str = "SELECT true";
const HOLD_SENDS: &str = "SELECT true FROM (SELECT pg_advisory_lock_shared($1)) AS held";
const LET_SENDS_GO: &str = "SELECT pg_advisory_unlock_shared($1)";
const STOP_SENDS: &str = "SELECT pg_try_advisory_lock($1)";
const LET_STOP_GO: &str = "SELECT pg_advisory_unlock($1)";
const SENDERS: &str = "
    SELECT application_name, coalesce(host(client_addr), 'the server')
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid::bigint = (($1 >> 32) & 4294967295)
        AND objid::bigint = ($1 & 4294967295)";

/// How often an idle session is looked after, so that nothing on the way forgets it.
const LOOK_AFTER: Duration = Duration::from_secs(10);

/// A session that holds an advisory lock, whose key is made of the instance, for as long as it
/// lives. The server lets the lock go when the session ends, however it ends.
///
/// Whether sends are stopped is asked in the same session: who is told that they are not, right
/// before a send, is known to live at that time. Once the session is lost, others may have taken
/// over what was about to be sent: a new session answers only when the time to send that is over.
pub(super) struct Session {
    address: Arc<Address>,
    key: i64,
    connection: Mutex<Option<PgConnection>>,
    /// The key of the send lock of this journal.
    sends: i64,
    /// How many hold the send lock here. A session that takes the place of a lost one takes it as
    /// often.
    sending: AtomicUsize,
    /// Another session: one does not exclude itself. Only there while somebody stops sends.
    stopping: Mutex<Option<PgConnection>>,
    /// When the last of the sends that this instance has announced may begin, in milliseconds.
    sends_until: AtomicI64,
    /// As it was when the session was last begun: until then nothing is sent.
    quiet_until: AtomicI64,
    /// The database could not be told to stop; this process stops in any case.
    stopped_here: AtomicBool,
}

impl Session {
    pub(super) fn new(address: Arc<Address>, instance: Uuid) -> Self {
        Self {
            sends: key(format!("sends of {}", address.schema).as_bytes()),
            address,
            key: key(instance.as_bytes()),
            connection: Mutex::new(None),
            sending: AtomicUsize::new(0),
            stopping: Mutex::new(None),
            sends_until: AtomicI64::new(i64::MIN),
            quiet_until: AtomicI64::new(i64::MIN),
            stopped_here: AtomicBool::new(false),
        }
    }

    /// Begins to live.
    pub(super) async fn enter(&self) -> Result<(), Failure> {
        let mut connection = self.connection.lock().await;
        self.connected(&mut connection).await?;
        Ok(())
    }

    /// Looks after the session until it is dropped.
    pub(super) async fn stay(&self) {
        loop {
            tokio::time::sleep(LOOK_AFTER).await;
            if let Err(failure) = self
                .ask("keep the session alive", STILL_THERE, None, 2)
                .await
            {
                tracing::warn!(
                    error = action_core::report(&failure),
                    "other processes may consider this instance dead"
                );
            }
        }
    }

    /// Ends the session.
    pub(super) async fn leave(&self) {
        if let Some(connection) = self.connection.lock().await.take() {
            let _ = self.address.within(connection.close()).await;
        }
    }

    pub(super) async fn is_alive(&self, instance: Uuid) -> Result<bool, Failure> {
        let alive = self.ask(
            "check which instances are alive",
            IS_ALIVE,
            Some(key(instance.as_bytes())),
            2,
        );
        // In doubt it does.
        Ok(alive.await?.unwrap_or(true))
    }

    pub(super) async fn is_stopped(&self) -> Result<bool, Failure> {
        if self.stopped_here.load(Ordering::SeqCst) {
            return Ok(true);
        }
        let doing = "check whether sending is stopped";
        let stopped = self.ask(doing, IS_STOPPED, None, 2).await?;
        if Timestamp::now().as_millisecond() <= self.quiet_until.load(Ordering::SeqCst) {
            let why = "the session was lost, and another process may have taken over the send";
            return Err(Failure::new(doing, &self.address.name, why, Kind::Other));
        }
        Ok(stopped.unwrap_or(true))
    }

    /// Sends may begin until then.
    pub(super) fn sends_until(&self, send_by: Timestamp) {
        let send_by = send_by.as_millisecond();
        self.sends_until.fetch_max(send_by, Ordering::SeqCst);
    }

    pub(super) async fn stop(&self) -> Result<(), Failure> {
        let told = self.ask("stop sending", STOP, None, 2).await;
        self.stopped_here.store(told.is_err(), Ordering::SeqCst);
        told.map(drop)
    }

    pub(super) async fn unstop(&self) -> Result<(), Failure> {
        self.ask("resume sending", UNSTOP, None, 2).await?;
        self.stopped_here.store(false, Ordering::SeqCst);
        Ok(())
    }

    async fn connected<'a>(
        &self,
        connection: &'a mut Option<PgConnection>,
    ) -> Result<&'a mut PgConnection, Failure> {
        let open = match connection.take() {
            Some(open) => open,
            None => {
                let mut open = self.address.connect().await?;
                let live = sqlx::query(LIVE).bind(self.key).execute(&mut open);
                let statuses = self.address.within(live).await;
                statuses.map_err(|error| {
                    self.address
                        .failure("record that this instance is alive", error)
                })?;
                for _ in 0..self.sending.load(Ordering::SeqCst) {
                    let held = sqlx::query(HOLD_SENDS).bind(self.sends).execute(&mut open);
                    let held = self.address.within(held).await;
                    held.map_err(|error| self.address.failure("take the send lock", error))?;
                }
                let announced = self.sends_until.load(Ordering::SeqCst);
                self.quiet_until.store(announced, Ordering::SeqCst);
                open
            }
        };
        Ok(connection.insert(open))
    }

    /// Who holds the send lock. Takes it alone for a moment if nobody does.
    pub(super) async fn senders(&self) -> Result<Vec<Sender>, Failure> {
        let doing = "find the sending processes";
        let failed = |error| self.address.failure(doing, error);
        let mut stopping = self.stopping.lock().await;
        let mut open = match stopping.take() {
            Some(open) => open,
            None => self.address.connect().await?,
        };
        let free = sqlx::query_as(STOP_SENDS).bind(self.sends);
        let free = self.address.within(free.fetch_one(&mut open)).await;
        let (free,): (bool,) = free.map_err(failed)?;
        if free {
            let gone = sqlx::query(LET_STOP_GO).bind(self.sends);
            let gone = self.address.within(gone.execute(&mut open)).await;
            // The server lets it go with the session in any case.
            let _ = self.address.within(open.close()).await;
            return gone.map(|_| Vec::new()).map_err(failed);
        }
        let senders = sqlx::query_as(SENDERS).bind(self.sends);
        let senders = self.address.within(senders.fetch_all(&mut open)).await;
        let senders: Vec<(Option<String>, String)> = senders.map_err(failed)?;
        *stopping = Some(open);
        let mut senders: Vec<_> = senders
            .into_iter()
            .map(|(name, host)| {
                let instance = name.as_deref().and_then(|name| name.strip_prefix(NAME));
                Sender::elsewhere(instance.map(str::to_owned), format!("a process on {host}"))
            })
            .collect();
        if senders.is_empty() {
            // Let go between the two questions, or not for us to see.
            senders.push(Sender::elsewhere(None, "an invisible process"));
        }
        Ok(senders)
    }

    async fn let_sends_go(&self) {
        let mut connection = self.connection.lock().await;
        self.sending.fetch_sub(1, Ordering::SeqCst);
        if let Some(open) = connection.as_mut() {
            let gone = sqlx::query(LET_SENDS_GO).bind(self.sends).execute(open);
            if self.address.within(gone).await.is_err() {
                *connection = None;
            }
        }
    }

    /// One statement that may be repeated, and its answer, if it has one.
    async fn ask(
        &self,
        doing: &'static str,
        statement: &'static str,
        key: Option<i64>,
        mut attempts: u32,
    ) -> Result<Option<bool>, Failure> {
        let mut connection = self.connection.lock().await;
        loop {
            attempts -= 1;
            let open = self.connected(&mut connection).await?;
            let mut query = sqlx::query_as::<_, (bool,)>(statement);
            if let Some(key) = key {
                query = query.bind(key);
            }
            match self.address.within(query.fetch_optional(open)).await {
                Ok(answer) => return Ok(answer.map(|(answer,)| answer)),
                Err(error) => {
                    *connection = None;
                    let failure = self.address.failure(doing, error);
                    if attempts == 0 || !failure.is_lost() {
                        return Err(failure);
                    }
                }
            }
        }
    }
}

/// The send lock, held in the session of an instance.
pub(super) struct Sending {
    session: Arc<Session>,
    /// The journal's thread, where the session is at home.
    home: Handle,
}

impl Sending {
    /// Takes it. Called on the journal's thread.
    pub(super) async fn begin(session: Arc<Session>) -> Result<Self, Failure> {
        let held = session.ask("take the send lock", HOLD_SENDS, Some(session.sends), 2);
        held.await?;
        session.sending.fetch_add(1, Ordering::SeqCst);
        let home = Handle::current();
        Ok(Self { session, home })
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let session = Arc::clone(&self.session);
        self.home.spawn(async move { session.let_sends_go().await });
    }
}

/// Two instances with one key are as unlikely as can be, and only make a dead one look alive.
fn key(of: &[u8]) -> i64 {
    let hash = Hash::of(of).to_string();
    let digits = hash.get(..16).unwrap_or_default();
    u64::from_str_radix(digits, 16).map_or(0, u64::cast_signed)
}
