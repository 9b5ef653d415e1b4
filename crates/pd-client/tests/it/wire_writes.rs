//! What changes send, byte by byte.

use std::time::Duration;

use pd_client::checkers::Checker;
use pd_client::operators::{NewOperator, SplitPolicy, TargetRole};
use pd_client::schedulers::SchedulerKind;
use pd_client::stores::LimitKind;
use pd_client::{Accepted, Client, Error};

use crate::wire::sends;
use crate::{region, store};

/// What an acknowledged change sends.
#[track_caller]
fn writes(call: impl AsyncFnOnce(Client) -> Result<Accepted, Error>, expected: &str) {
    sends(
        "\"done\"",
        async |pd| {
            let accepted = call(pd).await.unwrap();
            assert_eq!(accepted.message, "done");
        },
        expected,
    );
}

// length: a table of operators and bodies.
#[test]
fn operators_have_the_field_names_of_their_kind() {
    let (region_id, store_id) = (region(12), store(5));
    let split = |policy, keys: &[&str]| NewOperator::SplitRegion {
        region_id,
        policy,
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    };
    let scatter = |group: Option<&str>| NewOperator::ScatterRegion {
        region_id,
        group: group.map(str::to_owned),
    };
    let targets = vec![
        (store(2), TargetRole::Leader),
        (store(4), TargetRole::Voter),
        (store(5), TargetRole::Follower),
        (store(6), TargetRole::Learner),
    ];
    let keys = ["7480000000000000FF5F72", "7480000000000000ff5f73"];
    let (source, target) = (region(12), region(13));
    for (operator, body) in [
        (
            NewOperator::AddPeer {
                region_id,
                store_id,
            },
            r#"{"name":"add-peer","region_id":12,"store_id":5}"#,
        ),
        (
            NewOperator::AddLearner {
                region_id,
                store_id,
            },
            r#"{"name":"add-learner","region_id":12,"store_id":5}"#,
        ),
        (
            NewOperator::RemovePeer {
                region_id,
                store_id,
            },
            r#"{"name":"remove-peer","region_id":12,"store_id":5}"#,
        ),
        (
            NewOperator::TransferRegion { region_id, targets },
            r#"{"name":"transfer-region","region_id":12,"to_store_ids":[2,4,5,6],"peer_roles":["leader","voter","follower","learner"]}"#,
        ),
        (
            NewOperator::MergeRegion { source, target },
            r#"{"name":"merge-region","source_region_id":12,"target_region_id":13}"#,
        ),
        (
            split(SplitPolicy::Approximate, &[]),
            r#"{"name":"split-region","region_id":12,"policy":"approximate"}"#,
        ),
        (
            split(SplitPolicy::UseKey, &keys),
            r#"{"name":"split-region","region_id":12,"policy":"usekey","keys":["7480000000000000FF5F72","7480000000000000ff5f73"]}"#,
        ),
        (scatter(None), r#"{"name":"scatter-region","region_id":12}"#),
        (
            scatter(Some("import-7")),
            r#"{"name":"scatter-region","region_id":12,"group":"import-7"}"#,
        ),
    ] {
        let expected = format!("POST /operators {body}");
        writes(async |pd| pd.add_operator(operator).await, &expected);
    }
}

#[test]
fn configuration_goes_out_one_item_at_a_time_in_pds_types() {
    writes(
        async |pd| pd.set_config("leader-schedule-limit", 8).await,
        r#"POST /config {"leader-schedule-limit":8}"#,
    );
    writes(
        async |pd| pd.set_config("schedule.low-space-ratio", 0.85).await,
        r#"POST /config {"schedule.low-space-ratio":0.85}"#,
    );
    writes(
        async |pd| pd.set_config("schedule.halt-scheduling", true).await,
        r#"POST /config {"schedule.halt-scheduling":"true"}"#,
    );
    writes(
        async |pd| {
            let time = Duration::from_secs(1800);
            pd.set_config("schedule.max-store-down-time", time).await
        },
        r#"POST /config {"schedule.max-store-down-time":"1800000ms"}"#,
    );
    writes(
        async |pd| {
            pd.set_config("replication.location-labels", "zone,host")
                .await
        },
        r#"POST /config {"replication.location-labels":"zone,host"}"#,
    );
    writes(
        async |pd| {
            let time = Duration::from_millis(59_001);
            pd.set_config_for("schedule.leader-schedule-limit", 9, time)
                .await
        },
        r#"POST /config?ttlSecond=60 {"schedule.leader-schedule-limit":9}"#,
    );
    writes(
        async |pd| pd.clear_config_ttl("schedule.leader-schedule-limit").await,
        r#"POST /config?ttlSecond=0 {"schedule.leader-schedule-limit":0}"#,
    );
}

#[test]
fn schedulers_and_checkers_are_named_in_the_path() {
    writes(
        async |pd| {
            pd.pause_scheduler("balance-leader-scheduler", Duration::from_secs(5))
                .await
        },
        r#"POST /schedulers/balance-leader-scheduler {"delay":5}"#,
    );
    writes(
        async |pd| pd.resume_scheduler("balance-leader-scheduler").await,
        r#"POST /schedulers/balance-leader-scheduler {"delay":0}"#,
    );
    writes(
        async |pd| pd.pause_all_schedulers(Duration::from_secs(60)).await,
        r#"POST /schedulers/all {"delay":60}"#,
    );
    writes(
        async |pd| pd.resume_all_schedulers().await,
        r#"POST /schedulers/all {"delay":0}"#,
    );
    writes(
        async |pd| {
            pd.pause_checker(Checker::JointState, Duration::from_secs(9))
                .await
        },
        r#"POST /checker/joint-state {"delay":9}"#,
    );
    writes(
        async |pd| pd.resume_checker(Checker::Merge).await,
        r#"POST /checker/merge {"delay":0}"#,
    );
    writes(
        async |pd| pd.add_scheduler(SchedulerKind::BalanceRegion).await,
        r#"POST /schedulers {"name":"balance-region-scheduler"}"#,
    );
    writes(
        async |pd| pd.remove_scheduler(SchedulerKind::BalanceRegion).await,
        "DELETE /schedulers/balance-region-scheduler",
    );
}

#[test]
fn stores_change_by_their_own_paths_and_never_by_force() {
    writes(
        async |pd| pd.offline_store(store(4)).await,
        "DELETE /store/4",
    );
    writes(
        async |pd| pd.cancel_offline(store(4)).await,
        "POST /store/4/state?state=Up",
    );
    writes(
        async |pd| pd.remove_tombstones().await,
        "DELETE /stores/remove-tombstone",
    );
    writes(
        async |pd| {
            pd.set_store_labels(store(1), &[("zone", "z1"), ("host", "h1")])
                .await
        },
        r#"POST /store/1/label {"host":"h1","zone":"z1"}"#,
    );
    writes(
        async |pd| pd.replace_store_labels(store(1), &[("zone", "z1")]).await,
        r#"POST /store/1/label?force=true {"zone":"z1"}"#,
    );
    writes(
        async |pd| pd.delete_store_label(store(1), "zone").await,
        r#"DELETE /store/1/label "zone""#,
    );
    writes(
        async |pd| pd.set_store_weight(store(1), 1.0, 0.5).await,
        r#"POST /store/1/weight {"leader":1.0,"region":0.5}"#,
    );
    writes(
        async |pd| pd.set_store_limit(store(1), LimitKind::AddPeer, 15.0).await,
        r#"POST /store/1/limit {"rate":15.0,"type":"add-peer"}"#,
    );
}

#[test]
fn members_and_maintenance_are_named_in_the_path() {
    writes(
        async |pd| pd.transfer_pd_leader("pd-1").await,
        "POST /leader/transfer/pd-1",
    );
    writes(
        async |pd| pd.set_leader_priority("pd-1", -5).await,
        r#"POST /members/name/pd-1 {"leader-priority":-5}"#,
    );
}
