//! What this costs, as ratios beside references that run with it: `cargo xtask bench`.
//!
//! ```text
//! bench page DOCS      measures everything and writes DOCS/performance.md
//! bench part NAME…     measures only: requests, client, plans, guard, journal, start
//! bench repeat CASE N  does one thing so many times, for whoever counts instructions
//! bench serve R S      a simulated PD of R regions and S stores, until its input ends
//! ```
//!
//! In the environment: `BENCH_REGIONS` and `BENCH_RECORDS`, the most that are measured;
//! `BENCH_GO_CLIENT`, the program of `go-client/`, which `cargo xtask bench` builds.

mod client;
mod go_client;
mod guard;
mod journal;
mod measure;
mod plans;
mod report;
mod requests;
mod start;

use std::path::Path;
use std::process::ExitCode;

use report::Report;
use tokio::runtime::Runtime;

/// Why there is no page.
type Failed = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "write: page DOCS, part NAME…, repeat CASE TIMES, or serve REGIONS STORES";

const PARTS: [&str; 6] = ["requests", "client", "plans", "guard", "journal", "start"];

fn run(words: &[&str]) -> Result<(), Failed> {
    let runtime = Runtime::new()?;
    match words {
        ["serve", regions, stores] => {
            let number = |text: &str| text.parse::<u64>().map_err(|_| USAGE);
            client::serve(&runtime, number(regions)?, number(stores)?)
        }
        ["repeat", case, times] => {
            let times = times.parse().map_err(|_| USAGE)?;
            repeat(case, times)
        }
        ["part", names @ ..] if !names.is_empty() => {
            let mut report = Report::default();
            names
                .iter()
                .try_for_each(|name| part(name, &runtime, &mut report))
        }
        ["page", docs] => {
            let mut report = Report::default();
            PARTS
                .iter()
                .try_for_each(|name| part(name, &runtime, &mut report))?;
            report.write(Path::new(docs), &machine())
        }
        _ => Err(USAGE.into()),
    }
}

/// On one thread, so that counts are the same each time.
fn repeat(case: &str, times: u64) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match case {
        "numbers" => requests::repeated(&runtime, false, times),
        "text" => requests::repeated(&runtime, true, times),
        "mutation" => guard::repeated(&runtime, false, times),
        "mutation_in_file" => guard::repeated(&runtime, true, times),
        "mutation_beside_900" => guard::repeated_beside(&runtime, false, times),
        "mutation_in_file_beside_900" => guard::repeated_beside(&runtime, true, times),
        "mutation_approved" => guard::repeated_approved(&runtime, times),
        "mutation_after_1000" => guard::repeated_after(&runtime, times),
        "region" => client::repeated(&runtime, client::By::Ours, times),
        "region_by_hyper" => client::repeated(&runtime, client::By::Hyper, times),
        "region_by_reqwest" => client::repeated(&runtime, client::By::Reqwest, times),
        "verify" => journal::repeated(&runtime, times),
        _ => Err(USAGE.into()),
    }
}

fn part(name: &str, runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    match name {
        "requests" => requests::measure(runtime, report),
        "client" => client::measure(runtime, report),
        "plans" => plans::measure(runtime, report),
        "guard" => guard::measure(runtime, report),
        "journal" => journal::measure(runtime, report),
        "start" => start::measure(report),
        _ => Err(USAGE.into()),
    }
}

/// Which machine, and which commit.
fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("", |line| line.trim_start_matches([' ', '\t', ':']));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let commit = std::process::Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .output()
        .map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
        .unwrap_or_default();
    format!("Commit {commit}; {cpus} CPUs, {model}; load {load} when it ended.")
}
