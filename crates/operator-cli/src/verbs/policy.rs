//! `operator policy`: what may be done, and why.

use action_core::{printable, printable_lines};
use action_guard::policy::{Answer, Ask, Explanation, Usage};
use clap::{Arg, ArgAction, ArgMatches, Command};
use jiff::Timestamp;
use serde_json::json;

use crate::arguments::with_actions;
use crate::call::Call;
use crate::flags;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::table::section;

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
                .help("As if it were then, such as 2026-12-24T22:00:00Z [default: now]"),
        )
        .arg(
            Arg::new("takes-back")
                .long("takes-back")
                .action(ArgAction::SetTrue)
                .global(true)
                .help("As if it took back a lasting effect of ours"),
        )
        .defer(|command| with_actions(command, true));
    Command::new("policy")
        .about("Check a policy, or explain what it says")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("check")
                .about("Say all that is wrong with the policy, by line and column"),
            explain,
        ])
}

pub(crate) fn check(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
    let loaded = global.state.policy()?;
    if output.is_json() {
        output.json(&json!({"policy": loaded.source, "right": true}));
    } else {
        output.data(&format!(
            "The policy ({}) is right",
            printable(&loaded.source)
        ));
    }
    Ok(Exit::Done)
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
    let given = flags::parameters(&call.definition, matches)?;
    let catalogue = crate::subjects::registry(&call.connection)?.catalogue();
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
    let mut ask = Ask::new(&call.definition, actor.as_str(), system, at)
        .takes_back(matches.get_flag("takes-back"));
    if let Ok((_, plan)) = &planned {
        ask = ask.plan(plan);
    }
    let explanation = loaded.policy.explain(&ask, &Usage::of(&state));
    let unplanned = planned.as_ref().err();
    if output.is_json() {
        output.json(&json!({
            "policy": loaded.source,
            "action": name,
            "actor": actor,
            "at": at,
            "unplanned": unplanned,
            "explanation": explanation,
        }));
    } else {
        output.data(&text(&loaded.source, &explanation, unplanned));
    }
    Ok(match explanation.decision.answer {
        Answer::Allow => Exit::Done,
        Answer::Approve { .. } => Exit::Waiting,
        _ => Exit::Refused,
    })
}

fn text(source: &str, explanation: &Explanation, unplanned: Option<&String>) -> String {
    let decision = &explanation.decision;
    let says = match &decision.answer {
        Answer::Allow => "Allowed".to_owned(),
        Answer::Approve {
            by, count, signed, ..
        } => {
            let signed = if *signed { ", signed" } else { "" };
            format!("Needs the approval of {count} of {}{signed}", by.join(", "))
        }
        Answer::Deny { reason } => format!("Denied: {reason}"),
        other => format!("{other:?}"),
    };
    let decided = format!(
        "{says}\ndecided by: {} of the policy ({source})",
        decision.decided_by
    );
    let rules = explanation.rules.iter().map(|rule| {
        let matches = rule
            .because
            .clone()
            .map_or("matches".to_owned(), |why| format!("no: {why}"));
        vec![rule.line.to_string(), rule.name.clone(), matches]
    });
    let budgets = explanation.budgets.iter().map(|budget| {
        let stands = format!("{} of {} {}", budget.would_be, budget.most, budget.what);
        vec![budget.line.to_string(), budget.name.clone(), stands]
    });
    let parts = [
        Some(printable_lines(&decided)),
        section("Rules, the first that matches decides", rules.collect()),
        section("Budgets, with this request", budgets.collect()),
        unplanned.map(|why| {
            format!(
                "Without a plan, so budgets over quantities were not looked at: {}",
                printable(why)
            )
        }),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}
