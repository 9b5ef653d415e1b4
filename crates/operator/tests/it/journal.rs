//! `operator journal`.

use crate::Cluster;
use crate::harness::formats;

fn transfer(cluster: &Cluster, reason: &str) -> String {
    let more = ["--yes", "-o", "json", "--reason", reason];
    let json = cluster.run_transfer(&more).ended(0).json();
    json["id"].as_str().unwrap().to_owned()
}

#[test]
fn the_journal_shows_what_happened_and_nothing_acts_on_the_terminal() {
    let cluster = Cluster::start();
    let id = transfer(&cluster, "x\u{1b}[2J\u{202e}y");
    cluster
        .with_state(&["mode", "observe", "--reason", "\u{1b}]0;title\u{7}"])
        .ended(0);
    for format in formats() {
        let ran = cluster
            .with_state(&["journal", "show", "-o", &format])
            .ended(0);
        let unsafe_one =
            |character: char| character != '\n' && action_core::is_unprintable(character);
        assert!(!ran.stdout.contains(unsafe_one), "{:?}", ran.stdout);
        if format == "name" {
            assert!(ran.stdout.starts_with("1\n2\n"), "{}", ran.stdout);
            continue;
        }
        for word in ["proposed", "intent", "answer", "outcome", "mode"] {
            assert!(ran.stdout.contains(word), "{word}: {}", ran.stdout);
        }
    }
    let of_it = cluster
        .with_state(&["journal", "show", "--id", &id, "-o", "jsonl"])
        .ended(0);
    assert_eq!(of_it.stdout.lines().count(), 4);
    let two = cluster.with_state(&[
        "journal", "show", "--after", "1", "--limit", "2", "-o", "jsonl",
    ]);
    let ran = two.ended(0);
    assert_eq!(ran.stdout.lines().count(), 2);
    assert!(
        ran.stdout.starts_with('{') && ran.stdout.contains("\"seq\":2"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_was_changed_in_the_journal_is_found() {
    let cluster = Cluster::start();
    transfer(&cluster, "first");
    cluster
        .with_state(&["journal", "verify"])
        .ended(0)
        .shows("in 1 segment are unchanged");
    let segment = cluster
        .state
        .path()
        .join("journal/00000000000000000001.jsonl");
    let text = std::fs::read_to_string(&segment).unwrap();
    assert!(text.contains("\"first\""));
    std::fs::write(&segment, text.replace("\"first\"", "\"other\"")).unwrap();
    cluster
        .with_state(&["journal", "verify"])
        .ended(9)
        .says("line 2");
}

/// Every verb that reads it says which format it has, and what to do; nothing calls it damaged.
#[test]
fn a_journal_of_an_older_format_is_refused_by_its_name() {
    let cluster = Cluster::start();
    let id = transfer(&cluster, "first");
    let segment = cluster
        .state
        .path()
        .join("journal/00000000000000000001.jsonl");
    let text = std::fs::read_to_string(&segment).unwrap();
    let old = text.replace("{\"v\":3,", "{\"v\":1,");
    std::fs::write(&segment, old).unwrap();
    let id = id.as_str();
    let verbs: &[&[&str]] = &[
        &["mode"],
        &["mode", "execute"],
        &["proposals", "list"],
        &["proposals", "show", id],
        &["proposals", "run", id, "--yes"],
        &["approve", id],
        &["reject", id, "--reason", "x"],
        &["cancel", id, "--reason", "x"],
        &["undo", id, "--yes"],
        &["undo", "--last", "--yes"],
        &["recover"],
        &["resolve", id, "applied", "--reason", "x"],
        &["release", id, "--reason", "x"],
        &["reap"],
        &["clock", "confirm", "--reason", "x"],
        &["workflow", "list"],
        &["journal", "show"],
        &["journal", "show", "--id", id],
        &["journal", "verify"],
        &["journal", "head"],
        &["run", "drain_store", "--store-id", "2", "--yes"],
    ];
    for &verb in verbs {
        let all = [verb, &["--state-dir", cluster.state_dir()]].concat();
        let ran = cluster.operator(&all).ended(1);
        for text in ["reads format 3 only", "start with a new, empty journal"] {
            assert!(ran.stderr.contains(text), "{verb:?}: {}", ran.stderr);
        }
        for text in ["changed", "is bad", "migrate"] {
            assert!(!ran.stderr.contains(text), "{verb:?}: {}", ran.stderr);
        }
    }
    assert_eq!(cluster.sim.writes().len(), 1);
}

#[test]
fn a_head_kept_elsewhere_shows_that_the_journal_was_written_anew() {
    let cluster = Cluster::start();
    transfer(&cluster, "first");
    let head = cluster
        .with_state(&["journal", "head"])
        .ended(0)
        .stdout
        .trim()
        .to_owned();
    cluster
        .with_state(&["journal", "verify", "--head", &head])
        .ended(0);
    cluster.with_state(&["mode", "observe"]).ended(0);
    cluster
        .with_state(&["journal", "verify", "--head", &head])
        .ended(0);
    let other = Cluster::start();
    transfer(&other, "other");
    other.with_state(&["journal", "verify"]).ended(0);
    other
        .with_state(&["journal", "verify", "--head", &head])
        .ended(9)
        .says("was changed or replaced");
    other
        .with_state(&["journal", "verify", "--head", "nonsense"])
        .ended(2);
}

#[test]
fn what_is_not_shown_of_the_journal_is_counted() {
    let cluster = Cluster::start();
    let id = transfer(&cluster, "first");
    let show = |more: &[&str]| cluster.with_state(&[&["journal", "show"], more].concat());
    let all = show(&[]).ended(0);
    assert!(!all.stdout.contains("truncated"), "{}", all.stdout);
    // The mode, and four records of the transfer.
    let some = "3 more records (truncated, use --limit or --after 2)";
    show(&["--limit", "2"]).ended(0).shows(some);
    for format in ["json", "jsonl"] {
        let ran = show(&["--limit", "2", "-o", format]).ended(0).says(some);
        assert!(!ran.stdout.contains("truncated"), "{}", ran.stdout);
        assert!(!show(&["-o", format]).stderr.contains("truncated"));
    }
    show(&["--after", "2", "--limit", "2"])
        .ended(0)
        .shows("1 more records (truncated, use --limit or --after 4)");
    show(&["--id", &id, "--limit", "3"])
        .ended(0)
        .shows("1 more records (truncated");
    let last = show(&["--after", "4", "--limit", "1"]).ended(0);
    assert!(!last.stdout.contains("truncated"), "{}", last.stdout);
}

/// A limit on the size of files is told as a full disk is, and ends nothing half way.
#[test]
#[cfg(unix)]
fn a_limit_on_files_is_an_error_and_no_signal() {
    let cluster = Cluster::start();
    let script = r#"ulimit -f 1; exec "$0" "$@""#;
    let region = cluster.first_region();
    let ran = std::process::Command::new("sh")
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_operator"),
            "--pd",
            cluster.sim.endpoint(),
        ])
        .args(["run", "transfer_leader", "--region-id", &region.id])
        .args(["--to-store-id", &region.follower.to_string(), "--yes"])
        .args(["--state-dir", cluster.state_dir()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(
        said.contains("nothing was sent") && said.contains("File too large"),
        "{said}"
    );
    assert_eq!(cluster.sim.writes(), []);
    cluster.with_state(&["journal", "verify"]).ended(0);
}
