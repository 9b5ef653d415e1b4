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
        .shows("are as they were written");
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
        .says("is not the one");
    other
        .with_state(&["journal", "verify", "--head", "nonsense"])
        .ended(2);
}
