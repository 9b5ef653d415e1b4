//! Signals that end what a command is at, as Ctrl-C does.

#[cfg(unix)]
use std::io::{IsTerminal as _, stdin};

/// Returns when this process is to end: at Ctrl-C, at SIGTERM and, where a person sits at it, at
/// SIGHUP. Who runs it under `nohup` has no terminal, and wants it to go on.
#[cfg(unix)]
pub(crate) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};

    // A signal that cannot be listened to does what it always did.
    let listen = |kind| signal(kind).ok();
    let attended = stdin().is_terminal();
    let mut hung_up = attended.then(|| listen(SignalKind::hangup())).flatten();
    let mut terminated = listen(SignalKind::terminate());
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = next(&mut terminated) => {}
        () = next(&mut hung_up) => {}
    }
}

/// SIGHUPs to a process that nobody sits at: what it has read from files is to be read again.
#[cfg(feature = "serve")]
pub(crate) struct Reloads {
    #[cfg(unix)]
    hung_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(feature = "serve")]
impl Reloads {
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(unix)]
            hung_up: (!stdin().is_terminal())
                .then(|| {
                    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok()
                })
                .flatten(),
        }
    }

    /// Returns at the next one.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        next(&mut self.hung_up).await;
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn next(signal: &mut Option<tokio::signal::unix::Signal>) {
    let came = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if came.is_none() {
        std::future::pending().await
    }
}

/// Listens to what the system sends where a file would grow beyond its limit, so that the write
/// fails instead of ending the process.
#[cfg(unix)]
pub(crate) fn file_limit() -> Option<tokio::signal::unix::Signal> {
    let kind = rustix::process::Signal::XFSZ.as_raw();
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(kind)).ok()
}

/// Returns when this process is to end.
#[cfg(not(unix))]
pub(crate) async fn interrupted() {
    // Where it cannot be listened to, it ends the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
