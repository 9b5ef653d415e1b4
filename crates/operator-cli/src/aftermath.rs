//! `operator undo`, `resolve`, `release` and `reap`: what comes after.

use std::sync::Arc;

use action_core::{OutcomeKind, printable};
use action_guard::{Effect, Guard, Reaped};
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::Call;
use crate::decide::{given_reason, reason};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::follow::Follow;
use crate::life;
use crate::out::Out;
use crate::proposals::{id, meant};
use crate::run::{self, Confirm};
use crate::settings::Global;
use crate::show;

pub(crate) fn undo() -> Command {
    let break_glass = Arg::new("break-glass")
        .long("break-glass")
        .action(ArgAction::SetTrue)
        .help("Take back a lasting effect of ours although the journal cannot be written")
        .requires("reason");
    Confirm::augment_args(Command::new("undo"))
        .about("Take back what a proposal did, unless somebody changed it since")
        .arg(id())
        .arg(break_glass)
}

pub(crate) fn resolve() -> Command {
    Command::new("resolve")
        .about("Say how a mutation of unknown outcome ended, when nothing that can be read does")
        .arg(id())
        .arg(
            Arg::new("result")
                .required(true)
                .value_parser(["applied", "not-applied"])
                .help("How it ended"),
        )
        .arg(reason(true))
}

pub(crate) fn release() -> Command {
    Command::new("release")
        .about("Give up a lasting effect: it is somebody else's now, or gone; nothing is sent")
        .arg(id())
        .arg(reason(true))
}

pub(crate) fn reap() -> Command {
    Command::new("reap").about(
        "Take back lasting effects whose lease is over; leases only fire when something runs this",
    )
}

pub(crate) async fn undo_main(
    matches: &ArgMatches,
    confirm: &Confirm,
    global: &Global,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let guard = global.state.guard(&global.connection)?;
    let actor = global.state.actor()?;
    let id = known(&guard, meant(matches)).await?;
    let reason = confirm
        .reason
        .clone()
        .unwrap_or_else(|| format!("taking back {id}"));
    if matches.get_flag("break-glass") {
        if !confirm.yes {
            return Err(Failure::refused("not_confirmed", "nothing was sent")
                .next("`--break-glass` sends without a record beforehand: give `--yes` too"));
        }
        let mut follow = Follow::default();
        let broken = guard
            .break_glass(&id, &actor, &reason, &mut |event| follow.event(event))
            .await;
        follow.finish();
        let broken = broken?;
        if out.is_json() {
            out.json(&broken);
        } else {
            out.data(&show::outcome(&broken.report.outcome));
        }
        if !broken.recorded {
            out.note("It is not in the journal. Keep this record, and free some space:");
            out.note(&serde_json::to_string(&broken.record).unwrap_or_default());
        }
        return Ok(Exit::of_outcome(broken.report.outcome.result));
    }
    let proposal = guard.propose_undo(&id, &actor, &reason).await?;
    let life = guard.life(&proposal.id).await?;
    let call = life::call(&life, &global.connection).ok_or_else(|| {
        Failure::usage(format!(
            "there is no action `{}` here",
            proposal.request.action
        ))
    })?;
    run::go_on(&call, &guard, &proposal, confirm, global, out).await
}

/// The id that is meant; what ended long ago must be named in full.
async fn known(guard: &Guard, meant: &str) -> Result<String, Failure> {
    let state = guard.state().await?;
    if state.effects.contains_key(meant) {
        return Ok(meant.to_owned());
    }
    match life::find(&state, meant) {
        Ok(life) => Ok(life.proposal.id.clone()),
        Err(_) if meant.len() == 36 => Ok(meant.to_owned()),
        Err(failure) => Err(failure),
    }
}

pub(crate) async fn resolve_main(
    matches: &ArgMatches,
    global: &Global,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let guard = global.state.bare_guard(&global.connection)?;
    let result = match matches.get_one::<String>("result").map(String::as_str) {
        Some("applied") => OutcomeKind::Applied,
        _ => OutcomeKind::NotApplied,
    };
    let id = known(&guard, meant(matches)).await?;
    let actor = global.state.actor()?;
    let life = guard
        .resolve(&id, &actor, result, given_reason(matches))
        .await?;
    let now = Timestamp::now();
    if out.is_json() {
        out.json(&life::json(&life, now));
    } else {
        out.data(&format!(
            "{id} is {}, as {actor} says (identity claimed)",
            life.phase_at(now)
        ));
    }
    Ok(Exit::Done)
}

pub(crate) async fn release_main(
    matches: &ArgMatches,
    global: &Global,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let guard = global.state.bare_guard(&global.connection)?;
    let id = known(&guard, meant(matches)).await?;
    guard
        .release(&id, &global.state.actor()?, given_reason(matches))
        .await?;
    if out.is_json() {
        out.json(&json!({"id": id, "released": true}));
    } else {
        out.data(&format!(
            "{id} is released: what it left in force is not ours any more"
        ));
    }
    Ok(Exit::Done)
}

pub(crate) async fn reap_main(global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let guard = global.state.guard(&global.connection)?;
    let mut follow = Follow::default();
    let reaped = guard.reap(&mut |event| follow.event(event)).await;
    follow.finish();
    let reaped = reaped?;
    if out.is_json() {
        let reaped: Vec<_> = reaped.iter().map(|reaped| json!(reaped)).collect();
        out.list("reaped", &reaped);
    } else if reaped.is_empty() {
        out.data("No lease is over.");
    }
    let mut exit = Exit::Done;
    for one in &reaped {
        let (text, ended) = told(one, global);
        if !out.is_json() {
            out.data(&text);
        }
        if exit == Exit::Done {
            exit = ended;
        }
    }
    Ok(exit)
}

fn told(reaped: &Reaped, global: &Global) -> (String, Exit) {
    let name = |effect: &Arc<Effect>| format!("{} ({})", printable(&effect.key), effect.id);
    match reaped {
        Reaped::Sent { effect, report } => {
            let definitions = crate::definitions();
            let definition = definitions
                .iter()
                .find(|known| known.name == report.action)
                .cloned();
            let text = match definition {
                Some(definition) => show::report(
                    &Call {
                        definition,
                        definitions,
                        connection: global.connection.clone(),
                    },
                    report,
                ),
                None => show::outcome(&report.outcome),
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
