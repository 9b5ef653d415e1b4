//! `why`, `doctor`, `check_invariants`, `safe_to_stop`.

use action_core::{Finding, Observation, Safety};
use operator_etcd::{CheckInvariants, Doctor, ListAlarms, SafeToStop, Why};
use serde_json::json;

use crate::fake::{Fake, IDS, answer, header, id, silence};

const ALARM: &str = "/v3/maintenance/alarm";
const STATUS: &str = "/v3/maintenance/status";

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|one| one.code.as_str()).collect()
}

#[tokio::test]
async fn in_a_cluster_that_is_well_nothing_is_found() {
    let fake = Fake::start().await;
    answer(&fake.members[1], ALARM, 200, json!({})).await;
    let etcd = fake.etcd();
    assert_eq!(
        codes(&Why {}.observe(&etcd).await.unwrap().findings),
        [""; 0]
    );
    assert_eq!(
        codes(&Doctor {}.observe(&etcd).await.unwrap().findings),
        [""; 0]
    );
    assert!(!CheckInvariants {}.observe(&etcd).await.unwrap().violated);
}

#[tokio::test]
async fn without_a_leader_what_cannot_be_read_is_said() {
    let fake = Fake::start().await;
    silence(&fake.members[1]).await;
    silence(&fake.members[2]).await;
    let status = json!({"header": header(0), "raftTerm": "2"});
    answer(&fake.members[0], STATUS, 200, status).await;
    let found = Why {}.observe(&fake.etcd()).await.unwrap();
    assert_eq!(
        codes(&found.findings),
        ["no_leader", "member_silent", "member_silent"]
    );
    assert_eq!(found.unknown.len(), 1);
    let checked = CheckInvariants {}.observe(&fake.etcd()).await.unwrap();
    assert!(checked.violated);
}

#[tokio::test]
async fn what_was_left_behind_is_found_with_what_ends_it() {
    let fake = Fake::start().await;
    let on = json!({"alarms": [{"memberID": IDS[0], "alarm": "NOSPACE"}]});
    answer(&fake.members[1], ALARM, 200, on).await;
    let mut list = fake.list();
    list["header"] = header(1);
    list["members"][2]["isLearner"] = json!(true);
    let new = json!({"ID": "7", "peerURLs": ["http://127.0.0.1:7"], "isLearner": true});
    list["members"].as_array_mut().unwrap().push(new);
    answer(&fake.members[1], "/v3/cluster/member/list", 200, list).await;
    let status = json!({"header": header(0), "version": "3.5.0", "leader": IDS[1],
        "dbSize": "2000000000", "dbSizeInUse": "100000000", "raftTerm": "2"});
    answer(&fake.members[0], STATUS, 200, status).await;
    let etcd = fake.etcd();
    let found = Doctor {}.observe(&etcd).await.unwrap().findings;
    assert_eq!(
        codes(&found),
        [
            "alarm",
            "learner",
            "not_started",
            "fragmented",
            "mixed_versions"
        ]
    );
    let fixes: Vec<_> = found.iter().filter_map(|one| one.fix.as_ref()).collect();
    assert_eq!(fixes[0].name, "promote_member");
    assert_eq!(fixes[1].name, "defragment_member");
    let alarms = ListAlarms {}.observe(&etcd).await.unwrap().alarms;
    assert_eq!(
        (alarms[0].member_id, &*alarms[0].alarm),
        (id(IDS[0]), "NOSPACE")
    );
}

#[tokio::test]
async fn members_can_stop_while_the_others_are_a_quorum() {
    let fake = Fake::start().await;
    let etcd = fake.etcd();
    let stop = async |members: &[usize]| {
        let member_ids = members.iter().map(|at| id(IDS[*at])).collect();
        let stopped = SafeToStop { member_ids }.observe(&etcd).await;
        stopped.unwrap().answer
    };
    assert_eq!(stop(&[0]).await, Safety::Safe);
    assert_eq!(stop(&[0, 2]).await, Safety::NotSafe);
    silence(&fake.members[2]).await;
    assert_eq!(stop(&[0]).await, Safety::NotSafe);
    assert_eq!(stop(&[2]).await, Safety::Safe);
}
