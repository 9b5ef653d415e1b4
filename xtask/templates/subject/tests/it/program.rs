//! The command line, over the fake.

use std::process::Command;

use crate::fake::Fake;

/// What the program prints, and whether it ended well.
async fn ran(words: Vec<String>) -> (String, bool) {
    let run = move || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_operator-subject-name"));
        program.env_clear().args(words).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (text, output.status.success())
}

#[tokio::test]
async fn an_observation_runs_from_the_command_line() {
    let fake = Fake::start().await;
    let words = ["run", "read_level", "--address", fake.0.origin()];
    let (text, is_well) = ran(words.map(str::to_owned).to_vec()).await;
    assert!(is_well && text.contains('3'), "{text}");
}

#[tokio::test]
async fn the_actions_are_listed() {
    let words = ["actions", "list"].map(str::to_owned).to_vec();
    let (text, is_well) = ran(words).await;
    assert!(is_well && text.contains("set_level"), "{text}");
}

#[tokio::test]
async fn a_verb_that_no_action_is_behind_is_not_listed() {
    let (text, is_well) = ran(vec!["--help".to_owned()]).await;
    assert!(is_well && text.contains("proposals"), "{text}");
    let mut lines = text.lines().map(str::trim_start);
    assert!(lines.all(|line| !line.starts_with("doctor ")), "{text}");
}
