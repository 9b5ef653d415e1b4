//! What may be another's, because its request was not answered: who takes it back, and how.

use pd_sim::Fault;

use crate::Cluster;
use crate::harness::{Finished, command, finished};

/// The first command between backticks.
fn named(text: &str) -> Vec<String> {
    let command = text.split('`').find(|part| part.starts_with("operator "));
    let words = command.unwrap().split_whitespace().skip(1);
    words.map(str::to_owned).collect()
}

/// A refusal for it: its code, and what a person can give.
#[track_caller]
fn for_a_person(refused: &Finished) -> Vec<String> {
    let json = refused.json();
    let error = &json["error"];
    assert_eq!(error["code"], "whose_unknown", "{error}");
    let next = error["next"].as_str().unwrap();
    assert!(next.starts_with("a person must decide; "), "{next}");
    named(next)
}

/// A drain whose answer was lost, and whose lease is over.
fn drained() -> (Cluster, String) {
    let cluster = Cluster::start();
    let lost = Fault::reply_lost_after_apply("POST", "/schedulers");
    cluster.sim.fault(lost);
    let drain = ["drain_store", "--store-id", "2", "--lease", "1s", "--yes"];
    let ran = cluster.run(&[&drain[..], &["-o", "json"]].concat());
    let ran = ran.ended(0).json();
    assert_eq!(ran["outcome"]["by"], "undecided", "{ran}");
    assert_eq!(cluster.sim.evicting(), [2]);
    let list = ["proposals", "list", "-o", "json"];
    let listed = || cluster.with_state(&list).ended(0).json();
    while listed()["in_force"][0]["lease_over"] != true {}
    let id = ran["id"].as_str().unwrap().to_owned();
    (cluster, id)
}

#[test]
fn what_may_be_anothers_is_taken_back_by_the_command_that_a_person_is_told() {
    let (cluster, id) = drained();
    let json = ["--yes", "-o", "json"];
    let agents = ["undo", &id, "--actor", "agent:night"];
    let refused = cluster.with_state(&[&agents[..], &json].concat()).ended(3);
    let told = for_a_person(&refused);
    assert!(!told.contains(&"--actor".to_owned()), "{told:?}");
    let last = ["undo", "--last"];
    let refused = cluster.with_state(&[&last[..], &json].concat()).ended(3);
    assert_eq!(for_a_person(&refused), told);
    let glass = ["undo", "--last", "--break-glass", "--reason", "x", "--yes"];
    cluster.with_state(&glass).ended(2).says("needs an id");
    let reaped = cluster.with_state(&["reap"]).ended(3);
    let reaped = reaped.shows("its lease has expired; the request");
    assert_eq!(named(reaped.stdout.split('\n').nth(1).unwrap()), told);

    assert_eq!(cluster.sim.writes().len(), 1);
    let yes = [&told[..], &["--yes".to_owned()]].concat();
    let undone = finished(command().args(&yes)).ended(0);
    undone.says("it is unknown whose effect this is");
    assert!(cluster.sim.evicting().is_empty());
}

#[test]
fn lists_say_that_a_person_decides_about_what_may_be_anothers() {
    let (cluster, id) = drained();
    let told = |who: &str, verb: &[&str], code| {
        let as_who = [verb, &["--actor", who]].concat();
        let shown = cluster.with_state(&as_who).ended(code);
        shown.shows("lease expired: a person must decide").stdout
    };
    let doctor = told("user:ana", &["doctor"], 7);
    assert!(doctor.contains("(lease_ended)"), "{doctor}");
    let json = cluster
        .with_state(&["doctor", "-o", "json"])
        .ended(7)
        .json();
    let findings = json["findings"].as_array().unwrap();
    let lease = findings.iter().find(|one| one["code"] == "lease_ended");
    let next = lease.unwrap()["next"].as_str().unwrap();
    assert!(
        next.starts_with("a person must decide; `operator undo "),
        "{next}"
    );
    for verb in [&["doctor"][..], &["proposals", "list"]] {
        let code = if verb.len() == 1 { 7 } else { 0 };
        let json = [verb, &["-o", "json", "--actor", "agent:night"]].concat();
        let json = cluster.with_state(&json).ended(code).json();
        let effect = &json["in_force"][0];
        assert_eq!(effect["id"], id.as_str());
        assert_eq!(effect["whose_unknown"], true);
        assert!(effect["undo_command"].is_null(), "{effect}");
        let shown = told("agent:night", verb, code);
        assert!(
            shown.contains("a person must decide; `operator undo "),
            "{shown}"
        );
        assert!(!shown.contains("stop_drain"), "{shown}");
    }
}
