//! `operator approve`, `reject` and `cancel`: what people decide.

use std::sync::Arc;

use action_guard::{Actor, Decider, Phase, PlanHash, ProposalStatus, State};
use clap::{Arg, ArgMatches, Command};
use jiff::Timestamp;

use crate::arguments::{given_reason, id_if_given, optional_id, reason};
use crate::ids;
use crate::lookup::Known;
use crate::reports::proposal;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::{Output, note};
use crate::terminal::prompt::{self, Answer, Word};

/// The fewest digits that stand for a plan.
const SHORTEST: usize = 12;

pub(crate) fn approve() -> Command {
    Command::new("approve")
        .about("Approve a proposal, by the plan that you have reviewed")
        .arg(optional_id())
        .arg(Arg::new("plan").long("plan").value_name("HASH").help(
            "Hash of the plan that you have reviewed (12 or more digits); without it you are asked",
        ))
        .arg(reason(false))
}

pub(crate) fn reject() -> Command {
    Command::new("reject")
        .about("Reject a proposal; it cannot be approved afterwards")
        .arg(optional_id().requires("reason"))
        .arg(reason(false))
}

pub(crate) fn cancel() -> Command {
    Command::new("cancel")
        .about("Cancel a proposal; what was sent is not taken back, only no longer followed")
        .arg(optional_id().requires("reason"))
        .arg(reason(false))
}

pub(crate) async fn main(
    verb: &str,
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    global.state.must_exist()?;
    let controls = global.state.controls()?;
    let actor = global.state.actor()?;
    let key = global.state.key()?;
    let state = controls.state().await?;
    let known = Known::here(&controls, &state);
    let found = chosen(verb, matches, &known).await?;
    let id = &found.proposal.id;
    let status = match verb {
        "approve" => {
            let plan = seen(&found, &state, matches, global).await?;
            let by = key.as_ref().map_or_else(
                || Decider::claimed(&actor),
                |key| Decider::with_key(&actor, key),
            );
            let reason = matches.get_one::<String>("reason").cloned();
            controls.approve(id, &plan, by, reason).await?
        }
        "reject" => controls.reject(id, &actor, given_reason(matches)).await?,
        _ => controls.cancel(id, &actor, given_reason(matches)).await?,
    };
    let is_signed = key.is_some() && verb == "approve";
    let proven = if is_signed { "signed" } else { "claimed" };
    show(&status, (&actor, proven), &state, global, output);
    Ok(Exit::Done)
}

/// The proposal that is meant; without an id it is said which can be.
pub(super) async fn chosen(
    verb: &str,
    matches: &ArgMatches,
    known: &Known<'_>,
) -> Result<Arc<ProposalStatus>, Failure> {
    let now = Timestamp::now();
    let waits = |status: &ProposalStatus| status.phase_at(now) == Phase::NeedsApproval;
    let is_open = |status: &ProposalStatus| {
        let phase = status.phase_at(now);
        phase.is_unsent() || phase == Phase::Executing
    };
    match verb {
        "approve" => known.choose(id_if_given(matches), "approve", waits).await,
        "reject" => known.choose(id_if_given(matches), "reject", waits).await,
        _ => known.choose(id_if_given(matches), "cancel", is_open).await,
    }
}

/// Shows how it stands now, who decided that, and how to go on.
pub(super) fn show(
    status: &ProposalStatus,
    (by, proven): (&Actor, &str),
    state: &State,
    global: &Global,
    output: &mut Output,
) {
    let (now, proposal) = (Timestamp::now(), &status.proposal);
    let phase = status.phase_at(now);
    let id = ids::short_of(&proposal.id, state);
    output.show(&proposal::json(status, now), || {
        format!("{id} is {phase}, by {by} (identity {proven})")
    });
    if phase == Phase::Approved {
        let command = proposal::run_command(proposal, &id, global);
        output.note(&format!("To run it\n  {command}"));
    }
}

/// The plan that was seen: named by its hash, or shown and agreed to now.
pub(super) async fn seen(
    found: &ProposalStatus,
    state: &State,
    matches: &ArgMatches,
    global: &Global,
) -> Result<PlanHash, Failure> {
    let hash = &found.proposal.plan_hash;
    if let Some(given) = matches.get_one::<String>("plan") {
        if given.len() < SHORTEST || !given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Failure::usage(format!(
                "invalid `--plan {given}`: give {SHORTEST} or more digits of the plan's hash"
            )));
        }
        if hash.as_str().starts_with(given.as_str()) {
            return Ok(hash.clone());
        }
        return Err(Failure::refused(
            "other_plan",
            format!(
                "nothing was approved: the proposal has plan {}, not {given}",
                hash.short()
            ),
        )
        .command(
            format!(
                "proposals show {}",
                ids::short_of(&found.proposal.id, state)
            ),
            "shows the current plan",
        ));
    }
    note(&format!(
        "{}\n",
        proposal::text(found, state, global, Timestamp::now())
    ));
    let refused = |text: &str| Failure::refused("not_confirmed", text);
    match prompt::ask("You are asked to approve this plan.", Word::This("approve")).await {
        Answer::Yes => Ok(hash.clone()),
        Answer::No => Err(refused("not approved")),
        Answer::Interrupted => Err(Failure::interrupted("not approved")),
        Answer::Nobody => Err(
            refused("not approved: cannot ask, because stdin is not a terminal").next(format!(
                "review the plan, then give `--plan {}`",
                hash.short()
            )),
        ),
    }
}
