//! `operator recover`: ends what was left open.

use action_core::OutcomeKind;
use action_guard::{Report, State};
use clap::Command;
use serde_json::json;

use crate::ids;
use crate::lookup;
use crate::reports::outcome;
use crate::reports::plan;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::interrupt::interrupted;
use crate::terminal::output::Output;
use crate::terminal::progress::Follow;

pub(crate) fn command() -> Command {
    Command::new("recover").about("Find the outcome of everything that was sent and not followed")
}

pub(crate) async fn main(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let state = global.state.bare_controls()?.state().await?;
    let unsettled = state.unsettled().map(|status| status.proposal.target());
    let targets = lookup::systems(unsettled).into_iter();
    let targets: Vec<_> = targets
        .filter(|target| global.connection.may_be_to(target))
        .collect();
    drop(state);
    let mut follow = Follow::default();
    let mut reports = Vec::new();
    for target in &targets {
        let global = global.to(target)?;
        let guard = global.state.bare_guard(&global.connection).await?;
        let mut on_event = |event| follow.event(event);
        reports.extend(tokio::select! {
            biased;
            found = guard.recover_on(target, &mut on_event) => found?,
            () = interrupted() => {
                return Err(Failure::interrupted("interrupted; some outcomes are still open")
                    .next(format!("run `{}` to continue", global.own_command(&["recover"]))));
            }
        });
    }
    follow.finish();
    let state = global.state.bare_controls()?.state().await?;
    Ok(show(&reports, &state, global, output))
}

pub(crate) fn show(
    reports: &[Report],
    state: &State,
    global: &Global,
    output: &mut Output,
) -> Exit {
    let unknown = reports
        .iter()
        .any(|report| report.outcome.result == OutcomeKind::Unknown);
    output.show(&json!({"recovered": reports}), || {
        if reports.is_empty() {
            return "No open outcomes.".to_owned();
        }
        let one = |report: &Report| {
            let request = plan::request(&report.action, &report.parameters);
            let text = outcome::report(report, &ids::short_of(&report.id, state), state, global);
            format!("{request}\n{text}\n")
        };
        reports.iter().map(one).collect::<Vec<_>>().join("\n")
    });
    if unknown { Exit::Unknown } else { Exit::Done }
}
