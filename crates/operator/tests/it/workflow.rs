//! `operator workflow`.

use std::path::PathBuf;

use crate::Cluster;
use crate::harness::Finished;

const DRAIN: &str = r#"
title = "Work on store 2"

[[steps]]
id = "drain"
action = "drain_store"
parameters = { store_id = "2" }

[[steps]]
id = "empty"
observe = "get_store"
parameters = { store_id = "2" }
until = [{ at = "/store/leader_count", at_most = 0 }]

[[steps]]
id = "work"
confirm = "Work on it."

[[steps]]
id = "lead"
undo = "drain"
"#;

impl Cluster {
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.state.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn workflow(&self, arguments: &[&str]) -> Finished {
        let mut all = vec!["--state-dir", self.state_dir(), "workflow"];
        all.extend(arguments);
        self.operator(&all)
    }
}

#[test]
fn a_workflow_is_started_confirmed_and_gone_on_with_by_several_commands() {
    let cluster = Cluster::start();
    let file = cluster.file("work.toml", DRAIN);
    let file = file.to_str().unwrap();
    cluster
        .workflow(&["show", "--file", file])
        .ended(0)
        .shows("take back drain");
    assert!(cluster.sim.writes().is_empty());

    let started = cluster
        .workflow(&[
            "start", "--file", file, "--yes", "--reason", "new disk", "-o", "json",
        ])
        .ended(6)
        .json();
    let id = started["flow"]["id"].as_str().unwrap();
    assert_eq!(
        started["next_steps"]["waiting"][0]["waiting_for"],
        "confirmation"
    );
    assert_eq!(cluster.sim.evicting(), [2]);
    cluster
        .workflow(&["status", id])
        .ended(0)
        .shows(&format!("operator workflow confirm {id} work"));
    cluster.workflow(&["resume", id]).ended(6);
    cluster
        .workflow(&["confirm", id, "lead"])
        .ended(3)
        .says("does not need a confirmation");
    cluster
        .workflow(&["confirm", id, "work", "--note", "done"])
        .ended(0)
        .says(&format!("operator workflow resume {id}"))
        .shows("done by user:ana: done");
    cluster
        .workflow(&["resume", &id[id.len() - 8..]])
        .ended(0)
        .shows("completed");
    assert!(cluster.sim.evicting().is_empty());
    cluster
        .workflow(&["list"])
        .ended(0)
        .shows("4 of 4")
        .shows("rolling_drain");
}

#[test]
fn a_workflow_is_cancelled_and_taken_back() {
    let cluster = Cluster::start();
    let file = cluster.file("work.toml", DRAIN);
    let started = cluster
        .workflow(&[
            "start",
            "--file",
            file.to_str().unwrap(),
            "--yes",
            "-o",
            "json",
        ])
        .ended(6)
        .json();
    let id = started["flow"]["id"].as_str().unwrap();
    cluster
        .workflow(&["cancel", id, "--reason", "not today"])
        .ended(0)
        .shows("cancelled");
    assert_eq!(cluster.sim.evicting(), [2]);
    cluster
        .workflow(&["compensate", id, "--reason", "all of it"])
        .ended(0)
        .shows("taken back");
    assert!(cluster.sim.evicting().is_empty());
}

/// What a step took back is said, and where it took nothing back, why: never that it is done.
#[test]
fn a_step_that_takes_back_says_what_it_did() {
    for by_hand in [false, true] {
        let cluster = Cluster::start();
        let file = cluster.file("work.toml", DRAIN);
        let file = file.to_str().unwrap();
        let start = ["start", "--file", file, "--yes", "--detach", "-o", "json"];
        let started = cluster.workflow(&start).ended(0).json();
        let id = started["flow"]["id"].as_str().unwrap();
        // Who asked for it is one, and who carries it out is another.
        cluster
            .workflow(&["resume", id, "--actor", "user:ben"])
            .ended(6);
        for list in [
            &["proposals", "list"][..],
            &["doctor", "--pd", cluster.sim.endpoint()],
        ] {
            let shown = cluster.with_state(list);
            let text = "by user:ana, carried out by user:ben at ";
            assert!(shown.stdout.contains(text), "{}", shown.stdout);
        }
        let json = cluster.with_state(&["proposals", "list", "-o", "json"]);
        let effect = json.ended(0).json()["in_force"][0].clone();
        assert_eq!(effect["actor"], "user:ana");
        assert_eq!(effect["carried_out_by"], "user:ben");
        if by_hand {
            cluster.by_somebody_else(&["run", "stop_drain", "--store-id", "2", "--yes"]);
        }
        cluster.workflow(&["confirm", id, "work"]).ended(0);
        let ended = cluster
            .workflow(&["resume", id])
            .ended(0)
            .shows("completed");
        let row = ended
            .stdout
            .lines()
            .find(|line| line.contains("take back drain"));
        let row = row.unwrap();
        let (wanted, of_all) = match by_hand {
            false => ("took it back: ", "\ntaken back\n"),
            true => ("nothing to take back: ", "\nnothing to take back\n"),
        };
        assert!(row.contains(wanted) && !row.contains("done"), "{row}");
        let all = ["compensate", id, "--reason", "all of it"];
        cluster.workflow(&all).ended(0).shows(of_all);
    }
}

#[test]
fn a_workflow_that_is_wrong_is_told_all_at_once_and_not_started() {
    let cluster = Cluster::start();
    let wrong = DRAIN
        .replace("at_most", "at_mots")
        .replace("undo = \"drain\"", "undo = \"drian\"");
    let file = cluster.file("work.toml", &wrong);
    let file = file.to_str().unwrap();
    cluster
        .workflow(&["start", "--file", file])
        .ended(2)
        .says("did you mean `at_most`?")
        .says("did you mean `drain`?");
    cluster
        .workflow(&["start", "rolling_drain", "--label", "zone=nowhere"])
        .ended(2)
        .says("no TiKV store has the label `zone=nowhere`");
    cluster.workflow(&["list"]).ended(0).shows("No workflows.");
    assert!(cluster.sim.writes().is_empty());
}

/// Nobody could go on with it, and what is refused for it does not show it.
#[test]
fn a_workflow_with_a_secret_is_refused_by_its_place_before_it_is_shown() {
    let cluster = Cluster::start();
    let secret = "password=hunter2";
    let file = cluster.file(
        "work.json",
        &format!(
            r#"{{"title": "rack {secret}", "steps": [
                {{"id": "a", "confirm": "ask"}}, {{"id": "b", "confirm": "with {secret}"}}]}}"#
        ),
    );
    let file = file.to_str().unwrap();
    for verb in ["start", "show"] {
        for format in ["table", "json"] {
            let ran = cluster
                .workflow(&[verb, "--file", file, "-o", format])
                .ended(2);
            let all = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!all.contains("rack") && !all.contains("hunter2"), "{all}");
            ran.says("title: it contains a secret")
                .says("steps[1].confirm: it");
        }
    }
}

/// PD's checker puts a new replica on the same store at once, and the answer is lost: the replica
/// that was to go has gone all the same, and is not asked for again.
#[test]
fn a_replica_that_was_removed_is_not_removed_again() {
    let cluster = Cluster::start();
    let id = cluster.sim.region_ids()[0];
    let leader = cluster.sim.leader_of(id);
    let peers = cluster.sim.peers(id);
    let old = peers.iter().find(|peer| Some(peer.store_id) != leader);
    let old = old.unwrap();
    let file = cluster.file(
        "remove.toml",
        &format!(
            r#"
title = "A replica less"

[[steps]]
id = "remove"
action = "remove_peer"
parameters = {{ region_id = {id}, store_id = "{}" }}
retry = {{ times = 3, first = "1s", longest = "1s" }}
"#,
            old.store_id
        ),
    );
    let fault = pd_sim::Fault::reply_lost_after_apply("POST", "/operators");
    cluster.sim.fault(fault);
    cluster.workflow(&[
        "start",
        "--file",
        file.to_str().unwrap(),
        "--yes",
        "--reason",
        "test",
    ]);
    assert_eq!(cluster.sim.received("POST", "/operators"), 1);
    let peers = cluster.sim.peers(id);
    assert!(peers.iter().all(|peer| peer.id != old.id));
}

#[test]
fn a_workflow_with_a_step_of_high_risk_shows_its_plan_and_asks_before_it_starts() {
    let cluster = Cluster::start();
    let file = cluster.file("work.toml", DRAIN);
    cluster
        .workflow(&["start", "--file", file.to_str().unwrap()])
        .ended(3)
        .says("Step drain: drain_store")
        .says("stdin is not a terminal");
    cluster.workflow(&["list"]).ended(0).shows("No workflows.");
    assert!(cluster.sim.writes().is_empty());
}

#[test]
fn an_agent_confirms_nothing_and_goes_on_only_with_what_it_may() {
    let cluster = Cluster::start();
    let text = DRAIN.replace(
        "confirm = \"Work on it.\"",
        "confirm = \"Work on it.\"\nby = [\"user:ana\"]",
    );
    let file = cluster.file("work.toml", &text);
    let start = [
        "start",
        "--file",
        file.to_str().unwrap(),
        "--yes",
        "--detach",
        "-o",
        "json",
    ];
    let started = cluster.workflow(&start).ended(0).json();
    let id = started["flow"]["id"].as_str().unwrap();
    // What people may at once, agents ask them for: by the built-in policy.
    cluster
        .workflow(&["resume", id, "--actor", "agent:x"])
        .ended(6)
        .shows("needs approval");
    assert!(cluster.sim.writes().is_empty());
    cluster
        .workflow(&["resume", id])
        .ended(6)
        .shows("waits for user:ana to do this");
    assert_eq!(cluster.sim.evicting(), [2]);
    for other in ["agent:x", "user:ben"] {
        cluster
            .workflow(&["confirm", id, "work", "--actor", other])
            .ended(3);
    }
    cluster.workflow(&["confirm", id, "work"]).ended(0);
}

/// As `run` ends, so ends a workflow of which the policy denies a step.
#[test]
fn a_step_that_the_policy_denies_ends_it_as_refused() {
    let cluster = Cluster::start();
    let file = cluster.file("work.toml", DRAIN);
    let policy = "version = 1\n[[rule]]\nname = \"none\"\naction = \"drain_store\"\n\
        decision = \"deny\"\nreason = \"not today\"\n";
    let policy = cluster.file("policy.toml", policy);
    let start = ["start", "--yes", "--file", file.to_str().unwrap()];
    let under = ["--policy-file", policy.to_str().unwrap()];
    cluster
        .workflow(&[&start[..], &under[..]].concat())
        .ended(3)
        .shows("denied: ");
    assert_eq!(cluster.sim.writes(), []);
}
