//! A cluster that somebody else runs, such as the etcd in a PD: it is only read.
//!
//! Only where `ETCD_ENDPOINTS_TEST` says where it is.

use action_core::{Mutation, Observation, Subject, Verdict};
use operator_etcd::{CheckInvariants, Etcd, ListMembers, MemberStatus, MoveLeader, Why};

#[tokio::test]
async fn what_is_read_of_it_agrees() {
    let Ok(endpoints) = std::env::var("ETCD_ENDPOINTS_TEST") else {
        return;
    };
    let etcd = Etcd::at(&endpoints).unwrap();
    let members = ListMembers {}.observe(&etcd).await.unwrap();
    let leader = members.leader.unwrap();
    let status = MemberStatus { member_id: leader };
    let status = status.observe(&etcd).await.unwrap();
    assert_eq!(status.leader, Some(leader));
    assert!(status.db_size >= status.db_size_in_use);
    let action = MoveLeader {
        to_member_id: leader,
    };
    let plan = action.plan(&etcd).await.unwrap();
    assert!(matches!(plan.verdict, Verdict::NoOp { .. }), "{plan:?}");
    let found = Why {}.observe(&etcd).await.unwrap();
    assert!(found.unknown.is_empty(), "{found:?}");
    let checked = CheckInvariants {}.observe(&etcd).await.unwrap();
    assert_eq!(checked.violated, !found.findings.is_empty());
    let identity = etcd.identity().await.unwrap();
    assert!(u64::from_str_radix(&identity, 16).is_ok(), "{identity}");
}
