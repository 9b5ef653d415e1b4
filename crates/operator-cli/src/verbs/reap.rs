//! `operator reap`: takes back lasting effects whose lease is over.

use std::sync::Arc;

use action_core::printable;
use action_guard::{ActiveEffect, Reaped};
use clap::Command;
use serde_json::json;

use crate::call::Call;
use crate::reports::outcome;
use crate::settings::Global;
use crate::subjects;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::progress::Follow;

pub(crate) fn reap() -> Command {
    Command::new("reap").about(
        "Take back lasting effects whose lease is over; leases only fire when something runs this",
    )
}

pub(crate) async fn reap_main(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let guard = global.state.guard(&global.connection)?;
    let mut follow = Follow::default();
    let reaped = guard.reap(&mut |event| follow.event(event)).await;
    follow.finish();
    let reaped = reaped?;
    if output.is_json() {
        let reaped: Vec<_> = reaped.iter().map(|reaped| json!(reaped)).collect();
        output.list("reaped", &reaped);
    } else if reaped.is_empty() {
        output.data("No lease is over.");
    }
    let mut exit = Exit::Done;
    for one in &reaped {
        let (text, ended) = text(one, global);
        if !output.is_json() {
            output.data(&text);
        }
        if exit == Exit::Done {
            exit = ended;
        }
    }
    Ok(exit)
}

fn text(reaped: &Reaped, global: &Global) -> (String, Exit) {
    let name = |effect: &Arc<ActiveEffect>| format!("{} ({})", printable(&effect.key), effect.id);
    match reaped {
        Reaped::Sent { effect, report } => {
            let definitions = subjects::definitions();
            let definition = definitions
                .iter()
                .find(|known| known.name == report.action)
                .cloned();
            let text = match definition {
                Some(definition) => outcome::report(
                    &Call {
                        definition,
                        definitions,
                        connection: global.connection.clone(),
                    },
                    report,
                ),
                None => outcome::outcome(&report.outcome),
            };
            let exit = Exit::of_outcome(report.outcome.result);
            (format!("{}\n{text}\n", name(effect)), exit)
        }
        Reaped::Proposed { effect, proposal } => {
            let text = format!("{} waits for approval as {proposal}", name(effect));
            (text, Exit::Waiting)
        }
        Reaped::Left { effect, why } => (
            format!("{} was left alone: {}", name(effect), printable(why)),
            Exit::Refused,
        ),
        other => (format!("{other:?}"), Exit::Failed),
    }
}
