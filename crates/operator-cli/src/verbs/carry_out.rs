//! Carries out a proposal: shows it, waits for approval, asks, sends, follows and proves.

use std::time::{Duration, Instant};

use action_core::{OutcomeKind, Verdict, printable};
use action_guard::{
    Event, GuardError, Phase, Proposal, ProposalStatus, Report, Ruling, Standing, State, Waits,
};
use jiff::Timestamp;
use serde_json::json;

use crate::arguments::Confirm;
use crate::call::Call;
use crate::ids;
use crate::program::program;
use crate::reports::plan::Planned;
use crate::reports::{outcome, proposal as proposals};
use crate::settings::Global;
use crate::subjects;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::interrupt::interrupted;
use crate::terminal::output::Output;
use crate::terminal::progress::Follow;
use crate::verbs::confirm::confirmed;
use crate::verbs::desk::{self, Desk, Drafted as _};

/// So often a plan is shown again that was overtaken while it was looked at.
const DRAFTS_AGAIN: usize = 3;

/// Shows what would be proposed, asks, proposes it, waits for whom it takes, and carries it out.
///
/// Nothing is in the journal before the answer, so that nothing stays allowed when the question is
/// never answered.
pub(crate) async fn go_on<D: Desk>(
    call: &Call,
    desk: &D,
    draft: D::Draft,
    confirm: &Confirm,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (standing, shown) = proposed(call, desk, draft, confirm, global, output).await?;
    let proposal = match standing {
        Standing::Allowed(proposal) | Standing::Waits(Waits { proposal, .. }) => proposal,
        Standing::RefusedByPlan { proposal, .. } => return Ok(not_sent(call, &proposal, output)),
        standing => return Err(Failure::of_standing(&standing)),
    };
    let status = desk.status(&proposal.id).await?;
    if status.ruling != shown {
        note_ruling(&status.ruling, output);
    }
    if status.phase == Phase::NeedsApproval {
        let short = ids::short_of(&proposal.id, &*desk.state().await?);
        match confirm.wait {
            Some(wait) => approved(desk, &status, wait, global, output).await?,
            None => return Ok(waits(call, &status, &short, global, output)),
        }
    }
    if let Some(observing) = desk.state().await?.observing(&proposal.system) {
        desk.call_off(&proposal.id, "the mode is observe").await;
        return Err(GuardError::Refused(observing).into());
    }
    let done = carry_out(call, desk, &proposal, global, output).await;
    if let Err(failure) = &done
        && let Ok(status) = desk.status(&proposal.id).await
        && status.phase.is_unsent()
    {
        // Whoever wants it still asks for it anew, with a plan of then.
        desk.call_off(&proposal.id, failure.message()).await;
    }
    done
}

/// Shows what would be proposed, asks, and proposes it. When something of ours was done meanwhile by
/// which its plan says nothing any more, it is planned, shown and asked about again.
async fn proposed<D: Desk>(
    call: &Call,
    desk: &D,
    mut draft: D::Draft,
    confirm: &Confirm,
    global: &Global,
    output: &Output,
) -> Result<(Standing, Ruling), Failure> {
    let mut again = DRAFTS_AGAIN;
    loop {
        let shown = draft.ruling().clone();
        if !matches!(shown, Ruling::Deny { .. }) {
            let planned = Planned::of(call, draft.proposal(), &*desk.state().await?, global);
            let is_line = confirm.is_silent() && desk::goes_ahead(desk, &draft).await?;
            output.note(&match is_line {
                true => planned.line(),
                false => planned.text(),
            });
            call.connection.check_system(&draft.proposal().system)?;
            if desk.may_be_sent(&draft).await? {
                if !is_line {
                    note_ruling(&shown, output);
                }
                let system = &draft.proposal().system;
                if may_go_on_at_once(desk, system, &shown, confirm).await? {
                    confirmed(call.definition, draft.proposal(), confirm).await?;
                }
            }
        }
        if let Some(proposed) = desk.propose(&draft).await? {
            return Ok((proposed, shown));
        }
        if again == 0 {
            let text = "nothing was sent: the state changes faster than it can be planned";
            return Err(Failure::refused("refused", text));
        }
        again -= 1;
        output.note("another proposal changed the same meanwhile: planning again\n");
        draft = desk.draft_again(draft).await?;
    }
}

/// Whether it is carried out by this command, once it is proposed: who cannot go on is not asked.
async fn may_go_on_at_once(
    desk: &impl Desk,
    system: &str,
    ruling: &Ruling,
    confirm: &Confirm,
) -> Result<bool, Failure> {
    if matches!(ruling, Ruling::Approve { .. }) {
        return Ok(confirm.wait.is_some());
    }
    Ok(desk.state().await?.observing(system).is_none())
}

fn note_ruling(ruling: &Ruling, output: &Output) {
    output.note(&format!("\n{}\n", printable(&proposals::ruling(ruling))));
}

/// Waits until people have agreed.
async fn approved(
    desk: &impl Desk,
    waiting: &ProposalStatus,
    wait: Duration,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let id = &waiting.proposal.id;
    let short = ids::short_of(id, &*desk.state().await?);
    output.note(&proposals::waiting(waiting, &short, global));
    let until = Instant::now() + wait;
    loop {
        let status = desk.status(id).await?;
        match status.phase_at(Timestamp::now()) {
            Phase::NeedsApproval if Instant::now() < until => {}
            Phase::NeedsApproval => {
                return Err(Failure::new(
                    Exit::Waiting,
                    "needs_approval",
                    format!(
                        "timed out waiting for the approval of proposal {short}; it can still be approved"
                    ),
                ));
            }
            Phase::Approved => return Ok(()),
            phase => {
                let text = format!("nothing was sent: proposal {short} is {phase}");
                return Err(Failure::refused("not_approved", text));
            }
        }
        tokio::select! {
            () = desk.wait(id, until.saturating_duration_since(Instant::now())) => {}
            () = interrupted() => {
                return Err(Failure::interrupted(format!(
                    "stopped waiting for proposal {short}; it can still be approved"
                )));
            }
        }
    }
}

fn waits(
    call: &Call,
    status: &ProposalStatus,
    short: &str,
    global: &Global,
    output: &mut Output,
) -> Exit {
    let proposal = &status.proposal;
    output.for_programs(&json!({
        "id": proposal.id,
        "action": call.definition.name,
        "parameters": proposal.request.parameters,
        "system": proposal.system,
        "sent": false,
        "phase": status.phase,
        "ruling": status.ruling,
        "plan_hash": proposal.plan_hash,
        "plan": proposal.plan,
    }));
    output.note(&proposals::waiting(status, short, global));
    Exit::Waiting
}

/// Carries out what is approved, and shows how it ended.
pub(crate) async fn carry_out(
    call: &Call,
    desk: &impl Desk,
    proposal: &Proposal,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let id = ids::short_of(&proposal.id, &*desk.state().await?);
    let mut follow = Follow::default();
    let executed = {
        let mut on_event = |event: Event| {
            output.event(&event);
            follow.event(event);
        };
        tokio::select! {
            biased;
            executed = desk.execute(proposal, &mut on_event) => Some(executed),
            () = interrupted() => None,
        }
    };
    follow.finish();
    match executed {
        Some(Ok(Standing::RefusedByPlan {
            verdict: Verdict::NoOp { already },
            ..
        })) => {
            output.note(&format!("nothing left to do: {}", printable(&already)));
            Ok(not_sent(call, proposal, output))
        }
        Some(Ok(standing)) => {
            let report = standing.into_report()?;
            let exit = if is_refusal(&report, &follow) {
                Exit::Refused
            } else {
                Exit::of_outcome(&report.outcome)
            };
            // What was sent is shown, also where the journal cannot be read any more.
            let state = desk.state().await.unwrap_or_default();
            ended((&id, proposal), &report, &state, global, output);
            Ok(exit)
        }
        Some(Err(failure)) => Err(failure),
        None if !desk.is_sent(&proposal.id, follow.intents).await => {
            desk.call_off(&proposal.id, "interrupted").await;
            let text = format!("nothing was sent; proposal {id} is cancelled");
            Err(Failure::interrupted(text))
        }
        None => {
            let text = format!("stopped following proposal {id}; what was sent continues");
            Err(Failure::interrupted(text).next(desk.later(&id, global)))
        }
    }
}

/// Nothing is sent when the plan says no, or that there is nothing to do.
fn not_sent(call: &Call, proposal: &Proposal, output: &mut Output) -> Exit {
    let exit = Exit::of_verdict(&proposal.plan.verdict);
    output.note(&format!("\n{}", why_not_sent(&proposal.plan.verdict)));
    output.for_programs(&json!({
        "id": proposal.id,
        "action": call.definition.name,
        "parameters": proposal.request.parameters,
        "system": proposal.system,
        "sent": false,
        "plan": proposal.plan,
    }));
    exit
}

/// What was decided, and why.
fn why_not_sent(verdict: &Verdict) -> String {
    let who = subjects::who_answers();
    let us = program().name;
    match verdict {
        Verdict::NoOp { .. } => "nothing was sent: nothing to do".to_owned(),
        Verdict::WouldReject { .. } => format!("nothing was sent: {who} would reject it"),
        Verdict::NotAskedFor { .. } => {
            format!("nothing was sent: `{us}` does not send such requests to {who}")
        }
        Verdict::AcceptedButWillNotProgress { .. } => {
            "nothing was sent: it would have no effect; remove the cause first".to_owned()
        }
        _ => "nothing was sent".to_owned(),
    }
}

/// Whether the system answered, and the answer was no.
fn is_refusal(report: &Report, follow: &Follow) -> bool {
    report.outcome.result == OutcomeKind::NotApplied
        && report.accepted.is_none()
        && follow.unanswered == 0
}

fn ended(
    (id, proposal): (&str, &Proposal),
    report: &Report,
    state: &State,
    global: &Global,
    output: &mut Output,
) {
    let undo_command = outcome::undo_command(report, id, state, global);
    let json = json!({
        "id": report.id,
        "action": report.action,
        "parameters": report.parameters,
        "system": proposal.system,
        "sent": true,
        "plan": proposal.plan,
        "accepted": report.accepted,
        "outcome": report.outcome,
        "undo": report.undo,
        "undo_command": undo_command,
    });
    output.show(&json, || outcome::report(report, id, state, global));
}
