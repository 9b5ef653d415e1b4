//! What people and programs get of what is listed: formats, columns, order.

use serde_json::Value;

use crate::Cluster;
use crate::harness::operator;

#[test]
fn a_list_is_data_first_and_then_how_many() {
    let cluster = Cluster::start();
    let shown = cluster.operator(&["run", "list_stores"]).ended(0).stdout;
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with("STORE ID  ADDRESS"), "{shown}");
    assert!(lines[1].contains("1 TiB"), "{shown}");
    assert_eq!(lines.last(), Some(&"5 stores"));
    let cut = cluster
        .operator(&["run", "list_stores", "--limit", "2"])
        .ended(0);
    cut.shows("2 of 5 stores (truncated, use --limit)");
    let region = cluster.first_region().id;
    let one = cluster
        .operator(&["run", "get_region", "--region-id", &region])
        .ended(0);
    assert!(one.stdout.starts_with("region_id"), "{}", one.stdout);
}

#[test]
fn columns_are_chosen_and_rows_are_sorted() {
    let cluster = Cluster::start();
    let run = |more: &[&str]| cluster.operator(&[&["run", "list_stores"][..], more].concat());
    let rows = |more: &[&str]| {
        let shown = run(more).ended(0).stdout;
        let rows = shown
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        rows.take(6).collect::<Vec<_>>()
    };
    let chosen = ["--columns", "state,store_id", "--sort-by", "-store-id"];
    assert_eq!(
        rows(&chosen),
        ["STATE STORE ID", "Up 5", "Up 4", "Up 3", "Up 2", "Up 1"]
    );
    // As JSON has it, and as the header shows it.
    assert_eq!(rows(&["--columns", "capacity"])[0], "CAPACITY");
    assert_eq!(rows(&["--columns", "capacity_bytes"])[0], "CAPACITY");
    run(&["--columns", "sise"])
        .ended(2)
        .says("unknown column `sise`; known are store_id, ");
    run(&["--sort-by", "sise"])
        .ended(2)
        .says("unknown column `sise`");
    let one = [
        "run",
        "get_region",
        "--region-id",
        "1",
        "--columns",
        "peers",
    ];
    cluster.operator(&one).ended(2).says("has no columns");
    let sorted = run(&["--sort-by", "-store_id", "-o", "json"])
        .ended(0)
        .json();
    assert_eq!(sorted["stores"][0]["store_id"], "5");
}

#[test]
fn every_format_says_the_same() {
    let cluster = Cluster::start();
    let run = |format: &str| {
        let words = ["run", "list_stores", "-o", format];
        cluster.operator(&words).ended(0).stdout
    };
    assert_eq!(run("name"), "1\n2\n3\n4\n5\n");
    let json: Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(json["stores"][0]["capacity_bytes"], 1_u64 << 40);
    let yaml = run("yaml");
    assert!(
        yaml.contains("stores:\n") && yaml.contains("address: tikv-1:20160"),
        "{yaml}"
    );
    assert!(yaml.contains("capacity_bytes: 1099511627776"), "{yaml}");
    assert!(run("wide").contains("TIFLASH"));
}

#[test]
fn regions_are_listed_by_store_and_range_with_bounds() {
    let cluster = Cluster::start();
    let run = |more: &[&str]| {
        let words = [&["run", "list_regions", "-o", "json"][..], more].concat();
        cluster.operator(&words).ended(0).json()
    };
    let all = run(&["--limit", "500"]);
    let count = all["regions"].as_array().unwrap().len();
    assert_eq!(
        (count, &all["cut"], all.get("next_key")),
        (60, &Value::Bool(false), None)
    );
    let (mut seen, mut key) = (0, String::new());
    loop {
        let page = run(&["--limit", "25", "--start-key", &key]);
        seen += page["regions"].as_array().unwrap().len();
        match page["next_key"].as_str() {
            Some(next) => key = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, count);
    let led = run(&["--leader-store-id", "1", "--limit", "500"]);
    let led = led["regions"].as_array().unwrap();
    assert!(led.len() == 12 && led.iter().all(|region| region["leader_store_id"] == "1"));
    let held = run(&["--store-id", "1", "--limit", "500"]);
    assert_eq!(held["regions"].as_array().unwrap().len(), 36);
    assert_eq!(
        run(&["--state", "down-peer"])["regions"],
        serde_json::json!([])
    );
    let empty = cluster
        .operator(&["run", "list_regions", "--state", "down-peer"])
        .ended(0);
    empty.shows("0 regions");
    let wrong = ["run", "list_regions", "--start-key", "7", "--end-key", "xx"];
    cluster
        .operator(&wrong)
        .ended(2)
        .says("start_key")
        .says("end_key");
}

#[test]
fn what_is_asked_of_the_program_itself() {
    let version = operator(&["version"]).ended(0).stdout;
    assert_eq!(version, operator(&["--version"]).ended(0).stdout);
    let at_a_gate = [&["--server", "https://gate.example.com"][..], &["version"]].concat();
    assert_eq!(operator(&at_a_gate).ended(0).stdout, version);
    operator(&["help", "policies"]).ended(0).shows("[[rule]]");
    operator(&["help", "exit-codes"]).ended(0).shows("130");
    operator(&["transfer-leader"])
        .ended(2)
        .says("`operator run transfer_leader`");
    let bare = operator(&["plan"]).ended(2).stderr;
    assert!(
        bare.contains("Usage: operator plan") && !bare.contains("tikv.transfer-leader"),
        "{bare}"
    );
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    let gone = gone.to_str().unwrap();
    operator(&["journal", "show", "--state-dir", gone])
        .ended(2)
        .says("no state directory");
    assert!(!std::path::Path::new(gone).exists());
    operator(&["man", folder.path().to_str().unwrap()]).ended(0);
    assert!(folder.path().join("operator-run.1").exists());
}
