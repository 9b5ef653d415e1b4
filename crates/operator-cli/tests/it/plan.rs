//! `operator plan`.

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

#[test]
fn what_would_be_refused_is_said_in_pds_words() {
    let cluster = Cluster::start();
    let region = cluster.first_region();
    let to = region.outside;
    cluster
        .transfer("plan", to, &[])
        .ended(3)
        .shows("Would be refused");
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
