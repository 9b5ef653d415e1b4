//! `operator run` and `operator recover`.

use pd_sim::Fault;

use crate::Cluster;

#[test]
fn an_observation_runs_without_asking() {
    let cluster = Cluster::start();
    cluster
        .operator(&["run", "list_stores"])
        .ended(0)
        .shows("STORE");
    let json = cluster
        .operator(&["run", "list_stores", "-o", "json"])
        .ended(0)
        .json();
    let stores = json["stores"].as_array().unwrap();
    assert_eq!(stores.len(), 5);
}

#[test]
fn text_from_the_cluster_does_not_reach_the_terminal_as_it_is() {
    let cluster = Cluster::start();
    let body = r#"{"count": 1, "stores": [{
        "store": {"id": 1, "address": "tikv\u001b[2J\u009b31m\u202ex\r\n", "state_name": "Up"},
        "status": {"capacity": "1TiB", "available": "1TiB", "leader_count": 1, "region_count": 1}
    }]}"#;
    let answer = Fault::answer("GET", "/stores", 200, "application/json", body);
    cluster.sim.fault(answer.times(2));
    for format in ["table", "json"] {
        let ran = cluster
            .operator(&["run", "list_stores", "-o", format])
            .ended(0);
        let is_unsafe = |character: char| "\u{1b}\u{9b}\u{202e}\r".contains(character);
        assert!(!ran.stdout.contains(is_unsafe), "{:?}", ran.stdout);
        assert!(
            ran.stdout.contains(r"\u001b[2J\u009b31m\u202ex"),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn without_a_yes_and_without_a_terminal_nothing_is_sent() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.follower;
    cluster
        .transfer("run", to, &[])
        .ended(3)
        .says("Would proceed")
        .says("operator undo ")
        .says("nothing was sent")
        .says("--yes");
    assert_eq!(cluster.sim.writes(), []);
}

#[test]
fn a_mutation_is_run_and_proven() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.follower;
    let run = || cluster.transfer("run", to, &["--yes", "--reason", "test"]);
    run()
        .ended(0)
        .shows("Applied")
        .shows("Evidence")
        .shows("operator undo ")
        .shows(&format!("--state-dir {}", cluster.state_dir()));
    assert_eq!(
        cluster.sim.leader_of(region.id.parse().unwrap()),
        Some(region.follower)
    );
    assert_eq!(cluster.sim.writes().len(), 1);
    let segment = "journal/00000000000000000001.jsonl";
    let journal = std::fs::read_to_string(cluster.state.path().join(segment)).unwrap();
    let kinds = ["mode", "proposed", "intent", "answer", "outcome"];
    for (line, kind) in journal.lines().zip(kinds) {
        assert!(line.contains(&format!("\"kind\":\"{kind}\"")), "{line}");
    }
    assert_eq!(journal.lines().count(), kinds.len());
    // Once more there is nothing to do.
    run()
        .ended(0)
        .says("Nothing to do")
        .says("nothing was sent");
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[test]
fn json_of_a_run_is_one_object() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.follower;
    let json = cluster
        .transfer("run", to, &["--yes", "-o", "json"])
        .ended(0)
        .json();
    assert_eq!(json["outcome"]["result"], "applied");
    assert_eq!(json["sent"], true);
    assert_eq!(json["system"], cluster.sim.cluster_id().to_string());
}

#[test]
fn what_the_plan_refuses_is_not_sent() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.outside;
    let run = || cluster.transfer("run", to, &["--yes"]);
    run()
        .ended(3)
        .says("Would be rejected")
        .says("nothing was sent: PD would reject it");
    assert_eq!(cluster.sim.writes(), []);
    // Nobody has cancelled it.
    let journal = cluster.with_state(&["journal", "show"]).ended(0);
    assert!(!journal.stdout.contains("cancelled"), "{}", journal.stdout);
    journal.shows("not sent because of its plan: it would be rejected");
}

#[test]
fn what_pd_refuses_is_refused_in_its_words() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.follower;
    let words = "[PD:server:ErrNotReady]not today";
    let answer = Fault::answer(
        "POST",
        "/operators",
        400,
        "text/plain; charset=utf-8",
        words,
    );
    cluster.sim.fault(answer);
    let ran = cluster.transfer("run", to, &["--yes"]).ended(3);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(all.contains(words), "{all}");
}

#[test]
fn a_lost_reply_is_resolved_by_looking() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.follower;
    cluster
        .sim
        .fault(Fault::reply_lost_after_apply("POST", "/operators"));
    cluster
        .transfer("run", to, &["--yes"])
        .ended(0)
        .says("no answer")
        .shows("Applied");
    assert_eq!(cluster.sim.received("POST", "/operators"), 1);
}

#[test]
fn a_journal_that_cannot_be_written_stops_the_send() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.follower;
    let file = cluster.state.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("state");
    let to = to.to_string();
    let mut all = vec!["run", "--state-dir", below.to_str().unwrap(), "--yes"];
    all.extend([
        "transfer_leader",
        "--region-id",
        &region.id,
        "--to-store-id",
        &to,
    ]);
    cluster
        .operator(&all)
        .ended(1)
        .says("nothing was sent")
        .says("--state-dir");
    assert_eq!(cluster.sim.writes(), []);
}

#[test]
fn nothing_left_open_is_nothing_to_recover() {
    let cluster = Cluster::start();
    let recover = ["recover", "--state-dir", cluster.state_dir()];
    cluster
        .operator(&recover)
        .ended(0)
        .shows("No open outcomes");
    let json = cluster
        .operator(&[&recover[..], &["-o", "json"]].concat())
        .ended(0)
        .json();
    assert_eq!(json["recovered"].as_array().map(Vec::len), Some(0));
}

#[test]
fn an_action_is_known_with_dashes_too() {
    let cluster = Cluster::start();
    cluster
        .operator(&["run", "list-stores"])
        .ended(0)
        .shows("STORE");
    let region = cluster.first_region();
    let to = region.follower.to_string();
    let plan = [
        "plan",
        "transfer-leader",
        "--region-id",
        &region.id,
        "--to-store-id",
        &to,
    ];
    cluster.operator(&plan).ended(0).shows("transfer_leader");
}

#[test]
fn the_printed_undo_takes_it_back() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let json = cluster
        .run_transfer(&["--yes", "-o", "json"])
        .ended(0)
        .json();
    let command = json["undo_command"].as_str().unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    crate::operator(&[&words[..], &["--yes"]].concat())
        .ended(0)
        .shows("Applied");
    let leader = cluster.sim.leader_of(region.id.parse().unwrap());
    assert_eq!(leader, Some(region.leader));
}

/// A shell goes by the exit code: only what is safe is success.
#[test]
fn a_script_can_go_by_whether_it_is_safe() {
    let cluster = Cluster::start();
    let asked = ["run", "safe_to_stop", "--store-ids"];
    let safe = cluster.operator(&[&asked[..], &["2"]].concat()).ended(0);
    safe.shows("safe");
    // Any region has its majority on two stores out of three of its own.
    cluster
        .sim
        .set_heartbeat_age(3, std::time::Duration::from_secs(60));
    let unsafe_now = cluster.operator(&[&asked[..], &["2"]].concat()).ended(3);
    unsafe_now.shows("not_safe");
    // Nothing is known of regions that have not reported.
    cluster.sim.hold_store_heartbeats(true);
    cluster.sim.hold_region_heartbeats(true);
    cluster.sim.restart();
    let unknown = cluster.operator(&[&asked[..], &["2", "-o", "json"]].concat());
    assert_eq!(unknown.ended(5).json()["answer"], "not_known");
}
