//! `operator demo`.

use std::time::{Duration, Instant};

use crate::harness::{command, finished};

#[test]
fn the_demo_proves_every_step_and_leaves_nothing() {
    let temporary = tempfile::TempDir::new().unwrap();
    let begun = Instant::now();
    let demo = |format: &'static str| {
        let path = temporary.path().to_owned();
        std::thread::spawn(move || {
            finished(
                command()
                    .args(["demo", "-o", format])
                    .env("TMPDIR", path)
                    .env("HOME", "/nonexistent"),
            )
        })
    };
    // Two at a time do not get in each other's way.
    let (table, json) = (demo("table"), demo("json"));
    table
        .join()
        .unwrap()
        .ended(0)
        .shows("identity claimed")
        .shows("somebody else must approve it")
        .shows("one store at a time")
        .shows("the chain is intact")
        .shows("nothing is left behind");
    let json = json.join().unwrap().ended(0).json();
    assert_eq!(json["proven"], true);
    assert_eq!(json["steps"].as_array().map(Vec::len), Some(9));
    // How fast it is depends on what else runs; only a campaign has the machine to itself.
    if std::env::var_os("CAMPAIGN").is_some() {
        let elapsed = begun.elapsed();
        assert!(elapsed < Duration::from_secs(45), "{elapsed:?}");
    }
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
