//! What answers mean, in the forms that differ by version.

use std::num::NonZeroU16;

use pd_client::checkers::Checker;
use pd_client::hotspots::HotKind;
use pd_client::members::Members;
use pd_client::operators::OperatorStatus;
use pd_client::regions::{PeerRole, RegionCheck, RoleOnStore};
use pd_client::stores::{NodeState, StoreState};
use pd_client::{Error, ErrorClass};

use crate::replay::Replay;
use crate::{region, store};

#[tokio::test]
async fn a_missing_region_is_none_in_all_its_forms() {
    let zero = r#"{"id":0,"start_key":"","end_key":"","leader":{"role_name":""},"cpu_usage":0,"written_bytes":0,"read_bytes":0,"written_keys":0,"read_keys":0,"approximate_size":0,"approximate_keys":0}"#;
    for (status, body) in [
        (200, "null"),
        (200, zero),
        (404, "\"[PD:region:ErrRegionNotFound]region 7 not found\"\n"),
    ] {
        let pd = Replay::new(status, &[], body).client();
        assert_eq!(pd.region(region(7)).await.unwrap(), None, "{body}");
    }
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_not_a_missing_thing() {
    let pd = Replay::new(404, &[], "404 page not found\n").client();
    assert!(matches!(pd.region(region(7)).await, Err(Error::Pd(_))));
    assert!(matches!(pd.store(store(7)).await, Err(Error::Pd(_))));
    assert!(matches!(pd.operator(region(7)).await, Err(Error::Pd(_))));
    // Here it is how PD says that nothing is being drained.
    assert_eq!(pd.evict_leader_config().await.unwrap(), None);
}

#[tokio::test]
async fn not_found_is_none_or_empty_where_that_is_an_answer() {
    for words in [
        "operator not found",
        "[PD:operator:ErrOperatorNotFound]operator not found",
    ] {
        let pd = Replay::new(500, &[], &format!("{words:?}\n")).client();
        assert_eq!(pd.operator(region(7)).await.unwrap(), None);
        assert_eq!(
            pd.operator_records(std::time::SystemTime::UNIX_EPOCH)
                .await
                .unwrap(),
            []
        );
        let error = pd.cancel_operator(region(7)).await.unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(error.to_string(), words);
    }
    for words in [
        "store 9 not found",
        "[PD:core:ErrStoreNotFound]store 9 not found",
    ] {
        let pd = Replay::new(404, &[], &format!("{words:?}\n")).client();
        assert_eq!(pd.store(store(9)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn removing_a_drain_that_is_not_there_is_a_typed_refusal() {
    let pd = Replay::new(404, &[], "null\n").client();
    let error = pd.remove_evict_leader(store(3)).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.class(), ErrorClass::Refused);
}

#[tokio::test]
async fn both_words_for_a_drain_in_force_are_success() {
    for words in [
        "The scheduler is created.",
        "The scheduler has been applied to the store.",
    ] {
        let pd = Replay::new(200, &[], &format!("{words:?}\n")).client();
        let accepted = pd.add_evict_leader_scheduler(store(3)).await.unwrap();
        assert_eq!(accepted.message, words);
    }
}

#[tokio::test]
async fn the_scheduling_service_answers_without_quotes() {
    let headers = [("X-Forwarded-To-Microservice", "true")];
    let pd = Replay::new(200, &headers, "The operator is created.").client();
    let accepted = pd
        .add_transfer_leader_operator(region(7), store(1))
        .await
        .unwrap();
    assert_eq!(accepted.message, "The operator is created.");
    let pd = Replay::new(500, &headers, "region 7 not found").client();
    let error = pd
        .add_transfer_leader_operator(region(7), store(1))
        .await
        .unwrap_err();
    assert_eq!(error.class(), ErrorClass::Refused);
}

#[tokio::test]
async fn not_bootstrapped_is_recognised() {
    let words =
        "[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first";
    for status in [500, 406] {
        let pd = Replay::new(status, &[], &format!("{words:?}\n")).client();
        for error in [
            pd.stores().await.unwrap_err(),
            pd.evict_leader_config().await.unwrap_err(),
            pd.add_transfer_leader_operator(region(1), store(1))
                .await
                .unwrap_err(),
        ] {
            assert!(error.answer().unwrap().is_not_bootstrapped());
            assert_eq!(error.class(), ErrorClass::Refused);
            assert_eq!(error.to_string(), words);
        }
    }
}

#[tokio::test]
async fn an_object_gives_its_message() {
    let body = "{\n  \"code\": \"input\",\n  \"msg\": \"strconv.ParseUint: parsing \\\"abc\\\": invalid syntax\",\n  \"data\": {}\n}\n";
    let pd = Replay::new(400, &[("TiDB-Error-Code", "input")], body).client();
    let error = pd.stores().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "strconv.ParseUint: parsing \"abc\": invalid syntax"
    );
}

#[tokio::test]
async fn placement_rules_switched_off_are_none() {
    let words = "[PD:placement:ErrPlacementDisabled]placement rules feature is disabled";
    let pd = Replay::new(412, &[], &format!("{words:?}\n")).client();
    assert_eq!(pd.rules().await.unwrap(), None);
    assert_eq!(pd.rules_for_region(region(7)).await.unwrap(), None);
}

#[tokio::test]
async fn a_success_that_is_not_json_is_unreadable() {
    let pd = Replay::new(200, &[], "<html>sign in</html>").client();
    let error = pd.stores().await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    assert_eq!(error.class(), ErrorClass::Unreadable);
    assert!(error.to_string().contains("`GET /stores`"), "{error}");
}

#[tokio::test]
async fn a_region_is_read_with_its_roles_and_without_a_leader() {
    let body = r#"{"id":12,"start_key":"74","end_key":"","epoch":{"version":33},"peers":[
        {"role_name":"Voter","id":13,"store_id":1},
        {"role_name":"Learner","is_learner":true,"id":15,"store_id":6,"role":1,"is_witness":true},
        {"role_name":"x","id":16,"store_id":7,"role":2},{"role_name":"x","id":17,"store_id":8,"role":3},
        {"role_name":"x","id":18,"store_id":9,"role":9}],
        "leader":{"role_name":""},"down_peers":[{"peer":{"id":13,"store_id":1},"down_seconds":310}],
        "pending_peers":[{"id":15,"store_id":6,"role":1}],"approximate_size":96,"invented":[1]}"#;
    let found = Replay::new(200, &[], body)
        .client()
        .region(region(12))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.leader, None);
    assert_eq!((found.epoch.version, found.epoch.conf_ver), (33, 0));
    let roles: Vec<_> = found.peers.iter().map(|peer| peer.role).collect();
    assert_eq!(
        roles,
        [
            PeerRole::Voter,
            PeerRole::Learner,
            PeerRole::IncomingVoter,
            PeerRole::DemotingVoter,
            PeerRole::Other(9)
        ]
    );
    assert!(found.peer_on(store(6)).unwrap().is_witness);
    assert_eq!(found.down_peers[0].down_seconds, 310);
    assert!(found.contains("7480") && found.contains("74ff") && !found.contains("73"));
}

#[tokio::test]
async fn a_key_in_no_region_is_none() {
    let body = r#"{"count":1,"regions":[{"id":12,"start_key":"75","end_key":"76"}]}"#;
    let pd = Replay::new(200, &[], body).client();
    assert_eq!(pd.region_by_key("74").await.unwrap(), None);
    assert_eq!(pd.region_by_key("76").await.unwrap(), None);
    assert!(pd.region_by_key("7500").await.unwrap().is_some());
}

#[tokio::test]
async fn unknown_words_and_zero_values_are_kept() {
    let body = r#"{"store":{"id":1,"address":"a","state_name":"Sleeping","node_state":9,
        "labels":[{"key":"Engine","value":"tiflash"}]},"status":{"capacity":"1TiB","start_ts":"1970-01-01T00:00:00Z"}}"#;
    let found = Replay::new(200, &[], body)
        .client()
        .store(store(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.state_name, StoreState::Other("Sleeping".to_owned()));
    assert_eq!(found.node_state, NodeState::Other(9));
    assert!(found.is_tiflash());
    assert_eq!(found.last_heartbeat, None);
    assert_eq!(found.status.start_ts, None);
    assert_eq!(found.status.capacity.bytes(), Some(1 << 40));
    let body = r#"{"store":{"id":1,"state_name":"Up"}}"#;
    let found = Replay::new(200, &[], body)
        .client()
        .store(store(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.node_state, NodeState::Preparing);
}

#[tokio::test]
async fn operators_of_an_unknown_shape_are_kept() {
    let pd = Replay::new(200, &[], "\"status: 5, operator: whatever\"").client();
    let report = pd.operator(region(7)).await.unwrap().unwrap();
    assert_eq!(report.status, OperatorStatus::Other("5".to_owned()));
    assert_eq!(report.operator.raw, "whatever");
}

#[tokio::test]
async fn a_cluster_without_a_leader_has_none() {
    for leader in [
        "",
        ",\"leader\":null",
        ",\"leader\":{}",
        ",\"leader\":{\"member_id\":0}",
    ] {
        let body =
            format!("{{\"header\":{{\"cluster_id\":7711603923253717543}},\"members\":[]{leader}}}");
        let members: Members = Replay::new(200, &[], &body)
            .answering_members()
            .client()
            .members()
            .await
            .unwrap();
        assert_eq!(members.leader, None);
        assert_eq!(
            members.cluster_id.unwrap().to_string(),
            "7711603923253717543"
        );
    }
    assert_eq!(
        Replay::new(200, &[], "null")
            .client()
            .leader()
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn halted_scheduling_and_unknown_items_are_seen() {
    let body = r#"{"leader-schedule-limit":4,"region-schedule-limit":2048,"replica-schedule-limit":64,
        "merge-schedule-limit":8,"hot-region-schedule-limit":4,"low-space-ratio":0.8,
        "high-space-ratio":0.7,"halt-scheduling":"true","enable-joint-consensus":"false",
        "max-store-down-time":"30m0s","store-limit":{"1":{"add-peer":15,"remove-peer":1e8}},"new":[]}"#;
    let config = Replay::new(200, &[], body)
        .client()
        .schedule_config()
        .await
        .unwrap();
    assert!(config.halt_scheduling);
    assert_eq!(config.enable_joint_consensus, Some(false));
    assert_eq!(
        config.max_store_down_time,
        Some(std::time::Duration::from_secs(1800))
    );
    assert_eq!(config.store_limit[&store(1)].remove_peer, 1e8);
    assert!(config.rest.contains_key("new") && !config.rest.contains_key("halt-scheduling"));
}

#[tokio::test]
async fn a_task_that_holds_the_maintenance_lock_is_read() {
    let task = r#"[{"type":"restart","id":"a","start_timestamp":1795497720,"description":"d"}]"#;
    let pd = Replay::new(200, &[], task).client();
    let task = pd.maintenance().await.unwrap().unwrap();
    assert_eq!((task.kind.as_str(), task.id.as_str()), ("restart", "a"));
    assert!(task.started.is_some());
    let nobody = "\"No maintenance task is running\"";
    let pd = Replay::new(404, &[], nobody).client();
    assert_eq!(pd.maintenance().await.unwrap(), None);
}

/// As PD 8.5.7 answers; what cannot be the id of a group is not asked for.
#[tokio::test]
async fn an_affinity_group_is_read() {
    let group = r#"{"id":"g1","create_timestamp":1795966874,"leader_store_id":1,
        "voter_store_ids":[1,3,4],"phase":"stable","range_count":1,"region_count":15,
        "affinity_region_count":15}"#;
    let pd = Replay::new(200, &[], group).client();
    let read = pd.affinity_group("g1").await.unwrap().unwrap();
    assert_eq!((read.leader_store_id, read.phase.as_str()), (1, "stable"));
    assert_eq!(read.voter_store_ids, [1, 3, 4]);
    for id in ["", "..", "a/b", "g1?x=1"] {
        assert_eq!(pd.affinity_group(id).await.unwrap(), None, "{id}");
    }
    let none = "\"[PD:affinity:ErrAffinityGroupNotFound]affinity group nope not found\"";
    let pd = Replay::new(404, &[], none).client();
    assert_eq!(pd.affinity_group("nope").await.unwrap(), None);
}

#[tokio::test]
async fn one_store_that_cannot_be_read_leaves_the_others_as_they_are() {
    let body = r#"{"count":3,"stores":[
        {"store":{"id":1,"state_name":"Up"},"status":{"leader_count":4,"region_count":9}},
        {"store":{"id":2,"state_name":"Up"},"status":{"leader_count":-1}},
        {"store":{"id":3,"state_name":"Up"},"status":null}]}"#;
    let pd = Replay::new(200, &[], body).client();
    let stores = pd.stores().await.unwrap();
    let states: Vec<_> = stores.iter().map(|one| one.state_name.clone()).collect();
    let unreadable = StoreState::Other("unreadable".to_owned());
    assert_eq!(states, [StoreState::Up, unreadable, StoreState::Up]);
    assert_eq!(stores[0].status.leader_count, 4);
    // One without even an id is not left out in silence.
    let body = r#"{"stores":[{"store":{"state_name":"Up"}}]}"#;
    let pd = Replay::new(200, &[], body).client();
    assert!(matches!(pd.stores().await, Err(Error::Decode { .. })));
}

/// PD writes how long a list is beside it, in every version; nothing is concluded from less.
#[tokio::test]
async fn a_list_that_is_not_as_long_as_pd_says_is_unreadable() {
    let regions = [
        r#"{"count":36,"regions":[]}"#,
        r#"{"count":36,"regions":null}"#,
        r#"{"count":36}"#,
        r#"{"count":0}"#,
        r#"{"count":0,"regions":[{"id":12}]}"#,
        r#"{"regions":[]}"#,
        "{}",
        "null",
    ];
    for body in regions {
        let pd = Replay::new(200, &[], body).client();
        let mut scan = pd.scan_regions("", "").unwrap();
        for found in [
            pd.regions_of_store(store(1)).await,
            pd.regions_of_store_as(store(1), RoleOnStore::Leader).await,
            pd.regions_in_check(RegionCheck::DownPeer).await,
            pd.regions_between("", "", NonZeroU16::MIN).await,
            pd.region_by_key("74").await.map(Vec::from_iter),
            scan.next_page().await.map(Option::unwrap_or_default),
        ] {
            assert!(
                matches!(found, Err(Error::Decode { .. })),
                "{body}: {found:?}"
            );
        }
    }
    for body in regions.map(|body| {
        body.replace("regions", "stores").replace(
            "{\"id\":12}",
            "{\"store\":{\"id\":12,\"state_name\":\"Up\"}}",
        )
    }) {
        let pd = Replay::new(200, &[], &body).client();
        for found in [pd.stores().await, pd.stores_in(&[]).await] {
            assert!(
                matches!(found, Err(Error::Decode { .. })),
                "{body}: {found:?}"
            );
        }
    }
    let pd = Replay::new(200, &[], regions[0]).client();
    let said = pd.regions_of_store(store(1)).await.unwrap_err();
    let said = std::error::Error::source(&said).unwrap().to_string();
    assert!(said.contains("its `count` is 36, but it lists 0"), "{said}");
    for body in [
        r#"{"count":0,"regions":[]}"#,
        r#"{"count":0,"regions":null}"#,
    ] {
        let pd = Replay::new(200, &[], body).client();
        assert_eq!(pd.regions_of_store(store(1)).await.unwrap(), [], "{body}");
    }
}

/// Serde takes an array for a struct, by position, and an object that lacks everything for one of
/// defaults: PD writes neither.
#[tokio::test]
async fn what_is_no_object_with_what_pd_always_writes_is_unreadable() {
    #[track_caller]
    fn check<T: std::fmt::Debug>(body: &str, what: &str, found: Result<T, Error>) {
        let is_unreadable = matches!(found, Err(Error::Decode { .. }));
        assert!(is_unreadable, "{what} of {body}: {found:?}");
    }
    for body in [
        "[]",
        "{}",
        "7",
        r#"[13,"","zz"]"#,
        r#"["pd",true,0.5]"#,
        r#"[[13,"","zz"],[[]],[["pd-0",7]]]"#,
        r#"{"id":0}"#,
        r#"{"store":[1,"a","Up"],"status":{}}"#,
        r#"{"members":[["pd-0",7,[],[],"v8.5.7","",0]]}"#,
        r#"{"rule-fits":[[]],"orphan-peers":[[8,1]]}"#,
        r#"{"store-id-ranges":{"1":[["",""]]}}"#,
        r#"{"as_peer":{"1":[0]},"as_leader":{}}"#,
        r#"{"id":13,"start_key":"","end_key":"","peers":[[8,1,0]]}"#,
        r#"{"id":13,"start_key":"","end_key":"","leader":[8,1,0]}"#,
    ] {
        let pd = Replay::new(200, &[], body).answering_members().client();
        check(body, "region", pd.region(region(13)).await);
        check(body, "store", pd.store(store(1)).await);
        check(body, "members", pd.members().await);
        check(body, "status", pd.status().await);
        check(body, "version", pd.version().await);
        check(body, "cluster status", pd.cluster_status().await);
        check(body, "drains", pd.evict_leader_config().await);
        check(body, "grants", pd.grant_leader_config().await);
        check(body, "fit", pd.region_fit(region(13)).await);
        check(body, "hot", pd.hot_regions(HotKind::Read, &[]).await);
        check(body, "checker", pd.checker_status(Checker::Rule).await);
        check(body, "config", pd.config().await);
        check(body, "schedule", pd.schedule_config().await);
        check(body, "progress", pd.store_progress(store(1)).await);
    }
    for body in ["[]", "{}", r#"[7,3]"#] {
        let pd = Replay::new(200, &[], body).client();
        check(body, "cluster", pd.cluster().await);
    }
    for body in [
        r#"{"count":1,"regions":[[13,"","zz"]]}"#,
        r#"{"count":1,"regions":[{"id":13}]}"#,
        r#"[1,[[13,"","zz"]]]"#,
    ] {
        let pd = Replay::new(200, &[], body).client();
        check(body, "regions", pd.regions_of_store(store(1)).await);
    }
    for body in [
        r#"[1,[{"store":{"id":1,"state_name":"Up"}}]]"#,
        r#"{"count":1,"stores":[[[1,"a","Up"]]]}"#,
    ] {
        let pd = Replay::new(200, &[], body).client();
        check(body, "stores", pd.stores().await);
    }
    for body in ["[[]]", "[{}]", r#"[[false,[]]]"#, r#"[["pd","default",0]]"#] {
        let pd = Replay::new(200, &[], body).client();
        check(body, "rules", pd.rules().await);
        check(
            body,
            "rules of a region",
            pd.rules_for_region(region(13)).await,
        );
        check(body, "health", pd.health().await);
        check(body, "labels", pd.region_label_rules().await);
    }
    let timed = r#"[["balance-leader-scheduler","2026-11-29T10:00:00Z"]]"#;
    let pd = Replay::new(200, &[], timed).client();
    check(timed, "pauses", pd.paused_schedulers().await);
}

#[tokio::test]
async fn a_learner_that_old_stores_report_by_a_flag_is_one() {
    let body = r#"{"id":7,"epoch":{"conf_ver":1,"version":1},"start_key":"","end_key":"","peers":[
        {"id":8,"store_id":1,"is_learner":true},{"id":9,"store_id":2},
        {"id":10,"store_id":3,"role":2,"is_learner":true}]}"#;
    let pd = Replay::new(200, &[], body).client();
    let peers = pd.region(region(7)).await.unwrap().unwrap().peers;
    let roles: Vec<_> = peers.iter().map(|peer| peer.role).collect();
    let expected = [PeerRole::Learner, PeerRole::Voter, PeerRole::IncomingVoter];
    assert_eq!(roles, expected);
}
