//! Faults: what goes wrong between a client and PD, scripted by the test.

use std::time::Duration;

use bytes::Bytes;

use crate::received::is_at_or_below;

/// One thing that goes wrong with the next matching requests.
///
/// A fault matches a method and a path; the path is relative to `/pd/api/v1`, and everything below
/// it matches too. It strikes once unless [`times`](Fault::times) says otherwise.
#[derive(Debug, Clone)]
pub struct Fault {
    method: String,
    path: String,
    effect: Effect,
    delay: Duration,
    skip: usize,
    times: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Effect {
    /// Handled as usual.
    Nothing,
    /// The connection is closed before the body is read; the request never counts as received.
    CloseBeforeReading,
    /// The request is received, not applied, not answered.
    DropBeforeApply,
    /// The request is applied and not answered.
    ReplyLostAfterApply,
    /// The request is applied; the answer's body ends half way.
    TruncatedAfterApply,
    /// The connection is reset: the request is not applied.
    ResetBeforeApply,
    /// The request is applied, and the connection is reset.
    ResetAfterApply,
    /// The request is applied; the answer's body comes in small pieces, with pauses between.
    Drip(Duration),
    /// Not applied; this answer is given.
    AnswerInstead(Instead),
    /// Not applied; bytes that are not HTTP come back.
    Garbage(Bytes),
}

#[derive(Debug, Clone)]
pub(crate) struct Instead {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Fault {
    fn new(method: &str, path: &str, effect: Effect) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            effect,
            delay: Duration::ZERO,
            skip: 0,
            times: 1,
        }
    }

    /// Handled as usual, but only after `delay` of real time.
    pub fn slow(method: &str, path: &str, delay: Duration) -> Self {
        Self::new(method, path, Effect::Nothing).delayed(delay)
    }

    /// The connection is closed before the body is read. Nothing is applied.
    pub fn close_before_reading(method: &str, path: &str) -> Self {
        Self::new(method, path, Effect::CloseBeforeReading)
    }

    /// The request is read and dropped: nothing is applied, nothing is answered.
    pub fn dropped_before_apply(method: &str, path: &str) -> Self {
        Self::new(method, path, Effect::DropBeforeApply)
    }

    /// The request is applied, and the connection is closed instead of an answer.
    pub fn reply_lost_after_apply(method: &str, path: &str) -> Self {
        Self::new(method, path, Effect::ReplyLostAfterApply)
    }

    /// The request is applied; the answer announces its length and ends half way.
    pub fn truncated_after_apply(method: &str, path: &str) -> Self {
        Self::new(method, path, Effect::TruncatedAfterApply)
    }

    /// The connection is reset before anything is applied.
    pub fn reset_before_apply(method: &str, path: &str) -> Self {
        Self::new(method, path, Effect::ResetBeforeApply)
    }

    /// The request is applied, and the connection is reset instead of an answer.
    pub fn reset_after_apply(method: &str, path: &str) -> Self {
        Self::new(method, path, Effect::ResetAfterApply)
    }

    /// The request is applied; the answer's body comes in sixteen pieces, with a pause of real
    /// time before each.
    pub fn slow_drip(method: &str, path: &str, pause: Duration) -> Self {
        Self::new(method, path, Effect::Drip(pause))
    }

    /// The request is not applied, and this is answered.
    pub fn answer(method: &str, path: &str, status: u16, content_type: &str, body: &str) -> Self {
        Self::new(
            method,
            path,
            Effect::AnswerInstead(Instead {
                status,
                content_type: content_type.to_owned(),
                body: body.to_owned(),
            }),
        )
    }

    /// `503`, as a member says that knows of no leader. Not applied.
    pub fn no_leader(method: &str, path: &str) -> Self {
        let body = "[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n";
        Self::answer(method, path, 503, TEXT, body)
    }

    /// `500`, as a member says that could not reach the leader. Not applied.
    pub fn redirect_failed(method: &str, path: &str) -> Self {
        let body = "[PD:apiutil:ErrRedirect]redirect failed\n";
        Self::answer(method, path, 500, TEXT, body)
    }

    /// `429`, as the rate limiter says. Not applied.
    pub fn too_many_requests(method: &str, path: &str) -> Self {
        Self::answer(method, path, 429, TEXT, "Too Many Requests\n")
    }

    /// `500` with a Go panic's text. Not applied.
    pub fn panicked(method: &str, path: &str) -> Self {
        let body =
            "PANIC: runtime error: index out of range [0] with length 0\ngoroutine 1 [running]:\n";
        Self::answer(method, path, 500, TEXT, body)
    }

    /// Bytes come back that are not HTTP. Not applied.
    pub fn garbage(method: &str, path: &str) -> Self {
        let bytes = Bytes::from_static(b"\x16\x03\x01\x02\x00\x01\x00 this is not HTTP\r\n\r\n");
        Self::new(method, path, Effect::Garbage(bytes))
    }

    /// Waits this long, in real time, before anything else is done with the request.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn after(mut self, requests: usize) -> Self {
        self.skip = requests;
        self
    }

    /// Strikes this many matching requests.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Strikes every matching request until [`Sim::clear_faults`](crate::Sim::clear_faults).
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

/// The faults that have not struck yet.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What happens to this request, and how long it has to wait.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> (Effect, Duration) {
        for fault in &mut self.0 {
            let matches = fault.method == method && is_at_or_below(path, &fault.path);
            if !matches || fault.times == 0 {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times = fault
                .times
                .saturating_sub(usize::from(fault.times != usize::MAX));
            return (fault.effect.clone(), fault.delay);
        }
        (Effect::Nothing, Duration::ZERO)
    }
}
