//! What needs somebody awake: goes on with what was left open, and takes back what is over.

use action_guard::{GuardError, Reaped};

use crate::carry_on::carry_on_all;
use crate::gate::{Cluster, Gate};

/// Looks, for as long as the gate is open. Sends nothing but what takes back an effect whose lease is
/// over, where the rules let `system` do that.
pub(crate) async fn keep_up(gate: Gate) {
    let mut every = tokio::time::interval(gate.options().keep_up_every);
    loop {
        every.tick().await;
        one_policy(&gate).await;
        for (name, cluster) in gate.clusters() {
            if let Err(error) = look_at(&gate, name, cluster).await {
                let error = error.report();
                let error = &*action_core::redacted(&error);
                tracing::warn!(cluster = name, error, "background work failed");
            }
        }
    }
}

/// Says to other gates on this journal by which policy this one works, and notes when one has another.
pub(crate) async fn one_policy(gate: &Gate) {
    let Some(cluster) = gate.clusters().values().next() else {
        return;
    };
    let found = async {
        cluster.guard.gate_opened().await?;
        Ok::<_, GuardError>(cluster.guard.other_policy().await?)
    };
    let why = match found.await {
        Ok(None) => return,
        Ok(Some(refusal)) => refusal.to_string(),
        Err(error) => error.report(),
    };
    let error = &*action_core::redacted(&why);
    tracing::warn!(
        error,
        "gates on this journal use different policies, or their policies are unknown"
    );
}

async fn look_at(gate: &Gate, name: &str, cluster: &Cluster) -> Result<(), GuardError> {
    let (guard, target) = (&cluster.guard, &cluster.target);
    guard.recover_on(target, &mut |_| {}).await?;
    let state = guard.state().await?;
    carry_on_all(gate, cluster, &state);
    let reaped = guard.reap_on(target, &mut |_| {}).await?;
    for left in &reaped {
        if let Reaped::Left { effect, why } = left {
            let (id, why) = (&effect.id, &*action_core::redacted(why));
            tracing::warn!(cluster = name, id, why, "expired leases are not taken back");
        }
    }
    Ok(())
}
