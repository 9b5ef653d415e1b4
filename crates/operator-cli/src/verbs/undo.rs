//! `operator undo`: takes back what a proposal did.

use action_guard::{Guard, ProposalStatus};
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};

use crate::arguments::{Confirm, id_if_given, optional_id};
use crate::ids;
use crate::lookup;
use crate::reports::outcome;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::progress::Follow;
use crate::verbs::carry_out;

pub(crate) fn undo() -> Command {
    let break_glass = Arg::new("break-glass")
        .long("break-glass")
        .action(ArgAction::SetTrue)
        .help("Take back a lasting effect of ours although the journal cannot be written")
        .requires("reason");
    let last = Arg::new("last")
        .long("last")
        .action(ArgAction::SetTrue)
        .conflicts_with("id")
        .help("Take back what was sent last from this state directory, and is or may be in force");
    Confirm::augment_args(Command::new("undo"))
        .about("Take back what a proposal did, unless somebody changed it since")
        .arg(optional_id())
        .arg(last)
        .arg(break_glass)
}

pub(crate) async fn undo_main(
    matches: &ArgMatches,
    confirm: &Confirm,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let guard = global.state.guard(&global.connection)?;
    let actor = global.state.actor()?;
    let id = undone(&guard, matches, output).await?;
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
        output.show(&broken, || outcome::outcome(&broken.report.outcome));
        if !broken.recorded {
            output.note("It is not in the journal. Keep this record, and free some space:");
            output.note(&serde_json::to_string(&broken.record).unwrap_or_default());
        }
        return Ok(Exit::of_outcome(&broken.report.outcome));
    }
    let draft = guard.draft_undo(&id, &actor, &reason).await?;
    let call = lookup::known_call(draft.proposal(), global)?;
    carry_out::go_on(&call, &guard, draft, confirm, global, output).await
}

/// The id of what is to be taken back: given, the last, or else it is said which there are.
async fn undone(guard: &Guard, matches: &ArgMatches, output: &Output) -> Result<String, Failure> {
    let state = guard.state().await?;
    if let Some(given) = id_if_given(matches) {
        return lookup::known(&state, given);
    }
    if !matches.get_flag("last") {
        let can_be = |status: &ProposalStatus| lookup::can_be_undone(&state, status);
        return Ok(lookup::choose(&state, None, "undo", can_be)?
            .proposal
            .id
            .clone());
    }
    let last = lookup::last_to_undo(&state)?;
    let id = &last.proposal.id;
    output.note(&lookup::taken_back(&last, &ids::short_of(id, &state)));
    Ok(id.clone())
}
