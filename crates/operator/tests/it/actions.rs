//! `operator actions`.

use serde_json::Value;

use crate::harness::formats;
use crate::operator;

/// What is needed of PD to list actions: nothing, not even an address that could be one.
const NO_PD: [&str; 2] = ["--pd", "ftp://nowhere"];

/// Both kinds, each below its title; or those of one kind, which the flag of its address means, too.
#[test]
fn the_actions_of_each_kind_are_listed_apart() {
    let all = operator(&["actions", "list"]).ended(0).stdout;
    let (tikv, etcd) = all.split_once("etcd cluster:").unwrap();
    assert!(tikv.starts_with("TiKV cluster:"), "{tikv}");
    assert!(tikv.contains("tikv.list_members") && !tikv.contains("etcd."));
    assert!(etcd.contains("etcd.list_members") && !etcd.contains("tikv."));
    let one = operator(&["actions", "list", "--subject", "etcd"]).ended(0);
    let by_address = operator(&["actions", "list", "--endpoints", "x"]).ended(0);
    assert_eq!(one.stdout, by_address.stdout);
    assert!(one.stdout.contains("\nmove_leader "), "{}", one.stdout);
    assert!(!one.stdout.contains("list_stores"), "{}", one.stdout);
    operator(&["actions", "show", "list_members"])
        .ended(2)
        .says("known are `tikv.list_members`, `etcd.list_members`");
}

/// What only one kind of system has says which is meant: an action, or a parameter of one.
#[test]
fn an_action_or_a_parameter_of_one_kind_says_which_is_meant() {
    for words in [
        &["run", "list_stores"][..],
        &["why", "--region-id", "5"],
        &["run", "tikv.list_members"],
        &["run", "safe_to_stop", "--store-ids=4"],
    ] {
        let pd = [words, &["--config", "/dev/null"]].concat();
        let told = operator(&pd).ended(5).stderr;
        assert!(told.contains("PD at"), "{words:?}: {told}");
    }
    operator(&["run", "etcd.list_members"])
        .ended(5)
        .says("no answer from etcd");
    operator(&["doctor"]).ended(2).says("no system named");
    operator(&["doctor", "--help"])
        .ended(0)
        .shows("The flags depend on");
}

fn names() -> Vec<String> {
    let list = operator(&["actions", "list", "--format", "json"])
        .ended(0)
        .json();
    let actions = list["actions"].as_array().unwrap();
    let names = actions
        .iter()
        .map(|action| action["name"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

#[test]
fn actions_are_listed_for_people_and_for_programs() {
    let table = operator(&[&NO_PD[..], &["actions", "list"]].concat()).ended(0);
    for name in names().iter().filter_map(|name| name.strip_prefix("tikv.")) {
        assert!(table.stdout.contains(name), "{name}: {}", table.stdout);
    }
    let json = operator(&["actions", "list", "-o", "json"]).ended(0).json();
    assert!(
        json["actions"]
            .as_array()
            .is_some_and(|actions| !actions.is_empty())
    );
}

#[test]
fn every_action_is_shown_in_every_format() {
    for qualified in names() {
        let show =
            |format: &str| operator(&["actions", "show", &qualified, "--format", format]).ended(0);
        // Where one kind of system is meant, its actions have their own names.
        let (_, name) = qualified.split_once('.').unwrap();
        assert!(show("table").stdout.starts_with(name));
        assert_eq!(show("json").json()["name"], *name);
        assert_eq!(show("mcp").json()["inputSchema"]["type"], "object");
        assert_eq!(show("openai").json()["function"]["name"], *name);
        assert_eq!(show("openai-responses").json()["type"], "function");
        assert_eq!(show("anthropic").json()["input_schema"]["type"], "object");
    }
    for format in formats() {
        operator(&["actions", "show", "list_stores", "--format", &format])
            .ended(0)
            .shows("list_stores");
    }
}

#[test]
fn the_format_is_that_of_all_output_unless_told() {
    let json = operator(&["-o", "json", "actions", "show", "transfer_leader"])
        .ended(0)
        .json();
    assert!(matches!(json["parameters"], Value::Array(_)));
    operator(&["actions", "show", "transfer_leader"])
        .ended(0)
        .shows("region_id");
}

#[test]
fn a_list_by_lines_has_a_line_for_each_action() {
    let names = names();
    for format in [&["--format", "jsonl"][..], &["-o", "jsonl"]] {
        let ran = operator(&[&["actions", "list"], format].concat()).ended(0);
        let lines = ran.stdout.lines().map(|line| {
            let json: Value = serde_json::from_str(line).unwrap();
            json["name"].as_str().unwrap().to_owned()
        });
        assert_eq!(lines.collect::<Vec<_>>(), names);
    }
}

#[test]
fn an_unknown_action_is_wrong_usage() {
    operator(&["actions", "show", "transfer_lead"])
        .ended(2)
        .says("`transfer_lead`")
        .says("operator actions list");
}
