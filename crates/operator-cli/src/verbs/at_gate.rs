//! Verbs at a gate: what is asked of it, and shown as it is shown without one.

mod credentials;
mod decide;
mod look;
mod run;
mod settle;
mod there;
mod workflow;

use clap::ArgMatches;

use crate::gate::Gate;
use crate::settings::Global;
use crate::subjects;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::verbs::actions;

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Some((verb, matches)) = matches.subcommand() else {
        return Err(Failure::usage("unknown command"));
    };
    let below = matches.subcommand_name().unwrap_or_default();
    if let Some(instead) = instead(verb, below) {
        let words = format!("{verb} {below}");
        let text = format!("`{}` does not work with `--server`", words.trim());
        return Err(Failure::usage(text).next(instead));
    }
    if (verb, below) == ("actions", "show") {
        return actions::main(matches, output);
    }
    let as_given = global;
    let (gate, global) = &match (verb, below) {
        // There `--actor` names the agent, and not who asks.
        ("token", "create") => Gate::open(&global.without_actor_flag()?).await?,
        _ => Gate::open(global).await?,
    };
    if let Ok(target) = gate.cluster(global)
        && let Some(kind) = subjects::named(&target.subject)
    {
        subjects::choose(Some(kind));
    }
    match (verb, below) {
        ("actions", _) => look::actions(gate, matches, global, output).await,
        ("plan", _) => look::plan(gate, matches, global, output).await,
        ("why" | "doctor", _) => look::findings(verb, gate, matches, global, output).await,
        #[cfg(feature = "top")]
        ("top", _) => crate::verbs::top::main_at_gate(gate, matches, global).await,
        ("journal", "head") => look::head(gate, output).await,
        ("journal", _) => look::journal(gate, matches, output).await,
        ("token", "create") => credentials::make_token(gate, matches, as_given, output).await,
        ("token", "revoke") => credentials::revoke_token(gate, matches, output).await,
        ("token", _) => credentials::tokens(gate, output).await,
        ("session", "end") => credentials::end_session(gate, matches, output).await,
        ("session", _) => credentials::sessions(gate, output).await,
        ("proposals", "run") => run::approved(gate, matches, global, output).await,
        ("proposals", _) => look::proposals(gate, matches, global, output).await,
        ("run", _) => run::run(gate, matches, global, output).await,
        ("undo", _) => run::undo(gate, matches, global, output).await,
        ("approve", _) => decide::approve(gate, matches, (as_given, global), output).await,
        ("reject" | "cancel", _) => decide::call_off(verb, gate, matches, global, output).await,
        ("mode", _) => decide::mode(gate, matches, (as_given, global), output).await,
        ("pause", _) => decide::pause(gate, matches, output).await,
        ("resume", _) => decide::resume(gate, matches, as_given, output).await,
        ("workflow", _) => workflow::main(gate, matches, (as_given, global), output).await,
        ("recover", _) => settle::recover(gate, global, output).await,
        ("resolve", _) => settle::resolve(gate, matches, global, output).await,
        ("release", _) => settle::release(gate, matches, output).await,
        ("kill-switch", _) => decide::kill_switch(gate, matches, (as_given, global), output).await,
        _ => Err(Failure::usage(format!(
            "`{verb}` does not work with `--server`"
        ))),
    }
}

/// What to do instead, where a verb is not asked of a gate.
fn instead(verb: &str, below: &str) -> Option<&'static str> {
    match (verb, below) {
        ("reap", _) => Some("the gate does this by itself"),
        ("journal", "verify") => Some(
            "verify the files on the gate's host, with a head that `journal head` printed here: answers of a gate prove nothing about its files",
        ),
        ("clock" | "policy", _) => Some("run it on the gate's host, without `--server`"),
        _ => None,
    }
}
