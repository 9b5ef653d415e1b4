//! `operator reap`: takes back lasting effects whose lease is over.

use std::sync::Arc;

use action_core::printable;
use action_guard::{ActiveEffect, Reaped, State};
use clap::Command;
use jiff::Timestamp;
use serde_json::json;

use crate::ids;
use crate::lookup;
use crate::reports::{in_force, outcome};
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::progress::Follow;

pub(crate) fn reap() -> Command {
    Command::new("reap")
        .about("Take back lasting effects whose lease has expired; run it from a timer")
}

pub(crate) async fn reap_main(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let state = global.state.controls()?.state().await?;
    let over = state.expired_effects(Timestamp::now());
    let targets = lookup::systems(over.map(|effect| effect.target())).into_iter();
    let targets: Vec<_> = targets
        .filter(|target| global.connection.may_be_to(target))
        .collect();
    drop(state);
    let mut follow = Follow::default();
    let mut reaped = Vec::new();
    for target in &targets {
        let global = global.to(target)?;
        let guard = global.state.guard(&global.connection).await?;
        let done = guard
            .reap_on(target, &mut |event| follow.event(event))
            .await;
        reaped.extend(done?);
    }
    follow.finish();
    let state = global.state.bare_controls()?.state().await?;
    let items: Vec<_> = reaped.iter().map(|one| json!(one)).collect();
    output.show_list("reaped", &items, || {
        if reaped.is_empty() {
            return "No lease has expired.".to_owned();
        }
        let texts = reaped.iter().map(|one| text(one, &state, global));
        texts.collect::<Vec<_>>().join("\n")
    });
    let exits = reaped.iter().map(exit);
    Ok(exits.fold(Exit::Done, |first, next| match first {
        Exit::Done => next,
        other => other,
    }))
}

fn exit(reaped: &Reaped) -> Exit {
    match reaped {
        Reaped::Sent { report, .. } => Exit::of_outcome(&report.outcome),
        Reaped::Proposed { .. } => Exit::Waiting,
        Reaped::Left { .. } => Exit::Refused,
        _ => Exit::Failed,
    }
}

fn text(reaped: &Reaped, state: &State, global: &Global) -> String {
    let name = |effect: &Arc<ActiveEffect>| format!("{} ({})", printable(&effect.key), effect.id);
    match reaped {
        Reaped::Sent { effect, report } => {
            let text = outcome::report(report, &ids::short_of(&report.id, state), state, global);
            format!("{}\n{text}\n", name(effect))
        }
        Reaped::Proposed { effect, proposal } => {
            format!("{} needs approval, as proposal {proposal}", name(effect))
        }
        Reaped::Left { effect, why } => {
            let left = format!("{} skipped: {}", name(effect), printable(why));
            match state.is_whose_unknown(&effect.id) {
                true => format!(
                    "{left}\n  {}",
                    in_force::for_a_person(&effect.id, state, global)
                ),
                false => left,
            }
        }
        other => format!("{other:?}"),
    }
}
