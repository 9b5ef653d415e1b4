//! `operator mode` and `operator kill-switch`.

use tempfile::TempDir;

use crate::Cluster;
use crate::harness::operator;

#[test]
fn a_new_state_directory_only_observes_until_a_person_says_otherwise() {
    let directory = TempDir::new().unwrap();
    let state = ["--state-dir", directory.path().to_str().unwrap()];
    let mode = |more: &[&str]| operator(&[&["mode"], more, &state].concat());
    mode(&[]).ended(0).shows("observe");
    mode(&["execute", "--actor", "agent:night"])
        .ended(3)
        .says("only a person (`user:…`) can");
    mode(&["execute", "--reason", "now"])
        .ended(0)
        .shows("execute");
    assert_eq!(mode(&["-o", "json"]).ended(0).json()["mode"], "execute");
    mode(&["observe", "--actor", "agent:night"])
        .ended(0)
        .shows("observe");
    mode(&["kill"]).ended(2);
}

#[test]
fn in_observe_nothing_is_sent_and_nothing_stays_approved() {
    let cluster = Cluster::start();
    cluster.with_state(&["mode", "observe"]).ended(0);
    cluster
        .run_transfer(&["--yes"])
        .ended(3)
        .says("mode is observe")
        .says("operator mode execute");
    assert_eq!(cluster.sim.writes(), []);
    let list = ["proposals", "list", "--all", "-o", "json"];
    let list = cluster.with_state(&list).ended(0).json();
    let proposal = &list["proposals"][0];
    assert_eq!(proposal["phase"], "cancelled");
    let id = proposal["proposal"]["id"].as_str().unwrap();
    cluster.with_state(&["mode", "execute"]).ended(0);
    cluster
        .with_state(&["proposals", "run", id, "--yes"])
        .ended(3)
        .says("cancelled");
    assert_eq!(cluster.sim.writes(), []);
    cluster.run_transfer(&["--yes"]).ended(0);
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[test]
fn the_kill_switch_stops_everything_until_a_person_resets_it() {
    let cluster = Cluster::start();
    let waiting = ["transfer_leader", "--params", "{}"];
    cluster.run(&waiting).ended(2);
    cluster.run_transfer(&["--actor", "agent:night"]).ended(6);
    let on = [
        "kill-switch",
        "on",
        "--reason",
        "something is wrong",
        "--actor",
        "agent:day",
    ];
    let on = cluster
        .with_state(&[&on[..], &["-o", "json"]].concat())
        .ended(0)
        .json();
    assert_eq!(on["cancelled"].as_array().map(Vec::len), Some(1));
    cluster
        .run_transfer(&["--yes"])
        .ended(3)
        .says("stopped by `agent:day`")
        .says("kill-switch reset");
    cluster
        .with_state(&["kill-switch", "status"])
        .ended(0)
        .shows("something is wrong");
    cluster.with_state(&["mode", "execute"]).ended(3);
    let reset = ["kill-switch", "reset", "--reason", "it was the disk"];
    cluster
        .with_state(&[&reset[..], &["--actor", "agent:day"]].concat())
        .ended(3);
    cluster
        .with_state(&reset)
        .ended(0)
        .shows("Not stopped; the mode is observe");
    cluster.with_state(&reset).ended(3);
    cluster.with_state(&["mode", "execute"]).ended(0);
    cluster.run_transfer(&["--yes"]).ended(0);
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[test]
fn stopping_needs_neither_pd_nor_a_policy_that_can_be_read() {
    let directory = TempDir::new().unwrap();
    let broken = directory.path().join("policy.toml");
    std::fs::write(&broken, "version = ").unwrap();
    let common = [
        "--state-dir",
        directory.path().to_str().unwrap(),
        "--policy-file",
        broken.to_str().unwrap(),
        "--pd",
        "http://127.0.0.1:1",
    ];
    let run = |more: &[&str]| operator(&[more, &common].concat());
    run(&["kill-switch", "on", "--reason", "now"])
        .ended(0)
        .shows("nothing more is sent");
    run(&["kill-switch", "status"]).ended(0).shows("Stopped");
    run(&["kill-switch", "reset", "--reason", "x"])
        .ended(2)
        .says("line 1, column");
    run(&["mode", "observe"]).ended(0);
    run(&["proposals", "list"]).ended(0);
    run(&["journal", "verify"]).ended(0);
}

#[test]
fn a_kill_file_made_by_hand_stops_too() {
    let cluster = Cluster::start();
    std::fs::write(cluster.state.path().join("KILL"), "").unwrap();
    cluster
        .with_state(&["kill-switch", "status"])
        .ended(0)
        .shows("`KILL` file");
    let mode = cluster.with_state(&["mode"]).ended(0);
    mode.shows("execute in").shows("stopped by a `KILL` file");
    let mode = cluster.with_state(&["mode", "-o", "json"]).ended(0).json();
    assert_eq!(
        (&mode["kill_file"], &mode["mode"]),
        (&true.into(), &"execute".into())
    );
    let code = cluster.run_transfer(&["--yes"]).code;
    assert!(code == 3 || code == 1, "{code}");
    assert_eq!(cluster.sim.writes(), []);
    cluster
        .with_state(&["kill-switch", "reset", "--reason", "gone"])
        .ended(0)
        .shows("Not stopped");
    cluster.with_state(&["mode", "execute"]).ended(0);
    cluster.run_transfer(&["--yes"]).ended(0);
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_state_directory_that_everybody_can_write_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = TempDir::new().unwrap();
    let state = ["--state-dir", directory.path().to_str().unwrap()];
    for (mode, times) in [(0o700, 0), (0o777, 1)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(directory.path(), permissions).unwrap();
        let said = operator(&[&["mode"][..], &state].concat()).ended(0).stderr;
        assert_eq!(
            said.matches("every user of this machine").count(),
            times,
            "{said}"
        );
    }
}

#[test]
fn a_journal_that_cannot_be_read_does_not_hide_the_kill_file() {
    let cluster = Cluster::start();
    let segment = "journal/00000000000000000001.jsonl";
    std::fs::write(cluster.state.path().join(segment), "{}\n").unwrap();
    let status = ["kill-switch", "status"];
    let damaged = cluster.with_state(&status).ended(9);
    damaged.says("not stopped by a `KILL` file");
    std::fs::write(cluster.state.path().join("KILL"), "").unwrap();
    let stopped = "stopped by a `KILL` file";
    let ran = cluster.with_state(&status).ended(9).says(stopped);
    assert!(!ran.stderr.contains("not stopped"), "{}", ran.stderr);
    let json = cluster.with_state(&["kill-switch", "status", "-o", "json"]);
    let details = json.ended(9).json()["error"]["details"].to_string();
    assert!(details.contains(stopped), "{details}");

    // To set the mode sends nothing in any case, and does not say so.
    for mode in ["observe", "execute"] {
        let ran = cluster.with_state(&["mode", mode]).ended(9);
        assert!(!ran.stderr.contains("nothing was sent"), "{}", ran.stderr);
    }
}

/// What stands in the way of a journal, and whether one that is there can be written all the same.
#[cfg(unix)]
type Obstacle = (&'static str, fn(&std::path::Path), bool);

#[cfg(unix)]
const OBSTACLES: [Obstacle; 4] = [
    ("owners", a_file, true),
    ("owners", a_link_to_nothing, true),
    ("journal", a_file, false),
    ("journal", a_link_to_nothing, false),
];

#[cfg(unix)]
fn a_file(path: &std::path::Path) {
    std::fs::write(path, "").unwrap();
}

#[cfg(unix)]
fn a_link_to_nothing(path: &std::path::Path) {
    std::os::unix::fs::symlink("/nonexistent/place", path).unwrap();
}

#[cfg(unix)]
#[test]
fn whatever_keeps_a_journal_from_being_made_sends_are_stopped() {
    for (part, stands_there, is_writable) in OBSTACLES {
        let cluster = Cluster::start();
        let path = cluster.state.path().join(part);
        std::fs::remove_dir_all(&path).unwrap();
        stands_there(&path);
        let kill = cluster.state.path().join("KILL");
        let status = ["kill-switch", "status"];

        let observe = cluster.with_state(&["mode", "observe"]);
        assert_eq!(observe.code, i32::from(!is_writable), "{}", observe.stderr);
        if !is_writable {
            let observe = observe.says("kill-switch on").says("the mode is unchanged");
            assert!(
                !observe.stderr.contains("sends nothing"),
                "{}",
                observe.stderr
            );
            cluster.with_state(&status).ended(1).says("not stopped");
        }
        assert!(!kill.exists());

        let on = cluster.with_state(&["kill-switch", "on", "--reason", "now"]);
        let on = on.ended(0).shows("nothing more is sent");
        assert!(kill.exists(), "{part}");
        assert_eq!(
            on.stdout.contains("Stopped by the `KILL` file only"),
            !is_writable
        );
        let ran = cluster.with_state(&status);
        assert_eq!(ran.code, i32::from(!is_writable), "{}", ran.stderr);
        match is_writable {
            true => ran.shows("Stopped by user:ana"),
            false => ran.says("stopped by a `KILL` file"),
        };
    }
}

/// Where no file can be made either, nobody is told that sends are stopped.
#[test]
fn what_could_not_be_stopped_is_said() {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("state");
    std::fs::write(&place, "no directory").unwrap();
    let state = ["--state-dir", place.to_str().unwrap()];
    let on = operator(&[&["kill-switch", "on", "--reason", "now"][..], &state].concat());
    let on = on.ended(1).says("sending is not stopped");
    assert!(!on.stderr.contains("sends nothing"), "{}", on.stderr);
}
