//! What starting the command line costs, beside a program that says hello.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Failed;
use crate::measure::compared;
use crate::report::{Budget, Report};

const RUNS: u64 = 20;

pub(crate) fn measure(report: &mut Report) -> Result<(), Failed> {
    let here = std::env::current_exe()?;
    let beside = |name: &str| here.with_file_name(name);
    let (operator, hello) = (beside("operator"), beside("hello"));
    for (words, most) in [
        (["--version"].as_slice(), Budget::Wall(2.0)),
        (&["actions", "list"], Budget::Wall(2.0)),
        (&["--help"], Budget::None),
        (&["run", "transfer_leader", "--help"], Budget::None),
    ] {
        if !started(&operator, words) || !started(&hello, &[]) {
            return Err(
                format!("`{}` does not run: build it in release", operator.display()).into(),
            );
        }
        let compared = compared(
            || (0..RUNS).all(|_| started(&operator, words)),
            || (0..RUNS).all(|_| started(&hello, &[])),
        );
        let what = format!("`operator {}`", words.join(" "));
        report.row(what, "a program that says hello", most, RUNS, compared);
    }
    let bytes = std::fs::metadata(&operator)?.len();
    report.fact(
        "the program `operator`, stripped, with the gate (budget 25 MB)",
        format!("{:.1} MB", bytes as f64 / 1e6),
    );
    Ok(())
}

fn started(program: &Path, words: &[&str]) -> bool {
    let mut command = Command::new(program);
    let command = command.args(words).stdin(Stdio::null());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
