//! Workflows that the gate carries on, each on a task of its own, by the authority of who started it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use action_guard::{Event, Flow, FlowEvent, State, WaitPolicy, Workflows, next_steps};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::gate::{Cluster, Gate};

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
    at: BTreeSet<String>,
    /// Why some do not go on, beside what their records say.
    held_up: BTreeMap<String, String>,
}

impl Carried {
    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it goes on with this one now.
    pub(crate) fn is_at(&self, id: &str) -> bool {
        self.with(|known| known.at.contains(id))
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
}

/// Whether all of a workflow is on this cluster.
pub(crate) fn is_on(cluster: &Cluster, flow: &Flow) -> bool {
    let catalogue = cluster.guard.catalogue();
    let mut systems = flow.systems.iter();
    systems.all(|(action, system)| {
        let definition = catalogue.definition(action);
        let is_its = |subject: &str| {
            let target = action_guard::Target::new(subject, system);
            target.is_same_system(&cluster.target)
        };
        definition.is_some_and(|definition| is_its(&definition.subject))
    })
}

/// Goes on with all of a cluster in which something can be done now.
pub(crate) fn carry_on_all(gate: &Gate, cluster: &Cluster, state: &State) {
    let now = Timestamp::now();
    let flows = state.flows.values();
    for flow in flows.filter(|flow| flow.ended.is_none() && is_on(cluster, flow)) {
        let next = next_steps(flow, state, now);
        if next.stopped.is_none() && !next.ready.is_empty() {
            carry_on(gate, cluster, &flow.id);
        }
    }
    gate.carried()
        .with(|known| known.held_up.retain(|id, _| state.flows.contains_key(id)));
}

/// The same of all clusters, such as once a person has agreed to something.
pub(crate) async fn carry_on_everywhere(gate: &Gate) {
    if let Ok(state) = gate.journal().state().await {
        for cluster in gate.clusters().values() {
            carry_on_all(gate, cluster, &state);
        }
    }
}

/// Goes on with one as far as it goes without people, unless somebody here is at it.
pub(crate) fn carry_on(gate: &Gate, cluster: &Cluster, id: &str) {
    let carried = Arc::clone(gate.carried());
    let is_new = || carried.with(|known| known.at.insert(id.to_owned()));
    if carried.gone.is_cancelled() || cluster.mcp.is_at_workflow(id) || !is_new() {
        return;
    }
    let (workflows, tasks) = (Workflows::new(cluster.guard.clone()), carried.tasks.clone());
    let ends = Ends {
        carried,
        id: id.to_owned(),
    };
    tasks.spawn(async move {
        let (id, carried) = (&*ends.id, &ends.carried);
        let (sending, mut is_sending) = watch::channel(false);
        let mut watch = |event: FlowEvent| {
            sending.send_replace(matches!(&event, FlowEvent::Mutation { seen, .. }
                if matches!(**seen, Event::Intent { .. })));
        };
        // The answer to what is being sent is waited for; what is only followed is recovered.
        let left = async {
            carried.gone.cancelled().await;
            drop(is_sending.wait_for(|is_sending| !is_sending).await);
        };
        let done = tokio::select! {
            done = workflows.carry_on(id, WaitPolicy::UntilPeople, &mut watch) => done,
            () = left => return,
        };
        match done {
            Ok(run) => {
                carried.with(|known| known.held_up.remove(id));
                let stopped = run.next_steps.stopped.as_ref();
                if let Some(why) = stopped.map(|stopped| action_core::redacted(&stopped.reason)) {
                    let why = &*why;
                    tracing::warn!(id, why, "a workflow stopped");
                }
            }
            Err(error) => {
                let why = error.report();
                let why = &*action_core::redacted(&why);
                if carried.is_news(id, why) {
                    tracing::warn!(id, why, "a workflow is not carried on");
                }
            }
        }
    });
}

/// Ends what is kept of one, however that comes.
struct Ends {
    carried: Arc<Carried>,
    id: String,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.carried.with(|known| known.at.remove(&self.id));
    }
}
