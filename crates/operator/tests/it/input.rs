//! Wrong input is named, all of it at once, and reaches nobody.

use crate::{Cluster, operator};

#[track_caller]
fn wrong(arguments: &[&str], named: &[&str]) {
    // Nothing listens there: whoever asked would end otherwise.
    let mut all = vec!["--pd", "http://127.0.0.1:1", "plan", "transfer_leader"];
    all.extend(arguments);
    let mut ran = operator(&all).ended(2);
    for text in named {
        ran = ran.says(text);
    }
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_wrong_region_is_named_with_its_value_and_what_is_right() {
    let store = ["--to-store-id", "4"];
    for value in ["9.5", "-1", "9007199254740992", "0"] {
        let named = [
            "`region_id`",
            &format!("got {value}"),
            "expected an integer",
        ];
        wrong(&[&["--region-id", value], &store[..]].concat(), &named);
    }
    for value in ["abc", "", " 7", "1e3", "99999999999999999999999"] {
        let named = ["`region_id`", &format!("got \"{value}\"")];
        wrong(&[&["--region-id", value], &store[..]].concat(), &named);
    }
}

/// Who gives two values as one reads how to give them.
#[test]
fn several_values_are_given_by_a_flag_each() {
    let asked = ["run", "safe_to_stop", "--pd", "http://127.0.0.1:1"];
    let told = "--store-ids 1 --store-ids 2";
    for values in ["1,2", "1, 2", "1 2"] {
        let all = [&asked[..], &["--store-ids", values]].concat();
        operator(&all).ended(2).says("`store_ids/0`").says(told);
    }
    let help = operator(&["run", "tikv.safe_to_stop", "--help"]).ended(0);
    help.shows("--store-ids A --store-ids B");
}

#[test]
fn a_wrong_store_is_named_with_its_value() {
    for value in ["", "abc", " 7", "07"] {
        let named = ["`to_store_id`", &format!("got \"{value}\"")];
        wrong(&["--region-id", "12", "--to-store-id", value], &named);
    }
}

#[test]
fn everything_that_is_wrong_is_named_at_once() {
    wrong(
        &["--region-id", "9.5", "--to-store-id", "abc"],
        &["`region_id`", "`to_store_id`"],
    );
    wrong(&[], &["`region_id`: missing", "`to_store_id`: missing"]);
    wrong(
        &["--params", r#"{"region_id": "x", "store": 4}"#],
        &[
            "`region_id`",
            "`to_store_id`: missing",
            "`store`: unknown parameter",
        ],
    );
}

#[test]
fn programs_read_what_is_wrong_too() {
    let ran = operator(&["-o", "json", "plan", "transfer_leader", "--region-id", "-1"]).ended(2);
    let error = &ran.json()["error"];
    assert_eq!(error["code"], "invalid_parameters");
    assert_eq!(error["problems"].as_array().map(Vec::len), Some(2));
    assert_eq!(error["problems"][0]["pointer"], "/region_id");
}

#[test]
fn flags_that_are_not_there_and_twice_the_same_are_wrong_usage() {
    wrong(&["--regon-id", "12"], &["--regon-id", "'--region-id'"]);
    wrong(&["--region-id", "1", "--region-id", "2"], &["--region-id"]);
    wrong(&["--params", "{}", "--region-id", "2"], &["--params"]);
    wrong(&["--params", "{"], &["invalid JSON"]);
    wrong(&["--params", "[1]"], &["an object"]);
    let twice = r#"{"region_id": "1", "region_id": "2"}"#;
    wrong(&["--params", twice], &["duplicate key `region_id`"]);
}

#[test]
fn addresses_and_certificates_are_checked_before_anything_is_sent() {
    let plan = [
        "plan",
        "transfer_leader",
        "--region-id",
        "12",
        "--to-store-id",
        "4",
    ];
    let with = |flags: &[&str]| operator(&[flags, &plan[..]].concat()).ended(2);
    with(&["--pd", "ftp://pd:2379"]).says("`http` or `https`");
    with(&["--pd", ""]).says("PD endpoint");
    with(&["--tls-ca", "/nonexistent.pem"]).says("`--tls-ca`");
    with(&["--tls-cert", "/nonexistent.pem"]).says("`--tls-key`");
}

#[test]
fn an_id_as_digits_in_quotes_or_json_is_the_same_id() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let (region, store) = (region.id.as_str(), region.follower);
    let flags = ["--region-id", region, "--to-store-id", &store.to_string()];
    cluster
        .operator(&[&["plan", "transfer_leader"], &flags[..]].concat())
        .ended(0);
    for params in [
        format!(r#"{{"region_id": {region}, "to_store_id": "{store}"}}"#),
        format!(r#"{{"region_id": "{region}", "to_store_id": {store}}}"#),
    ] {
        cluster
            .operator(&["plan", "transfer_leader", "--params", &params])
            .ended(0);
    }
}

#[test]
fn parameters_named_like_what_used_to_be_global_flags_are_given_as_flags() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let split = ["plan", "split_region", "--region-id", &region.id];
    cluster
        .operator(&[&split[..], &["--policy", "scan"]].concat())
        .ended(0)
        .shows("policy=scan");
    cluster
        .operator(&[&split[..], &["--policy", "nowhere"]].concat())
        .ended(2)
        .says("`policy`");
    let find = ["run", "find_region", "--key", "", "--form", "hex"];
    cluster.operator(&find).ended(0).shows("region");
}

/// A program reads in JSON what is wrong with its command line, too.
#[test]
fn a_wrong_command_line_is_told_to_programs() {
    for line in [
        &["plan", "transfer_leadr", "-o", "json"][..],
        &["-o", "jsonl", "run", "transfer_leader", "--regoin-id", "1"],
        &["frobnicate", "--output=json"],
    ] {
        let ran = operator(line).ended(2);
        assert_eq!(ran.json()["error"]["code"], "usage", "{line:?}");
        let message = ran.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(ran.stderr.contains(&message), "{message}: {}", ran.stderr);
    }
    assert_eq!(operator(&["frobnicate"]).ended(2).stdout, "");
    let help = operator(&["--help", "-o", "json"]).ended(0);
    assert!(help.stdout.contains("Usage"), "{}", help.stdout);
}

/// It would be dropped without a word.
#[test]
fn a_lease_of_what_does_not_last_is_refused() {
    let cluster = Cluster::start();
    let transfer = [
        "run",
        "transfer_leader",
        "--region-id",
        "1",
        "--to-store-id",
        "2",
    ];
    let ran = cluster.operator(&[&transfer[..], &["--lease", "1h"]].concat());
    ran.ended(2)
        .says("`transfer_leader` leaves nothing in force");
    assert_eq!(cluster.sim.writes(), []);
}

/// It would end before the change is made, and be taken back by whatever looks next.
#[test]
fn a_lease_that_is_over_at_once_is_refused() {
    for lease in ["1ns", "1ms", "999ms"] {
        let ran = operator(&["run", "drain_store", "--store-id", "2", "--lease", lease]);
        ran.ended(2)
            .says(&format!("invalid lease `{lease}`"))
            .says("use 1s or longer");
    }
}
