//! `operator demo`: the main job on a simulated cluster inside this process.
//!
//! The one place of this command that names actions: it is a script about TiKV. Everything that
//! is claimed is checked against the state of the simulator too.

mod checks;
mod cluster;
mod printer;
mod steps;

use std::time::Instant;

use async_trait::async_trait;
use operator_cli::clap::{ArgMatches, Command};
use operator_cli::show::note;
use operator_cli::{Exit, Failure, Output, Verb};
use serde_json::{Value, json};

use self::cluster::DemoCluster;
use self::printer::Printer;
use self::steps::Step;

/// The verb.
pub(crate) struct Demo;

#[async_trait(?Send)]
impl Verb for Demo {
    fn command(&self) -> Command {
        Command::new("demo").about(
            "Run a half-minute demonstration on a simulated cluster; needs no PD and leaves nothing behind",
        )
    }

    async fn main(&self, _: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
        tokio::select! {
            biased;
            exit = play(output) => exit,
            // Dropped with everything it made.
            _ = tokio::signal::ctrl_c() => {
                Err(Failure::interrupted("the demo was interrupted"))
            }
        }
    }
}

async fn play(output: &mut Output) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let mut printer = Printer(output);
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
        let step_begun = Instant::now();
        let result = one(number + 1, step, &mut cluster, &mut printer).await;
        let (Ok(text) | Err(text)) = &result;
        steps.push(json!({
            "title": step.title,
            "proven": result.is_ok(),
            "result": text,
            "seconds": step_begun.elapsed().as_secs_f64(),
        }));
        if let Err(text) = result {
            unproven = Some(format!("step {}, {}: {text}", number + 1, step.title));
            break;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    printer.0.for_programs(&json!({
        "proven": unproven.is_none(),
        "steps": steps,
        "intents": cluster.intents,
        "sends_past_the_guard": cluster.unguarded,
        "writes_seen_by_pd": cluster.sim.writes().len(),
        "journal_records": cluster.journal_records().await,
        "seconds": seconds,
    }));
    match unproven {
        None => {
            printer.print(&format!(
                "\nDone in {seconds:.0} s; nothing is left behind."
            ));
            Ok(Exit::Done)
        }
        Some(step) => {
            note(&format!("error: not proven: {step}"));
            Ok(Exit::Failed)
        }
    }
}

/// Plays one step, and prints what it shows and whether that is proven.
async fn one(
    number: usize,
    step: &Step,
    cluster: &mut DemoCluster,
    printer: &mut Printer<'_>,
) -> Result<String, String> {
    printer.print(&format!(
        "\n── {number}/{} {} ──\n{}\n",
        steps::ALL.len(),
        step.title,
        step.shows
    ));
    let result = (step.play)(cluster, printer).await;
    let (Ok(text) | Err(text)) = &result;
    let verdict = if result.is_ok() {
        "Proven"
    } else {
        "NOT PROVEN"
    };
    printer.print(&format!("{verdict}: {text}"));
    result
}
