//! What plans say of changes to members, alarms, revisions and databases: what etcd 3.4.23 was seen
//! to answer.

use action_core::{Mutation, Verdict};
use operator_etcd::{
    AddLearnerMember, AlarmKind, Compact, DefragmentMember, DisarmAlarm, Etcd, PromoteMember,
    RemoveMember,
};
use serde_json::{Value, json};

use crate::fake::{Fake, IDS, answer, header, id, refusal, silence};

const LIST: &str = "/v3/cluster/member/list";

async fn verdict(etcd: &Etcd, action: &impl Mutation<Etcd>) -> Verdict {
    action.plan(etcd).await.unwrap().verdict
}

#[track_caller]
fn refused(verdict: Verdict, words: &str) {
    let is_it = matches!(&verdict, Verdict::WouldReject { text, .. } if text == words);
    assert!(is_it, "{verdict:?}");
}

fn adding(peer_url: &str) -> AddLearnerMember {
    let peer_url = peer_url.to_owned();
    AddLearnerMember { peer_url }
}

/// The leader lists one more member.
async fn with(fake: &Fake, member: Value) {
    let mut list = fake.list();
    list["header"] = header(1);
    list["members"].as_array_mut().unwrap().push(member);
    answer(&fake.members[1], LIST, 200, list).await;
}

#[tokio::test]
async fn a_member_is_added_where_all_voters_answer_and_no_other_learner_is() {
    let fake = Fake::start().await;
    let etcd = fake.etcd();
    let new = adding("http://127.0.0.1:9");
    assert_eq!(verdict(&etcd, &new).await, Verdict::WouldProceed);
    let wrong = verdict(&etcd, &adding("nope")).await;
    refused(wrong, "etcdserver: given member URLs are invalid");
    let there = verdict(&etcd, &adding("http://127.0.0.1:1")).await;
    refused(there, "etcdserver: Peer URLs already exists");
    with(
        &fake,
        json!({"ID": "7", "peerURLs": ["http://127.0.0.1:7"], "isLearner": true}),
    )
    .await;
    let second = verdict(&etcd, &new).await;
    refused(second, "etcdserver: too many learner members in cluster");
    let same = verdict(&etcd, &adding("http://127.0.0.1:7")).await;
    assert!(matches!(same, Verdict::NoOp { .. }), "{same:?}");
    silence(&fake.members[2]).await;
    let silent = verdict(&etcd, &new).await;
    refused(silent, "etcdserver: unhealthy cluster");
}

#[tokio::test]
async fn a_learner_is_promoted_once_it_has_caught_up() {
    let fake = Fake::start().await;
    let etcd = fake.etcd();
    let promote = |id: &str| PromoteMember {
        member_id: id.parse().unwrap(),
    };
    refused(
        verdict(&etcd, &promote("1")).await,
        "etcdserver: member not found",
    );
    let voter = PromoteMember {
        member_id: id(IDS[0]),
    };
    assert!(matches!(verdict(&etcd, &voter).await, Verdict::NoOp { .. }));
    with(
        &fake,
        json!({"ID": "7", "peerURLs": ["http://127.0.0.1:7"], "isLearner": true}),
    )
    .await;
    refused(
        verdict(&etcd, &promote("7")).await,
        "etcdserver: can only promote a learner member which is in sync with leader",
    );
}

#[tokio::test]
async fn a_voter_is_not_removed_where_the_quorum_would_be_at_stake() {
    let fake = Fake::start().await;
    let etcd = fake.etcd();
    let remove = |at: usize| RemoveMember {
        member_id: id(IDS[at]),
    };
    assert_eq!(verdict(&etcd, &remove(0)).await, Verdict::WouldProceed);
    silence(&fake.members[2]).await;
    refused(
        verdict(&etcd, &remove(0)).await,
        "etcdserver: unhealthy cluster",
    );
    assert_eq!(verdict(&etcd, &remove(2)).await, Verdict::WouldProceed);
}

#[tokio::test]
async fn an_alarm_that_is_not_on_needs_no_end() {
    let fake = Fake::start().await;
    let etcd = fake.etcd();
    let disarm = DisarmAlarm {
        member_id: id(IDS[0]),
        alarm: AlarmKind::Nospace,
    };
    let alarm = "/v3/maintenance/alarm";
    answer(&fake.members[1], alarm, 200, json!({})).await;
    assert!(matches!(
        verdict(&etcd, &disarm).await,
        Verdict::NoOp { .. }
    ));
    let on = json!({"alarms": [{"memberID": IDS[0], "alarm": "NOSPACE"}]});
    answer(&fake.members[1], alarm, 200, on).await;
    assert_eq!(verdict(&etcd, &disarm).await, Verdict::WouldProceed);
}

#[tokio::test]
async fn a_revision_is_compacted_once_and_not_before_it_is_there() {
    let fake = Fake::start().await;
    let etcd = fake.etcd();
    let range = "/v3/kv/range";
    answer(&fake.members[1], range, 200, json!({"header": header(1)})).await;
    let compact = |revision| Compact { revision };
    assert_eq!(verdict(&etcd, &compact(6)).await, Verdict::WouldProceed);
    refused(
        verdict(&etcd, &compact(7)).await,
        "etcdserver: mvcc: required revision is a future revision",
    );
    let words = "etcdserver: mvcc: required revision has been compacted";
    answer(&fake.members[1], range, 400, refusal(words, 11)).await;
    refused(verdict(&etcd, &compact(6)).await, words);
    assert_eq!(compact(1).check().len(), 1);
}

#[tokio::test]
async fn a_member_is_defragmented_where_something_is_free_and_a_quorum_is_left() {
    let fake = Fake::start().await;
    let etcd = fake.etcd();
    let first = DefragmentMember {
        member_id: id(IDS[0]),
    };
    assert_eq!(verdict(&etcd, &first).await, Verdict::WouldProceed);
    silence(&fake.members[2]).await;
    assert!(matches!(
        verdict(&etcd, &first).await,
        Verdict::NotAskedFor { .. }
    ));
    let silent = DefragmentMember {
        member_id: id(IDS[2]),
    };
    assert!(matches!(
        verdict(&etcd, &silent).await,
        Verdict::AcceptedButWillNotProgress { .. }
    ));
    let full = json!({"header": header(0), "dbSize": "7", "dbSizeInUse": "7", "raftTerm": "2"});
    answer(&fake.members[0], "/v3/maintenance/status", 200, full).await;
    assert!(matches!(verdict(&etcd, &first).await, Verdict::NoOp { .. }));
}
