//! `operator undo`: takes back what a proposal did.

use action_guard::{Actor, Guard, GuardError, Refusal, State};
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command};

use crate::arguments::{Confirm, id_if_given, optional_id};
use crate::ids;
use crate::lookup::{self, Known};
use crate::reports::{in_force, outcome};
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::progress::Follow;
use crate::verbs::carry_out;
use crate::verbs::desk::Here;

/// What is said before something is taken back that may be another's.
pub(super) const WHOSE_UNKNOWN: &str = "The request got no answer and somebody else may have asked for the same, so it is unknown whose effect this is.\n";

pub(crate) fn undo() -> Command {
    let break_glass = Arg::new("break-glass")
        .long("break-glass")
        .action(ArgAction::SetTrue)
        .help("Take back a lasting effect even though the journal cannot be written")
        .requires("reason");
    let last = Arg::new("last")
        .long("last")
        .action(ArgAction::SetTrue)
        .conflicts_with("id")
        .help(
            "Take back the last change sent from this state directory that is or may be in force",
        );
    Confirm::augment_args(Command::new("undo"))
        .about("Take back what a proposal changed, unless somebody changed it since")
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
    global.state.must_exist()?;
    let controls = global.state.bare_controls()?;
    let state = controls.state().await?;
    let id = undone(&Known::here(&controls, &state), matches, global, output).await?;
    let target = lookup::target_of(controls.journal(), &state, &id).await?;
    let global = &target.map_or_else(|| Ok(global.clone()), |target| global.to(&target))?;
    drop((state, controls));
    let guard = global.state.guard(&global.connection).await?;
    let actor = global.state.actor()?;
    let reason = confirm
        .reason
        .clone()
        .unwrap_or_else(|| format!("taking back {id}"));
    let is_named = !matches.get_flag("last");
    if matches.get_flag("break-glass") {
        if !is_named {
            let text = "`--break-glass` needs an id";
            return Err(Failure::usage(text));
        }
        return break_glass(&guard, &id, (&actor, &reason), confirm, output).await;
    }
    let drafted = match is_named {
        true => guard.draft_undo(&id, &actor, &reason).await,
        false => guard.draft_undo_of_ours(&id, &actor, &reason).await,
    };
    let draft = match drafted {
        Ok(draft) => draft,
        Err(error) => return Err(not_drafted(error, &id, &*guard.state().await?, global)),
    };
    if is_named && guard.state().await?.is_whose_unknown(&id) {
        output.note(WHOSE_UNKNOWN);
    }
    let call = lookup::known_call(draft.proposal(), global)?;
    let done = carry_out::go_on(
        &call,
        &Here::new(&guard, global)?,
        draft,
        confirm,
        global,
        output,
    )
    .await;
    done.map_err(|failure| {
        if failure.is_full_journal() {
            failure.next(
                "free some space; if that cannot wait, `--break-glass --yes --reason TEXT` takes back a lasting effect without recording it first",
            )
        } else {
            failure
        }
    })
}

/// Takes back a lasting effect of ours although the journal cannot be written.
async fn break_glass(
    guard: &Guard,
    id: &str,
    (actor, reason): (&Actor, &str),
    confirm: &Confirm,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if !confirm.yes {
        return Err(Failure::refused("not_confirmed", "nothing was sent")
            .next("`--break-glass` sends without recording it first: also give `--yes`"));
    }
    let mut follow = Follow::default();
    let broken = guard
        .break_glass(id, actor, reason, &mut |event| follow.event(event))
        .await;
    follow.finish();
    let broken = broken?;
    output.show(&broken, || outcome::outcome(&broken.report.outcome));
    if !broken.recorded {
        output.note("This is not in the journal. Keep the record below, and free some space:");
        output.note(&serde_json::to_string(&broken.record).unwrap_or_default());
    }
    Ok(Exit::of_outcome(&broken.report.outcome))
}

/// Why it is not taken back, and who can or what else to do.
fn not_drafted(error: GuardError, id: &str, state: &State, global: &Global) -> Failure {
    match error {
        GuardError::ChangedSince { .. } => changed_since(error, id, state, global),
        GuardError::Refused(Refusal::WhoseUnknown { .. }) => {
            Failure::from(error).next(in_force::for_a_person(id, state, global))
        }
        error => error.into(),
    }
}

/// The id of what is to be taken back: given, the last, or else it is said which there are.
async fn undone(
    known: &Known<'_>,
    matches: &ArgMatches,
    global: &Global,
    output: &Output,
) -> Result<String, Failure> {
    if let Some(given) = id_if_given(matches) {
        return known.id(given).await;
    }
    let state = known.state();
    if !matches.get_flag("last") {
        return Err(known.unnamed("undo", |status| lookup::can_be_undone(state, status)));
    }
    let last = lookup::last_to_undo(state, &global.connection)?;
    let id = &last.proposal.id;
    output.note(&lookup::taken_back(&last, &ids::short_of(id, state)));
    for later in lookup::lasting_after(state, &last) {
        output.note(&lookup::stays(
            &later,
            &ids::short_of(&later.proposal.id, state),
        ));
    }
    Ok(id.clone())
}

/// What somebody changed is not taken back: how it comes off the list, and what was sent before it.
fn changed_since(error: GuardError, id: &str, state: &State, global: &Global) -> Failure {
    let failure = Failure::from(error);
    let release = state.effects.contains_key(id).then(|| {
        let command = in_force::release_command(id, state, global);
        format!("run `{command}` to remove it from the list of effects in force; it sends nothing")
    });
    let newest = lookup::newest_to_undo(state).into_iter();
    let mut before = newest.skip_while(|status| status.proposal.id != id).skip(1);
    let before = before.next().map(|status| {
        let short = ids::short_of(&status.proposal.id, state);
        let command = global.own_command(&["undo", &short]);
        format!("run `{command}` to take back what was sent before it")
    });
    failure.lines([release, before].into_iter().flatten().collect())
}
