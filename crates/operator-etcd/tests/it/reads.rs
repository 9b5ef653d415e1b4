//! What is read, and of whom it is believed.

use action_core::{Observation, Subject};
use operator_etcd::{ListMembers, MemberStatus};
use serde_json::json;

use crate::fake::{CLUSTER_HEX, Fake, IDS, answer, header, id};

#[tokio::test]
async fn members_are_found_at_the_addresses_they_name() {
    let fake = Fake::start().await;
    let members = ListMembers {}.observe(&fake.etcd()).await.unwrap();
    assert_eq!(members.leader, Some(id(IDS[1])));
    assert!(members.members.iter().all(|member| member.answers));
    assert_eq!(members.spare_voters, 1);
    assert_eq!(fake.etcd().identity().await.unwrap(), CLUSTER_HEX);
}

#[tokio::test]
async fn who_is_of_another_cluster_is_taken_for_silent() {
    let fake = Fake::start().await;
    let mut other = header(2);
    other["cluster_id"] = json!("1");
    let status = json!({"header": other, "leader": IDS[2], "raftTerm": "9"});
    answer(&fake.members[2], "/v3/maintenance/status", 200, status).await;
    let members = ListMembers {}.observe(&fake.etcd()).await.unwrap();
    assert_eq!(members.leader, Some(id(IDS[1])));
    let silent = members.members.iter().filter(|member| !member.answers);
    let silent: Vec<_> = silent.map(|member| member.name.as_str()).collect();
    assert_eq!(silent, ["m3"]);
    assert_eq!(members.spare_voters, 0);
}

#[tokio::test]
async fn zeros_that_are_left_out_and_words_of_the_member_are_read() {
    let fake = Fake::start().await;
    let status = json!({"header": header(0), "version": "3.4.23", "dbSize": "20480",
        "raftIndex": "28", "raftTerm": "2", "errors": ["etcdserver: no leader"]});
    answer(&fake.members[0], "/v3/maintenance/status", 200, status).await;
    let asked = MemberStatus {
        member_id: id(IDS[0]),
    };
    let status = asked.observe(&fake.etcd()).await.unwrap();
    assert_eq!(status.leader, None);
    assert_eq!((status.db_size, status.db_size_in_use), (20_480, 0));
    assert_eq!(status.errors, ["etcdserver: no leader"]);
    assert_eq!(status.revision, 6);
}

#[tokio::test]
async fn a_member_there_is_not_is_refused_in_etcds_words() {
    let fake = Fake::start().await;
    let asked = MemberStatus {
        member_id: "1".parse().unwrap(),
    };
    let error = asked.observe(&fake.etcd()).await.unwrap_err();
    assert_eq!(error.to_string(), "etcdserver: member not found");
}
