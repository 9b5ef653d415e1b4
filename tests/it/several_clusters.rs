//! Several clusters in one state directory: what is stopped, counted and taken back for one of them.

use serde_json::Value;

use crate::two_systems::{Systems, at, limit};

/// As an agent, who asks people.
const AGENT: [&str; 2] = ["--actor", "agent:night"];

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
    assert!(told.contains("nothing is sent to cluster `prod`"), "{told}");
    assert!(told.contains("mode execute --cluster prod"), "{told}");
    systems.shows(&at(&EXECUTE, "prod")).await;
    systems.shows(&at(&limit("3"), "prod")).await;
}

/// What is wrong in the config file about a cluster matters to whoever works with it.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_in_the_config_file_keeps_nobody_from_stopping() {
    let systems = Systems::start().await;
    systems.shows(&EXECUTE).await;
    let id = systems.sim.cluster_id().to_string();
    let twice = format!("\n[clusters.green]\nsubject = \"tikv\"\ncluster_id = \"{id}\"\n");
    systems.configure(|text| format!("cluster = \"green\"\n{text}{twice}no_such_setting = 1\n"));
    let told = systems.refuses(&limit("3")).await;
    assert!(told.contains("two entries for cluster"), "{told}");
    for cluster in ["green", "prod"] {
        let stop = at(&["kill-switch", "on", "--reason", "smoke"], cluster);
        assert_eq!(systems.shows(&stop).await["stopped"], true);
    }
    systems
        .shows(&["kill-switch", "on", "--reason", "smoke"])
        .await;
    // Where the state directory is given, here by a variable, nothing of it is needed.
    systems.configure(|text| text + "]");
    systems.refuses(&limit("3")).await;
    let status = systems.shows(&["kill-switch", "status"]).await;
    assert_eq!(status["stopped"], true);
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

fn id(shown: &Value) -> String {
    shown["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_by_id_goes_to_the_cluster_of_its_record() {
    let systems = Systems::start().await;
    systems.configure(|text| format!("cluster = \"prod\"\n{text}"));
    systems.shows(&EXECUTE).await;
    let asked = [&at(&limit("3"), "staging")[..], &AGENT].concat();
    systems.ends(6, &asked).await;
    let open = systems.shows(&["proposals", "list"]).await;
    let proposal = &open["proposals"][0]["proposal"];
    assert_eq!(proposal["cluster"], "staging");
    let id = proposal["id"].as_str().unwrap().to_owned();
    let plan = proposal["plan_hash"].as_str().unwrap();
    systems.shows(&["approve", &id, "--plan", plan]).await;
    let run = ["proposals", "run", &id, "--yes", "--settle-for", "0s"];
    let run = [&run[..], &AGENT].concat();
    let told = systems.ends(3, &at(&run, "prod")).await;
    assert!(
        told.contains("it belongs to cluster `staging`, not to `prod`"),
        "{told}"
    );
    systems.shows(&run).await;
    assert_eq!(systems.staging.writes().len(), 1);
    let undo = ["undo", &id, "--yes", "--settle-for", "0s"];
    let told = systems.ends(3, &at(&undo, "prod")).await;
    assert!(
        told.contains("it belongs to cluster `staging`, not to `prod`"),
        "{told}"
    );
    systems.shows(&undo).await;
    assert_eq!(systems.staging.writes().len(), 2);
    assert_eq!(systems.sim.writes(), []);
}

/// The last of a cluster that is named, else the last of all.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_is_taken_back_wherever_it_was_done() {
    let systems = Systems::start().await;
    systems.shows(&EXECUTE).await;
    systems.shows(&at(&limit("3"), "prod")).await;
    systems.shows(&at(&limit("5"), "staging")).await;
    let last = ["undo", "--last", "--yes", "--settle-for", "0s"];
    systems.shows(&at(&last, "prod")).await;
    assert_eq!(systems.sim.writes().len(), 2);
    systems.shows(&last).await;
    assert_eq!(systems.staging.writes().len(), 2);
}

/// Without a cluster, each is asked of what was sent to it; with one, that one alone.
#[tokio::test(flavor = "multi_thread")]
async fn recover_asks_each_cluster_of_its_own() {
    let systems = Systems::start().await;
    systems.shows(&EXECUTE).await;
    for cluster in ["prod", "staging"] {
        systems.shows(&at(&limit("3"), cluster)).await;
    }
    let shown = systems.shows(&["journal", "show"]).await;
    let of = |cluster: &str| {
        let entries = shown["entries"].as_array().unwrap().iter();
        let mut own = entries.filter(|entry| entry["target"]["cluster"] == cluster);
        let first = own.next().unwrap();
        first["record"]["proposal"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (prod, staging) = (of("prod"), of("staging"));
    systems.left_open([&prod, &staging]);
    let recovered = |shown: &Value| -> Vec<String> {
        let reports = shown["recovered"].as_array().unwrap().iter();
        let ended = |one: &Value| one["outcome"]["result"] == "applied";
        reports.filter(|one| ended(one)).map(id).collect()
    };
    let found = systems.shows(&at(&["recover"], "staging")).await;
    assert_eq!(recovered(&found), [staging.as_str()], "{found}");
    let found = systems.shows(&["recover"]).await;
    assert_eq!(recovered(&found), [prod.as_str()], "{found}");
}

/// It goes on with the workflow where that was started, and its list asks nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_goes_on_where_it_was_started() {
    let systems = Systems::start().await;
    systems.shows(&EXECUTE).await;
    let file = systems.directory.path().join("work.toml");
    let text = r#"
        title = "one change"
        [[steps]]
        id = "limit"
        action = "set_leader_schedule_limit"
        parameters = { limit = 3 }
    "#;
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let start = ["workflow", "start", "--file", file, "--yes", "--detach"];
    systems.ends(0, &at(&start, "staging")).await;
    let listed = systems.shows(&["workflow", "list"]).await;
    let id = listed["workflows"][0]["flow"]["id"].as_str().unwrap();
    systems.shows(&["workflow", "resume", id]).await;
    assert_eq!(systems.staging.writes().len(), 1);
    assert_eq!(systems.sim.writes(), []);
}
