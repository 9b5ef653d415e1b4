//! Against a real cluster.
//!
//! `PD_ENDPOINTS` enables what only reads. What changes something also needs
//! `PD_MUTATE_CLUSTER_ID`, equal to the id of the cluster that PD reports; it is compared before
//! every send, here and by the guard.

use std::env;

use action_core::{OutcomeKind, Role, Undo};
use action_guard::{Guard, Report, Standing};
use serde_json::{Value, json};

use crate::{guard, propose};

/// Where PD is; or nothing, after saying that the test is skipped.
fn endpoints(test: &str) -> Option<String> {
    let endpoints = env::var("PD_ENDPOINTS")
        .ok()
        .filter(|endpoints| !endpoints.is_empty());
    if endpoints.is_none() {
        eprintln!("{test}: skipped, PD_ENDPOINTS is not set");
    }
    endpoints
}

/// Whether this very cluster may be changed.
async fn may_change(guard: &Guard, test: &str) -> bool {
    let found = guard.catalogue().identity("list_stores").await.unwrap();
    match env::var("PD_MUTATE_CLUSTER_ID") {
        Ok(named) if named == found => true,
        Ok(named) => {
            eprintln!("{test}: skipped, PD_MUTATE_CLUSTER_ID is {named}, and PD reports {found}");
            false
        }
        Err(_) => {
            eprintln!("{test}: skipped, PD_MUTATE_CLUSTER_ID is not set; PD reports {found}");
            false
        }
    }
}

async fn observe(guard: &Guard, name: &str, parameters: Value) -> Value {
    let seen = guard.catalogue().observe(name, parameters).await;
    seen.unwrap_or_else(|error| unreachable!("{name}: {}", error.report()))
}

/// Proposes and executes, after another look at which cluster this is.
async fn execute(guard: &Guard, name: &str, parameters: Value) -> Option<Report> {
    if !may_change(guard, name).await {
        return None;
    }
    let proposal = propose(guard, name, parameters).await;
    let report = guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .and_then(Standing::into_report);
    let report = report.unwrap_or_else(|error| unreachable!("{name}: {}", error.report()));
    eprintln!(
        "{name}: {:?}: {}",
        report.outcome.result, report.outcome.summary
    );
    Some(report)
}

async fn undo(guard: &Guard, report: Report) -> Option<Report> {
    let Undo::Action {
        name, parameters, ..
    } = report.undo
    else {
        unreachable!("{:?}", report.undo);
    };
    execute(guard, &name, Value::Object(parameters)).await
}

/// A region with a leader and three healthy voters, and its view.
async fn quiet_region(guard: &Guard) -> Value {
    for id in 1..2_000 {
        let region = observe(guard, "get_region", json!({"region_id": id})).await;
        let peers = region["peers"].as_array().unwrap();
        let healthy = |peer: &Value| peer["healthy"] == true && peer["role"] == "Voter";
        if peers.len() >= 3 && peers.iter().all(healthy) && region["leader_store_id"].is_string() {
            return region;
        }
    }
    unreachable!("no region below 2000 has three healthy voters");
}

fn stores_of(region: &Value) -> Vec<String> {
    let peers = region["peers"].as_array().unwrap().iter();
    peers
        .map(|peer| peer["store_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn live_observations_read() {
    let Some(endpoints) = endpoints("live_observations_read") else {
        return;
    };
    let (guard, _directory) = guard(&endpoints).await;
    let stores = observe(&guard, "list_stores", Value::Null).await;
    assert!(!stores["stores"].as_array().unwrap().is_empty(), "{stores}");
    let drains = observe(&guard, "list_drains", Value::Null).await;
    assert!(drains["drains"].is_array(), "{drains}");
    let region = quiet_region(&guard).await;
    assert_eq!(region["exists"], true);
    let none = observe(
        &guard,
        "get_region",
        json!({"region_id": 9_007_199_254_740_991_u64}),
    )
    .await;
    assert_eq!(none["exists"], false);
}

/// Every observation that can be asked without parameters is, and a few with.
#[tokio::test(flavor = "multi_thread")]
async fn live_observations_all_answer() {
    let Some(endpoints) = endpoints("live_observations_all_answer") else {
        return;
    };
    let (guard, _directory) = guard(&endpoints).await;
    let catalogue = guard.catalogue();
    let asked: Vec<String> = catalogue
        .definitions()
        .filter(|definition| !definition.is_mutation())
        .filter(|definition| definition.parameters.iter().all(|one| !one.required))
        // Which stores a workflow is for is never guessed.
        .filter(|definition| definition.role != Some(Role::Workflow))
        .map(|definition| definition.name.clone())
        .collect();
    assert!(asked.len() >= 13, "{asked:?}");
    for name in asked {
        let seen = observe(&guard, &name, Value::Null).await;
        let text = seen.to_string();
        let start: String = text.chars().take(200).collect();
        eprintln!("{name}: {} bytes: {start}", text.len());
    }
    // The leader's own figures are those of this PD, and agree with what is stored.
    let config = observe(&guard, "get_config", Value::Null).await;
    assert_eq!(config["in_force_known"], true, "{config}");
    let region = quiet_region(&guard).await;
    let why = json!({"region_id": region["region_id"], "from_store_id": stores_of(&region)[0]});
    let why = observe(&guard, "why", why).await;
    assert!(why["findings"].is_array(), "{why}");
    let found = observe(
        &guard,
        "find_region",
        json!({"key": region["start_key"], "form": "hex"}),
    )
    .await;
    assert_eq!(found["region"]["region_id"], region["region_id"], "{found}");
    let stores = json!({"store_ids": [stores_of(&region)[0]]});
    let workflow = observe(&guard, "rolling_drain", stores).await;
    assert!(
        workflow["steps"]
            .as_array()
            .is_some_and(|steps| steps.len() > 1),
        "{workflow}"
    );
    let store = json!({"store_id": stores_of(&region)[0]});
    let metrics = observe(&guard, "get_store_metrics", store).await;
    assert!(metrics["store"]["capacity_bytes"].is_u64(), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn live_plans_read() {
    let Some(endpoints) = endpoints("live_plans_read") else {
        return;
    };
    let (guard, _directory) = guard(&endpoints).await;
    let region = quiet_region(&guard).await;
    let id = &region["region_id"];
    let leader = &region["leader_store_id"];
    let plan = propose(
        &guard,
        "transfer_leader",
        json!({"region_id": id, "to_store_id": leader}),
    );
    let verdict = serde_json::to_value(plan.await.plan.verdict).unwrap();
    assert_eq!(verdict["answer"], "no_op", "{verdict}");
    let nowhere = json!({"region_id": id, "to_store_id": "9007199254740991"});
    let plan = propose(&guard, "transfer_leader", nowhere).await.plan;
    let verdict = serde_json::to_value(plan.verdict).unwrap();
    assert_eq!(
        verdict["text"],
        "region has no voter in store 9007199254740991"
    );
    let plan = propose(&guard, "drain_store", json!({"store_id": leader}))
        .await
        .plan;
    assert!(plan.clock.is_some(), "{plan:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn live_mutations_are_proven_and_taken_back() {
    let test = "live_mutations_are_proven_and_taken_back";
    let Some(endpoints) = endpoints(test) else {
        return;
    };
    let (guard, _directory) = guard(&endpoints).await;
    if !may_change(&guard, test).await {
        return;
    }
    let region = quiet_region(&guard).await;
    let (id, leader) = (
        &region["region_id"],
        region["leader_store_id"].as_str().unwrap(),
    );
    let held = stores_of(&region);
    let other = held.iter().find(|store| *store != leader).unwrap();

    let request = json!({"region_id": id, "to_store_id": other});
    if let Some(report) = execute(&guard, "transfer_leader", request).await {
        assert_eq!(report.outcome.result, OutcomeKind::Applied, "{report:?}");
        let back = undo(&guard, report).await.unwrap();
        assert_eq!(back.outcome.result, OutcomeKind::Applied, "{back:?}");
    }

    let stores = observe(&guard, "list_stores", Value::Null).await;
    let stores = stores["stores"].as_array().unwrap().iter();
    let mut free = stores.filter(|store| store["state"] == "Up" && store["tiflash"] == false);
    let free = free.find(|store| !held.iter().any(|held| store["store_id"] == held.as_str()));
    if let Some(free) = free {
        let request =
            json!({"region_id": id, "from_store_id": other, "to_store_id": free["store_id"]});
        if let Some(report) = execute(&guard, "transfer_peer", request).await {
            assert_eq!(report.outcome.result, OutcomeKind::Applied, "{report:?}");
            let back = undo(&guard, report).await.unwrap();
            assert_eq!(back.outcome.result, OutcomeKind::Applied, "{back:?}");
        }
    }

    if let Some(report) = execute(&guard, "drain_store", json!({"store_id": leader})).await {
        let back = undo(&guard, report.clone()).await.unwrap();
        assert_eq!(report.outcome.result, OutcomeKind::Applied, "{report:?}");
        assert_eq!(back.outcome.result, OutcomeKind::Applied, "{back:?}");
    }
}
