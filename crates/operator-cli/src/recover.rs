//! `operator recover`: ends what was left open.

use action_core::OutcomeKind;
use clap::Command;
use serde_json::json;

use crate::cli::Call;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow::Follow;
use crate::out::Out;
use crate::settings::Global;
use crate::show;

pub(crate) fn command() -> Command {
    Command::new("recover").about("Look how everything ended that was sent and not followed")
}

pub(crate) async fn main(global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let guard = global.state.bare_guard(&global.connection)?;
    let definitions = crate::definitions();
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
    if out.is_json() {
        out.json(&json!({"recovered": reports}));
    } else if reports.is_empty() {
        out.data("Nothing was left open.");
    }
    for report in reports
        .iter()
        .filter(|_| !out.is_json())
        .collect::<Vec<_>>()
    {
        let request = show::request(&report.action, &report.parameters);
        let known = definitions.iter().find(|known| known.name == report.action);
        let text = match known {
            Some(definition) => show::report(
                &Call {
                    definition: definition.clone(),
                    definitions: definitions.clone(),
                    connection: global.connection.clone(),
                },
                report,
            ),
            None => show::outcome(&report.outcome),
        };
        out.data(&format!("{request}\n{text}\n"));
    }
    Ok(if unknown { Exit::Unknown } else { Exit::Done })
}
