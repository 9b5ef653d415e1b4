//! A server over HTTP, the layer before it that says who asks, and clients of it.

use action_guard::{Actor, ProvenBy};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use operator_mcp::rmcp::ClientServiceExt as _;
use operator_mcp::rmcp::transport::StreamableHttpClientTransport;
use operator_mcp::rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use operator_mcp::{Caller, Ceiling, HttpOptions, HttpService, Server};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::bench::{Client, Era};

pub(crate) struct Served {
    pub(crate) address: String,
    pub(crate) service: HttpService,
}

/// Takes the name of the actor, and `/read-only` or `/by-token` behind it, for a proof.
async fn who_asks(mut request: Request, next: Next) -> Response {
    let said = request.headers().get("authorization").cloned();
    let said = said.as_ref().and_then(|said| said.to_str().ok());
    if let Some(name) = said.and_then(|said| said.strip_prefix("Bearer ")) {
        let (name, how) = name.split_once('/').unwrap_or((name, ""));
        let ceiling = match how {
            "read-only" => Ceiling::ReadOnly,
            _ => Ceiling::UpTo(action_core::Risk::High),
        };
        let actor: Actor = name.parse().unwrap();
        let (id, made_by) = ("t2".to_owned(), "user:ana".to_owned());
        let actor = match how {
            "by-token" => actor.proven(ProvenBy::Token { id, made_by }),
            _ => actor,
        };
        let caller = Caller::new(actor, ceiling);
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

impl Served {
    pub(crate) async fn new(server: Server, options: HttpOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/mcp", listener.local_addr().unwrap());
        let service = server.over_http(options);
        let router = Router::new().route_service("/mcp", service.clone());
        let router = router.layer(from_fn(who_asks));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, service }
    }

    pub(crate) async fn client(&self, who: &str, era: Era) -> Client {
        let config = StreamableHttpClientTransportConfig::with_uri(&*self.address);
        let transport = StreamableHttpClientTransport::with_client(http(), config.auth_header(who));
        ().serve_with_lifecycle(transport, era.mode())
            .await
            .unwrap()
    }

    /// A request as a client makes it, of a caller.
    pub(crate) fn request(&self, method: Method, who: &str) -> RequestBuilder {
        http()
            .request(method, &self.address)
            .header("authorization", format!("Bearer {who}"))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
    }

    /// A call of the era that has no sessions.
    pub(crate) fn call(&self, who: &str, tool: &str, arguments: Value) -> RequestBuilder {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
        self.request(Method::POST, who)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
            .body(message("tools/call", params))
    }

    /// Begins a session, and says its id.
    pub(crate) async fn begin(&self, who: &str) -> String {
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        });
        let begin = self.request(Method::POST, who);
        let begun = begin.body(message("initialize", params)).send().await;
        let begun = begun.unwrap();
        assert_eq!(begun.status(), 200);
        let id = begun.headers()["mcp-session-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let ready = self
            .in_session(Method::POST, who, &id)
            .body(ready.to_string());
        assert_eq!(ready.send().await.unwrap().status(), 202);
        id
    }

    pub(crate) fn in_session(&self, method: Method, who: &str, id: &str) -> RequestBuilder {
        self.request(method, who)
            .header("mcp-protocol-version", "2025-11-25")
            .header("mcp-session-id", id)
    }
}

pub(crate) fn message(method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}

/// A client that reaches what is here, whatever the environment says of proxies.
fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
