//! The gate between a write and the kernel: a permit is checked before the first byte passes, and
//! released when the last one has.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};

use crate::permit::{HeldPermit, PermitRefused};

/// What one connection may send, and has sent.
#[derive(Default)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    passing: Passing,
    permit: Option<Box<dyn HeldPermit>>,
    refusal: Option<PermitRefused>,
}

/// How far a write has come.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Passing {
    /// There is none yet: reads pass.
    #[default]
    Reads,
    /// Not a byte of it has passed.
    Waiting,
    /// Some bytes have, or may have.
    Begun,
    /// All bytes are the kernel's, and no more may pass.
    HandedOver,
    /// Not a byte of it may pass.
    Refused,
}

impl Gate {
    /// Lets nothing pass from now on but with this permit.
    pub(crate) fn arm(&self, permit: Box<dyn HeldPermit>) {
        let mut state = self.state();
        state.passing = Passing::Waiting;
        state.permit = Some(permit);
    }

    /// Whether it is proved that no byte of the write has passed.
    pub(crate) fn is_untouched(&self) -> bool {
        matches!(self.state().passing, Passing::Waiting | Passing::Refused)
    }

    /// Why the permit did not hold, if it did not.
    pub(crate) fn take_refusal(&self) -> Option<PermitRefused> {
        self.state().refusal.take()
    }

    /// Asks the permit, when these would be the first bytes.
    fn before_bytes(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.passing == Passing::Waiting
            && let Some(Err(refusal)) = state.permit.as_ref().map(|permit| permit.check())
        {
            state.passing = Passing::Refused;
            state.refusal = Some(refusal);
        }
        match state.passing {
            Passing::Reads | Passing::Waiting | Passing::Begun => Ok(()),
            Passing::HandedOver | Passing::Refused => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    /// Some bytes have passed, or it is not known how many.
    fn after_bytes(&self) {
        let mut state = self.state();
        if state.passing == Passing::Waiting {
            state.passing = Passing::Begun;
        }
    }

    /// Everything that was written is the kernel's.
    fn after_flush(&self) {
        let released = {
            let mut state = self.state();
            if state.passing != Passing::Begun {
                return;
            }
            state.passing = Passing::HandedOver;
            state.permit.take()
        };
        // Its owner's code runs when it is dropped: not under our lock.
        drop(released);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose bytes pass a gate.
///
/// A write is flushed once: hyper takes its head and its body, which is a single piece, into one
/// buffer, and flushes when that is empty. TLS, below, flushes into the socket. Were hyper to flush
/// earlier, the rest would not pass, and the request would be cut off rather than sent unguarded.
pub(crate) struct Gated<S> {
    stream: S,
    gate: Arc<Gate>,
}

impl<S> Gated<S> {
    pub(crate) fn new(stream: S, gate: Arc<Gate>) -> Self {
        Self { stream, gate }
    }
}

impl<S: Read + Unpin> Read for Gated<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: Write + Unpin> Write for Gated<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.gate.before_bytes()?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.gate.after_bytes();
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.gate.after_flush();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
