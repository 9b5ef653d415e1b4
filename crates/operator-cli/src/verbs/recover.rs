//! `operator recover`: ends what was left open.

use action_core::OutcomeKind;
use clap::Command;
use serde_json::json;

use crate::call::Call;
use crate::reports::outcome;
use crate::reports::plan;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::progress::Follow;

pub(crate) fn command() -> Command {
    Command::new("recover").about("Look how everything ended that was sent and not followed")
}

pub(crate) async fn main(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let guard = global.state.bare_guard(&global.connection)?;
    let definitions = crate::subjects::definitions();
    let mut follow = Follow::default();
    let mut on_event = |event| follow.event(event);
    let reports = tokio::select! {
        biased;
        reports = guard.recover(&mut on_event) => reports?,
        _ = tokio::signal::ctrl_c() => {
            return Err(Failure::new(Exit::Unknown, "interrupted", "interrupted, some are still open"));
        }
    };
    follow.finish();
    let unknown = reports
        .iter()
        .any(|report| report.outcome.result == OutcomeKind::Unknown);
    if output.is_json() {
        output.json(&json!({"recovered": reports}));
    } else if reports.is_empty() {
        output.data("Nothing was left open.");
    }
    for report in reports
        .iter()
        .filter(|_| !output.is_json())
        .collect::<Vec<_>>()
    {
        let request = plan::request(&report.action, &report.parameters);
        let known = definitions.iter().find(|known| known.name == report.action);
        let text = match known {
            Some(definition) => outcome::report(
                &Call {
                    definition: definition.clone(),
                    definitions: definitions.clone(),
                    connection: global.connection.clone(),
                },
                report,
            ),
            None => outcome::outcome(&report.outcome),
        };
        output.data(&format!("{request}\n{text}\n"));
    }
    Ok(if unknown { Exit::Unknown } else { Exit::Done })
}
