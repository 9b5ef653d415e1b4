//! What is published.

use action_core::{ActionRegistry, Subject, testing};
use operator_tikv::Tikv;
use serde_json::json;

/// The golden file says which actions there are, in their order.
#[test]
fn the_subject_is_well_formed() {
    let names = testing::assert_well_formed::<Tikv>();
    let defined: Vec<_> = Tikv::actions()
        .definitions()
        .map(|one| one.name.clone())
        .collect();
    assert_eq!(names, defined);
}

/// Whoever uses actions without a registry has their types.
#[test]
fn every_action_is_exported() {
    let exports = include_str!("../../src/lib.rs");
    let is_part = |one: char| one.is_alphanumeric();
    let exported: Vec<_> = exports.split(|one| !is_part(one)).collect();
    for action in Tikv::actions().definitions() {
        let name: String = action.name.split('_').map(capitalized).collect();
        assert!(exported.contains(&name.as_str()), "lib.rs: add {name}");
    }
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// A change of a name, a description, a schema or a risk is a change for callers.
#[test]
fn the_catalogue_is_stable() {
    let definitions: Vec<_> = Tikv::actions().definitions().cloned().collect();
    insta::assert_snapshot!(format!("{:#}", json!(definitions)));
}

#[test]
fn ids_are_taken_in_either_form_and_refused_in_any_other() {
    let mut registry = ActionRegistry::new();
    let pd = pd_client::Client::new("http://127.0.0.1:1").unwrap();
    registry.register(Tikv::new(pd)).unwrap();
    let validate = |region: serde_json::Value, store: serde_json::Value| {
        let given = json!({"region_id": region, "to_store_id": store});
        registry.validate("transfer_leader", given)
    };
    let normal = json!({"region_id": 12, "to_store_id": "4"});
    for (region, store) in [
        (json!(12), json!("4")),
        (json!("12"), json!(4)),
        (json!(12.0), json!(4)),
    ] {
        assert_eq!(validate(region, store).unwrap(), normal);
    }
    let largest = 9_007_199_254_740_991_u64;
    assert!(validate(json!(largest), json!(largest.to_string())).is_ok());
    let beyond = json!(largest + 1);
    for region in [
        json!(9.5),
        json!(-1),
        json!(0),
        beyond.clone(),
        json!("abc"),
        json!(null),
    ] {
        for store in [
            json!(""),
            json!("abc"),
            json!(" 7"),
            json!(0),
            json!(-7),
            json!({}),
        ] {
            let error = validate(region.clone(), store).unwrap_err();
            assert_eq!(error.problems().len(), 2, "{}", error.report());
        }
    }
    // Sixteen digits fit the pattern, and this one is still too large.
    let error = validate(json!(12), json!("9007199254740992")).unwrap_err();
    assert!(
        error.report().contains("9007199254740992"),
        "{}",
        error.report()
    );
}

#[test]
fn a_move_to_where_it_comes_from_is_refused() {
    let mut registry = ActionRegistry::new();
    let pd = pd_client::Client::new("http://127.0.0.1:1").unwrap();
    registry.register(Tikv::new(pd)).unwrap();
    let given = json!({"region_id": 12, "from_store_id": "4", "to_store_id": 4});
    let error = registry.validate("transfer_peer", given).unwrap_err();
    assert_eq!(error.problems()[0].pointer, "/to_store_id");
}

/// What no two mutations change at a time, and what is left in force: budgets, leases and undos
/// go by these names.
#[test]
fn what_each_mutation_changes_has_a_name() {
    let mut registry = ActionRegistry::new();
    let pd = pd_client::Client::new("http://127.0.0.1:1").unwrap();
    registry.register(Tikv::new(pd)).unwrap();
    let cases = [
        (
            "transfer_leader",
            json!({"region_id": 5, "to_store_id": "2"}),
            "region/5",
            "",
        ),
        (
            "transfer_peer",
            json!({"region_id": 5, "from_store_id": "1", "to_store_id": "2"}),
            "region/5",
            "",
        ),
        (
            "add_peer",
            json!({"region_id": 5, "store_id": "2"}),
            "region/5",
            "",
        ),
        (
            "remove_peer",
            json!({"region_id": 5, "store_id": "2"}),
            "region/5",
            "",
        ),
        (
            "split_region",
            json!({"region_id": 5, "policy": "scan"}),
            "region/5",
            "",
        ),
        (
            "merge_regions",
            json!({"source_region_id": 5, "target_region_id": 6}),
            "region/5 region/6",
            "",
        ),
        ("scatter_region", json!({"region_id": 5}), "region/5", ""),
        ("cancel_operator", json!({"region_id": 5}), "operator/5", ""),
        (
            "drain_store",
            json!({"store_id": "2"}),
            "store/2",
            "evict-leader/2",
        ),
        ("stop_drain", json!({"store_id": "2"}), "store/2", ""),
        (
            "offline_store",
            json!({"store_id": "2"}),
            "store/2",
            "offline/2",
        ),
        ("cancel_offline", json!({"store_id": "2"}), "store/2", ""),
        ("remove_tombstones", json!({}), "tombstones", ""),
        (
            "set_leader_schedule_limit",
            json!({"limit": 4}),
            "config/schedule.leader-schedule-limit",
            "config/schedule.leader-schedule-limit",
        ),
        (
            "set_region_schedule_limit",
            json!({"limit": 4}),
            "config/schedule.region-schedule-limit",
            "config/schedule.region-schedule-limit",
        ),
        (
            "set_replica_schedule_limit",
            json!({"limit": 4}),
            "config/schedule.replica-schedule-limit",
            "config/schedule.replica-schedule-limit",
        ),
        (
            "set_low_space_threshold",
            json!({"percent": 80}),
            "config/schedule.low-space-ratio",
            "config/schedule.low-space-ratio",
        ),
        (
            "set_store_limit",
            json!({"store_id": "2", "what": "add_peer", "per_minute": 15}),
            "config/store-limit.2.add-peer",
            "config/store-limit.2.add-peer",
        ),
        (
            "pause_scheduler",
            json!({"scheduler": "balance-leader-scheduler", "seconds": 60}),
            "scheduler/balance-leader-scheduler",
            "pause-scheduler/balance-leader-scheduler",
        ),
        (
            "resume_scheduler",
            json!({"scheduler": "balance-leader-scheduler"}),
            "scheduler/balance-leader-scheduler",
            "",
        ),
        (
            "transfer_pd_leader",
            json!({"member": "pd-2"}),
            "pd/leader",
            "",
        ),
    ];
    for (name, given, resources, lasting) in &cases {
        let prepared = registry.prepare(name, given.clone()).unwrap();
        let footprint = prepared.footprint().unwrap();
        let lasting = Some((*lasting).to_owned()).filter(|lasting| !lasting.is_empty());
        assert_eq!(footprint.resources.join(" "), *resources, "{name}");
        assert_eq!(footprint.lasting_effect, lasting, "{name}");
    }
    let mutations = registry.definitions().filter(|one| one.is_mutation());
    let missing: Vec<_> = mutations
        .map(|one| one.name.as_str())
        .filter(|name| !cases.iter().any(|(case, ..)| case == name))
        .collect();
    assert_eq!(missing, [""; 0], "add these");
}

/// What the schema cannot say of parameters: each names what is wrong.
#[test]
fn parameters_that_fit_their_schema_and_mean_nothing_are_refused() {
    let mut registry = ActionRegistry::new();
    let pd = pd_client::Client::new("http://127.0.0.1:1").unwrap();
    registry.register(Tikv::new(pd)).unwrap();
    let long = "x".repeat(129);
    let split =
        |policy: &str, keys: &[&str]| json!({"region_id": 9, "policy": policy, "keys": keys});
    let scatter = |group: &str| json!({"region_id": 9, "group": group});
    let member = |name: &str| json!({"member": name});
    for (action, given, wrong) in [
        (
            "merge_regions",
            json!({"source_region_id": 9, "target_region_id": 9}),
            Some("/target_region_id"),
        ),
        (
            "merge_regions",
            json!({"source_region_id": 9, "target_region_id": 7}),
            None,
        ),
        ("split_region", split("usekey", &[]), Some("/keys")),
        ("split_region", split("scan", &["72"]), Some("/keys")),
        ("split_region", split("scan", &[]), None),
        ("split_region", split("usekey", &["72", "7a"]), None),
        (
            "split_region",
            split("usekey", &["72", "721"]),
            Some("/keys/1"),
        ),
        (
            "split_region",
            split("usekey", &["72", ""]),
            Some("/keys/1"),
        ),
        ("split_region", split("usekey", &["zz"]), Some("/keys/0")),
        ("scatter_region", scatter(""), Some("/group")),
        ("scatter_region", scatter(&long), Some("/group")),
        ("scatter_region", scatter(&long[1..]), None),
        ("transfer_pd_leader", member(""), Some("/member")),
        ("transfer_pd_leader", member(&long), Some("/member")),
        ("transfer_pd_leader", member("pd/1"), Some("/member")),
        ("transfer_pd_leader", member(&long[1..]), None),
        ("transfer_pd_leader", member("pd-1_a.b"), None),
    ] {
        let problems = match registry.validate(action, given.clone()) {
            Ok(_) => Vec::new(),
            Err(error) => error.problems().to_vec(),
        };
        let pointers: Vec<_> = problems.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(pointers, Vec::from_iter(wrong), "{action} {given}");
    }
}
