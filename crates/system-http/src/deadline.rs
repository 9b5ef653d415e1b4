//! One time limit over the steps of an exchange.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Sleep;

/// The end of an exchange, as one timer for all of its steps.
pub(crate) struct Deadline<'a> {
    time: Duration,
    end: Pin<&'a mut Sleep>,
}

/// The time of an exchange was over.
#[derive(Debug, thiserror::Error)]
#[error("timed out after {time:?}")]
pub(crate) struct TimedOut {
    time: Duration,
}

impl<'a> Deadline<'a> {
    /// The end that `sleep`, of this duration, comes to.
    pub(crate) fn new(time: Duration, sleep: Pin<&'a mut Sleep>) -> Self {
        Self { time, end: sleep }
    }

    /// What the step gives, or nothing when the time is over first.
    pub(crate) async fn limit<F: Future>(&mut self, step: F) -> Result<F::Output, TimedOut> {
        let mut step = pin!(step);
        poll_fn(|context| {
            if let Poll::Ready(output) = step.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            let end = self.end.as_mut().poll(context);
            end.map(|()| Err(TimedOut { time: self.time }))
        })
        .await
    }
}
