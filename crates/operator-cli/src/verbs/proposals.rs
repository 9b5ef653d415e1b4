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
    let now = Timestamp::now();
    match matches.subcommand() {
        Some(("list", matches)) => {
            let state = global.state.bare_controls()?.state().await?;
            let ended = state.ended.iter().filter(|_| matches.get_flag("all"));
            let mut statuses: Vec<_> = ended.chain(state.open.values()).cloned().collect();
            statuses.sort_by(|one, other| one.proposal.id.cmp(&other.proposal.id));
            if !matches.get_flag("all") {
                statuses.retain(|status| lookup::is_open(status, now));
            }
            if output.is_json() {
                let statuses: Vec<_> = statuses
                    .iter()
                    .map(|status| proposal::json(status, now))
                    .collect();
                output.list("proposals", &statuses);
            } else if statuses.is_empty() {
                output.data("Nothing is open.");
            } else {
                output.data(&proposal::list(&statuses, now));
            }
            Ok(Exit::Done)
        }
        Some(("show", matches)) => {
            let state = global.state.bare_controls()?.state().await?;
            let found = lookup::find(&state, given_id(matches))?;
            if output.is_json() {
                output.json(&proposal::json(&found, now));
            } else {
                output.data(&proposal::text(&found, &global.connection, now));
            }
            Ok(Exit::Done)
        }
        Some(("run", matches)) => {
            let guard = global.state.guard(&global.connection)?;
            let found = lookup::find(&*guard.state().await?, given_id(matches))?;
            let proposal = &found.proposal;
            global.connection.check_system(&proposal.system)?;
            let call = lookup::call(&found, &global.connection).ok_or_else(|| {
                Failure::usage(format!(
                    "there is no action `{}` here",
                    proposal.request.action
                ))
            })?;
            match found.phase_at(now) {
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
        _ => Err(Failure::usage("no such command")),
    }
}
