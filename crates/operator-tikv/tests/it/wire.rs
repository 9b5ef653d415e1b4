//! What goes over the wire.

use std::sync::Arc;

use action_core::{
    Accepted, ActionRegistry, Attempt, FailureKind, Mutation, NotPermitted, SendPermit,
    SendPermits, Subject, SubjectError,
};
use async_trait::async_trait;
use operator_tikv::{DrainStore, Error, StopDrain, Tikv, TransferLeader, TransferPeer};
use pd_sim::{Fault, Sim, Version, Write};
use serde_json::{Value, json};

use crate::{VERSIONS, region, region_id, stepped, store_id, tikv};

/// The only write PD has seen.
fn only(sim: &Sim) -> Write {
    let mut writes = sim.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    writes.remove(0)
}

/// Plans, and sends whatever the plan says.
async fn send(
    sim: &Sim,
    action: &impl Mutation<Tikv>,
    attempt: &Attempt,
) -> Result<Accepted, Error> {
    let before = action.plan(&tikv(sim)).await?.before;
    action.send(&tikv(sim), &before, attempt).await
}

fn body(write: &Write) -> Value {
    serde_json::from_str(&write.body).unwrap()
}

#[tokio::test]
async fn transfers_name_stores_as_pd_wants_them() {
    for version in VERSIONS {
        let sim = stepped(version).start().await.unwrap();
        let (id, _, other, _) = region(&sim);
        let action = TransferLeader {
            region_id: region_id(id),
            to_store_id: store_id(other),
        };
        let attempt = Attempt::new("attempt-7", 0, None);
        let accepted = send(&sim, &action, &attempt).await.unwrap();
        assert_eq!(accepted.answer, "The operator is created.");
        let write = only(&sim);
        assert_eq!(
            (write.method.as_str(), write.path.as_str()),
            ("POST", "/operators")
        );
        assert_eq!(write.caller_id.as_deref(), Some("attempt-7"));
        let expected = json!({"name": "transfer-leader", "region_id": id, "to_store_id": other});
        assert_eq!(body(&write), expected);
    }
}

#[tokio::test]
async fn a_move_names_both_stores() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, _, from, to) = region(&sim);
    let action = TransferPeer {
        region_id: region_id(id),
        from_store_id: store_id(from),
        to_store_id: store_id(to),
    };
    send(&sim, &action, &Attempt::untracked()).await.unwrap();
    let expected =
        json!({"name": "transfer-peer", "region_id": id, "from_store_id": from, "to_store_id": to});
    assert_eq!(body(&only(&sim)), expected);
}

#[tokio::test]
async fn a_drain_is_stopped_for_one_store_only() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let drain = |id| DrainStore {
        store_id: store_id(id),
    };
    let attempt = Attempt::untracked();
    send(&sim, &drain(1), &attempt).await.unwrap();
    let expected = json!({"name": "evict-leader-scheduler", "store_id": 1});
    assert_eq!(body(&only(&sim)), expected);
    send(&sim, &drain(2), &attempt).await.unwrap();
    let stop = StopDrain {
        store_id: store_id(1),
    };
    send(&sim, &stop, &attempt).await.unwrap();
    let last = sim.writes().pop().unwrap();
    assert_eq!(last.path, "/schedulers/evict-leader-scheduler-1");
    assert_eq!(sim.evicting(), [2]);
}

#[tokio::test]
async fn unguarded_invocation_sends_once_whatever_the_plan_says() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, leader, other, free) = region(&sim);
    let mut registry = ActionRegistry::new();
    registry.register(tikv(&sim)).unwrap();
    let request = |to: u64| json!({"region_id": id.to_string(), "to_store_id": to});
    registry
        .invoke_unguarded("transfer_leader", request(other))
        .await
        .unwrap();
    assert_eq!(sim.writes().len(), 1);
    assert_eq!(sim.leader_of(id), Some(leader), "it has not waited");

    let error = registry
        .invoke_unguarded("transfer_leader", request(free))
        .await
        .unwrap_err();
    assert_eq!(
        error.report(),
        format!("region has no voter in store {free}")
    );
    assert_eq!(error.kind(), FailureKind::Refused);
}

#[tokio::test]
async fn what_is_known_of_a_send_is_told_apart() {
    let post = ("POST", "/operators");
    let busy = "\"[PD:operator:ErrAddOperator]failed to add operator, maybe already have one\"\n";
    let json = "application/json";
    let answer = |status, body| Fault::answer(post.0, post.1, status, json, body);
    for (fault, kind) in [
        (
            Fault::reply_lost_after_apply(post.0, post.1),
            FailureKind::Unknown,
        ),
        (
            Fault::dropped_before_apply(post.0, post.1),
            FailureKind::Unknown,
        ),
        (
            Fault::truncated_after_apply(post.0, post.1),
            FailureKind::Unknown,
        ),
        (Fault::panicked(post.0, post.1), FailureKind::Unknown),
        (Fault::redirect_failed(post.0, post.1), FailureKind::Unknown),
        (Fault::garbage(post.0, post.1), FailureKind::Unknown),
        (Fault::too_many_requests(post.0, post.1), FailureKind::Busy),
        (answer(500, busy), FailureKind::Busy),
        (
            answer(500, "\"no operator step is built\"\n"),
            FailureKind::Refused,
        ),
        (
            answer(400, "{\"code\":\"input\",\"msg\":\"bad\"}\n"),
            FailureKind::Refused,
        ),
        (answer(500, "null\n"), FailureKind::Refused),
    ] {
        let sim = stepped(Version::V8_5).start().await.unwrap();
        let (id, _, other, _) = region(&sim);
        let action = TransferLeader {
            region_id: region_id(id),
            to_store_id: store_id(other),
        };
        let told = format!("{fault:?}");
        sim.fault(fault);
        let error = send(&sim, &action, &Attempt::untracked())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{told}: {error}");
        assert_eq!(sim.received("POST", "/operators"), 1, "{told}");
    }
}

/// Permits nothing.
struct Stopped;

#[async_trait]
impl SendPermits for Stopped {
    async fn acquire(&self) -> Result<SendPermit, NotPermitted> {
        Err(NotPermitted::new("stopped", "the kill switch is set"))
    }
}

#[tokio::test]
async fn nothing_is_sent_without_a_permit_or_to_another_cluster() {
    let sim = stepped(Version::V8_5).start().await.unwrap();
    let (id, _, other, _) = region(&sim);
    let action = TransferLeader {
        region_id: region_id(id),
        to_store_id: store_id(other),
    };
    let stopped = || Attempt::untracked().permitted_by(Arc::new(Stopped));
    for (attempt, code) in [
        (stopped(), "stopped"),
        (Attempt::untracked().for_system("1"), "other_system"),
        (Attempt::untracked().for_system("another"), "other_system"),
        (stopped().for_system("1"), "other_system"),
    ] {
        let error = send(&sim, &action, &attempt).await.unwrap_err();
        assert_eq!(error.code().as_deref(), Some(code), "{error}");
        assert_eq!(error.kind(), FailureKind::Unavailable, "{code}");
    }
    assert_eq!(sim.writes(), [], "nothing was sent");

    let cluster = tikv(&sim).identity().await.unwrap();
    let attempt = Attempt::untracked().for_system(cluster);
    send(&sim, &action, &attempt).await.unwrap();
    assert_eq!(sim.writes().len(), 1);
}
