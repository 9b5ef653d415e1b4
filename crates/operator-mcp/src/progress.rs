//! Progress of what is followed, for who asked for it.

use std::time::{Duration, Instant};

use action_core::Progress as Probed;
use action_guard::{Event, FlowEvent};
use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext};

/// Between two notifications.
const AT_LEAST: Duration = Duration::from_millis(250);

/// Tells a client how far a call is, if it asked for that.
pub(crate) struct Progress {
    peer: Peer<RoleServer>,
    token: Option<ProgressToken>,
    last: Option<Instant>,
    told: f64,
}

impl Progress {
    pub(crate) fn of(context: &RequestContext<RoleServer>) -> Self {
        Self {
            peer: context.peer.clone(),
            token: context.meta.get_progress_token(),
            last: None,
            told: 0.0,
        }
    }

    /// Tells what was seen, unless something was told right before.
    pub(crate) async fn tell(&mut self, message: Option<String>) {
        let Some(token) = self.token.clone() else {
            return;
        };
        let Some(message) = message else {
            return;
        };
        if self.last.is_some_and(|last| last.elapsed() < AT_LEAST) {
            return;
        }
        self.last = Some(Instant::now());
        // It has to rise, which what is left of a drain does not always.
        self.told += 1.0;
        let told = ProgressNotificationParam::new(token, self.told).with_message(message);
        // A client that is gone misses nothing.
        drop(self.peer.notify_progress(told).await);
    }
}

/// What is told of a workflow, if anything is.
pub(crate) fn of_flow(event: &FlowEvent) -> Option<String> {
    let (step, what) = match event {
        FlowEvent::Mutation { step, seen } => (step, of_mutation(seen)?),
        FlowEvent::NotYet { step, unmet } => (step, unmet.clone()),
        FlowEvent::NotNow { step, why } => (step, why.clone()),
        FlowEvent::Proposed { step, .. } => (step, "proposed".to_owned()),
        _ => return None,
    };
    Some(format!("step `{step}`: {what}"))
}

/// What is told of a mutation, if anything is.
pub(crate) fn of_mutation(event: &Event) -> Option<String> {
    match event {
        Event::Intent { .. } => Some("intent recorded; sending".to_owned()),
        Event::Accepted(accepted) => Some(format!("accepted: {}", accepted.answer)),
        Event::Unanswered { .. } => Some("no conclusive answer; following it".to_owned()),
        Event::Progress(Probed::Pending { summary, .. }) => Some(summary.clone()),
        _ => None,
    }
}
