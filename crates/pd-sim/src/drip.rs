//! A body that comes at once, or in pieces.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// How many pieces a slow body comes in.
const PIECES: usize = 16;

/// What is left of an answer.
#[derive(Debug)]
pub(crate) struct Drip {
    left: Bytes,
    /// Bytes that come at once.
    piece: usize,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Drip {
    pub(crate) fn at_once(body: Bytes) -> Self {
        Self {
            piece: body.len(),
            left: body,
            pause: Duration::ZERO,
            waiting: None,
        }
    }

    pub(crate) fn slow(body: Bytes, pause: Duration) -> Self {
        Self {
            piece: body.len().div_ceil(PIECES).max(1),
            left: body,
            pause,
            waiting: Some(Box::pin(sleep(pause))),
        }
    }
}

impl Body for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(cx));
            self.waiting = None;
        }
        let size = self.piece.min(self.left.len());
        let piece = self.left.split_to(size);
        if !self.left.is_empty() {
            self.waiting = Some(Box::pin(sleep(self.pause)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
