//! What is known of a write by its answer, and whom it may reach.

use action_core::{Attempt, FailureKind, Mutation, SubjectError};
use operator_etcd::{Error, MoveLeader};
use serde_json::{Value, json};

use crate::fake::{CLUSTER_HEX, Fake, IDS, answer, header, id, refusal};

const MOVE: &str = "/v3/maintenance/transfer-leadership";

/// What a write ends with when the leader answers so.
async fn sent(fake: &Fake, status: u16, body: Value) -> Result<(), Error> {
    answer(&fake.members[1], MOVE, status, body).await;
    let action = MoveLeader {
        to_member_id: id(IDS[0]),
    };
    let etcd = fake.etcd();
    let before = action.plan(&etcd).await.unwrap().before;
    let attempt = Attempt::untracked().for_system(CLUSTER_HEX);
    action.send(&etcd, &before, &attempt).await.map(drop)
}

#[tokio::test]
async fn only_what_etcd_decided_is_a_refusal() {
    for (words, status, code, kind) in [
        ("etcdserver: not leader", 412, 9, FailureKind::Refused),
        (
            "etcdserver: unhealthy cluster",
            503,
            14,
            FailureKind::Refused,
        ),
        (
            "etcdserver: request timed out",
            503,
            14,
            FailureKind::Unknown,
        ),
        ("context deadline exceeded", 500, 2, FailureKind::Unknown),
    ] {
        let fake = Fake::start().await;
        let error = sent(&fake, status, refusal(words, code)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{words}");
        assert_eq!(fake.asked(MOVE).await, 1, "{words}");
    }
}

#[tokio::test]
async fn an_answer_in_no_form_of_etcds_decides_nothing() {
    let fake = Fake::start().await;
    let error = sent(&fake, 404, json!("Not Found")).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Unknown);
}

#[tokio::test]
async fn a_refusal_has_a_code_from_its_words() {
    let fake = Fake::start().await;
    let words = refusal("etcdserver: bad leader transferee", 9);
    let error = sent(&fake, 412, words).await.unwrap_err();
    assert_eq!(error.code().as_deref(), Some("bad_leader_transferee"));
    assert_eq!(error.to_string(), "etcdserver: bad leader transferee");
}

#[tokio::test]
async fn another_member_at_the_address_is_not_written_to() {
    let fake = Fake::start().await;
    let action = MoveLeader {
        to_member_id: id(IDS[0]),
    };
    let etcd = fake.etcd();
    let before = action.plan(&etcd).await.unwrap().before;
    answer(&fake.members[1], MOVE, 200, json!({})).await;
    let attempt = Attempt::untracked().for_system("1");
    let error = action.send(&etcd, &before, &attempt).await.unwrap_err();
    assert_eq!(error.code().as_deref(), Some("other_system"));
    // At the address of the leader there is somebody else by now.
    let status = json!({"header": header(2), "leader": IDS[1]});
    answer(&fake.members[1], "/v3/maintenance/status", 200, status).await;
    let attempt = Attempt::untracked().for_system(CLUSTER_HEX);
    let error = action.send(&etcd, &before, &attempt).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Unavailable);
    assert_eq!(error.code().as_deref(), Some("other_system"));
    assert_eq!(fake.asked(MOVE).await, 0);
}
