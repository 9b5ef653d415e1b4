//! `operator plan`.

use pd_sim::{Clock, ForeignOperator, Sim};

use crate::Cluster;

#[test]
fn a_plan_says_what_would_happen_and_how_it_is_taken_back() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let (from, to) = (region.leader, region.follower);
    let undo = format!("transfer_leader region_id={} to_store_id={from}", region.id);
    cluster
        .transfer("plan", to, &[])
        .ended(0)
        .shows("Would proceed")
        .shows("Relies on")
        .shows("`operator undo ID` takes it back")
        .shows(&undo);
    let json = cluster
        .transfer("plan", to, &["-o", "json"])
        .ended(0)
        .json();
    assert_eq!(json["plan"]["verdict"]["answer"], "would_proceed");
    assert_eq!(json["undo"]["name"], "transfer_leader");
    assert_eq!(json["undo"]["parameters"]["to_store_id"], from.to_string());
    assert_eq!(cluster.sim.writes(), []);
}

/// Of a region that is not there nothing was read, and nothing is shown of it.
#[test]
fn what_was_not_read_is_not_shown() {
    let cluster = Cluster::start();
    let missing = [
        "--source-region-id",
        "900001",
        "--target-region-id",
        "900002",
    ];
    let plan = [&["plan", "merge_regions"], &missing[..]].concat();
    let shown = cluster.operator(&plan).ended(3).shows("Would be rejected");
    for nothing in ["Was read", "start_key", "Relies on"] {
        assert!(!shown.stdout.contains(nothing), "{}", shown.stdout);
    }
    let data = cluster.operator(&[&plan[..], &["-o", "json"]].concat());
    assert!(data.ended(3).json()["plan"]["before"].is_null());
}

#[test]
fn what_would_be_refused_is_said_in_pds_words() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.outside;
    cluster
        .transfer("plan", to, &[])
        .ended(3)
        .shows("Would be rejected");
    assert_eq!(cluster.sim.writes(), []);
}

#[test]
fn nothing_to_do_is_a_success() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.leader;
    cluster
        .transfer("plan", to, &[])
        .ended(0)
        .shows("Nothing to do");
}

/// What it would move, and how long that would take, is known of what is not sent, too.
#[test]
fn what_is_refused_or_blocked_has_its_impact_and_duration() {
    let cluster = Cluster::from(Sim::builder().clock(Clock::Stepped));
    let region = cluster.first_region();
    for (verb, to, code, answer) in [
        ("plan", region.outside, 3, "Would be rejected"),
        ("run", region.outside, 3, "Would be rejected"),
    ] {
        let ended = cluster.transfer(verb, to, &[]).ended(code);
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert_told(&told, &[answer, "Impact", "Takes about 200 ms"]);
    }
    // Of what is so already nothing changes.
    let done = cluster.transfer("plan", region.leader, &[]).ended(0).stdout;
    assert_told(&done, &["Nothing to do"]);
    assert!(
        !done.contains("Impact") && !done.contains("Takes about"),
        "{done}"
    );
    assert!(cluster.sim.set_schedule("leader-schedule-limit", 0));
    let blocked = cluster.operator(&["plan", "drain_store", "--store-id", "2"]);
    let blocked = blocked.ended(3).stdout;
    let leaders = format!(
        "{} leaders moved off the store",
        cluster.sim.leader_count(2)
    );
    let nothing = "PD would accept it, but nothing would happen";
    assert_told(&blocked, &[nothing, "Impact", &leaders, "Takes about "]);
    // An operator that nobody asked for is left alone.
    let id = region.id.parse().unwrap();
    let foreign = ForeignOperator::transfer_leader("balance-leader", id, region.follower);
    cluster.sim.insert_operator(foreign).unwrap();
    let spared = cluster.operator(&["plan", "cancel_operator", "--region-id", &region.id]);
    let spared = spared.ended(3).stdout;
    assert_told(
        &spared,
        &["Blocked by a safety check", "Impact", "Takes about 1 s"],
    );
    assert_eq!(cluster.sim.writes(), []);
}

#[track_caller]
fn assert_told(told: &str, texts: &[&str]) {
    for text in texts {
        assert!(told.contains(text), "no `{text}` in: {told}");
    }
}

#[test]
fn an_observation_has_no_plan() {
    let cluster = Cluster::start();
    cluster
        .operator(&["plan", "list_stores"])
        .ended(2)
        .says("operator run list_stores");
}

#[test]
fn another_cluster_than_the_one_asked_for_is_refused() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.follower;
    let pinned = |id: &str| cluster.transfer("plan", to, &["--cluster-id", id]);
    pinned(&cluster.sim.cluster_id().to_string()).ended(0);
    pinned("42").ended(3).says("not 42");
}
