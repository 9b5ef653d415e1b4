//! Answers that come bit by bit, and end when who asked is not proven any more.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use crate::evidence::Evidence;
use crate::gate::Gate;

/// How long a signature is for, which is not looked at again.
const OF_A_SIGNATURE: Duration = Duration::from_mins(5);

/// The same answer. Where it is a stream of events, it ends when the proof does: who asked is looked at
/// again every few seconds.
pub(crate) fn while_proven(gate: Gate, evidence: Option<Evidence>, answer: Response) -> Response {
    let form = answer.headers().get(header::CONTENT_TYPE);
    let form = form.and_then(|form| form.to_str().ok()).unwrap_or_default();
    if !form.starts_with("text/event-stream") {
        return answer;
    }
    let over: Over = Box::pin(over(gate, evidence));
    let over = Some(over);
    answer.map(|body| Body::new(WhileProven { body, over }))
}

/// Returns when who asked is not proven any more.
async fn over(gate: Gate, evidence: Option<Evidence>) {
    let Some(evidence) = evidence else {
        return tokio::time::sleep(OF_A_SIGNATURE).await;
    };
    loop {
        tokio::time::sleep(gate.options().proof_again_every).await;
        if evidence.asker(&gate).await.is_err() {
            return;
        }
    }
}

type Over = Pin<Box<dyn Future<Output = ()> + Send>>;

struct WhileProven {
    body: Body,
    /// `None` once it is.
    over: Option<Over>,
}

impl HttpBody for WhileProven {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let over = self.over.as_mut();
        if over.is_none_or(|over| over.as_mut().poll(context).is_ready()) {
            self.over = None;
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
