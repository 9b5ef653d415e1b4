//! `move_leader`, from plan to undo.

use action_core::{Attempt, Mutation, Plan, Progress, Sent, Undo, Verdict};
use operator_etcd::{LeaderFacts, MoveLeader};
use serde_json::json;

use crate::fake::{Fake, IDS, answer, header, id, silence};

async fn plan(fake: &Fake, to: &str) -> Plan<LeaderFacts> {
    let action = MoveLeader {
        to_member_id: id(to),
    };
    action.plan(&fake.etcd()).await.unwrap()
}

#[tokio::test]
async fn the_plan_says_what_etcd_would() {
    let fake = Fake::start().await;
    assert_eq!(plan(&fake, IDS[0]).await.verdict, Verdict::WouldProceed);
    assert!(matches!(
        plan(&fake, IDS[1]).await.verdict,
        Verdict::NoOp { .. }
    ));
    let refused = Verdict::WouldReject {
        code: "bad_leader_transferee".to_owned(),
        text: "etcdserver: bad leader transferee".to_owned(),
    };
    assert_eq!(plan(&fake, "1").await.verdict, refused);
    silence(&fake.members[2]).await;
    assert!(matches!(
        plan(&fake, IDS[2]).await.verdict,
        Verdict::AcceptedButWillNotProgress { .. }
    ));
}

#[tokio::test]
async fn a_learner_does_not_lead() {
    let fake = Fake::start().await;
    let mut list = fake.list();
    list["header"] = header(1);
    list["members"][1]["isLearner"] = json!(true);
    answer(&fake.members[1], "/v3/cluster/member/list", 200, list).await;
    assert!(matches!(
        plan(&fake, IDS[0]).await.verdict,
        Verdict::WouldReject { .. }
    ));
}

#[tokio::test]
async fn not_applied_needs_the_member_that_was_asked_to_answer_for_long_enough() {
    let fake = Fake::start().await;
    let action = MoveLeader {
        to_member_id: id(IDS[0]),
    };
    let etcd = fake.etcd();
    let before = action.plan(&etcd).await.unwrap().before;
    let sent = |elapsed| Sent::new(Attempt::untracked(), None, elapsed);
    let first = action.probe(&etcd, &before, &sent(60_000)).await.unwrap();
    // It may have been stopped until a moment ago, with the request before it.
    assert!(matches!(first, Progress::Pending { .. }), "{first:?}");
    let seen = first.evidence().to_vec();
    let later = sent(70_000).earlier(seen.clone());
    let later = action.probe(&etcd, &before, &later).await.unwrap();
    assert!(matches!(later, Progress::Pending { .. }), "{later:?}");
    let last = sent(75_000).earlier(seen.clone());
    let last = action.probe(&etcd, &before, &last).await.unwrap();
    assert!(matches!(last, Progress::NotApplied { .. }), "{last:?}");

    silence(&fake.members[1]).await;
    let silent = sent(900_000).earlier(seen);
    let silent = action.probe(&etcd, &before, &silent).await.unwrap();
    assert!(matches!(silent, Progress::Pending { .. }), "{silent:?}");
}

#[tokio::test]
async fn it_is_taken_back_by_moving_it_back() {
    let fake = Fake::start().await;
    let action = MoveLeader {
        to_member_id: id(IDS[0]),
    };
    let before = plan(&fake, IDS[0]).await.before;
    let Undo::Action {
        name, parameters, ..
    } = action.undo(&before, None, None)
    else {
        panic!("there is an undo");
    };
    assert_eq!(name, "move_leader");
    assert_eq!(parameters["to_member_id"], json!(id(IDS[1])));
}
