//! `operator proposals`: what was asked for, and how it stands.

use action_guard::Phase;
use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;

use crate::arguments::{given_id, id};
use crate::lookup;
use crate::reports::proposal;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::verbs::carry_out;

pub(crate) fn command() -> Command {
    let all = Arg::new("all")
        .long("all")
        .short('a')
        .action(ArgAction::SetTrue)
        .help("Those that ended lately too");
    Command::new("proposals")
        .about("List, show and carry out what was asked for")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("list").about("List what is open").arg(all),
            Command::new("show")
                .about("Show one: its plan, what the policy says, who agreed, how it ended")
                .arg(id()),
            Command::new("run")
                .about("Carry out what was approved, follow it and prove its outcome")
                .arg(id()),
        ])
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match matches.subcommand() {
        Some(("list", matches)) => list(matches.get_flag("all"), global, output).await,
        Some(("show", matches)) => {
            let state = global.state.bare_controls()?.state().await?;
            let (found, now) = (lookup::find(&state, given_id(matches))?, Timestamp::now());
            output.show(&proposal::json(&found, now), || {
                proposal::text(&found, &global.connection, now)
            });
            Ok(Exit::Done)
        }
        Some(("run", matches)) => run(given_id(matches), global, output).await,
        _ => Err(Failure::usage("no such command")),
    }
}

async fn list(all: bool, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let now = Timestamp::now();
    let state = global.state.bare_controls()?.state().await?;
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
    output.show_list("proposals", &items, || {
        if statuses.is_empty() {
            "Nothing is open.".to_owned()
        } else {
            proposal::list(&statuses, now)
        }
    });
    Ok(Exit::Done)
}

async fn run(id: &str, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let guard = global.state.guard(&global.connection)?;
    let found = lookup::find(&*guard.state().await?, id)?;
    let proposal = &found.proposal;
    global.connection.check_system(&proposal.system)?;
    let call = lookup::known_call(&found, &global.connection)?;
    match found.phase_at(Timestamp::now()) {
        Phase::Approved => {}
        Phase::NeedsApproval => {
            output.note(&proposal::waiting(&found));
            let text = "it is not approved yet";
            return Err(Failure::new(Exit::Waiting, "needs_approval", text));
        }
        phase => {
            let text = format!("proposal {} is {phase}: nothing was sent", proposal.id);
            return Err(Failure::refused("not_approved", text));
        }
    }
    carry_out::carry_out(&call, &guard, proposal, output).await
}
