//! Carries messages between a host and a gate, whatever becomes of the connection to it.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorData, InitializedNotification,
    JsonRpcMessage, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use rmcp::transport::common::client_side_sse::FixedInterval;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig,
};
use tokio::time::timeout;

use crate::proxy::gate::{Client, Gate, id_of};
use crate::proxy::trouble::{Trouble, is_call};

/// How many requests may be under way at a time; more wait.
const MOST_AT_ONCE: usize = 64;

/// How often, and how long after each other, a stream that broke off is gone on with.
const STREAMS_AGAIN: (usize, Duration) = (10, Duration::from_secs(2));

/// How long a session may take to begin anew, and to end.
const SESSION_WITHIN: Duration = Duration::from_secs(10);

/// What `rmcp` writes into the error of a request whose stream is over.
const STREAM_CLOSED: &str = "io.modelcontextprotocol/transportClosed";

pub(super) struct Pump<H> {
    host: H,
    gate: Arc<Gate>,
    link: Option<Link>,
    /// How the host began, where it began by `initialize`.
    hello: Option<ClientJsonRpcMessage>,
    /// What the host waits for, and whether it called a tool.
    awaited: HashMap<RequestId, bool>,
}

/// One session at the gate, or none of the era without.
struct Link {
    transport: StreamableHttpClientTransport<Client>,
    stage: Stage,
}

/// How far the beginning is. `rmcp` takes nothing else before its end.
#[derive(Debug, PartialEq)]
enum Stage {
    /// `initialize` was asked.
    Begins(RequestId),
    /// It was answered.
    Answered,
    Begun,
}

impl<H: Transport<RoleServer>> Pump<H> {
    pub(super) fn new(host: H, gate: Arc<Gate>) -> Self {
        Self {
            host,
            gate,
            link: None,
            hello: None,
            awaited: HashMap::new(),
        }
    }

    /// Until the host is gone.
    pub(super) async fn run(mut self) {
        loop {
            let is_over = tokio::select! {
                said = self.host.receive() => match said {
                    Some(message) => self.host_said(message).await,
                    None => break,
                },
                answered = from(&mut self.link) => match answered {
                    Some(message) => self.gate_said(message).await,
                    None => self.end_link("its connections were closed").await,
                },
            };
            if is_over.is_err() {
                break;
            }
        }
        if let Some(mut link) = self.link {
            // What was not sent by now is not sent: the gate sees that nobody is there any more.
            let _ = timeout(SESSION_WITHIN, link.transport.close()).await;
        }
    }

    async fn host_said(&mut self, message: ClientJsonRpcMessage) -> Result<(), H::Error> {
        if self.gate.has_ended_the_session() {
            self.end_link("the gate ended the session").await?;
        }
        let id = match &message {
            JsonRpcMessage::Request(request) => Some(request.id.clone()),
            _ => None,
        };
        let link = match (&mut self.link, &id) {
            (Some(link), _) => link,
            // There is nobody to tell it to.
            (None, None) => return Ok(()),
            (None, Some(id)) => match self.begin(&message, id).await {
                Ok(link) => self.link.insert(link),
                Err(trouble) => return self.fail(id.clone(), trouble, &message).await,
            },
        };
        let is_initialized = is_initialized(&message);
        match (&link.stage, &id) {
            (Stage::Begun, _) => {}
            (Stage::Begins(begins), Some(id)) if begins == id => {}
            (Stage::Answered, None) if is_initialized => link.stage = Stage::Begun,
            (_, None) => return Ok(()),
            (_, Some(id)) => {
                let why = "the client has not sent `notifications/initialized` yet";
                let error = ErrorData::invalid_request(why, None);
                let error = ServerJsonRpcMessage::error(error, Some(id.clone()));
                return self.host.send(error).await;
            }
        }
        self.awaited.extend(id.map(|id| (id, is_call(&message))));
        let sending = link.transport.send(message);
        match is_initialized {
            // Nothing else may come before it.
            true => drop(sending.await),
            false => drop(tokio::spawn(sending)),
        }
        Ok(())
    }

    async fn gate_said(&mut self, mut message: ServerJsonRpcMessage) -> Result<(), H::Error> {
        let is_error = matches!(message, JsonRpcMessage::Error(_));
        if let Some(id) = &id_of(&message).cloned() {
            let Some(is_call) = self.awaited.remove(id) else {
                tracing::warn!(%id, "unexpected answer ignored");
                return Ok(());
            };
            if let JsonRpcMessage::Error(error) = &mut message
                && let Some(data) = &error.error.data
                && data.get(STREAM_CLOSED).is_some()
            {
                error.error = self.lost("the connection broke off", is_call);
            }
            if let Some(link) = &mut self.link
                && link.stage == Stage::Begins(id.clone())
            {
                match is_error {
                    // It may be asked again, which begins anew.
                    true => (self.link, self.hello) = (None, None),
                    false => link.stage = Stage::Answered,
                }
            }
        }
        self.host.send(message).await
    }

    /// A session or none, as the host began, for this request.
    async fn begin(
        &mut self,
        first: &ClientJsonRpcMessage,
        id: &RequestId,
    ) -> Result<Link, Trouble> {
        let is_initialize = matches!(
            first,
            JsonRpcMessage::Request(request)
                if matches!(request.request, ClientRequest::InitializeRequest(_))
        );
        let mut link = Link {
            transport: transport(&self.gate),
            stage: Stage::Begun,
        };
        if is_initialize {
            self.hello = Some(first.clone());
            link.stage = Stage::Begins(id.clone());
        } else if let Some(hello) = self.hello.clone() {
            // The host knows what `initialize` answers, and that a session is begun it need not.
            let begun = timeout(SESSION_WITHIN, begun_again(&mut link.transport, hello)).await;
            begun.map_err(|_| Trouble::NotReached("timed out starting a session".to_owned()))??;
        }
        Ok(link)
    }

    /// Answers all that waited for it: no answer comes any more.
    async fn end_link(&mut self, why: &str) -> Result<(), H::Error> {
        self.link = None;
        for (id, is_call) in std::mem::take(&mut self.awaited) {
            let error = ServerJsonRpcMessage::error(self.lost(why, is_call), Some(id));
            self.host.send(error).await?;
        }
        Ok(())
    }

    fn lost(&self, why: &str, is_call: bool) -> ErrorData {
        Trouble::Lost(why.to_owned()).into_error(self.gate.address(), is_call)
    }

    async fn fail(
        &mut self,
        id: RequestId,
        trouble: Trouble,
        message: &ClientJsonRpcMessage,
    ) -> Result<(), H::Error> {
        let error = trouble.into_error(self.gate.address(), is_call(message));
        self.host
            .send(ServerJsonRpcMessage::error(error, Some(id)))
            .await
    }
}

/// What the gate says next; nothing while there is no link.
async fn from(link: &mut Option<Link>) -> Option<ServerJsonRpcMessage> {
    match link {
        Some(link) => link.transport.receive().await,
        None => pending().await,
    }
}

fn transport(gate: &Arc<Gate>) -> StreamableHttpClientTransport<Client> {
    let mut again = FixedInterval::default();
    (again.max_times, again.duration) = (Some(STREAMS_AGAIN.0), STREAMS_AGAIN.1);
    let mut config = StreamableHttpClientTransportConfig::with_uri(gate.address())
        // What a session is over for would be sent again.
        .reinit_on_expired_session(false)
        .max_concurrent_requests(MOST_AT_ONCE);
    config.retry_config = Arc::new(again);
    StreamableHttpClientTransport::with_client(Client(Arc::clone(gate)), config)
}

/// Begins a session as the host once began its own.
async fn begun_again(
    transport: &mut StreamableHttpClientTransport<Client>,
    hello: ClientJsonRpcMessage,
) -> Result<(), Trouble> {
    let failed = |why: String| Trouble::NotReached(format!("cannot start a session: {why}"));
    let sent = transport.send(hello).await;
    sent.map_err(|error| failed(error.to_string()))?;
    match transport.receive().await {
        Some(JsonRpcMessage::Response(_)) => {}
        Some(JsonRpcMessage::Error(error)) => return Err(failed(error.error.message.into_owned())),
        _ => return Err(failed("no answer".to_owned())),
    }
    let initialized = InitializedNotification {
        method: Default::default(),
        extensions: Default::default(),
    };
    let initialized = ClientNotification::InitializedNotification(initialized);
    let sent = transport
        .send(ClientJsonRpcMessage::notification(initialized))
        .await;
    sent.map_err(|error| failed(error.to_string()))
}

fn is_initialized(message: &ClientJsonRpcMessage) -> bool {
    let JsonRpcMessage::Notification(notification) = message else {
        return false;
    };
    matches!(
        notification.notification,
        ClientNotification::InitializedNotification(_)
    )
}
