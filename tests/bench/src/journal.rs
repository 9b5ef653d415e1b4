//! Long journals: opened, looked up in, verified.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use action_core::{Accepted, Attempt, Attribution, Outcome, Plan, Undo, Verdict};
use action_guard::{Answer, FileJournal, Intent, Journal, Proposal, Record, Request, Ruling};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Runtime;

use crate::Failed;
use crate::client::resident_kib;
use crate::measure::compared;
use crate::report::{Budget, Curve, Report};

pub(crate) fn measure(runtime: &Runtime, report: &mut Report) -> Result<(), Failed> {
    let most = std::env::var("BENCH_RECORDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let most: usize = most.unwrap_or(1_000_000);
    let (mut opened, mut verified) = (Vec::new(), Vec::new());
    for records in [40, 4_000, 100_000, 1_000_000] {
        if records > most {
            break;
        }
        let directory = tempfile::tempdir()?;
        runtime.block_on(filled(directory.path(), records))?;
        let before = resident_kib();
        let begun = Instant::now();
        let journal = FileJournal::open(directory.path())?;
        black_box(runtime.block_on(journal.state())?);
        let seconds = begun.elapsed().as_secs_f64();
        opened.push((records as f64, seconds));
        report.fact(
            format!("opening a journal of {records} records"),
            format!(
                "{:.1} ms, {} KiB more in memory",
                seconds * 1e3,
                resident_kib().saturating_sub(before)
            ),
        );
        let begun = Instant::now();
        let of_one = runtime.block_on(journal.entries_of(&format!("life-{}", records / 8)))?;
        report.fact(
            format!("`journal show --id` of a proposal half-way in {records} records"),
            format!(
                "{:.1} ms, {} records",
                begun.elapsed().as_secs_f64() * 1e3,
                of_one.len()
            ),
        );
        let files = files(directory.path())?;
        let compared = compared(
            || runtime.block_on(journal.verify()).is_ok(),
            || hashed(&files),
        );
        verified.push((records as f64, compared.ours.wall));
        let budget = if records == 1_000_000 {
            Budget::Cpu(3.0)
        } else {
            Budget::None
        };
        let what = format!("verifying {records} records");
        report.row(what, "SHA-256 of the same files", budget, 1, compared);
    }
    report.curve(Curve {
        file: "journal",
        title: "A journal, by its length",
        x: "records",
        y: "seconds",
        lines: vec![("opened", opened), ("verified", verified)],
    });
    Ok(())
}

/// A journal of 4,000 records verified so many times, for whoever counts.
pub(crate) fn repeated(runtime: &Runtime, times: u64) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    runtime.block_on(filled(directory.path(), 4_000))?;
    let journal = FileJournal::open(directory.path())?;
    for _ in 0..times {
        runtime.block_on(journal.verify())?;
    }
    Ok(())
}

/// The files of a journal.
fn files(directory: &Path) -> Result<Vec<std::path::PathBuf>, Failed> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path)?);
        } else {
            all.push(path);
        }
    }
    Ok(all)
}

fn hashed(files: &[std::path::PathBuf]) -> usize {
    let all = files.iter().filter_map(|path| std::fs::read(path).ok());
    all.map(|bytes| Sha256::digest(&bytes).len()).sum()
}

/// The life of one proposal that nobody will ask for again.
fn life(at: usize, until: Timestamp) -> [Record; 4] {
    let id = format!("life-{at}");
    let plan = || Plan::new(Verdict::WouldProceed, Value::from(at)).same("value", at);
    let parameters = json!({"counter": 1, "value": at});
    let request = Request::new("set_counter", parameters, "agent:night");
    let undo = Undo::none("it is a benchmark");
    let mut proposal = Proposal::new(&id, request, "the counters", plan(), undo, until);
    proposal.resources = vec!["counter/1".to_owned()];
    let attempt = Attempt::new(&id, 1, None);
    let outcome = Outcome::applied(Attribution::Ours, "it shows the value", Vec::new());
    [
        Record::Proposed {
            proposal: Box::new(proposal),
            ruling: Ruling::Allow {
                rule: "benchmark".to_owned(),
            },
        },
        Record::Intent {
            id: id.clone(),
            intent: Box::new(Intent::new(plan(), attempt, until)),
        },
        Record::Answer {
            id: id.clone(),
            answer: Answer::Accepted {
                code: None,
                accepted: Accepted::new("set"),
            },
        },
        Record::Outcome {
            id,
            outcome,
            undo: None,
        },
    ]
}

async fn filled(directory: &Path, records: usize) -> Result<(), Failed> {
    let journal = Arc::new(FileJournal::open(directory)?);
    let guard = crate::guard::ready(journal.clone()).await?;
    let until = Timestamp::now() + SignedDuration::from_hours(1);
    let lives = records / 4;
    for begin in (0..lives).step_by(1_000) {
        let lives = (begin..lives.min(begin + 1_000)).flat_map(|at| life(at, until));
        let lives: Vec<Record> = lives.collect();
        guard
            .journal()
            .commit(Box::new(move |_, _| Ok(lives)))
            .await?;
    }
    Ok(())
}
