//! `operator run`: doing it, with proof.

use std::io::{IsTerminal as _, stderr, stdin};
use std::time::{Duration, Instant};

use action_core::{ActionDefinition, OutcomeKind, Risk, Verdict, printable};
use action_guard::{
    Event, Guard, GuardError, Life, Mode, Phase, Proposal, Refusal, Report, Request,
};
use clap::ArgMatches;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::cli::{Call, check_system};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags;
use crate::follow::Follow;
use crate::life;
use crate::out::Out;
use crate::settings::Global;
use crate::show::{self, Planned};
use crate::table;

/// Between two looks whether people have agreed.
const LOOK: Duration = Duration::from_millis(200);

/// Who says yes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Confirm {
    /// Do not ask; without a terminal there is nobody to ask. Never stands for an approval
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,

    /// Why, for the journal
    #[arg(long, value_name = "TEXT", global = true)]
    pub(crate) reason: Option<String>,

    /// What ties it to other requests and to your own records
    #[arg(long, value_name = "TEXT", global = true)]
    correlation_id: Option<String>,

    /// How long a lasting effect may stay, such as `2h`; something must run `operator reap` then
    #[arg(long, value_name = "TIME", global = true, value_parser = length)]
    lease: Option<Duration>,

    /// Wait this long for an approval that is needed, such as `15m`
    #[arg(long, value_name = "TIME", global = true, value_parser = length)]
    pub(crate) wait: Option<Duration>,
}

/// A length of time, such as `15m`.
fn length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no length of time: write it as `90s`, `15m` or `2h`");
    let length: SignedDuration = text.parse().map_err(|_| wrong())?;
    let length = Duration::try_from(length).map_err(|_| wrong())?;
    if length.is_zero() {
        Err(wrong())
    } else {
        Ok(length)
    }
}

pub(crate) async fn main(
    call: Call,
    matches: &ArgMatches,
    confirm: &Confirm,
    global: &Global,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let given = flags::parameters(&call.definition, matches)?;
    let catalogue = crate::registry(&call.connection)?.catalogue();
    let name = &call.definition.name;
    let parameters = catalogue.validate(name, given)?;
    check_system(&call, &catalogue).await?;
    if call.definition.is_mutation() {
        let guard = global.state.guard(&call.connection)?;
        let actor = global.state.actor()?;
        let mut request = Request::new(name, parameters, actor.as_str());
        request.reason.clone_from(&confirm.reason);
        request.correlation_id.clone_from(&confirm.correlation_id);
        if let Some(lease) = confirm.lease {
            request = request.lease(lease);
        }
        let proposal = guard.propose(request).await?;
        return go_on(&call, &guard, &proposal, confirm, global, out).await;
    }
    let result = catalogue.observe(name, parameters).await?;
    if out.is_json() {
        out.json(&result);
    } else {
        out.data(&table::result(&result));
    }
    Ok(Exit::Done)
}

/// Shows what was proposed, waits for whom it takes, asks, and carries it out.
pub(crate) async fn go_on(
    call: &Call,
    guard: &Guard,
    proposal: &Proposal,
    confirm: &Confirm,
    global: &Global,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let actor = global.state.actor()?;
    let planned = Planned {
        call,
        parameters: &proposal.request.parameters,
        system: Some(&proposal.system),
        plan: &proposal.plan,
        undo: &proposal.undo,
    };
    out.note(&planned.text());
    let called_off = async |why: &str| {
        // It is gone with its plan in any case.
        let _ = guard.cancel(&proposal.id, &actor, why).await;
    };
    if let Err(failure) = call.connection.check_system(&proposal.system) {
        called_off("another cluster than the one that was asked for").await;
        return Err(failure);
    }
    if !proposal.plan.verdict.may_be_sent() {
        called_off("its plan does not go ahead").await;
        return Ok(not_sent(call, proposal, out));
    }
    let life = guard.life(&proposal.id).await?;
    out.note(&format!("\n{}\n", printable(&life::ruling(&life.ruling))));
    if life.phase == Phase::NeedsApproval {
        match confirm.wait {
            Some(wait) => approved(guard, &life, wait, out).await?,
            None => return Ok(waits(call, &life, out)),
        }
    }
    if guard.state().await?.mode != Mode::Execute {
        return Err(GuardError::Refused(Refusal::Observing).into());
    }
    if let Err(failure) = confirmed(&call.definition, confirm) {
        called_off("not confirmed").await;
        return Err(failure);
    }
    carry_out(call, guard, proposal, out).await
}

/// Waits until people have agreed.
async fn approved(guard: &Guard, waiting: &Life, wait: Duration, out: &Out) -> Result<(), Failure> {
    out.note(&life::waiting(waiting));
    let id = &waiting.proposal.id;
    let until = Instant::now() + wait;
    loop {
        let life = guard.life(id).await?;
        match life.phase_at(Timestamp::now()) {
            Phase::NeedsApproval if Instant::now() < until => {}
            Phase::NeedsApproval => {
                return Err(Failure::new(
                    Exit::Waiting,
                    "needs_approval",
                    "nobody approved it in time; it can still be approved",
                ));
            }
            Phase::Approved => return Ok(()),
            phase => {
                let said = format!("proposal {id} is {phase}: nothing was sent");
                return Err(Failure::refused("not_approved", said));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = tokio::signal::ctrl_c() => {
                return Err(Failure::new(
                    Exit::Waiting,
                    "interrupted",
                    "no longer waiting; it can still be approved",
                ));
            }
        }
    }
}

fn waits(call: &Call, life: &Life, out: &mut Out) -> Exit {
    if out.is_json() {
        let proposal = &life.proposal;
        out.json(&json!({
            "id": proposal.id,
            "action": call.definition.name,
            "parameters": proposal.request.parameters,
            "system": proposal.system,
            "sent": false,
            "phase": life.phase,
            "ruling": life.ruling,
            "plan_hash": proposal.plan_hash,
            "plan": proposal.plan,
        }));
    }
    out.note(&life::waiting(life));
    Exit::Waiting
}

/// Carries out what is approved, and shows how it ended.
pub(crate) async fn carry_out(
    call: &Call,
    guard: &Guard,
    proposal: &Proposal,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let mut follow = Follow::default();
    let executed = {
        let mut on_event = |event: Event| {
            if out.is_lines() {
                out.json(&event);
            }
            follow.event(event);
        };
        tokio::select! {
            biased;
            executed = guard.execute(proposal, &mut on_event) => Some(executed),
            _ = tokio::signal::ctrl_c() => None,
        }
    };
    follow.finish();
    match executed {
        Some(Ok(report)) => {
            let exit = if is_refusal(&report, &follow) {
                Exit::Refused
            } else {
                Exit::of_outcome(report.outcome.result)
            };
            ended(call, proposal, &report, out);
            Ok(exit)
        }
        Some(Err(GuardError::NotSent {
            verdict: Verdict::NoOp { already },
        })) => {
            out.note(&format!("nothing to do any more: {}", printable(&already)));
            Ok(not_sent(call, proposal, out))
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
