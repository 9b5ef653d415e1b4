//! Reads again what the gate shows and whom it believes, when that changes on disk.

use std::time::Duration;

use action_core::report;
use operator_server::{Gate, Trust};

use crate::terminal::interrupt::Reloads;
use crate::terminal::output::Output;
use crate::verbs::serve::trust::Sources;

/// How often the files are looked at without being told to.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What was found at a look.
type Found = Result<Trust, String>;

/// Looks, for as long as the gate is open: every ten seconds, and at each SIGHUP. What cannot be used is
/// told once, and what was there before it holds.
pub(super) async fn keep(
    gate: &Gate,
    sources: Sources<'_>,
    first: Trust,
    mut reloads: Reloads,
    output: &Output,
) {
    let mut last: Found = Ok(first);
    loop {
        let is_told = tokio::select! {
            () = reloads.next() => true,
            () = tokio::time::sleep(LOOK_EVERY) => false,
        };
        let found = found(sources);
        let is_new = found != last;
        if is_new || is_told {
            output.note(&taken(gate, &found, is_new));
        }
        last = found;
    }
}

fn found(sources: Sources<'_>) -> Found {
    sources.load().map_err(|failure| failure.in_one_line())
}

/// Takes what was found, and says what came of it.
fn taken(gate: &Gate, found: &Found, is_new: bool) -> String {
    let taken = match found {
        Ok(trust) => gate.trust(trust).map_err(|error| report(&error)),
        Err(problem) => Err(problem.clone()),
    };
    match taken {
        Ok(()) if is_new => "reloaded: changes are in force".to_owned(),
        Ok(()) => "reloaded: no changes".to_owned(),
        Err(problem) => {
            format!("not reloaded, the previous configuration stays in force: {problem}")
        }
    }
}
