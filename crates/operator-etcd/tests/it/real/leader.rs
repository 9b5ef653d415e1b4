//! `move_leader`, with members that are stopped and killed at the worst time.

use action_core::{
    Attempt, FailureKind, Mutation, OutcomeKind, Progress, Sent, SubjectError, Verdict,
};
use operator_etcd::MoveLeader;
use serde_json::json;

use crate::real::cluster::Cluster;

#[tokio::test]
async fn the_leader_is_moved_and_moved_back() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let guard = cluster.guard().await;
    let (first, second) = (cluster.leader().await, cluster.follower().await);
    for to in [second, first] {
        let proposal = guard
            .propose("move_leader", json!({"to_member_id": to}))
            .await;
        assert_eq!(proposal.plan.verdict, Verdict::WouldProceed);
        let report = guard.execute(&proposal).await;
        assert_eq!(report.outcome.result, OutcomeKind::Applied, "{report:?}");
        assert_eq!(cluster.leader().await, to);
    }
}

#[tokio::test]
async fn a_leader_that_is_stopped_before_the_send_is_not_sent_to() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let etcd = cluster.etcd();
    let (leader, other) = (cluster.leader().await, cluster.follower().await);
    let action = MoveLeader {
        to_member_id: other,
    };
    let before = action.plan(&etcd).await.unwrap().before;
    cluster.signal("STOP", leader).await;
    let sent = action.send(&etcd, &before, &Attempt::untracked()).await;
    assert_eq!(sent.unwrap_err().kind(), FailureKind::Unavailable);
    cluster.signal("CONT", leader).await;
}

#[tokio::test]
async fn a_move_to_a_member_that_stops_is_not_called_done_or_undone_before_it_is_certain() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let etcd = cluster.etcd();
    let (leader, other) = (cluster.leader().await, cluster.follower().await);
    let action = MoveLeader {
        to_member_id: other,
    };
    let before = action.plan(&etcd).await.unwrap().before;
    cluster.signal("STOP", other).await;
    // etcd waits for who does not answer, and so do we, for a while.
    let sent = action.send(&etcd, &before, &Attempt::untracked()).await;
    assert_eq!(sent.unwrap_err().kind(), FailureKind::Unknown);
    let sent = |elapsed| Sent::new(Attempt::untracked(), None, elapsed);
    let at_once = action.probe(&etcd, &before, &sent(0)).await.unwrap();
    assert!(matches!(at_once, Progress::Pending { .. }), "{at_once:?}");

    // Who was asked is killed with the request under way: two of three do not answer.
    cluster.signal("KILL", leader).await;
    let killed = sent(600_000).earlier(at_once.evidence().to_vec());
    cluster.signal("CONT", other).await;
    let now = cluster.leader().await;
    let progress = action.probe(&etcd, &before, &killed).await.unwrap();
    match now == other {
        true => assert!(matches!(progress, Progress::Applied { .. }), "{progress:?}"),
        false => assert!(matches!(progress, Progress::Pending { .. }), "{progress:?}"),
    }
}
