//! A connection that can be made to say something else than HTTP.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What is written instead of the next answer, after which the connection breaks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Instead(Arc<Mutex<Option<Bytes>>>, Arc<AtomicBool>);

impl Instead {
    /// The connection is to end with a reset.
    pub(crate) fn reset(&self) {
        self.1.store(true, Ordering::Relaxed);
    }

    fn is_reset(&self) -> bool {
        self.1.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, bytes: Bytes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
    }
}

#[derive(Debug)]
pub(crate) struct Wire {
    stream: TokioIo<TcpStream>,
    instead: Instead,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, instead: Instead) -> Self {
        Self {
            stream: TokioIo::new(stream),
            instead,
        }
    }

    /// Writes what was set instead; `None` if nothing was.
    fn write_instead(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Error>> {
        let mut instead = self
            .instead
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(bytes) = instead.as_mut() else {
            return Poll::Ready(None);
        };
        while bytes.has_remaining() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, bytes)) {
                Ok(written) => bytes.advance(written),
                Err(error) => return Poll::Ready(Some(error)),
            }
        }
        Poll::Ready(Some(io::ErrorKind::BrokenPipe.into()))
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.write_instead(cx)) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.stream).poll_write(cx, buffer),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.write_instead(cx)) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.instead.is_reset() {
            // An orderly end would come before the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.instead.is_reset() {
            // Without lingering, closing resets. Where that cannot be set, it just closes.
            let _ = self.stream.inner().set_zero_linger();
        }
    }
}
