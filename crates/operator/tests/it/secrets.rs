//! No secret is shown or written down, wherever it was given.

use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

use crate::Cluster;
use crate::harness::{Finished, command, finished};

/// The parts of a password that nothing else here has.
const PARTS: [&str; 2] = ["Hunter3A", "Sesame9B"];

/// A password, with something in it that means something else in an address.
fn password() -> impl Strategy<Value = String> {
    let between = prop::sample::select(vec![
        "", "/", "#", "?", ",", " ", "\"", "'", "@", ":", "%40", "%2F", "&", ";", "`", "<", "\\",
        "[", "/@", "://", ", ", "=", "\u{e9}",
    ]);
    let [begin, end] = PARTS;
    between.prop_map(move |between| format!("{begin}{between}{end}"))
}

/// An address that holds it, in one of the places where there is one.
fn address() -> impl Strategy<Value = String> {
    let forms = prop::sample::select(vec![
        "http://ana:{}@127.0.0.1:1",
        "http://{}:x@127.0.0.1:1",
        "http://{}@127.0.0.1:1",
        "ana:{}@127.0.0.1:1",
        "http://ana%3A{}%40127.0.0.1:1",
        "http://127.0.0.1:1/{}",
        "http://127.0.0.1:1/?token={}",
        "http://127.0.0.1:1/x?{}",
        "http://127.0.0.1:1#{}",
        "http://ana:{}",
        "http://127.0.0.1:1,http://ana:{}@127.0.0.1:1",
        "https://ana:{}@[::1]:1/x",
        "{}://127.0.0.1:1",
    ]);
    (forms, password()).prop_map(|(form, password)| form.replace("{}", &password))
}

#[track_caller]
fn holds_no_part(what: &str, text: &str) {
    for part in PARTS {
        assert!(!text.contains(part), "{what}: {text}");
    }
}

#[track_caller]
fn shows_no_part(address: &str, ran: &Finished) {
    holds_no_part(address, &ran.stdout);
    holds_no_part(address, &ran.stderr);
}

/// All that was written below a directory.
fn written(directory: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&written(&path));
        } else {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
        }
    }
    text
}

/// Commands that need no PD, and one that asks it; each prints a command to go on with.
const COMMANDS: [&[&str]; 4] = [
    &["approve", "abc"],
    &["proposals", "list", "-o", "json"],
    &["run", "list_stores"],
    &["mode", "observe", "--reason", "night"],
];

#[test]
fn no_secret_of_an_address_is_shown_or_written_down() {
    let cluster = Cluster::start();
    cluster
        .run(&["drain_store", "--store-id", "2", "--yes"])
        .ended(0);
    let state = cluster.state_dir();
    let config = TempDir::new().unwrap();
    let config = config.path().join("config.toml");
    let mut runner = TestRunner::new(Config::with_cases(24));
    let checked = runner.run(&address(), |address| {
        let quoted = format!("{address:?}");
        let text = format!("[clusters.prod]\npd = {quoted}\ncluster_id = \"7\"\n");
        std::fs::write(&config, text).unwrap();
        for words in COMMANDS {
            let run = |given: &[&str]| {
                let mut command = command();
                command.args(words).args(["--state-dir", state]).args(given);
                command
            };
            shows_no_part(&address, &finished(&mut run(&["--pd", &address])));
            shows_no_part(&address, &finished(run(&[]).env("PD_ADDR", &address)));
            shows_no_part(&address, &finished(&mut run(&["--prometheus", &address])));
            let named = ["--config", config.to_str().unwrap(), "--cluster", "prod"];
            shows_no_part(&address, &finished(&mut run(&named)));
        }
        holds_no_part(&address, &written(Path::new(state)));
        // A config file that is wrong beside it, or at it.
        for wrong in [
            format!("[clusters.prod]\npd = {quoted} x\n"),
            format!("[clusters]\nprod = {quoted}\n"),
            format!("[clusters.prod]\npd = \"{address}\ncluster_id = 7\n"),
        ] {
            std::fs::write(&config, wrong).unwrap();
            let ran = command()
                .args(["proposals", "list", "--config"])
                .arg(&config)
                .output()
                .unwrap();
            assert_eq!(ran.status.code(), Some(2));
            holds_no_part(&address, &String::from_utf8_lossy(&ran.stderr));
        }
        Ok(())
    });
    checked.unwrap();
}

/// What PD answers, and what somebody gave for a parameter or as a flag that there is not.
#[test]
fn no_secret_of_an_answer_or_of_a_value_is_shown() {
    for format in ["table", "json", "jsonl"] {
        let cluster = Cluster::start();
        let body = r#""no, password=Hunter3A is wrong""#;
        let refused = pd_sim::Fault::answer("POST", "", 500, "application/json", body);
        cluster.sim.fault(refused.always());
        let region = cluster.sim.region_ids()[0].to_string();
        let group = ["--group", "password=Sesame9B"];
        let scatter = [
            "scatter_region",
            "--region-id",
            &region,
            "--yes",
            "-o",
            format,
        ];
        let ran = cluster.run(&[&scatter[..], &group].concat());
        shows_no_part(format, &ran);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains("[redacted]"));
        let limit = [
            "set_leader_schedule_limit",
            "--limit",
            "9",
            "--yes",
            "-o",
            format,
        ];
        let ran = cluster.run(&limit).ended(3);
        shows_no_part(format, &ran);
        holds_no_part(format, &written(Path::new(cluster.state_dir())));
        let ran = cluster.run(&[&limit[..], &["--reason", "--password Hunter3A"]].concat());
        shows_no_part(format, &ran.ended(2));
    }
}
