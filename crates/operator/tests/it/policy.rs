//! `operator policy`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::Cluster;
use crate::harness::operator;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/policies")
        .join(name)
}

#[test]
fn shipped_policies_are_right_for_the_actions_there_are() {
    for name in [
        "read-only.toml",
        "supervised.toml",
        "autonomous-within-budget.toml",
    ] {
        let path = shipped(name);
        let path = path.to_str().unwrap();
        operator(&["policy", "check", "--policy-file", path])
            .ended(0)
            .shows("policy is valid");
    }
    operator(&["policy", "check"]).ended(0).shows("built in");
}

/// What is copied from the page is a policy.
#[test]
fn policies_of_the_page_are_right_as_they_are_printed() {
    let page = include_str!("../../../../docs/operating.md");
    let blocks = page.split("```toml\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    let policies: Vec<_> = blocks
        .filter(|block| block.contains("[[rule]]") || block.contains("[[person]]"))
        .collect();
    assert!(policies.len() >= 2);
    let home = TempDir::new().unwrap();
    for policy in policies {
        let path = home.path().join("policy.toml");
        std::fs::write(&path, policy).unwrap();
        let check = ["policy", "check", "--policy-file", path.to_str().unwrap()];
        operator(&check).ended(0).shows("policy is valid");
    }
}

#[test]
fn a_wrong_policy_is_told_by_line_and_column_and_nothing_runs_under_it() {
    let cluster = Cluster::start();
    let path = cluster.state.path().join("policy.toml");
    let text = "version = 1\n[[rule]]\nname = \"a\"\nacton = \"x\"\ndecision = \"allow\"\n\
        [[rule]]\nname = \"b\"\naction = \"transfer_leadr\"\ndecision = \"deny\"\n";
    std::fs::write(&path, text).unwrap();
    let policy = ["--policy-file", path.to_str().unwrap()];
    let run = || cluster.run_transfer(&[&["--yes"], &policy[..]].concat());
    operator(&[&["policy", "check"], &policy[..]].concat())
        .ended(2)
        .says("line 4, column 1: unknown key `acton` in a rule; did you mean `action`?")
        .says("line 8, column 10: `transfer_leadr` matches no action");
    run().ended(2).says("line 4");
    std::fs::write(&path, text.replace("acton = \"x\"", "risk = \"low\"")).unwrap();
    run().ended(2).says(
        "line 8, column 10: `transfer_leadr` matches no action; did you mean `transfer_leader`?",
    );
    assert_eq!(cluster.sim.writes(), []);
}

/// A plan sends nothing and needs no policy: that there is none where it was named is said all the same.
#[test]
fn a_plan_says_that_the_policy_is_missing() {
    let cluster = Cluster::start();
    let plan = ["plan", "set_leader_schedule_limit", "--limit", "9"];
    let missing = ["--policy-file", "/nonexistent/policy.toml"];
    cluster
        .operator(&[&plan[..], &missing].concat())
        .ended(0)
        .says("warning: cannot read the policy `/nonexistent/policy.toml`");
}

#[test]
fn an_explanation_names_the_rule_and_what_speaks_against_the_others() {
    let cluster = Cluster::start();
    let state = TempDir::new().unwrap();
    let policy = shipped("supervised.toml");
    let common = [
        "--policy-file",
        policy.to_str().unwrap(),
        "--state-dir",
        state.path().to_str().unwrap(),
    ];
    let explain = |more: &[&str]| {
        let drain = ["policy", "explain", "drain_store", "--store-id", "2"];
        cluster.operator(&[&drain[..], more, &common].concat())
    };
    explain(&["--at", "2026-11-24T12:00:00Z"])
        .ended(6)
        .shows("Needs 2 approvals from user:*")
        .shows("high risk, two people (rule, line")
        .shows("it takes back no effect of ours")
        .shows("1 of 1 lasting effects in force");
    explain(&["--at", "2026-11-28T12:00:00Z"])
        .ended(3)
        .shows("weekdays")
        .shows("it is outside");
    explain(&["--at", "2026-11-28T12:00:00Z", "--takes-back"])
        .ended(0)
        .shows("Allowed");
    explain(&["--at", "yesterday"]).ended(2);
    let json = explain(&["--at", "2026-11-24T12:00:00Z", "-o", "json"])
        .ended(6)
        .json();
    assert_eq!(json["explanation"]["decision"]["decision"], "approve");
    assert_eq!(cluster.sim.writes(), []);
}

#[test]
fn a_policy_can_be_explained_without_a_cluster() {
    let state = TempDir::new().unwrap();
    let directory = state.path().to_str().unwrap();
    operator(&[
        "policy",
        "explain",
        "drain_store",
        "--actor",
        "agent:x",
        "--state-dir",
        directory,
        "--pd",
        "http://127.0.0.1:1",
    ])
    .ended(6)
    .shows("agents ask a person")
    .shows("Budgets over quantities were not checked");
}

#[test]
fn under_the_read_only_policy_nothing_is_sent() {
    let cluster = Cluster::start();
    let policy = shipped("read-only.toml");
    let policy = ["--policy-file", policy.to_str().unwrap()];
    cluster
        .run_transfer(&[&["--yes"], &policy[..]].concat())
        .ended(3)
        .says("denied by rule `nothing else changes")
        .says("nothing is changed under it");
    assert_eq!(cluster.sim.writes(), []);
}

#[test]
fn names_that_nobody_has_seen_are_warnings_which_strict_refuses() {
    let state = TempDir::new().unwrap();
    let path = state.path().join("policy.toml");
    let text =
        "version = 1\n[[rule]]\nname = \"a\"\nactor = \"agent:nigth\"\ndecision = \"deny\"\n";
    std::fs::write(&path, text).unwrap();
    let check = [
        "policy",
        "check",
        "--policy-file",
        path.to_str().unwrap(),
        "--state-dir",
        state.path().to_str().unwrap(),
    ];
    let warning = "line 4, column 9: no known actor matches `agent:nigth`";
    operator(&check).ended(0).says(warning);
    operator(&[&check[..], &["--strict"]].concat())
        .ended(2)
        .says(warning);
    std::fs::write(&path, text.replace("agent:nigth", "agnet:*")).unwrap();
    operator(&check)
        .ended(2)
        .says("unknown kind of actor `agnet`; did you mean `agent`?");
}

/// While it waits for people the file goes wrong: nothing is sent by what was read before.
#[test]
fn a_policy_that_goes_wrong_meanwhile_lets_nothing_be_sent() {
    let cluster = Cluster::start();
    let (kept, path) = (
        shipped("supervised.toml"),
        cluster.state.path().join("policy.toml"),
    );
    std::fs::copy(&kept, &path).unwrap();
    let region = cluster.first_region();
    let mut child = Command::new(env!("CARGO_BIN_EXE_operator"))
        .args([
            "--pd",
            cluster.sim.endpoint(),
            "run",
            "transfer_leader",
            "--yes",
        ])
        .args([
            "--wait",
            "10m",
            "--actor",
            "agent:night",
            "--settle-for",
            "0s",
        ])
        .args([
            "--state-dir",
            cluster.state_dir(),
            "--region-id",
            &region.id,
        ])
        .args(["--to-store-id", &region.follower.to_string()])
        .args(["--policy-file", path.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("operator approve ") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it did not wait");
    }
    std::fs::write(&path, "nonsense").unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = |name: &str| words.iter().position(|word| *word == name).unwrap() + 1;
    let (id, plan) = (words[at("approve")], words[at("--plan")]);
    let approve = ["approve", id, "--plan", plan, "--policy-file"];
    cluster
        .with_state(&[&approve[..], &[kept.to_str().unwrap()]].concat())
        .ended(0);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{rest}");
    let told = format!("not sent: invalid policy `{}`: line 1", path.display());
    assert!(rest.contains(&told), "{rest}");
    assert_eq!(cluster.sim.writes(), []);
}

/// What is wrong is told before the intent, and once.
#[test]
fn a_policy_that_breaks_under_a_running_process_is_told_before_the_intent() {
    let cluster = Cluster::start();
    let file = |name: &str, text: &str| {
        let path = cluster.state.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let valid = "version = 1\n[[rule]]\nname = \"all\"\ndecision = \"approve\"\n\
        by = \"user:*\"\nttl = \"5m\"\n";
    let (breaks, other) = (file("breaks.toml", valid), file("other.toml", valid));
    let asked = ["--actor", "agent:night", "--yes", "--wait", "60s"];
    let asked = [&asked[..], &["--policy-file", &breaks]].concat();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| cluster.run_transfer(&asked));
        let list = ["proposals", "list", "-o", "json"];
        let proposal = loop {
            let list = cluster.with_state(&list).ended(0).json();
            if let Some(status) = list["proposals"].get(0) {
                break status["proposal"].clone();
            }
        };
        file("breaks.toml", "version = ");
        let (id, plan) = (&proposal["id"], &proposal["plan_hash"]);
        let (id, plan) = (id.as_str().unwrap(), plan.as_str().unwrap());
        let approve = ["approve", id, "--plan", plan, "--policy-file", &other];
        cluster.with_state(&approve).ended(0);
        let ran = waiting.join().unwrap().ended(2);
        let told = format!("error: not sent: invalid policy `{breaks}`: line 1, column");
        assert_eq!(ran.stderr.matches(&told).count(), 1, "{}", ran.stderr);
        assert!(!ran.stderr.contains("intent recorded"), "{}", ran.stderr);
        assert_eq!(cluster.sim.writes(), []);
        let records = cluster.with_state(&["journal", "show", "-o", "json"]);
        assert!(!records.ended(0).stdout.contains("\"intent\""));
    });
    // A new process has no valid one to go by.
    let new = cluster.run_transfer(&["--policy-file", &breaks]);
    new.ended(2).says("line 1, column");
}

#[test]
fn where_no_rule_matches_no_rule_is_named() {
    let cluster = Cluster::start();
    let path = cluster.state.path().join("policy.toml");
    let text = "version = 1\n[[rule]]\nname = \"a\"\nactor = \"agent:x\"\ndecision = \"allow\"\n\
        [[budget]]\nname = \"looks\"\naction = \"get_*\"\nactions = 1\nper = \"1h\"\n";
    let policy = ["--policy-file", path.to_str().unwrap()];
    let run = || cluster.run_transfer(&[&["--yes"], &policy[..]].concat());
    std::fs::write(&path, text).unwrap();
    run()
        .ended(2)
        .says("line 6, column 1: budget `looks` has no effect: it matches no mutation");
    std::fs::write(&path, text.replace("get_*", "transfer_*")).unwrap();
    run().ended(3).says("denied: no rule matches");
    let shown = cluster.with_state(&["journal", "show"]).ended(0);
    assert!(
        shown.stdout.contains("denied: no rule matches"),
        "{}",
        shown.stdout
    );
    assert_eq!(cluster.sim.writes(), []);
}
