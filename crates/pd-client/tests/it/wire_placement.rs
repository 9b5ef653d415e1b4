//! What is asked about where replicas and leaders may be, and what the answers are read as.

use pd_client::schedulers::SchedulerKind;

use crate::wire::sends;
use crate::{region, store};

#[test]
fn a_fit_is_what_pd_finds() {
    let rule = r#"{"group_id":"pd","id":"default","start_key":"","end_key":"","role":"voter","is_witness":false,"count":2}"#;
    let fit = |peers: &str, other: &str, orphans: &str| {
        format!(
            r#"{{"rule-fits":[{{"rule":{rule},"peers":{peers},"peers-different-role":{other},"isolation-score":0}}],"orphan-peers":{orphans}}}"#
        )
    };
    let two =
        r#"[{"role_name":"Voter","id":3,"store_id":1},{"role_name":"Voter","id":4,"store_id":2}]"#;
    let one = r#"[{"role_name":"Voter","id":3,"store_id":1}]"#;
    for (answer, satisfied) in [
        (fit(two, "null", "null"), true),
        (fit(two, "[]", "[]"), true),
        (fit(two, one, "null"), false),
        (fit(two, "null", one), false),
        (fit(one, "null", "null"), false),
        (r#"{"rule-fits":[],"orphan-peers":null}"#.to_owned(), false),
    ] {
        sends(
            &answer,
            async |pd| {
                let fit = pd.region_fit(region(12)).await.unwrap().unwrap();
                assert_eq!(fit.is_satisfied(), satisfied, "{answer}");
            },
            "GET /config/rules/region/12/detail",
        );
    }
}

#[test]
fn rules_know_whether_their_group_replaces_others() {
    let group = |id: &str, overrides: bool, rules: &str| {
        format!(
            r#"{{"group_id":"{id}","group_index":0,"group_override":{overrides},"rules":{rules}}}"#
        )
    };
    let rule = |group: &str| {
        format!(
            r#"[{{"group_id":"{group}","id":"default","start_key":"","end_key":"","role":"voter","is_witness":false,"count":3}}]"#
        )
    };
    let groups = [
        group("pd", false, &rule("pd")),
        group("empty", true, "null"),
        group("zones", true, &rule("zones")),
    ];
    sends(
        &format!("[{}]", groups.join(",")),
        async |pd| {
            let rules = pd.rules().await.unwrap().unwrap();
            let read = rules
                .iter()
                .map(|rule| (&*rule.group_id, rule.group_overrides));
            assert_eq!(read.collect::<Vec<_>>(), [("pd", false), ("zones", true)]);
        },
        "GET /config/placement-rule",
    );
}

#[test]
fn schedulers_that_evict_are_read_whatever_they_call_their_list() {
    let cases = [
        (
            SchedulerKind::EvictSlowStore,
            r#"{"recovery-duration":600,"evict-stores":[4],"paused-network-slow-stores":null,"evicted-network-slow-stores":[5],"batch":3}"#,
            Some(vec![store(4), store(5)]),
        ),
        (
            SchedulerKind::EvictStoppingStore,
            r#"{"evicted-stores":[],"batch":3}"#,
            Some(Vec::new()),
        ),
        (
            SchedulerKind::EvictSlowTrend,
            r#"{"recovery-duration":600,"evict-by-trend-stores":[2]}"#,
            Some(vec![store(2)]),
        ),
        (SchedulerKind::EvictSlowStore, "not implements", None),
    ];
    for (kind, answer, stores) in cases {
        sends(
            answer,
            async |pd| assert_eq!(pd.evicted_stores(kind).await.unwrap(), stores),
            &format!("GET /scheduler-config/{}/list", kind.name()),
        );
    }
}

#[test]
fn grants_are_listed_as_drains_are() {
    sends(
        r#"{"store-id-ranges":{"3":[{"start-key":"","end-key":""}]}}"#,
        async |pd| {
            let grants = pd.grant_leader_config().await.unwrap().unwrap();
            assert!(grants.stores.contains_key(&store(3)));
        },
        "GET /scheduler-config/grant-leader-scheduler/list",
    );
}

#[test]
fn stores_reached_slowly_are_told_from_slow_ones() {
    for (answer, stores) in [
        (
            r#"{"evict-stores":[4],"paused-network-slow-stores":[2],"evicted-network-slow-stores":[5]}"#,
            vec![store(2), store(5)],
        ),
        ("not implements", Vec::new()),
    ] {
        sends(
            answer,
            async |pd| assert_eq!(pd.network_slow_stores().await.unwrap(), stores),
            "GET /scheduler-config/evict-slow-store-scheduler/list",
        );
    }
}
