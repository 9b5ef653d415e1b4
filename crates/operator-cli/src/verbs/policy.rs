//! `operator policy`: what may be done, and why.

use action_core::printable;
use action_guard::policy::{Answer, Ask, Known, Usage};
use action_guard::{State, Target};
use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::json;

use crate::arguments::with_actions;
use crate::call::Call;
use crate::flags;
use crate::reports::policy as report;
use crate::settings::Global;
use crate::subjects;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;

pub(crate) fn command() -> Command {
    let explain = Command::new("explain")
        .about("Show which rule decides about an action, and why; changes nothing")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("ACTION")
        .subcommand_help_heading("Actions")
        .arg(
            Arg::new("at")
                .long("at")
                .value_name("TIME")
                .global(true)
                .help("Evaluate at this time, such as 2026-12-24T22:00:00Z [default: now]"),
        )
        .arg(
            Arg::new("takes-back")
                .long("takes-back")
                .action(ArgAction::SetTrue)
                .global(true)
                .help("Evaluate as an undo of a lasting effect of ours"),
        )
        .defer(|command| with_actions(command, true));
    Command::new("policy")
        .about("Check a policy, or explain what it says")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("check")
                .about("Report all problems of the policy, with line and column")
                .arg(
                    Arg::new("strict")
                        .long("strict")
                        .action(ArgAction::SetTrue)
                        .help("Treat unknown names as errors instead of warnings"),
                ),
            explain,
        ])
}

pub(crate) async fn check(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let loaded = global.state.policy()?;
    let (systems, actors) = seen(global).await?;
    let known = Known::actions(subjects::of_all_kinds());
    let known = known.systems(&systems).actors(&actors);
    let warnings = loaded.policy.check(&known);
    let warnings = warnings.map_err(|error| Failure::policy(&loaded.source, error.problems()))?;
    if matches.get_flag("strict") && !warnings.is_empty() {
        return Err(Failure::policy(&loaded.source, &warnings));
    }
    for warning in &warnings {
        output.note(&format!("warning: {warning}"));
    }
    let valid = json!({"policy": loaded.source, "valid": true, "warnings": warnings});
    output.show(&valid, || {
        format!("policy is valid ({})", printable(&loaded.source))
    });
    Ok(Exit::Done)
}

/// What a system is called: in the journal, else in the config file.
fn name_of<'a>(call: &'a Call, system: &str, state: &'a State) -> Option<&'a str> {
    let subject = &call.definition.subject;
    let found = Target::new(subject, system);
    let mut names = call.connection.names.iter();
    let named = || {
        names
            .find(|name| name.is_same_system(&found))?
            .cluster
            .as_deref()
    };
    state.clusters.name_of(subject, system).or_else(named)
}

/// The systems and actors that the journal has seen, if there is one, and who acts now.
async fn seen(global: &Global) -> Result<(Vec<String>, Vec<String>), Failure> {
    let mut systems: Vec<String> = global
        .connection
        .cluster_id
        .iter()
        .map(ToString::to_string)
        .collect();
    systems.extend(
        global
            .connection
            .names
            .iter()
            .filter_map(|name| name.cluster.clone()),
    );
    systems.extend(
        global
            .connection
            .names
            .iter()
            .map(|name| name.system.clone()),
    );
    let mut actors = vec![global.state.actor()?.to_string()];
    if !global.state.has_journal() {
        return Ok((systems, actors));
    }
    let state = global.state.bare_controls()?.state().await?;
    for status in state.open.values().chain(&state.ended) {
        systems.push(status.proposal.system.clone());
        actors.push(status.proposal.request.actor.clone());
        actors.extend(
            status
                .approvals
                .iter()
                .map(|approval| approval.by.to_string()),
        );
    }
    systems.extend(
        state
            .clusters
            .iter()
            .filter_map(|known| known.cluster.clone()),
    );
    for sent in state.activity.iter() {
        systems.push(sent.system.clone());
        actors.push(sent.actor.clone());
    }
    for effect in state.effects.values() {
        systems.push(effect.system.clone());
        actors.push(effect.actor.clone());
    }
    for list in [&mut systems, &mut actors] {
        list.sort_unstable();
        list.dedup();
    }
    Ok((systems, actors))
}

/// Explains. Budgets over quantities are looked at when the system can be asked for a plan.
pub(crate) async fn explain(
    call: &Call,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let loaded = global.state.policy()?;
    let actor = global.state.actor()?;
    let at = match matches.get_one::<String>("at") {
        None => Timestamp::now(),
        Some(text) => text
            .parse()
            .map_err(|error| Failure::usage(format!("`--at {text}` is no time: {error}")))?,
    };
    let name = &call.definition.name;
    let given = flags::parameters(call.definition, matches)?;
    let catalogue = call.connection.registry().await?.catalogue();
    let planned = match catalogue.validate(name, given) {
        Ok(parameters) => match catalogue.identity(name).await {
            Ok(system) => catalogue
                .plan(name, parameters)
                .await
                .map(|plan| (system, plan))
                .map_err(|error| error.report()),
            Err(error) => Err(error.report()),
        },
        Err(error) => Err(error.report()),
    };
    let state = global.state.bare_controls()?.state().await?;
    let system = planned.as_ref().map_or("", |(system, _)| system);
    let mut ask = Ask::new(call.definition, actor.as_str(), system, at)
        .cluster(name_of(call, system, &state))
        .takes_back(matches.get_flag("takes-back"));
    if let Ok((_, plan)) = &planned {
        ask = ask.plan(plan);
    }
    let explanation = loaded.policy.explain(&ask, &Usage::of(&state, at));
    let unplanned = planned.as_ref().err();
    output.show(
        &json!({
            "policy": loaded.source,
            "action": name,
            "actor": actor,
            "at": at,
            "unplanned": unplanned,
            "explanation": explanation,
        }),
        || report::text(&loaded.source, &explanation, unplanned),
    );
    Ok(match explanation.decision.answer {
        Answer::Allow => Exit::Done,
        Answer::Approve { .. } => Exit::Waiting,
        _ => Exit::Refused,
    })
}
