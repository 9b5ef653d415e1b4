//! `operator actions`.

use serde_json::Value;

use crate::harness::formats;
use crate::operator;

/// What is needed of PD to list actions: nothing, not even an address that could be one.
const NO_PD: [&str; 2] = ["--pd", "ftp://nowhere"];

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
    for name in names() {
        assert!(table.stdout.contains(&name), "{name}: {}", table.stdout);
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
    for name in names() {
        let show =
            |format: &str| operator(&["actions", "show", &name, "--format", format]).ended(0);
        assert!(show("table").stdout.starts_with(&name));
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
