//! `operator run`: doing it, with proof.

use std::io::{IsTerminal as _, stderr, stdin};

use action_core::{ActionDefinition, OutcomeKind, Risk, Verdict, printable};
use action_guard::{Guard, GuardError, Proposal, Report, Request};
use clap::ArgMatches;
use serde_json::{Value, json};

use crate::cli::{Call, check_system};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags;
use crate::follow::Follow;
use crate::out::Out;
use crate::show::{self, Planned};
use crate::state::State;
use crate::table;

/// Who says yes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Confirm {
    /// Do not ask; without a terminal there is nobody to ask
    #[arg(short, long, global = true)]
    yes: bool,

    /// Why, for the journal
    #[arg(long, value_name = "TEXT", global = true)]
    reason: Option<String>,
}

pub(crate) async fn main(
    call: Call,
    matches: &ArgMatches,
    confirm: &Confirm,
    state: &State,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let given = flags::parameters(&call.definition, matches)?;
    let registry = crate::registry(&call.connection)?;
    let catalogue = registry.catalogue();
    let parameters = catalogue.validate(&call.definition.name, given)?;
    check_system(&call, &catalogue).await?;
    if call.definition.is_mutation() {
        let guard = Guard::new(registry, state.journal()?);
        return mutate(&call, &guard, parameters, confirm, out).await;
    }
    let result = catalogue.observe(&call.definition.name, parameters).await?;
    if out.is_json() {
        out.json(&result);
    } else {
        out.data(&table::result(&result));
    }
    Ok(Exit::Done)
}

async fn mutate(
    call: &Call,
    guard: &Guard,
    parameters: Value,
    confirm: &Confirm,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let name = &call.definition.name;
    let mut request = Request::new(name, parameters.clone(), actor());
    if let Some(reason) = &confirm.reason {
        request = request.reason(reason);
    }
    let proposal = guard.propose(request).await?;
    call.connection.check_system(&proposal.system)?;
    let planned = Planned {
        call,
        parameters: &parameters,
        system: Some(&proposal.system),
        plan: &proposal.plan,
        undo: &proposal.undo,
    };
    out.note(&format!("{}\n", planned.text()));
    if !proposal.plan.verdict.may_be_sent() {
        return Ok(not_sent(call, &proposal, out));
    }
    confirmed(&call.definition, confirm)?;
    let mut follow = Follow::default();
    let mut on_event = |event| follow.event(event);
    let executed = tokio::select! {
        biased;
        executed = guard.execute(&proposal, &mut on_event) => Some(executed),
        _ = tokio::signal::ctrl_c() => None,
    };
    follow.finish();
    match executed {
        Some(Ok(report)) => {
            let exit = if is_refusal(&report, &follow) {
                Exit::Refused
            } else {
                Exit::of_outcome(report.outcome.result)
            };
            ended(call, &proposal, &report, out);
            Ok(exit)
        }
        Some(Err(GuardError::NotSent {
            verdict: Verdict::NoOp { already },
        })) => {
            out.note(&format!("nothing to do any more: {}", printable(&already)));
            Ok(not_sent(call, &proposal, out))
        }
        Some(Err(error)) => Err(error.into()),
        None if follow.intents == 0 => Err(Failure::refused(
            "interrupted",
            "interrupted before anything was sent",
        )),
        None => Err(Failure::new(
            Exit::Unknown,
            "interrupted",
            "no longer following; what was sent goes on",
        )
        .next("`operator recover` looks how it ended and finishes the record")),
    }
}

/// Nothing is sent when the plan says no, or that there is nothing to do.
fn not_sent(call: &Call, proposal: &Proposal, out: &mut Out) -> Exit {
    let exit = Exit::of_verdict(&proposal.plan.verdict);
    out.note("nothing was sent");
    if out.is_json() {
        out.json(&json!({
            "id": proposal.id,
            "action": call.definition.name,
            "parameters": proposal.request.parameters,
            "system": proposal.system,
            "sent": false,
            "plan": proposal.plan,
        }));
    }
    exit
}

/// Whether the system answered, and the answer was no.
fn is_refusal(report: &Report, follow: &Follow) -> bool {
    report.outcome.result == OutcomeKind::NotApplied
        && report.accepted.is_none()
        && follow.unanswered == 0
}

fn ended(call: &Call, proposal: &Proposal, report: &Report, out: &mut Out) {
    if out.is_json() {
        out.json(&json!({
            "id": report.id,
            "action": report.action,
            "parameters": report.parameters,
            "system": proposal.system,
            "sent": true,
            "plan": proposal.plan,
            "accepted": report.accepted,
            "outcome": report.outcome,
            "undo": report.undo,
            "undo_command": show::undo_command(call, &report.undo),
        }));
    } else {
        out.data(&show::report(call, report));
    }
}

/// Asks, unless the command line said yes.
fn confirmed(definition: &ActionDefinition, confirm: &Confirm) -> Result<(), Failure> {
    if confirm.yes {
        return Ok(());
    }
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Err(Failure::refused(
            "not_confirmed",
            "not confirmed, so nothing was sent: there is no terminal to ask on",
        )
        .next("read the plan, then give `--yes`"));
    }
    let word = match definition.risk {
        Some(Risk::Low | Risk::Medium) => "yes",
        _ => definition.name.as_str(),
    };
    crate::out::note(&format!("Type `{}` to run it:", printable(word)));
    let mut answer = String::new();
    match stdin().read_line(&mut answer) {
        Ok(_) if answer.trim() == word => Ok(()),
        _ => Err(Failure::refused(
            "not_confirmed",
            "not confirmed, so nothing was sent",
        )),
    }
}

/// Who asks, as far as the system told us.
fn actor() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    format!("user:{}", user.as_deref().unwrap_or("unknown"))
}
