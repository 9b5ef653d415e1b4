//! Workflows that the gate carries on, each on a task of its own, by the authority of who started it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use action_guard::{Event, FlowEvent, WaitPolicy, Workflows};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long the answer to what is being sent is waited for when the gate ends.
const LAST_ANSWERS: Duration = Duration::from_secs(20);

/// The workflows that this gate is at.
#[derive(Default)]
pub(crate) struct Carried {
    known: Mutex<Known>,
    /// That the gate ends: nothing new is begun.
    gone: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Default)]
struct Known {
    /// Those that it is at, and whether something has changed in one since.
    at: BTreeMap<String, bool>,
    /// Why some do not go on, beside what their records say.
    held_up: BTreeMap<String, String>,
}

impl Carried {
    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it goes on with this one now.
    pub(crate) fn is_at(&self, id: &str) -> bool {
        self.with(|known| known.at.contains_key(id))
    }

    /// Why it does not go on with this one, beside what its records say.
    pub(crate) fn held_up(&self, id: &str) -> Option<String> {
        self.with(|known| known.held_up.get(id).cloned())
    }

    /// Begins nothing new, and waits for the answers to what is being sent.
    pub(crate) async fn end(&self) {
        self.gone.cancel();
        self.tasks.close();
        drop(tokio::time::timeout(LAST_ANSWERS, self.tasks.wait()).await);
    }

    /// Keeps why one does not go on, and whether that is new.
    fn is_news(&self, id: &str, why: &str) -> bool {
        let before = self.with(|known| known.held_up.insert(id.to_owned(), why.to_owned()));
        before.as_deref() != Some(why)
    }

    /// Goes on with one as far as it goes without people. Where it is at it already, it looks once more.
    pub(crate) fn begin(self: &Arc<Self>, workflows: Workflows, id: &str) {
        let is_new = || {
            self.with(|known| match known.at.get_mut(id) {
                Some(is_changed) => {
                    *is_changed = true;
                    false
                }
                None => known.at.insert(id.to_owned(), false).is_none(),
            })
        };
        if self.gone.is_cancelled() || !is_new() {
            return;
        }
        let mut ends = Ends {
            carried: Arc::clone(self),
            id: id.to_owned(),
            is_over: false,
        };
        self.tasks.spawn(async move {
            while !ends.is_over {
                ends.carried.carry_on(&workflows, &ends.id).await;
                let is_gone = ends.carried.gone.is_cancelled();
                ends.is_over = ends.carried.is_over(&ends.id) || is_gone;
            }
        });
    }

    /// Whether nothing has changed in one meanwhile: then it is not at it any more.
    fn is_over(&self, id: &str) -> bool {
        self.with(|known| {
            let is_changed = known.at.remove(id).unwrap_or_default();
            if is_changed {
                known.at.insert(id.to_owned(), false);
            }
            !is_changed
        })
    }

    async fn carry_on(&self, workflows: &Workflows, id: &str) {
        let (sending, mut is_sending) = watch::channel(false);
        let mut watch = |event: FlowEvent| {
            sending.send_replace(matches!(&event, FlowEvent::Mutation { seen, .. }
                if matches!(**seen, Event::Intent { .. })));
        };
        // The answer to what is being sent is waited for; what is only followed is recovered.
        let left = async {
            self.gone.cancelled().await;
            drop(is_sending.wait_for(|is_sending| !is_sending).await);
        };
        let done = tokio::select! {
            done = workflows.carry_on(id, WaitPolicy::UntilPeople, &mut watch) => done,
            () = left => return,
        };
        match done {
            Ok(run) => {
                self.with(|known| known.held_up.remove(id));
                let stopped = run.next_steps.stopped.as_ref();
                if let Some(why) = stopped.map(|stopped| action_core::redacted(&stopped.reason)) {
                    let why = &*why;
                    tracing::warn!(id, why, "a workflow stopped");
                }
            }
            Err(error) => {
                let why = error.report();
                let why = &*action_core::redacted(&why);
                if self.is_news(id, why) {
                    tracing::warn!(id, why, "a workflow is not carried on");
                }
            }
        }
    }

    /// Forgets why those are held up that are not kept at hand any more.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.with(|known| known.held_up.retain(|id, _| is_there(id)));
    }
}

/// Ends what is kept of one, however that comes.
struct Ends {
    carried: Arc<Carried>,
    id: String,
    is_over: bool,
}

impl Drop for Ends {
    fn drop(&mut self) {
        if !self.is_over {
            self.carried.with(|known| known.at.remove(&self.id));
        }
    }
}
