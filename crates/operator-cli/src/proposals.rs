//! `operator proposals`: what was asked for, and how it stands.

use action_guard::Phase;
use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::life;
use crate::out::Out;
use crate::run;
use crate::settings::Global;

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

/// The argument that says which proposal.
pub(crate) fn id() -> Arg {
    Arg::new("id")
        .required(true)
        .value_name("ID")
        .help("Its id, or the beginning or end of it")
}

/// What [`id`] was given.
pub(crate) fn meant(matches: &ArgMatches) -> &str {
    matches.get_one::<String>("id").map_or("", String::as_str)
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let now = Timestamp::now();
    match matches.subcommand() {
        Some(("list", matches)) => {
            let state = global.state.bare_desk()?.state().await?;
            let ended = state.ended.iter().filter(|_| matches.get_flag("all"));
            let mut lives: Vec<_> = ended.chain(state.open.values()).cloned().collect();
            lives.sort_by(|one, other| one.proposal.id.cmp(&other.proposal.id));
            if !matches.get_flag("all") {
                lives.retain(|life| life::is_open(life, now));
            }
            if out.is_json() {
                let lives: Vec<_> = lives.iter().map(|life| life::json(life, now)).collect();
                out.list("proposals", &lives);
            } else if lives.is_empty() {
                out.data("Nothing is open.");
            } else {
                out.data(&life::list(&lives, now));
            }
            Ok(Exit::Done)
        }
        Some(("show", matches)) => {
            let state = global.state.bare_desk()?.state().await?;
            let found = life::find(&state, meant(matches))?;
            if out.is_json() {
                out.json(&life::json(&found, now));
            } else {
                out.data(&life::text(&found, &global.connection, now));
            }
            Ok(Exit::Done)
        }
        Some(("run", matches)) => {
            let guard = global.state.guard(&global.connection)?;
            let found = life::find(&*guard.state().await?, meant(matches))?;
            let proposal = &found.proposal;
            global.connection.check_system(&proposal.system)?;
            let call = life::call(&found, &global.connection).ok_or_else(|| {
                Failure::usage(format!(
                    "there is no action `{}` here",
                    proposal.request.action
                ))
            })?;
            match found.phase_at(now) {
                Phase::Approved => {}
                Phase::NeedsApproval => {
                    out.note(&life::waiting(&found));
                    let said = "it is not approved yet";
                    return Err(Failure::new(Exit::Waiting, "needs_approval", said));
                }
                phase => {
                    let said = format!("proposal {} is {phase}: nothing was sent", proposal.id);
                    return Err(Failure::refused("not_approved", said));
                }
            }
            run::carry_out(&call, &guard, proposal, out).await
        }
        _ => Err(Failure::usage("no such command")),
    }
}
