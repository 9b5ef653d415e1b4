//! `operator demo`: the main job on a simulated cluster inside this process.
//!
//! The one place of this command that names actions: it is a script about TiKV. Everything that
//! is claimed is checked against the state of the simulator too.

mod stage;
mod steps;

use std::time::Instant;

use clap::Command;
use serde_json::{Value, json};

use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::{Out, note};

use self::stage::Stage;

pub(crate) fn command() -> Command {
    Command::new("demo")
        .about("See it all in half a minute on a simulated cluster; needs no PD, leaves nothing")
}

/// Where the demo tells what it shows: with the data, unless data is JSON.
struct Teller<'a> {
    out: &'a mut Out,
}

impl Teller<'_> {
    fn tell(&mut self, text: &str) {
        if self.out.is_json() {
            note(text);
        } else {
            self.out.data(text);
        }
    }
}

pub(crate) async fn main(out: &mut Out) -> Result<Exit, Failure> {
    tokio::select! {
        biased;
        exit = play(out) => exit,
        // Dropped with everything it made.
        _ = tokio::signal::ctrl_c() => {
            Err(Failure::new(Exit::Failed, "interrupted", "the demo was interrupted"))
        }
    }
}

async fn play(out: &mut Out) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let mut teller = Teller { out };
    let mut stage = Stage::set().await?;
    teller.tell(&format!(
        "A simulated PD with {} stores and {} regions listens at {}.",
        stage::STORES,
        stage::REGIONS,
        stage.sim.endpoint(),
    ));
    let mut steps: Vec<Value> = Vec::new();
    let mut unproven = None;
    for (number, step) in steps::ALL.iter().enumerate() {
        let (number, of) = (number + 1, steps::ALL.len());
        teller.tell(&format!(
            "\n── {number}/{of} {} ──\n{}\n",
            step.title, step.shows
        ));
        let step_begun = Instant::now();
        let result = (step.play)(&mut stage, &mut teller).await;
        let seconds = step_begun.elapsed().as_secs_f64();
        let (proven, text) = match result {
            Ok(text) => (true, text),
            Err(text) => (false, text),
        };
        teller.tell(&format!(
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
    if teller.out.is_json() {
        teller.out.json(&json!({
            "proven": unproven.is_none(),
            "steps": steps,
            "intents": stage.intents,
            "sends_past_the_guard": stage.unguarded,
            "writes_seen_by_pd": stage.sim.writes().len(),
            "journal_records": stage.journal_records().await,
            "seconds": seconds,
        }));
    }
    match unproven {
        None => {
            teller.tell(&format!(
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
