//! `operator proposals`: what was asked for, and how it stands.

use std::sync::Arc;

use action_core::Role;
use action_guard::{GuardError, Phase, ProposalStatus, Refusal, State};
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use jiff::Timestamp;

use crate::arguments::{Confirm, given_id, id, id_if_given, optional_id};
use crate::ids;
use crate::lookup::{self, Known};
use crate::reports::in_force::{self, Releases};
use crate::reports::proposal;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::verbs::carry_out;
use crate::verbs::confirm::confirmed;
use crate::verbs::desk::{Desk, Here};
use crate::verbs::findings::is_offered;

pub(crate) fn command() -> Command {
    let all = Arg::new("all")
        .long("all")
        .short('a')
        .action(ArgAction::SetTrue)
        .help("Include proposals that ended recently");
    Command::new("proposals")
        .about("List, show and run proposals")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("list")
                .about("List open proposals, and effects in force")
                .arg(all),
            Command::new("show")
                .about("Show a proposal: its plan, policy decision, approvals and outcome")
                .arg(id()),
            Confirm::augment_args(Command::new("run"))
                .about("Run an approved proposal, follow it and prove its outcome")
                .arg(optional_id()),
        ])
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    global.state.must_exist()?;
    match matches.subcommand() {
        Some(("list", matches)) => {
            let state = global.state.bare_controls()?.state().await?;
            list(matches.get_flag("all"), &state, global, output)
        }
        Some(("show", matches)) => {
            let controls = global.state.bare_controls()?;
            let state = controls.state().await?;
            let known = Known::here(&controls, &state);
            show(given_id(matches), &known, global, output).await
        }
        Some(("run", matches)) => run(matches, global, output).await,
        _ => Err(Failure::usage("unknown command")),
    }
}

pub(super) async fn show(
    id: &str,
    known: &Known<'_>,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (found, now) = (known.find(id).await?, Timestamp::now());
    output.show(&proposal::json(&found, now), || {
        proposal::text(&found, known.state(), global, now)
    });
    Ok(Exit::Done)
}

pub(super) fn list(
    all: bool,
    state: &State,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let now = Timestamp::now();
    let ended = state.ended.iter().filter(|_| all);
    let mut statuses: Vec<_> = ended.chain(state.open.values()).cloned().collect();
    statuses.sort_by(|one, other| one.proposal.id.cmp(&other.proposal.id));
    if !all {
        statuses.retain(|status| lookup::is_open(status, now));
    }
    let items: Vec<_> = statuses
        .iter()
        .map(|status| proposal::json(status, now))
        .collect();
    let effects = state.in_force(now);
    let in_force = in_force::json(&effects, &Releases::new(), state, global);
    let lists = [("proposals", &items[..]), ("in_force", &in_force[..])];
    output.show_lists(&lists, || {
        let open = match statuses.is_empty() {
            true => "No open proposals.".to_owned(),
            false => proposal::list(&statuses, state, now),
        };
        let effects = in_force::text(&effects, &Releases::new(), state, global);
        let can_compare = effects.is_some() && is_offered(Role::Leftovers);
        let compare = can_compare.then(|| {
            let doctor = global.own_command(&["doctor"]);
            format!("According to the journal; `{doctor}` checks whether it is still in force.")
        });
        let parts = [Some(open), effects, compare];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    });
    Ok(Exit::Done)
}

async fn run(matches: &ArgMatches, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let controls = global.state.bare_controls()?;
    let state = controls.state().await?;
    let known = Known::here(&controls, &state);
    let found = approved(id_if_given(matches), &known).await?;
    let global = &global.to(&found.proposal.target())?;
    let guard = global.state.guard(&global.connection).await?;
    let desk = Here::new(&guard, global)?;
    carry_out(&desk, &found, &state, matches, global, output).await
}

/// The proposal that is meant; without an id it is said which are approved.
pub(super) async fn approved(
    id: Option<&str>,
    known: &Known<'_>,
) -> Result<Arc<ProposalStatus>, Failure> {
    let now = Timestamp::now();
    let can_run = |status: &ProposalStatus| status.phase_at(now) == Phase::Approved;
    known.choose(id, "proposals run", can_run).await
}

/// Carries out what was approved.
pub(super) async fn carry_out(
    desk: &impl Desk,
    found: &ProposalStatus,
    state: &State,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let confirm = Confirm::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
    let (id, now) = (ids::short_of(&found.proposal.id, state), Timestamp::now());
    global.connection.check_system(&found.proposal.system)?;
    let call = lookup::known_call(&found.proposal, global)?;
    match found.phase_at(now) {
        Phase::Approved => {}
        Phase::NeedsApproval => {
            output.note(&proposal::waiting(found, &id, global));
            let text = "not approved yet";
            return Err(Failure::new(Exit::Waiting, "needs_approval", text));
        }
        phase => {
            let text = format!("nothing was sent: proposal {id} is {phase}");
            return Err(Failure::refused("not_approved", text));
        }
    }
    let (asked, by) = (&found.proposal.request, global.state.actor()?);
    if !asked.may_be_carried_out_by(&by) {
        let refusal = Refusal::NotRequester {
            id: found.proposal.id.clone(),
            requester: asked.actor.clone(),
            by,
        };
        let command = proposal::run_command(&found.proposal, &id, global);
        let failure = Failure::from(GuardError::Refused(refusal));
        return Err(failure.next(format!("run it as the requester: `{command}`")));
    }
    if !confirm.yes {
        output.note(&format!("{}\n", proposal::text(found, state, global, now)));
    }
    // What people approved stays approved when it is not run now.
    confirmed(call.definition, &found.proposal, &confirm).await?;
    carry_out::carry_out(&call, desk, &found.proposal, global, output).await
}
