//! The gate, as the streamable HTTP client of `rmcp` asks it: each message once, on a connection of its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use action_core::printable;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use gate_client::{Asked, Body, Place, TransportError, Who, segment};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::transport::common::http_header::{
    EVENT_STREAM_MIME_TYPE, HEADER_LAST_EVENT_ID, HEADER_SESSION_ID, JSON_MIME_TYPE,
};
use rmcp::transport::streamable_http_client::{
    HttpStatusError, SseError, StreamableHttpClient, StreamableHttpError,
    StreamableHttpPostResponse,
};
use serde_json::Value;
use sse_stream::Sse;
use system_http::report;

use crate::proxy::events::{MOST, SILENT, events, next};
use crate::proxy::trouble::{Trouble, is_call};

/// How much of what a gate says of a refusal is passed on, in characters.
const MOST_WORDS: usize = 300;

/// The form of the gate's own refusals.
const PROBLEM: &str = "application/problem+json";

/// One cluster of a gate, and who asks.
pub(super) struct Gate {
    place: Place,
    path: String,
    who: Who,
    is_session_over: AtomicBool,
}

impl Gate {
    pub(super) fn new(place: Place, cluster: &str, who: Who) -> Self {
        Self {
            place,
            path: format!("/mcp/{}", segment(cluster)),
            who,
            is_session_over: AtomicBool::new(false),
        }
    }

    /// Where it is.
    pub(super) fn address(&self) -> &str {
        self.place.address()
    }

    /// Whether the gate has said since the last look that the session is over.
    pub(super) fn has_ended_the_session(&self) -> bool {
        self.is_session_over.swap(false, Ordering::Relaxed)
    }

    async fn ask(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Body>, TransportError> {
        let asked = Asked::new(self.place.host(), method.as_str(), &self.path, &body);
        let who = self.who.authorization(&asked);
        let who = who.map_err(TransportError::not_sent)?;
        let uri = self.place.uri(&self.path)?;
        let mut request = Request::new(body);
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        *request.headers_mut() = headers;
        let ours = request.headers_mut();
        ours.extend(who.map(|who| (AUTHORIZATION, who)));
        self.place.send(request, SILENT).await
    }

    async fn post(
        &self,
        message: &ClientJsonRpcMessage,
        session: Option<&str>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Trouble> {
        let body =
            serde_json::to_vec(message).map_err(|error| Trouble::NotReached(error.to_string()))?;
        let mut headers = HeaderMap::from_iter(headers);
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON_MIME_TYPE));
        add(&mut headers, HEADER_SESSION_ID, session);
        let answer = self.ask(Method::POST, headers, body.into()).await;
        let (head, body) = answer.map_err(unanswered)?.into_parts();
        let awaited = match message {
            JsonRpcMessage::Request(request) => Some(&request.id),
            _ => None,
        };
        if head.status.is_success() && awaited.is_none() {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if head.status.is_success() && head.status != StatusCode::OK {
            let what = format!("{}, which is not an answer to a request", head.status);
            return Err(Trouble::NotUnderstood(what));
        }
        let session_id = head.headers.get(HEADER_SESSION_ID);
        let session_id = session_id
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        let form = form(&head);
        if head.status == StatusCode::OK && form == EVENT_STREAM_MIME_TYPE {
            return Ok(StreamableHttpPostResponse::Sse(events(body), session_id));
        }
        let body = whole(body).await?;
        let is_in_session = session.is_some();
        let answer = self.read(&head, &form, &body, awaited, is_in_session)?;
        Ok(StreamableHttpPostResponse::Json(answer, session_id))
    }

    /// What a whole answer says.
    fn read(
        &self,
        head: &Parts,
        form: &str,
        body: &[u8],
        awaited: Option<&RequestId>,
        is_in_session: bool,
    ) -> Result<ServerJsonRpcMessage, Trouble> {
        // What went wrong by the protocol has the status of an error, too.
        let read = (form == JSON_MIME_TYPE).then(|| serde_json::from_slice(body));
        match read {
            Some(Ok(answer)) if head.status.is_success() => match id_of(&answer) == awaited {
                true => Ok(answer),
                false => Err(Trouble::NotUnderstood(
                    "an answer to another request".to_owned(),
                )),
            },
            Some(Ok(JsonRpcMessage::Error(mut error))) => {
                error.id = awaited.cloned();
                Ok(JsonRpcMessage::Error(error))
            }
            _ if head.status.is_success() => {
                let what = match form {
                    JSON_MIME_TYPE => "JSON that is not a message of the protocol".to_owned(),
                    "" => "content without a content type".to_owned(),
                    form => format!(
                        "`{}`, which is not a message of the protocol",
                        printable(form)
                    ),
                };
                Err(Trouble::NotUnderstood(what))
            }
            _ if head.status == StatusCode::NOT_FOUND && is_in_session && form != PROBLEM => {
                self.is_session_over.store(true, Ordering::Relaxed);
                Err(Trouble::SessionOver)
            }
            _ => Err(Trouble::Refused(head.status, words(form, body))),
        }
    }
}

/// A gate, as the transport clones it.
#[derive(Clone)]
pub(super) struct Client(pub(super) Arc<Gate>);

impl StreamableHttpClient for Client {
    type Error = TransportError;

    /// Whatever comes of a request, it is answered, so that nothing is ever tried again here.
    async fn post_message(
        &self,
        _: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, StreamableHttpError<TransportError>> {
        let posted = self.0.post(&message, session.as_deref(), headers).await;
        let trouble = match posted {
            Ok(answer) => return Ok(answer),
            Err(trouble) => trouble,
        };
        let error = trouble.into_error(self.0.address(), is_call(&message));
        tracing::warn!(error = %error.message, "a message has no answer");
        match message {
            JsonRpcMessage::Request(request) => {
                let error = ServerJsonRpcMessage::error(error, Some(request.id));
                Ok(StreamableHttpPostResponse::Json(error, None))
            }
            // Nobody waits for it.
            _ => Err(StreamableHttpError::UnexpectedServerResponse(error.message)),
        }
    }

    async fn delete_session(
        &self,
        _: Arc<str>,
        session: Arc<str>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), StreamableHttpError<TransportError>> {
        let mut headers = HeaderMap::from_iter(headers);
        add(&mut headers, HEADER_SESSION_ID, Some(&session));
        let deleted = self.0.ask(Method::DELETE, headers, Bytes::new()).await;
        deleted.map(drop).map_err(StreamableHttpError::Client)
    }

    async fn get_stream(
        &self,
        _: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, StreamableHttpError<TransportError>>
    {
        let mut headers = HeaderMap::from_iter(headers);
        headers.insert(ACCEPT, HeaderValue::from_static(EVENT_STREAM_MIME_TYPE));
        add(&mut headers, HEADER_SESSION_ID, session.as_deref());
        add(&mut headers, HEADER_LAST_EVENT_ID, last_event.as_deref());
        let answer = self.0.ask(Method::GET, headers, Bytes::new()).await;
        let (head, body) = answer.map_err(StreamableHttpError::Client)?.into_parts();
        let status = head.status;
        match form(&head).as_str() {
            EVENT_STREAM_MIME_TYPE if status == StatusCode::OK => Ok(events(body)),
            _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                Err(HttpStatusError::new(status.as_u16(), None).into())
            }
            // It is not tried again.
            _ => Err(StreamableHttpError::ServerDoesNotSupportSse),
        }
    }
}

fn add(headers: &mut HeaderMap, name: &'static str, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok())
        && let Ok(name) = HeaderName::try_from(name)
    {
        headers.insert(name, value);
    }
}

fn unanswered(error: TransportError) -> Trouble {
    let why = report(&*error.source);
    match error.sent {
        system_http::Sent::No => Trouble::NotReached(why),
        system_http::Sent::Maybe => Trouble::Lost(why),
    }
}

/// What the body is, without its parameters.
fn form(head: &Parts) -> String {
    let form = head.headers.get(CONTENT_TYPE);
    let form = form.and_then(|form| form.to_str().ok()).unwrap_or_default();
    let essence = form.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

async fn whole(mut body: Body) -> Result<Vec<u8>, Trouble> {
    let mut all = Vec::new();
    while let Some(piece) = next(&mut body).await.map_err(unanswered)? {
        if all.len() + piece.len() > MOST {
            return Err(Trouble::NotUnderstood(format!("more than {MOST} bytes")));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

/// To which request a message is the answer.
pub(super) fn id_of(message: &ServerJsonRpcMessage) -> Option<&RequestId> {
    match message {
        JsonRpcMessage::Response(response) => Some(&response.id),
        JsonRpcMessage::Error(error) => error.id.as_ref(),
        _ => None,
    }
}

/// What a gate says of a refusal.
fn words(form: &str, body: &[u8]) -> String {
    let words = match form {
        PROBLEM => {
            let problem = serde_json::from_slice::<Value>(body).unwrap_or_default();
            problem["detail"].as_str().unwrap_or_default().to_owned()
        }
        "" | "text/plain" => String::from_utf8_lossy(body).into_owned(),
        _ => String::new(),
    };
    printable(words.trim()).chars().take(MOST_WORDS).collect()
}
