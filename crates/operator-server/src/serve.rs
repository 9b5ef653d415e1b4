//! What is served at which path, and how that begins and ends.

use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tower_service::Service as _;

use crate::bounded::bounded;
use crate::gate::{Gate, GateError};
use crate::input::nothing_twice;
use crate::problem::Problem;
use crate::route::Who;
use crate::routes::only_with;
use crate::who::{self, Asker};
use crate::{browser, keep_up, listen, metadata, metrics, proof, routes};

impl Gate {
    /// Serves until `until` is over: then it takes no more requests, and ends when those that it has are
    /// answered. What was sent by then is followed by the next process.
    ///
    /// # Errors
    /// When there is nothing to serve, the address is reached from other machines without TLS, or the journal
    /// cannot be read or is not whole.
    pub async fn serve(
        self,
        listener: TcpListener,
        until: impl Future<Output = ()> + Send,
    ) -> Result<(), GateError> {
        self.may_listen(&listener.local_addr()?)?;
        // It goes by the last checkpoint from here on: that this is what the records before it add up to is
        // found out once.
        let verified = self.journal().verify().await;
        verified.map_err(GateError::Journal)?;
        // Others on this journal know of this one before it does anything.
        keep_up::one_policy(&self).await;
        let keeping_up = tokio::spawn(keep_up::keep_up(self.clone()));
        let checking = tokio::spawn(keep_up::check(self.clone()));
        listen::serve(listener, self.router(), &self, until, async {
            self.listeners().end();
            self.carried().end().await;
            for cluster in self.clusters().values() {
                cluster.mcp.shut_down().await;
            }
        })
        .await;
        keeping_up.abort();
        checking.abort();
        if let Some(cluster) = self.clusters().values().next()
            && let Err(error) = cluster.guard.gate_closed().await
        {
            let error = error.report();
            let error = &*action_core::redacted(&error);
            tracing::warn!(error, "the end of this gate is not recorded");
        }
        Ok(())
    }

    /// Serves figures about it at `/metrics` of a listener of its own, to whoever asks, until `until` is over.
    /// No secret, and no name but those of clusters, is among them.
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub async fn serve_metrics(
        self,
        listener: TcpListener,
        until: impl Future<Output = ()> + Send,
    ) -> Result<(), GateError> {
        self.may_listen(&listener.local_addr()?)?;
        let router = Router::new()
            .route("/metrics", only_with([], get(metrics::metrics)))
            .method_not_allowed_fallback(|| async { Problem::wrong_method() })
            .fallback(|| async { Problem::not_found() })
            .layer(from_fn_with_state(self.clone(), who::no_browser))
            .with_state(self.clone());
        listen::serve(listener, router, &self, until, async {}).await;
        Ok(())
    }

    /// Whether it may be served at an address.
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub fn may_listen(&self, address: &SocketAddr) -> Result<(), GateError> {
        let is_plain = self.trusted().tls.is_none() && !self.options().plain_beyond_loopback;
        if is_plain && !address.ip().is_loopback() {
            return Err(GateError::Plain(*address));
        }
        match self.clusters().is_empty() {
            true => Err(GateError::NoCluster),
            false => Ok(()),
        }
    }

    fn router(&self) -> Router {
        let proven = Router::new()
            .route("/mcp/{cluster}", only_with([], any(mcp)))
            .merge(routes::router(Who::Proven))
            .layer(from_fn_with_state(self.clone(), bounded))
            .layer(from_fn_with_state(self.clone(), proof::prove));
        // A signature in the request proves who approves.
        let signed = routes::router(Who::Signed).layer(from_fn_with_state(self.clone(), bounded));
        Router::new()
            .route("/healthz", only_with([], get(|| async { "alive\n" })))
            .route("/readyz", only_with([], get(ready)))
            .route(
                "/.well-known/oauth-protected-resource/mcp/{cluster}",
                only_with([], get(metadata::of_cluster)),
            )
            .merge(routes::router(Who::Anybody))
            .merge(proven)
            .merge(signed)
            .method_not_allowed_fallback(|| async { Problem::wrong_method() })
            .fallback(|| async { Problem::not_found() })
            .layer(from_fn_with_state(self.clone(), who::no_browser))
            // The one part that is for browsers.
            .merge(browser::router(self))
            .layer(from_fn_with_state(self.clone(), metrics::counted))
            .with_state(self.clone())
    }
}

async fn mcp(
    State(gate): State<Gate>,
    Extension(asker): Extension<Asker>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let cluster = match asker.cluster(&gate, &name) {
        Err(problem) => return problem.into_response(),
        Ok(cluster) => cluster,
    };
    let (parts, body) = request.into_parts();
    // It was read before, and is as long as it may be.
    let body = to_bytes(body, gate.options().most_body_bytes).await;
    let body = body.unwrap_or_default();
    if let Err(problem) = nothing_twice(&body) {
        return problem.into_response();
    }
    let request = Request::from_parts(parts, Body::from(body));
    match cluster.mcp.clone().call(request).await {
        Ok(answer) => answer.map(Body::new),
        Err(never) => match never {},
    }
}

/// Whether it can tell who asks, and write down what it does.
async fn ready(State(gate): State<Gate>) -> Response {
    match gate.controls().state().await {
        Ok(_) => "ready\n".into_response(),
        Err(_) => {
            let text = "the journal cannot be read";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text).into_response()
        }
    }
}
