//! What programs can rely on: each document of each verb says which schema it has.

use serde_json::Value;

use crate::Cluster;
use crate::harness::{Finished, operator};

/// The documents on stdout: one, or one on each line.
fn documents(ran: &Finished, format: &str) -> Vec<Value> {
    match format {
        "jsonl" => {
            let lines = ran.stdout.lines();
            lines
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        }
        _ => vec![serde_json::from_str(&ran.stdout).unwrap()],
    }
}

fn check(run: impl Fn(&[&str]) -> Finished, words: &[&str]) {
    for format in ["json", "jsonl"] {
        let ran = run(&[words, &["-o", format]].concat());
        for document in documents(&ran, format) {
            assert_eq!(document["schema_version"], 1, "{words:?}: {document}");
        }
    }
}

#[test]
fn every_document_of_every_verb_says_its_schema() {
    let cluster = Cluster::start();
    for words in [
        &["version"][..],
        &["actions", "list"],
        &["actions", "show", "list_stores"],
        // What keeps a command from its result is a document, too.
        &["actions", "show", "nothing"],
    ] {
        check(operator, words);
    }
    let set = ["run", "set_leader_schedule_limit", "--yes", "--limit"];
    let id = cluster
        .with_state(&[&set[..], &["9", "-o", "json"]].concat())
        .ended(0)
        .json()["id"]
        .to_string();
    let id = id.trim_matches('"');
    for words in [
        &["run", "list_stores"][..],
        &[&set[..], &["8"]].concat(),
        &["plan", "set_leader_schedule_limit", "--limit", "7"],
        &[
            "policy",
            "explain",
            "set_leader_schedule_limit",
            "--limit",
            "7",
        ],
        &["policy", "check"],
        &["proposals", "list", "--all"],
        &["proposals", "show", id],
        &["proposals", "run", id],
        &["approve", id],
        &["cancel", id],
        &["mode"],
        &["mode", "execute", "--reason", "a test"],
        &["clock", "confirm", "--reason", "a test"],
        &["journal", "show"],
        &["journal", "verify"],
        &["journal", "head"],
        &["why", "--from-store-id", "1"],
        &["doctor"],
        &["recover"],
        &["reap"],
        &["undo", "--last", "--yes"],
        &["token", "list"],
        &["workflow", "list"],
        &["kill-switch", "status"],
        &["kill-switch", "on", "--reason", "a test"],
        &["kill-switch", "reset", "--reason", "a test"],
        &["run", "transfer_leader", "--yes"],
    ] {
        check(|words| cluster.with_state(words), words);
    }
}

/// What is in a form that others have laid down has nothing of ours in it.
#[test]
fn tool_definitions_are_those_of_their_formats_alone() {
    for format in ["mcp", "openai", "anthropic"] {
        let shown = operator(&["actions", "show", "list_stores", "--format", format]);
        let shown: Value = serde_json::from_str(&shown.ended(0).stdout).unwrap();
        assert!(shown["schema_version"].is_null(), "{shown}");
    }
}
