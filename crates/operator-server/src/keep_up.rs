//! What needs somebody awake: goes on with what was left open, and takes back what is over.

use std::time::Duration;

use action_guard::{GuardError, Reaped};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::{MissedTickBehavior, timeout};

use crate::carry_on::carry_on_all;
use crate::checks::is_check;
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

/// How long one observation may take.
const CHECKED_WITHIN: Duration = Duration::from_secs(60);

/// Looks at what should not be so, for as long as the gate is open. Only reads.
pub(crate) async fn check(gate: Gate) {
    let Some(every) = gate.options().check_every else {
        return;
    };
    let mut every = tokio::time::interval(every);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        for (name, cluster) in gate.clusters() {
            let catalogue = cluster.guard.catalogue();
            let checks = catalogue.definitions().filter(|one| is_check(one));
            let mut results = Vec::new();
            for check in checks.map(|check| check.name.clone()) {
                let looking = catalogue.observe(&check, json!({}));
                let result = match timeout(CHECKED_WITHIN, looking).await {
                    Ok(result) => result.map_err(|error| error.report()),
                    Err(_) => Err(format!("no result within {CHECKED_WITHIN:?}")),
                };
                let result = result.map_err(|why| {
                    let error = &*action_core::redacted(&why);
                    tracing::warn!(cluster = name, check, error, "a check failed");
                    action_core::printable(error).into_owned()
                });
                results.push((check, result));
            }
            gate.checks().take(name, Timestamp::now(), results);
        }
    }
}

async fn look_at(gate: &Gate, name: &str, cluster: &Cluster) -> Result<(), GuardError> {
    let (guard, target) = (&cluster.guard, &cluster.target);
    guard.recover_on(target, &mut |_| {}).await?;
    guard.end_expired().await?;
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
