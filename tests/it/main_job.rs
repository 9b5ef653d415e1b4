//! What an embedder does: offer, plan, execute, prove, take back.

use std::time::Duration;

use action_core::{Attribution, OutcomeKind, Risk, Undo, Verdict, tool_json};
use action_guard::{GuardError, OutdatedBy, Record, Refusal, Request, Standing};
use pd_sim::{Sim, Version};
use serde_json::{Value, json};

use crate::{guard, propose, records};

async fn sim(version: Version) -> Sim {
    Sim::builder()
        .version(version)
        .stores(5)
        .regions(30)
        .seed(7)
        .heartbeat_interval(Duration::from_secs(1))
        .start()
        .await
        .unwrap()
}

/// A region, the store that leads it, and another store with a voter of it.
fn region(sim: &Sim) -> (u64, u64, u64) {
    let id = sim.region_ids()[3];
    let leader = sim.leader_of(id).unwrap();
    let peers = sim.peers(id);
    let other = peers.iter().find(|peer| peer.store_id != leader).unwrap();
    (id, leader, other.store_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn transfer_is_proven_and_taken_back_on_four_versions() {
    for version in [Version::V6_5, Version::V7_5, Version::V8_5, Version::V9_0] {
        let sim = sim(version).await;
        let (guard, _directory) = guard(sim.endpoint()).await;
        let (id, leader, other) = region(&sim);
        let request = json!({"region_id": id, "to_store_id": other.to_string()});

        let proposal = propose(&guard, "transfer_leader", request).await;
        assert_eq!(proposal.system, sim.cluster_id().to_string());
        let report = guard
            .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
            .await
            .unwrap()
            .into_report()
            .unwrap();
        assert_eq!(report.outcome.result, OutcomeKind::Applied, "{report:?}");
        assert_eq!(report.outcome.by, Some(Attribution::Ours));
        assert_eq!(sim.leader_of(id), Some(other));

        let Undo::Action {
            name, parameters, ..
        } = report.undo
        else {
            unreachable!("{:?}", report.undo);
        };
        let back = propose(&guard, &name, Value::Object(parameters)).await;
        let report = guard
            .execute(&back, &back.requester().unwrap(), &mut |_| {})
            .await
            .unwrap()
            .into_report()
            .unwrap();
        assert_eq!(report.outcome.result, OutcomeKind::Applied);
        assert_eq!(sim.leader_of(id), Some(leader));
        assert_eq!(sim.received("POST", "/operators"), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replica_moves_and_the_region_shows_it() {
    let sim = sim(Version::V8_5).await;
    let (guard, _directory) = guard(sim.endpoint()).await;
    let (id, _, from) = region(&sim);
    let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
    let to = (1..=5).find(|store| !held.contains(store)).unwrap();
    let request = json!({"region_id": id, "from_store_id": from, "to_store_id": to});
    let proposal = propose(&guard, "transfer_peer", request).await;
    let report = guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied, "{report:?}");
    assert!(sim.peers(id).iter().any(|peer| peer.store_id == to));
    assert!(sim.peers(id).iter().all(|peer| peer.store_id != from));
}

#[tokio::test(flavor = "multi_thread")]
async fn drain_ends_drained_and_in_force_and_is_taken_back() {
    let sim = sim(Version::V8_5).await;
    let (guard, _directory) = guard(sim.endpoint()).await;
    let proposal = propose(&guard, "drain_store", json!({"store_id": "2"})).await;
    assert_eq!(proposal.lasting_effect.as_deref(), Some("evict-leader/2"));
    let report = guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied, "{report:?}");
    assert_eq!((sim.leader_count(2), sim.evicting()), (0, vec![2]));

    let drains = guard.catalogue().observe("list_drains", Value::Null).await;
    assert_eq!(drains.unwrap()["drains"][0]["store_id"], "2");

    // Again there is nothing to do, and nothing is sent.
    let again = propose(&guard, "drain_store", json!({"store_id": 2})).await;
    assert!(matches!(again.plan.verdict, Verdict::NoOp { .. }));
    let writes = sim.writes().len();
    let standing = guard
        .execute(&again, &again.requester().unwrap(), &mut |_| {})
        .await
        .unwrap();
    assert!(
        matches!(standing, Standing::RefusedByPlan { .. }),
        "{standing:?}"
    );
    assert_eq!(sim.writes().len(), writes);

    let Undo::Action {
        name, parameters, ..
    } = report.undo
    else {
        unreachable!("{:?}", report.undo);
    };
    let back = propose(&guard, &name, Value::Object(parameters)).await;
    let report = guard
        .execute(&back, &back.requester().unwrap(), &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    assert_eq!(report.outcome.result, OutcomeKind::Applied);
    assert!(sim.evicting().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_foretold_and_nothing_is_sent() {
    let sim = sim(Version::V8_5).await;
    let (guard, _directory) = guard(sim.endpoint()).await;
    let id = sim.region_ids()[0];
    let held: Vec<u64> = sim.peers(id).iter().map(|peer| peer.store_id).collect();
    let to = (1..=5).find(|store| !held.contains(store)).unwrap();
    let request = json!({"region_id": id, "to_store_id": to});
    let proposal = propose(&guard, "transfer_leader", request).await;
    let standing = guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap();
    let expected = format!("not sent: it would be rejected: region has no voter in store {to}");
    assert_eq!(standing.to_string(), expected);
    assert!(sim.writes().is_empty());
    let records = records(&guard).await;
    assert!(
        matches!(
            records[..],
            [Record::Proposed { .. }, Record::Cancelled { .. }]
        ),
        "{records:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_the_proposal_stops_it() {
    let sim = sim(Version::V8_5).await;
    let (guard, _directory) = guard(sim.endpoint()).await;
    let (id, leader, other) = region(&sim);
    let request = json!({"region_id": id, "to_store_id": other});
    let proposal = propose(&guard, "transfer_leader", request).await;
    let peers = sim.peers(id);
    let third = peers
        .iter()
        .find(|peer| ![leader, other].contains(&peer.store_id));
    sim.set_leader(id, third.unwrap().store_id);
    let standing = guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap();
    let Standing::Outdated {
        by: OutdatedBy::Facts(changes),
        ..
    } = &standing
    else {
        unreachable!("{standing:?}");
    };
    assert_eq!(changes[0].name, "leader_store_id");
    assert!(sim.writes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_send_has_its_intent_and_outcome_in_the_journal() {
    let sim = sim(Version::V8_5).await;
    let (guard, _directory) = guard(sim.endpoint()).await;
    let (id, _, other) = region(&sim);
    let request = Request::new(
        "transfer_leader",
        json!({"region_id": id, "to_store_id": other}),
        "user:on-call",
    );
    let proposal = guard
        .propose(request.reason("test"))
        .await
        .unwrap()
        .into_proposal()
        .unwrap();
    guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap()
        .into_report()
        .unwrap();
    let records = records(&guard).await;
    let of_it = |record: &Record| record.proposal_id() == Some(proposal.id.as_str());
    assert!(records.iter().all(of_it));
    assert!(matches!(
        records.as_slice(),
        [Record::Proposed { proposal, .. }, Record::Intent { .. }, Record::Answer { .. }, Record::Outcome { outcome, .. }]
            if proposal.request.reason.as_deref() == Some("test")
                && outcome.result == OutcomeKind::Applied
    ));
    guard.journal().verify().await.unwrap();
    assert_eq!(
        sim.writes()[0].caller_id.as_deref(),
        Some(proposal.id.as_str())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_offered_what_it_may_see() {
    let (guard, _directory) = guard("http://127.0.0.1:1").await;
    let catalogue = guard.catalogue();
    let tools: Vec<Value> = catalogue.up_to(Risk::Medium).map(tool_json::mcp).collect();
    let names: Vec<&str> = tools
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "cluster_health",
            "list_stores",
            "get_store",
            "get_region",
            "find_region",
            "list_regions",
            "hot_write_regions",
            "hot_read_regions",
            "list_operators",
            "list_drains",
            "list_schedulers",
            "list_members",
            "get_config",
            "get_store_metrics",
            "get_cluster_metrics",
            "check_invariants",
            "why",
            "doctor",
            "safe_to_stop",
            "scan_safe_to_stop",
            "rolling_drain",
            "transfer_leader",
            "split_region",
            "cancel_operator",
            "stop_drain",
            "set_leader_schedule_limit",
            "set_region_schedule_limit",
            "set_low_space_threshold",
            "set_store_limit",
            "pause_scheduler",
            "resume_scheduler"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_was_altered_after_it_was_allowed_is_not_sent() {
    let sim = sim(Version::V8_5).await;
    let (guard, _directory) = guard(sim.endpoint()).await;
    let (id, _, other) = region(&sim);
    let request = json!({"region_id": id, "to_store_id": other});
    let mut proposal = propose(&guard, "transfer_leader", request).await;
    let another = sim.region_ids()[7];
    let leads = sim.leader_of(another);
    let peers = sim.peers(another);
    let mut stores = peers.iter().map(|peer| peer.store_id);
    let to = stores.find(|store| Some(*store) != leads).unwrap();
    let mut found = propose(
        &guard,
        "transfer_leader",
        json!({"region_id": another, "to_store_id": to}),
    )
    .await;
    // The plan, the hash and the id of one, the parameters of the other.
    std::mem::swap(
        &mut proposal.request.parameters,
        &mut found.request.parameters,
    );
    proposal.plan = found.plan;
    let error = guard
        .execute(&proposal, &proposal.requester().unwrap(), &mut |_| {})
        .await
        .unwrap_err();
    assert!(
        matches!(error, GuardError::Refused(Refusal::OtherPlan { .. })),
        "{error}"
    );
    assert_eq!(sim.writes(), []);
}
