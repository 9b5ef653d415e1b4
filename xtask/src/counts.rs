//! How many instructions work takes, held against what is on record: counts do not drift with load.
//!
//! Valgrind counts them. What a case takes is the difference between two runs of it, so that what
//! comes before and after is not in it.

use std::collections::BTreeMap;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::findings::{Findings, Report};
use crate::workspace::Workspace;

const RECORD: &str = "tests/bench/counts.json";
/// What a count may differ from the record by, in parts of a hundred.
const TOLERANCE: u64 = 10;

/// What is on record.
#[derive(Deserialize, Serialize)]
struct Counts {
    /// The compiler that they are of: another makes other code.
    compiler: String,
    /// For one time, by what it is.
    instructions: BTreeMap<String, u64>,
}

/// Work that is counted.
struct Case {
    what: &'static str,
    program: &'static str,
    words: &'static [&'static str],
    /// How often, less and more; for a program that is run as it is, nothing.
    times: Option<[u64; 2]>,
}

const CASES: &[Case] = &[
    Case::repeated(
        "validate and dispatch, two numbers",
        &["repeat", "numbers"],
        [100, 1_100],
    ),
    Case::repeated(
        "validate and dispatch, text with a pattern",
        &["repeat", "text"],
        [100, 1_100],
    ),
    Case::repeated(
        "a mutation, journal in memory",
        &["repeat", "mutation"],
        [20, 120],
    ),
    Case::repeated(
        "a mutation, journal in memory, beside 900 that wait",
        &["repeat", "mutation_beside_900"],
        [20, 120],
    ),
    Case::repeated(
        "a mutation, journal in memory, after 1,000",
        &["repeat", "mutation_after_1000"],
        [20, 120],
    ),
    Case::repeated(
        "a mutation, journal in memory, with an approval",
        &["repeat", "mutation_approved"],
        [20, 120],
    ),
    Case::repeated("verifying 4,000 records", &["repeat", "verify"], [1, 2]),
    Case::once("operator --version", &["--version"]),
    Case::once("operator actions list", &["actions", "list"]),
];

impl Case {
    const fn repeated(what: &'static str, words: &'static [&'static str], times: [u64; 2]) -> Self {
        Self {
            what,
            program: "bench",
            words,
            times: Some(times),
        }
    }

    const fn once(what: &'static str, words: &'static [&'static str]) -> Self {
        Self {
            what,
            program: "operator",
            words,
            times: None,
        }
    }

    fn count(&self, workspace: &Workspace) -> Result<u64, Findings> {
        let Some([less, more]) = self.times else {
            return self.run(workspace, None);
        };
        let (fewer, all) = (
            self.run(workspace, Some(less))?,
            self.run(workspace, Some(more))?,
        );
        Ok(all.saturating_sub(fewer) / (more - less))
    }

    /// All instructions of a run.
    fn run(&self, workspace: &Workspace, times: Option<u64>) -> Result<u64, Findings> {
        let output = Command::new("valgrind")
            .args([
                "--tool=cachegrind",
                "--cache-sim=no",
                "--cachegrind-out-file=/dev/null",
            ])
            .arg(format!("{}/counts/{}", target(), self.program))
            .args(self.words)
            .args(times.map(|times| times.to_string()))
            .current_dir(workspace.root())
            .output()
            .map_err(|error| {
                Findings::from(format!("counts: `valgrind` did not start: {error}"))
            })?;
        let said = String::from_utf8_lossy(&output.stderr);
        let count = said
            .lines()
            .find_map(counted)
            .filter(|_| output.status.success());
        count.ok_or_else(|| Findings::from(format!("counts: {}: {said}", self.what)))
    }
}

/// Of a line such as `==7== I   refs:      1,234,567`.
fn counted(line: &str) -> Option<u64> {
    let (_, count) = line
        .split_once("refs:")
        .filter(|(name, _)| name.ends_with("I   "))?;
    count.trim().replace(',', "").parse().ok()
}

fn target() -> String {
    std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned())
}

/// Counts, and keeps what is found.
pub(crate) fn write(workspace: &Workspace) -> Report {
    let counts = Counts {
        compiler: compiler(workspace)?,
        instructions: counted_now(workspace)?,
    };
    let text = serde_json::to_string_pretty(&counts).map_err(|error| error.to_string())?;
    std::fs::write(workspace.root().join(RECORD), text + "\n")
        .map_err(|error| format!("{RECORD}: {error}"))?;
    Ok(format!("counts: {RECORD} is written"))
}

/// Counts, and says what differs from the record. Where they cannot be compared, it says why.
pub(crate) fn check(workspace: &Workspace) -> Report {
    let record: Counts = serde_json::from_str(&workspace.read(RECORD)?)
        .map_err(|error| format!("{RECORD}: {error}"))?;
    let compiler = compiler(workspace)?;
    if compiler != record.compiler {
        return Ok(format!(
            "counts: skipped: those on record are of {}, and this is {compiler}",
            record.compiler
        ));
    }
    if workspace.output("valgrind", &["--version"]).is_err() {
        return Ok("counts: skipped: `valgrind` is not installed".to_owned());
    }
    let now = counted_now(workspace)?;
    let mut findings = Findings::default();
    for what in record.instructions.keys().chain(now.keys()) {
        match (record.instructions.get(what), now.get(what)) {
            (Some(then), Some(now)) if is_near(*then, *now) => {}
            (then, now) => {
                let shown = |count: Option<&u64>| count.map_or("none".to_owned(), u64::to_string);
                findings.add(format!(
                    "counts: {what}: {} instructions on record, {} now: is that meant? Then run \
                     `cargo xtask counts`",
                    shown(then),
                    shown(now)
                ));
            }
        }
    }
    findings.or(format!(
        "counts: {} as on record, to {TOLERANCE} %",
        now.len()
    ))
}

fn is_near(then: u64, now: u64) -> bool {
    then.abs_diff(now).saturating_mul(100) <= then.saturating_mul(TOLERANCE)
}

fn compiler(workspace: &Workspace) -> Result<String, Findings> {
    let version = workspace.output("rustc", &["--version", "--verbose"])?;
    let of = |name: &str| version.lines().find_map(|line| line.strip_prefix(name));
    let (release, host) = (of("release: "), of("host: "));
    Ok(format!(
        "{} for {}",
        release.unwrap_or("?"),
        host.unwrap_or("?")
    ))
}

fn counted_now(workspace: &Workspace) -> Result<BTreeMap<String, u64>, Findings> {
    let build = "build --profile counts --locked --package bench --package operator";
    workspace.output("cargo", &build.split(' ').collect::<Vec<_>>())?;
    let count = |case: &Case| Ok((case.what.to_owned(), case.count(workspace)?));
    CASES.iter().map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::{counted, is_near};

    #[test]
    fn the_count_is_read_from_what_valgrind_says() {
        assert_eq!(counted("==7== I   refs:      1,234,567"), Some(1_234_567));
        assert_eq!(counted("==7== I refs:        89"), None);
        assert_eq!(counted("==7== D   refs:      1,234"), None);
    }

    #[test]
    fn a_tenth_more_or_less_is_the_same() {
        for (then, now, near) in [
            (100, 110, true),
            (100, 90, true),
            (100, 111, false),
            (100, 89, false),
        ] {
            assert_eq!(is_near(then, now), near, "{then} {now}");
        }
    }
}
