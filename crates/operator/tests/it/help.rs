//! What the command says about itself, and how it writes.

use std::process::{Command, Stdio};

use crate::operator;

#[test]
fn help_documents_every_exit_code() {
    let help = operator(&["--help"])
        .ended(0)
        .shows("Plans, runs and proves");
    for code in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 70, 130] {
        assert!(
            help.stdout.contains(&format!("\n  {code:<3}  ")),
            "{}",
            help.stdout
        );
    }
}

#[test]
fn help_of_an_action_shows_its_flags() {
    let help = operator(&["run", "transfer_leader", "--help"]).ended(0);
    help.shows("--region-id")
        .shows("--to-store-id")
        .shows("--yes")
        .shows("--state-dir");
}

#[test]
fn no_command_and_an_unknown_command_are_wrong_usage() {
    operator(&[]).ended(2);
    operator(&["pln"]).ended(2).says("plan");
    operator(&["run", "transfer_leadr"])
        .ended(2)
        .says("'tikv.transfer_leader'");
    operator(&["run", "transfer_leadr", "--pd", "x"])
        .ended(2)
        .says("'transfer_leader'");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_operator"))
        .args(["actions", "list", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
