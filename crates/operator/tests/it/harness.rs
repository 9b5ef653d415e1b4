//! Running the command.

use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

/// How a command ended and what it wrote.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command, with nothing of our own environment and without a terminal.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    let ours = [
        "PD_ADDR",
        "OPERATOR_STATE_DIR",
        "OPERATOR_POLICY_FILE",
        "OPERATOR_ACTOR",
    ];
    let more = [
        "OPERATOR_JOURNAL",
        "OPERATOR_CONFIG",
        "OPERATOR_CLUSTER",
        "OPERATOR_SIGN_WITH",
    ];
    let gate = ["OPERATOR_SERVER", "OPERATOR_TOKEN"];
    for name in ours.into_iter().chain(more).chain(gate) {
        command.env_remove(name);
    }
    command
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("OPERATOR_ACTOR", "user:ana")
        .env("OPERATOR_SETTLE_FOR", "0s")
        // Only so that a test that hangs ends; a slow machine is no failure.
        .timeout(Duration::from_secs(600));
    command
}

/// The formats of `--output`, as the help says them.
pub(crate) fn formats() -> Vec<String> {
    let help = operator(&["--help"]).ended(0).stdout;
    let output = help.split("--output").nth(1).unwrap_or_default();
    let values = output.split("[possible values: ").nth(1);
    let values = values.and_then(|rest| rest.split(']').next());
    let formats = values.unwrap_or_default().split(", ");
    let formats: Vec<_> = formats.map(|one| one.trim().to_owned()).collect();
    assert!(formats.contains(&"jsonl".to_owned()), "{help}");
    formats
}

/// Runs the command to its end.
pub(crate) fn operator(arguments: &[&str]) -> Finished {
    finished(command().args(arguments))
}

pub(crate) fn finished(command: &mut Command) -> Finished {
    let output = command.output().unwrap();
    Finished {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Finished {
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "no `{text}` in: {}",
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "no `{text}` in: {}",
            self.stdout
        );
        self
    }

    /// Stdout, which is one JSON object and nothing else.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let json: Value = serde_json::from_str(&self.stdout).unwrap();
        assert!(json.is_object(), "{json}");
        json
    }
}
