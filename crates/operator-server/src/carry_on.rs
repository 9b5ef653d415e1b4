//! Which workflows the gate carries on: all in which something can be done now, and nobody here is at.

use action_guard::{Flow, State, Target, Workflows, next_steps};
use jiff::Timestamp;

use crate::gate::{Cluster, Gate};

/// Whether all of a workflow is on this cluster.
pub(crate) fn is_on(cluster: &Cluster, flow: &Flow) -> bool {
    let catalogue = cluster.guard.catalogue();
    let mut systems = flow.systems.iter();
    systems.all(|(action, system)| {
        let definition = catalogue.definition(action);
        let is_its = |subject: &str| {
            let target = Target::new(subject, system);
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
    gate.carried().keep(|id| state.flows.contains_key(id));
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
    if !cluster.mcp.is_at_workflow(id) {
        let workflows = Workflows::new(cluster.guard.clone());
        gate.carried().begin(workflows, id);
    }
}
