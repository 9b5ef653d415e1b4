//! Connections: how many there are, how long their requests take to arrive, and how they end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use crate::certificates::Shown;
use crate::gate::Gate;

/// How long connections have to end by themselves.
const AT_THE_END: Duration = Duration::from_secs(60);

/// Serves until `until` is over, then does `ending`, and waits for the requests that are here.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    gate: &Gate,
    until: impl Future<Output = ()> + Send,
    ending: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(gate.options().most_connections));
    let open = GracefulShutdown::new();
    let mut until = std::pin::pin!(until);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut until => break,
            accepted = accepted => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Such as that there are too many open files: it passes.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let conversation = converse(stream, router.clone(), gate.clone(), open.watcher());
        tokio::spawn(async move {
            conversation.await;
            drop(place);
        });
    }
    drop(listener);
    ending.await;
    let _ = tokio::time::timeout(AT_THE_END, open.shutdown()).await;
}

/// Makes a session where TLS is spoken, within the time that a request has to arrive.
async fn converse(stream: TcpStream, router: Router, gate: Gate, open: Watcher) {
    let within = gate.options().read_within;
    let Some(tls) = gate.trusted().tls.clone() else {
        return answer(stream, None, router, within, open).await;
    };
    let session = TlsAcceptor::from(tls).accept(stream);
    // What goes wrong is for who is at its other end.
    if let Ok(Ok(stream)) = tokio::time::timeout(within, session).await {
        let chain = stream.get_ref().1.peer_certificates();
        let shown = chain.map(Shown::new);
        answer(stream, shown, router, within, open).await;
    }
}

async fn answer<S>(stream: S, shown: Option<Shown>, router: Router, within: Duration, open: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(within);
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(shown) = &shown {
            request.extensions_mut().insert(shown.clone());
        }
        router.clone().call(request)
    });
    let connection = server.serve_connection(TokioIo::new(stream), service);
    // What goes wrong on one is for who is at its other end.
    let _ = open.watch(connection).await;
}
