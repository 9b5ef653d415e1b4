//! Connections: how many there are, how long their requests take to arrive, and how they end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::gate::Options;

/// How long connections have to end by themselves.
const AT_THE_END: Duration = Duration::from_secs(60);

/// Serves until `until` is over, then does `ending`, and waits for the requests that are here.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    options: &Options,
    until: impl Future<Output = ()> + Send,
    ending: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(options.most_connections));
    let open = GracefulShutdown::new();
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(options.read_within);
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
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = open.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // What goes wrong on one is for who is at its other end.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    ending.await;
    let _ = tokio::time::timeout(AT_THE_END, open.shutdown()).await;
}
