//! `operator why` and `operator doctor`.

use std::time::Duration;

use pd_sim::StoreState;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::operator;

/// Nothing found is success; something found has a code of its own.
#[test]
fn what_was_found_decides_the_exit_code() {
    let cluster = Cluster::start();
    for verb in ["why", "doctor"] {
        cluster
            .operator(&[verb])
            .ended(0)
            .shows("No problems found");
        let json = cluster.operator(&[verb, "-o", "json"]).ended(0).json();
        assert_eq!(json["findings"].as_array().map(Vec::len), Some(0));
    }
    cluster.sim.set_schedule("leader-schedule-limit", 0);
    for verb in ["why", "doctor"] {
        cluster
            .operator(&[verb])
            .ended(7)
            .shows("schedule_limit_zero")
            .shows("Next: ");
    }
}

/// After its start PD knows nothing of stores and regions until they report: that nothing was found
/// is no success then, and what was found is found all the same.
#[test]
fn nothing_found_is_no_success_while_pd_does_not_know_yet() {
    let cluster = Cluster::start();
    cluster.sim.hold_store_heartbeats(true);
    cluster.sim.hold_region_heartbeats(true);
    cluster.sim.restart();
    for asked in [
        &["doctor"][..],
        &["why"],
        &["run", "doctor"],
        &["run", "why"],
        &["run", "check_invariants", "--members", "1"],
        &["run", "cluster_health"],
    ] {
        let json = cluster.operator(&[asked, &["-o", "json"]].concat());
        let json = json.ended(5).json();
        let not_yet = json["not_known_yet"][0].as_str().unwrap();
        assert!(not_yet.contains("what stores and regions report"), "{json}");
    }
    for verb in ["doctor", "why"] {
        let shown = cluster.operator(&[verb]).ended(5);
        shown
            .shows("No problems found so far")
            .shows("Not known yet");
    }
    cluster.sim.set_schedule("leader-schedule-limit", 0);
    for verb in ["doctor", "why"] {
        let shown = cluster.operator(&[verb]).ended(7);
        shown.shows("schedule_limit_zero").shows("Not known yet");
    }
}

/// `run why` and `run doctor` ask the same questions.
#[test]
fn the_same_question_has_the_same_answer_by_run() {
    let cluster = Cluster::start();
    for action in ["why", "doctor"] {
        cluster.run(&[action]).ended(0).shows("No problems found");
    }
    cluster.sim.set_schedule("leader-schedule-limit", 0);
    for action in ["why", "doctor"] {
        let by_run = cluster.run(&[action, "-o", "json"]).ended(7).json();
        let by_verb = cluster.operator(&[action, "-o", "json"]).ended(7).json();
        assert_eq!(by_run["findings"], by_verb["findings"]);
        assert_eq!(by_run["findings"][0]["code"], "schedule_limit_zero");
    }
}

/// The command that fixes a finding is printed, and fixes it.
#[test]
fn the_printed_command_mends_what_was_found() {
    let cluster = Cluster::start();
    cluster.sim.set_evicting(4, true);
    while cluster.sim.leader_count(4) > 0 {
        cluster.sim.advance(Duration::from_secs(1));
    }
    cluster.sim.set_store_state(4, StoreState::Tombstone);
    let json = cluster.operator(&["doctor", "-o", "json"]).ended(7).json();
    let found = &json["findings"][0];
    assert_eq!(found["code"], "drain_of_no_store");
    assert_eq!(found["lasting_effect"], "evict-leader/4");
    let command = found["fix_command"].as_str().unwrap();
    let expected = format!(
        "operator run stop_drain --store-id 4 --pd {}",
        cluster.sim.endpoint()
    );
    assert_eq!(command, expected);
    cluster.operator(&["doctor"]).ended(7).shows(command);

    let words: Vec<&str> = command.split(' ').skip(2).collect();
    let mut all = vec!["--yes"];
    all.extend(words);
    cluster.run(&all).ended(0);
    cluster.operator(&["doctor"]).ended(0);
}

/// A drain that was run from here is known by its proposal, another one is not.
#[test]
fn whose_a_leftover_is_comes_from_the_journal() {
    let cluster = Cluster::start();
    cluster.sim.set_evicting(4, true);
    cluster
        .run(&["--yes", "drain_store", "--store-id", "2"])
        .ended(0);
    let doctor = ["doctor", "--state-dir", cluster.state_dir()];
    let json = cluster
        .operator(&[&doctor[..], &["-o", "json"]].concat())
        .ended(7)
        .json();
    let findings = json["findings"].as_array().unwrap();
    let owner = |key: &str| {
        let mut found = findings.iter();
        &found.find(|one| one["lasting_effect"] == key).unwrap()["owner"]
    };
    assert!(owner("evict-leader/2")["proposal"].is_string(), "{json}");
    assert!(owner("evict-leader/4").is_null(), "{json}");
    // Others' effects stand apart and have no command ready to paste; ours have one, their undo.
    let shown = cluster
        .operator(&doctor)
        .ended(7)
        .shows("`operator undo ")
        .shows("In force, but not requested from this state directory");
    let (first, others) = shown
        .stdout
        .split_once("In force, but not requested from this state directory")
        .unwrap();
    assert!(first.contains("from store 2") && !first.contains("from store 4"));
    assert!(others.contains("from store 4"), "{others}");
    assert!(!shown.stdout.contains("operator run"), "{}", shown.stdout);
    let commands = |one: &Value| one.get("fix_command").is_some();
    assert!(!findings.iter().any(commands), "{json}");
    let undo = owner("evict-leader/2")["undo_command"].as_str().unwrap();
    assert!(undo.contains("--state-dir"), "{undo}");
    // The next step is one in both forms.
    let next = |key: &str| {
        let mut found = findings.iter();
        let found = found.find(|one| one["lasting_effect"] == key).unwrap();
        found["next"].as_str().unwrap()
    };
    assert_eq!(
        next("evict-leader/2"),
        format!("run `{undo}` to take it back")
    );
    assert!(next("evict-leader/4").contains("`stop_drain`"), "{json}");

    // Only what the journal knows is said of when it was seen.
    assert!(!shown.stdout.contains("First seen here"));
    let no_op = cluster
        .run(&["--yes", "drain_store", "--store-id", "4"])
        .ended(0)
        .says("nothing was sent: nothing to do");
    let told = format!("{}{}", no_op.stdout, no_op.stderr);
    assert!(
        !told.contains("Impact") && !told.contains("Takes about"),
        "{told}"
    );
    let shown = cluster.operator(&doctor).ended(7);
    shown.shows("First seen here at ");
}

/// What we have set may be why something does not move, whatever it was set to.
#[test]
fn why_shows_what_is_in_force_that_was_asked_for_here() {
    let cluster = Cluster::start();
    cluster
        .run(&["--yes", "set_leader_schedule_limit", "--limit", "1"])
        .ended(0);
    cluster
        .with_state(&["why"])
        .ended(0)
        .shows("No problems found")
        .shows("config/schedule.leader-schedule-limit");
}

/// What is set to PD's default is on the list, and nothing that somebody has to take back.
#[test]
fn what_is_as_it_is_by_default_is_nothing_found() {
    let cluster = Cluster::start();
    let default = cluster.sim.limit_in_force("leader-schedule-limit");
    cluster
        .sim
        .set_schedule("leader-schedule-limit", default + 3);
    let set = ["--yes", "set_leader_schedule_limit", "--limit"];
    let to = |limit: u64| cluster.run(&[&set[..], &[&limit.to_string()]].concat());
    to(default + 1).ended(0);
    cluster.with_state(&["doctor"]).ended(7);
    to(default).ended(0);
    let shown = cluster.with_state(&["doctor"]).ended(0);
    shown
        .shows("No problems found")
        .shows("In force, requested from here");
}

/// What only set a limit is nothing that PD shows as left behind: the journal knows it.
#[test]
fn whatever_we_left_in_force_is_one_list_in_two_places() {
    let cluster = Cluster::start();
    cluster
        .run(&["--yes", "set_leader_schedule_limit", "--limit", "7"])
        .ended(0);
    let (doctor, list) = (["doctor"], ["proposals", "list"]);
    for command in [&doctor[..], &list[..]] {
        let found = if command == doctor { 7 } else { 0 };
        let shown = cluster.with_state(command).ended(found);
        let shown = shown.shows("In force, requested from here");
        let shown = shown.shows("config/schedule.leader-schedule-limit");
        shown.shows("operator undo ");
        let json = cluster.with_state(&[command, &["-o", "json"]].concat());
        let json = json.ended(found).json();
        let effects = json["in_force"].as_array().unwrap();
        assert_eq!(effects.len(), 1, "{json}");
        assert_eq!(effects[0]["confirmed"], true);
        let undo = effects[0]["undo_command"].as_str().unwrap();
        assert!(undo.starts_with("operator undo "), "{undo}");
    }
    cluster.with_state(&["undo", "--last", "--yes"]).ended(0);
    cluster
        .with_state(&doctor)
        .ended(0)
        .shows("No problems found");
    let json = cluster.with_state(&[&list[..], &["-o", "json"]].concat());
    assert_eq!(
        json.ended(0).json()["in_force"].as_array().map(Vec::len),
        Some(0)
    );
}

/// What somebody removed by hand stays on the journal's list: `doctor` compares it with PD, and has
/// the command that takes it off. What PD does not show for a moment is not called gone.
#[test]
fn what_somebody_removed_by_hand_is_not_called_in_force() {
    let cluster = Cluster::start();
    let actions = [
        &["drain_store", "--store-id", "2"][..],
        &["set_leader_schedule_limit", "--limit", "7"],
    ];
    for action in actions {
        cluster.run(&[&["--yes"], action].concat()).ended(0);
    }
    let doctor = || {
        let json = cluster
            .with_state(&["doctor", "-o", "json"])
            .ended(7)
            .json();
        json["in_force"].as_array().unwrap().clone()
    };
    let state = |one: &Value| one["shown"]["state"].as_str().unwrap().to_owned();
    assert_eq!(
        doctor().iter().map(state).collect::<Vec<_>>(),
        ["held", "held"]
    );

    // As `pd-ctl scheduler remove evict-leader-scheduler-2` does.
    cluster.delete("/pd/api/v1/schedulers/evict-leader-scheduler-2");
    cluster.sim.set_schedule("leader-schedule-limit", 9);
    let gone = doctor();
    for (one, text) in gone
        .iter()
        .zip(["store 2 is not being drained", "is 9, not 7"])
    {
        assert_eq!(state(one), "reversed", "{one}");
        assert!(one["undo_command"].is_null(), "{one}");
        let words = one["shown"]["cause"]["text"].as_str().unwrap();
        assert!(words.contains(text), "{words}");
    }
    let shown = cluster.with_state(&["doctor"]).ended(7);
    let shown = shown.shows("no longer in force, removed by somebody else: store 2 is not");
    let shown = shown.shows("to remove it from this list");
    assert!(!shown.stdout.contains("operator undo"), "{}", shown.stdout);
    // The list itself asks nobody, and says who does.
    let list = cluster.with_state(&["proposals", "list"]).ended(0);
    list.shows("operator doctor ").shows("operator undo ");

    for one in gone {
        let command = one["release_command"].as_str().unwrap();
        let shell = command.strip_prefix("operator ").unwrap();
        let words = shell.replace("'no longer in force'", "gone");
        let words: Vec<&str> = words.split(' ').collect();
        operator(&words).ended(0).shows("is released");
    }
    let left = cluster.with_state(&["doctor"]).ended(0);
    left.shows("No problems found");
}

/// The command that takes something off the list is shown to who may give it.
#[test]
fn who_may_not_release_what_is_gone_reads_why() {
    let cluster = Cluster::start();
    cluster
        .run(&["--yes", "set_leader_schedule_limit", "--limit", "7"])
        .ended(0);
    cluster.sim.set_schedule("leader-schedule-limit", 9);
    let doctor = ["doctor", "--actor", "agent:night"];
    let shown = cluster.with_state(&doctor).ended(7);
    let shown = shown.shows("you cannot remove it from this list: ");
    assert!(!shown.stdout.contains("operator release"));
    let json = cluster.with_state(&[&doctor[..], &["-o", "json"]].concat());
    assert!(json.json()["in_force"][0]["release_command"].is_null());
}

/// The flags are those of the action, and what is wrong with them is said.
#[test]
fn why_takes_the_parameters_of_its_action() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    cluster
        .sim
        .set_heartbeat_age(region.follower, Duration::from_secs(60));
    let to = region.follower.to_string();
    cluster
        .operator(&["why", "--to-store-id", &to])
        .ended(7)
        .shows("store_disconnected");
    cluster
        .operator(&["why", "--from-store-id", "4", "--to-store-id", "4"])
        .ended(2);
    operator(&["why", "--help"]).ended(0).shows("--region-id");
    operator(&["--pd", "http://127.0.0.1:1", "doctor"]).ended(5);
}
