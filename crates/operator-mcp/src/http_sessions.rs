//! Sessions over HTTP, of the era before 2026-07-28: each belongs to the caller that began it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::Stream;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionManager, LocalSessionManagerError,
};
use rmcp::transport::streamable_http_server::session::{
    ServerSseMessage, SessionId, SessionManager,
};

use crate::caller::Caller;

/// The header that names a session.
pub(crate) const SESSION_ID: &str = "mcp-session-id";

/// How long a session may be idle. A client whose session is over begins a new one.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// How many sessions an actor has at most; another one ends the one that was not used for longest.
const MOST_OF_ONE: usize = 32;

/// All of them.
pub(crate) struct Sessions {
    local: LocalSessionManager,
    begun: Mutex<HashMap<SessionId, Session>>,
}

struct Session {
    caller: Caller,
    used: Instant,
}

impl Default for Sessions {
    fn default() -> Self {
        let mut local = LocalSessionManager::default();
        local.session_config.keep_alive = Some(IDLE);
        Self {
            local,
            begun: Mutex::default(),
        }
    }
}

impl Sessions {
    fn begun<T>(&self, look: impl FnOnce(&mut HashMap<SessionId, Session>) -> T) -> T {
        look(&mut self.begun.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers a session, and says which one it is too many by.
    fn begin(&self, id: SessionId, caller: &Caller) -> Option<SessionId> {
        self.begun(|begun| {
            let theirs = begun
                .iter()
                .filter(|(_, session)| session.caller.actor.is_same(&caller.actor));
            let is_too_many = theirs.clone().count() >= MOST_OF_ONE;
            let oldest = theirs.min_by_key(|(_, session)| session.used);
            let oldest = oldest.filter(|_| is_too_many).map(|(id, _)| id.clone());
            let session = Session {
                caller: caller.clone(),
                used: Instant::now(),
            };
            begun.insert(id, session);
            oldest
        })
    }

    async fn end(&self, id: &SessionId) -> Result<(), LocalSessionManagerError> {
        self.begun(|begun| begun.remove(id));
        self.local.close_session(id).await
    }
}

/// Those of one caller: to it there are no others.
pub(crate) struct SessionsOf {
    caller: Caller,
    all: Arc<Sessions>,
}

impl SessionsOf {
    pub(crate) fn new(caller: Caller, all: Arc<Sessions>) -> Self {
        Self { caller, all }
    }

    /// Whether one of them has this id, which is used now.
    pub(crate) fn are_with(&self, id: &str) -> bool {
        self.all.begun(|begun| match begun.get_mut(id) {
            Some(session) if session.caller == self.caller => {
                session.used = Instant::now();
                true
            }
            _ => false,
        })
    }
}

/// A request with the id of a session is let through only where there is one, so that the rest need not
/// look whose it is.
impl SessionManager for SessionsOf {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, transport) = self.all.local.create_session().await?;
        if let Some(oldest) = self.all.begin(id.clone(), &self.caller) {
            self.all.end(&oldest).await?;
        }
        Ok((id, transport))
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        Ok(self.are_with(id) && self.all.local.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.all.end(id).await
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.all.local.initialize_session(id, message).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.all.local.create_stream(id, message).await
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        self.all.local.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.all.local.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.all.local.resume(id, last_event_id).await
    }
}
