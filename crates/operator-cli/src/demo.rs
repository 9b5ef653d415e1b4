//! `operator demo`: the main job on a simulated cluster inside this process.
//!
//! The one place of this command that names actions: it is a script about TiKV. Everything that
//! is claimed is checked against the state of the simulator too.

mod cluster;
mod steps;

use std::time::Instant;

use clap::Command;
use serde_json::{Value, json};

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::{Output, note};

use self::cluster::DemoCluster;

pub(crate) fn command() -> Command {
    Command::new("demo")
        .about("See it all in half a minute on a simulated cluster; needs no PD, leaves nothing")
}

/// Where the demo tells what it shows: with the data, unless data is JSON.
struct Printer<'a> {
    output: &'a mut Output,
}

impl Printer<'_> {
    fn print(&mut self, text: &str) {
        if self.output.is_json() {
            note(text);
        } else {
            self.output.data(text);
        }
    }
}

pub(crate) async fn main(output: &mut Output) -> Result<Exit, Failure> {
    tokio::select! {
        biased;
        exit = play(output) => exit,
        // Dropped with everything it made.
        _ = tokio::signal::ctrl_c() => {
            Err(Failure::new(Exit::Failed, "interrupted", "the demo was interrupted"))
        }
    }
}

async fn play(output: &mut Output) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let mut printer = Printer { output };
    let mut cluster = DemoCluster::set().await?;
    printer.print(&format!(
        "A simulated PD with {} stores and {} regions listens at {}.",
        cluster::STORES,
        cluster::REGIONS,
        cluster.sim.endpoint(),
    ));
    let mut steps: Vec<Value> = Vec::new();
    let mut unproven = None;
    for (number, step) in steps::ALL.iter().enumerate() {
        let (number, of) = (number + 1, steps::ALL.len());
        printer.print(&format!(
            "\n── {number}/{of} {} ──\n{}\n",
            step.title, step.shows
        ));
        let step_begun = Instant::now();
        let result = (step.play)(&mut cluster, &mut printer).await;
        let seconds = step_begun.elapsed().as_secs_f64();
        let (proven, text) = match result {
            Ok(text) => (true, text),
            Err(text) => (false, text),
        };
        printer.print(&format!(
            "{}: {text}",
            if proven { "Proven" } else { "NOT PROVEN" }
        ));
        steps.push(json!({
            "title": step.title,
            "proven": proven,
            "result": text,
            "seconds": seconds,
        }));
        if !proven {
            unproven = Some(format!("step {number}, {}: {text}", step.title));
            break;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    if printer.output.is_json() {
        printer.output.json(&json!({
            "proven": unproven.is_none(),
            "steps": steps,
            "intents": cluster.intents,
            "sends_past_the_guard": cluster.unguarded,
            "writes_seen_by_pd": cluster.sim.writes().len(),
            "journal_records": cluster.journal_records().await,
            "seconds": seconds,
        }));
    }
    match unproven {
        None => {
            printer.print(&format!(
                "\nAll of it in {seconds:.0} s, and nothing is left behind."
            ));
            Ok(Exit::Done)
        }
        Some(step) => {
            note(&format!("error: not proven: {step}"));
            Ok(Exit::Failed)
        }
    }
}
