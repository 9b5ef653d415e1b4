//! Members, revisions and databases of a real cluster, through the guard and beside it.

use std::time::Instant;

use action_core::{
    Attempt, FailureKind, Mutation, OutcomeKind, Progress, Sent, SubjectError, Verdict,
};
use operator_etcd::{AddLearnerMember, Compact, Members, RemoveMember};
use serde_json::{Value, json};

use crate::real::cluster::{Cluster, Guarded, a_moment, free_ports, signal};

/// It is applied, as soon as etcd has seen its members for long enough.
async fn applied(guard: &Guarded, action: &str, parameters: Value) {
    loop {
        let proposal = guard.propose(action, parameters.clone()).await;
        assert_eq!(proposal.plan.verdict, Verdict::WouldProceed, "{action}");
        let outcome = guard.execute(&proposal).await.outcome;
        if outcome.code.as_deref() != Some("unhealthy_cluster") {
            assert_eq!(outcome.result, OutcomeKind::Applied, "{outcome:?}");
            return;
        }
        a_moment().await;
    }
}

#[track_caller]
fn would_reject(verdict: &Verdict, words: &str) {
    let is_it = matches!(verdict, Verdict::WouldReject { text, .. } if text == words);
    assert!(is_it, "{verdict:?}");
}

#[tokio::test]
async fn members_come_and_go_as_plans_say() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let guard = cluster.guard().await;
    let new = json!({"peer_url": "http://127.0.0.1:1"});
    applied(&guard, "add_learner_member", new).await;
    let members = cluster.until(|seen| seen.members.len() == 4).await;
    let mut all = members.members.iter();
    let learner = all.find(|one| one.learner).unwrap().member_id;
    let promote = guard
        .propose("promote_member", json!({"member_id": learner}))
        .await;
    would_reject(
        &promote.plan.verdict,
        "etcdserver: can only promote a learner member which is in sync with leader",
    );
    let second = json!({"peer_url": "http://127.0.0.1:2"});
    let second = guard.propose("add_learner_member", second).await;
    would_reject(
        &second.plan.verdict,
        "etcdserver: too many learner members in cluster",
    );
    let action = RemoveMember { member_id: learner };
    let etcd = cluster.etcd();
    let before = action.plan(&etcd).await.unwrap().before;
    action
        .send(&etcd, &before, &Attempt::untracked())
        .await
        .unwrap();
    let sent = Sent::new(Attempt::untracked(), None, 0);
    let gone = action.probe(&etcd, &before, &sent).await.unwrap();
    assert!(matches!(gone, Progress::Applied { .. }), "{gone:?}");
    // A second time, etcd and the plan say the same.
    let error = action
        .send(&etcd, &before, &Attempt::untracked())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "etcdserver: member not found");
    would_reject(
        &action.plan(&etcd).await.unwrap().verdict,
        &error.to_string(),
    );
}

#[tokio::test]
async fn old_revisions_are_dropped_once() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let guard = cluster.guard().await;
    for _ in 0..5 {
        cluster.put();
    }
    let early = guard.propose("compact", json!({"revision": 99})).await;
    would_reject(
        &early.plan.verdict,
        "etcdserver: mvcc: required revision is a future revision",
    );
    applied(&guard, "compact", json!({"revision": 4})).await;
    let again = guard.propose("compact", json!({"revision": 4})).await;
    would_reject(
        &again.plan.verdict,
        "etcdserver: mvcc: required revision has been compacted",
    );
    let leader = cluster.leader().await;
    let defragment = json!({"member_id": leader});
    // etcd frees what a compaction leaves in its own time.
    loop {
        let proposal = guard.propose("defragment_member", defragment.clone()).await;
        match proposal.plan.verdict {
            Verdict::NoOp { .. } => a_moment().await,
            _ => break,
        }
    }
    applied(&guard, "defragment_member", defragment).await;
}

#[tokio::test]
async fn a_compaction_without_a_quorum_is_unknown_until_a_quorum_says() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    for _ in 0..5 {
        cluster.put();
    }
    let etcd = cluster.etcd();
    let action = Compact { revision: 4 };
    let before = action.plan(&etcd).await.unwrap().before;
    let others = cluster.followers().await;
    for other in &others {
        cluster.signal("STOP", *other).await;
    }
    // The leader takes the request, and has nobody to agree with.
    let sent = action.send(&etcd, &before, &Attempt::untracked()).await;
    assert_eq!(sent.unwrap_err().kind(), FailureKind::Unknown);
    for other in &others {
        cluster.signal("CONT", *other).await;
    }
    cluster.leader().await;
    // What the leader had in its log is agreed on later, or taken out of it by another.
    let started = Instant::now();
    let mut earlier = Vec::new();
    let is_done = loop {
        let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap();
        let sent = Sent::new(Attempt::untracked(), None, elapsed).earlier(earlier.clone());
        match action.probe(&etcd, &before, &sent).await {
            Ok(Progress::Applied { .. }) => break true,
            Ok(Progress::NotApplied { .. }) => break false,
            Ok(Progress::Pending { evidence, .. }) if earlier.is_empty() => earlier = evidence,
            Ok(Progress::Pending { .. }) | Err(_) => {}
            Ok(other) => panic!("{other:?}"),
        }
        a_moment().await;
    };
    let again = action.plan(&etcd).await.unwrap().verdict;
    assert_eq!(again.may_be_sent(), !is_done, "{again:?}");
}

#[tokio::test]
async fn a_learner_that_has_caught_up_is_promoted() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };
    let guard = cluster.guard().await;
    let peer_url = format!("http://127.0.0.1:{}", free_ports(1)[0]);
    applied(&guard, "add_learner_member", json!({"peer_url": &peer_url})).await;
    cluster.start_fourth(&peer_url).await;
    let is_here = |seen: &Members| seen.members.iter().any(|one| one.learner && one.answers);
    let members = cluster.until(is_here).await;
    let mut learners = members.members.iter().filter(|one| one.learner);
    let member_id = learners.next().unwrap().member_id;
    let promote = loop {
        let parameters = json!({"member_id": member_id});
        let promote = guard.propose("promote_member", parameters).await;
        if promote.plan.verdict == Verdict::WouldProceed {
            break promote;
        }
        a_moment().await;
    };
    let outcome = guard.execute(&promote).await.outcome;
    assert_eq!(outcome.result, OutcomeKind::Applied, "{outcome:?}");
    let members = cluster.until(|seen| seen.leader.is_some()).await;
    assert!(members.members.iter().all(|one| !one.learner));
    assert_eq!(members.spare_voters, 1);
}

#[tokio::test]
async fn what_a_member_that_was_killed_was_asked_for_is_never_called_not_applied() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };
    let etcd = cluster.etcd();
    let (leader, others) = (cluster.leader().await, cluster.followers().await);
    let peer_url = "http://127.0.0.1:1".to_owned();
    let action = AddLearnerMember { peer_url };
    let before = action.plan(&etcd).await.unwrap().before;
    // Once all are stopped or dead nobody says who is who.
    let asked = cluster.process(leader).await;
    let mut stopped = Vec::new();
    for other in &others {
        stopped.push(cluster.process(*other).await);
    }
    stopped.iter().for_each(|one| signal("STOP", *one));
    let sent = action.send(&etcd, &before, &Attempt::untracked()).await;
    let kind = sent.unwrap_err().kind();
    signal("KILL", asked);
    stopped.iter().for_each(|one| signal("CONT", *one));
    // It had nobody to agree with, or said at once that it was not enough of a cluster.
    assert!(matches!(kind, FailureKind::Unknown | FailureKind::Refused));
    cluster
        .until(|seen| seen.leader.is_some_and(|now| now != leader))
        .await;
    let sent = Sent::new(Attempt::untracked(), None, 3_600_000);
    let progress = action.probe(&etcd, &before, &sent).await.unwrap();
    let listed = cluster.until(|seen| seen.leader.is_some()).await;
    let listed = listed.members.iter().any(|one| one.learner);
    match progress {
        Progress::Applied { .. } => assert!(listed),
        Progress::Pending { .. } => assert!(!listed),
        other => unreachable!("{other:?}"),
    }
}
