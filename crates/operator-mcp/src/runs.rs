//! The workflows that a server goes on with, each on a task of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use action_guard::{Actor, Event, FlowEvent, GuardError, WaitPolicy, Workflows};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// The workflows that this server goes on with now, by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs(Arc<Mutex<BTreeMap<String, Run>>>);

/// One of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    pub(crate) over: CancellationToken,
    /// Why it could not go on, if it could not.
    failed: Arc<Mutex<Option<GuardError>>>,
}

impl Run {
    /// Why it could not go on, if it could not: for who asks first.
    pub(crate) fn failure(&self) -> Option<GuardError> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take()
    }
}

impl Runs {
    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<String, Run>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether this server goes on with it now.
    pub(crate) fn is_at(&self, id: &str) -> bool {
        self.with(|runs| runs.contains_key(id))
    }

    /// Has this server go on with a workflow, unless it does already. Who begins it sees what happens.
    pub(crate) fn begin(&self, id: &str, at: AtIt) -> (Run, UnboundedReceiver<FlowEvent>) {
        let (seen, events) = unbounded_channel();
        let (run, is_new) = self.with(|runs| match runs.get(id) {
            Some(run) => (run.clone(), false),
            None => (runs.entry(id.to_owned()).or_default().clone(), true),
        });
        if !is_new {
            return (run, events);
        }
        let ends = Ends {
            runs: self.clone(),
            id: id.to_owned(),
        };
        let AtIt {
            workflows,
            by,
            gone,
            token,
        } = at;
        let failed = Arc::clone(&run.failed);
        tokio::spawn(async move {
            let (_token, ends) = (token, ends);
            let (sending, mut is_sending) = watch::channel(false);
            let mut watch = |event: FlowEvent| {
                sending.send_replace(matches!(&event, FlowEvent::Mutation { seen, .. }
                    if matches!(**seen, Event::Intent { .. })));
                drop(seen.send(event));
            };
            // Nothing new is begun once nobody is there; the answer to what is being sent is waited for.
            let left = async {
                gone.cancelled().await;
                drop(is_sending.wait_for(|is_sending| !is_sending).await);
            };
            tokio::select! {
                done = workflows.run(&ends.id, &by, WaitPolicy::UntilPeople, &mut watch) => {
                    if let Err(failure) = done {
                        let mut slot = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        *slot = Some(failure);
                    }
                }
                () = left => {}
            }
        });
        (run, events)
    }
}

/// What goes on with a workflow.
pub(crate) struct AtIt {
    pub(crate) workflows: Workflows,
    pub(crate) by: Actor,
    /// That nobody is there any more.
    pub(crate) gone: CancellationToken,
    /// Held until the answer to what is being sent is there.
    pub(crate) token: TaskTrackerToken,
}

/// Ends a run, however that comes.
struct Ends {
    runs: Runs,
    id: String,
}

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(run) = self.runs.with(|runs| runs.remove(&self.id)) {
            run.over.cancel();
        }
    }
}
