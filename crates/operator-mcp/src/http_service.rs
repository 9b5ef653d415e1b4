//! The server over streamable HTTP, in both eras: each request is served for its own caller.

use std::convert::Infallible;
use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::caller::Caller;
use crate::http_sessions::{SESSION_ID, Sessions, SessionsOf};
use crate::server::Server;

/// How long answers have, once they are given, to be on their way before streams are ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// From where requests may come, and how large they may be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpOptions {
    /// What `Host` may say, with or without a port; another is refused with 403. `localhost`,
    /// `127.0.0.1` and `::1` unless set.
    pub allowed_hosts: Vec<String>,
    /// The pages that may ask, such as `https://console.example.com:443`; each other request with an
    /// `Origin` is refused with 403. None unless set.
    pub allowed_origins: Vec<String>,
    /// How many bytes a request may have; more are refused with 413. 1 MiB unless set.
    pub most_body_bytes: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            allowed_hosts: ["localhost", "127.0.0.1", "::1"].map(Into::into).into(),
            allowed_origins: Vec::new(),
            most_body_bytes: 1 << 20,
        }
    }
}

/// What the service answers.
pub type HttpResponse = Response<BoxBody<Bytes, Infallible>>;

/// A server as a tower service. Cheap to clone; clones are the same service.
///
/// It has no time limit for reading a request and no limit of rates: the layers before it have.
#[derive(Clone)]
pub struct HttpService {
    server: Server,
    sessions: Arc<Sessions>,
    config: StreamableHttpServerConfig,
}

impl Server {
    /// The same server over streamable HTTP. Each request is served for its own [`Caller`], under this
    /// server's ceiling; a request without one is refused with 401. Nothing is ever done for the actor
    /// that this server was made for.
    #[must_use]
    pub fn over_http(self, options: HttpOptions) -> HttpService {
        let config = StreamableHttpServerConfig::default()
            .with_allowed_hosts(options.allowed_hosts)
            .with_allowed_origins(options.allowed_origins)
            .enforce_origin_validation()
            .with_max_request_body_bytes(options.most_body_bytes)
            .with_json_response(true);
        HttpService {
            server: self,
            sessions: Arc::default(),
            config,
        }
    }
}

impl HttpService {
    /// Whether it goes on with this workflow now, for a caller who asked for that.
    #[must_use]
    pub fn is_at_workflow(&self, id: &str) -> bool {
        self.server.is_at(id)
    }

    /// Refuses what comes from now on with 503. What was not sent is not sent; the answer to what is
    /// being sent is waited for, for 20 seconds at most; then every session and stream is ended. What is
    /// only followed is recovered by the next process.
    pub async fn shut_down(&self) {
        self.server.end().await;
        tokio::time::sleep(LAST_WORDS).await;
        self.config.cancellation_token.cancel();
    }

    async fn answer<B>(self, request: Request<B>) -> HttpResponse
    where
        B: Body + Send + 'static,
        B::Error: Display,
    {
        if self.server.is_ending() {
            return refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "the server is shutting down",
            );
        }
        let Some(caller) = request.extensions().get::<Caller>().cloned() else {
            let mut refused = refused(StatusCode::UNAUTHORIZED, "the caller's identity is unknown");
            let scheme = HeaderValue::from_static("Bearer");
            refused
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
            return refused;
        };
        let server = self.server.of(&caller.actor, caller.ceiling);
        let sessions = SessionsOf::new(caller, self.sessions);
        if request.method() == Method::DELETE
            && let Some(id) = request.headers().get(SESSION_ID)
            && !id.to_str().is_ok_and(|id| sessions.are_with(id))
        {
            return refused(StatusCode::NOT_FOUND, "unknown session");
        }
        let make = move || Ok(server.clone());
        let is_end = request.method() == Method::DELETE;
        let service = StreamableHttpService::new(make, Arc::new(sessions), self.config);
        let mut answer = service.handle(request).await;
        if is_end && answer.status() == StatusCode::ACCEPTED {
            // It is done: clients take 202 for an end that failed.
            *answer.status_mut() = StatusCode::NO_CONTENT;
        }
        answer
    }
}

impl<B> tower_service::Service<Request<B>> for HttpService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Display,
{
    type Response = HttpResponse;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}

fn refused(status: StatusCode, why: &'static str) -> HttpResponse {
    let mut response = Response::new(Full::from(why).boxed());
    *response.status_mut() = status;
    response
}
