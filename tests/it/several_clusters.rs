//! Several clusters in one state directory: what is stopped, counted and taken back for one of them.

use serde_json::Value;

use crate::two_systems::{Systems, at, limit};

const EXECUTE: [&str; 4] = ["mode", "execute", "--reason", "a test"];

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_of_one_cluster_leaves_the_others_running() {
    let systems = Systems::start().await;
    systems.shows(&EXECUTE).await;
    let on = at(&["kill-switch", "on", "--reason", "smoke"], "prod");
    let stop = systems.shows(&on).await;
    assert_eq!(stop["cluster"], "prod");
    systems.shows(&at(&limit("3"), "staging")).await;
    let told = systems.ends(3, &at(&limit("3"), "prod")).await;
    assert!(told.contains("cluster `prod` is stopped by"), "{told}");
    let reset = "kill-switch reset --cluster prod";
    assert!(told.contains(reset), "{told}");
    assert_eq!(systems.sim.writes(), []);
    // One of all is another.
    let told = systems
        .ends(3, &["kill-switch", "reset", "--reason", "over"])
        .await;
    assert!(told.contains(reset), "{told}");
    let over = at(&["kill-switch", "reset", "--reason", "over"], "prod");
    systems.shows(&over).await;
    let told = systems.ends(3, &at(&limit("3"), "prod")).await;
    assert!(
        told.contains("the mode of cluster `prod` is observe"),
        "{told}"
    );
    assert!(told.contains("mode execute --cluster prod"), "{told}");
    systems.shows(&at(&EXECUTE, "prod")).await;
    systems.shows(&at(&limit("3"), "prod")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_of_all_stops_each_and_nothing_but_the_command_line_makes_it_narrower() {
    let systems = Systems::start().await;
    systems.configure(|text| format!("cluster = \"prod\"\n{text}"));
    systems.shows(&EXECUTE).await;
    let on = ["kill-switch", "on", "--reason", "smoke"];
    let stop = systems.shows(&on).await;
    assert_eq!(stop["cluster"], Value::Null);
    for cluster in ["prod", "staging"] {
        let told = systems.ends(3, &at(&limit("3"), cluster)).await;
        assert!(told.contains("error: stopped by"), "{told}");
        // What ends it is for all, whichever cluster this was about.
        assert!(told.contains("kill-switch status"), "{told}");
        assert!(!told.contains("status --cluster"), "{told}");
        let told = systems.ends(3, &at(&EXECUTE, cluster)).await;
        assert!(told.contains("stopped by"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_budgets_know_clusters_by_name() {
    let systems = Systems::start().await;
    let policy = systems.directory.path().join("policy.toml");
    let text = r#"
        version = 1
        rule = { name = "all", decision = "allow" }
        [[budget]]
        name = "one in production"
        subject = "tikv"
        system = "pro*"
        actions = 1
        per = "1h"
    "#;
    std::fs::write(&policy, text).unwrap();
    systems.configure(|text| format!("policy_file = \"policy.toml\"\n{text}"));
    systems.shows(&EXECUTE).await;
    for value in ["3", "5"] {
        systems.shows(&at(&limit(value), "staging")).await;
    }
    systems.shows(&at(&limit("3"), "prod")).await;
    let told = systems.ends(3, &at(&limit("5"), "prod")).await;
    assert!(told.contains("one in production"), "{told}");
    // Its address alone leads around no budget.
    let endpoint = systems.sim.endpoint();
    let by_address = [&limit("5")[..], &["--pd", endpoint]].concat();
    let told = systems.ends(3, &by_address).await;
    assert!(told.contains("one in production"), "{told}");
    assert_eq!(systems.sim.writes().len(), 1);
}
