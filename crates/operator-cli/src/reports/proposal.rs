//! Proposals as people and programs see them.

use std::sync::Arc;

use action_core::{Outcome, printable};
use action_guard::{
    Actor, Approval, Phase, Proposal, ProposalStatus, Refusal, Request, Ruling, State,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::Call;
use crate::ids;
use crate::reports::is_stopped_by_plan;
use crate::reports::outcome;
use crate::reports::plan::{self, Planned};
use crate::reports::target;
use crate::settings::Global;
use crate::terminal::style::{Tone, toned};
use crate::terminal::table::{Column, list as list_of, section};
use crate::terminal::values::when;

/// Proposals as a table.
pub(crate) fn list(statuses: &[Arc<ProposalStatus>], state: &State, now: Timestamp) -> String {
    let targets: Vec<_> = statuses
        .iter()
        .map(|status| status.proposal.target())
        .collect();
    let says_which = target::is_told(&targets);
    let rows = statuses.iter().zip(&targets).map(|(status, target)| {
        let request = &status.proposal.request;
        let mut row = vec![
            ids::short_of(&status.proposal.id, state),
            state_of(status, now),
            plan::request(&request.action, &request.parameters),
            asked_by(request),
            when(status.proposed_at),
        ];
        if says_which {
            row.insert(2, target::called(Some(target)));
        }
        row
    });
    let mut columns = vec![
        Column::new("id"),
        Column::new("state").whole(),
        Column::new("what"),
        Column::new("requested by"),
        Column::new("requested at").whole().first_to_go(),
    ];
    if says_which {
        columns.insert(2, Column::new("cluster"));
    }
    let s = if statuses.len() == 1 { "" } else { "s" };
    format!(
        "{}\n\n{} proposal{s}",
        list_of(columns, rows.collect()),
        statuses.len()
    )
}

/// The same, with how it was proven who each of them is.
fn asked_by_and_how(request: &Request) -> String {
    if request.proofs().all(|(_, proof)| proof.is_claimed()) {
        return format!("{} (identity claimed)", asked_by(request));
    }
    let each = request
        .proofs()
        .map(|(who, proof)| format!("{who} ({proof})"));
    each.collect::<Vec<_>>().join(", carried out by ")
}

/// All who are at it: who asked, and who carries it out beside them.
pub(crate) fn asked_by(request: &Request) -> String {
    let others = request.carried_out_by.iter().map(ToString::to_string);
    let others: Vec<String> = others.collect();
    match others.is_empty() {
        true => request.actor.clone(),
        false => format!("{}, carried out by {}", request.actor, others.join(", ")),
    }
}

/// All there is to know of one.
pub(crate) fn text(
    status: &ProposalStatus,
    state: &State,
    global: &Global,
    now: Timestamp,
) -> String {
    let proposal = &status.proposal;
    let call = Call::of(proposal, global);
    let planned = call
        .as_ref()
        .map(|call| Planned::of(call, proposal, state, global).text());
    let rows = rows(status, now);
    let about = planned.unwrap_or_else(|| {
        let request = &proposal.request;
        plan::request(&request.action, &request.parameters)
    });
    let ended = status.outcome.as_ref().map(outcome::outcome);
    let parts = [Some(about), section("Proposal", rows), ended];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// Who asked, who agreed, and who carried it out: a line each.
fn rows(status: &ProposalStatus, now: Timestamp) -> Vec<Vec<String>> {
    let proposal = &status.proposal;
    let mut rows = vec![
        vec!["id".to_owned(), proposal.id.clone()],
        vec!["state".to_owned(), state_of(status, now)],
        vec!["plan".to_owned(), proposal.plan_hash.to_string()],
        vec![
            "requested by".to_owned(),
            asked_by_and_how(&proposal.request),
        ],
        vec!["requested at".to_owned(), when(status.proposed_at)],
        vec!["until".to_owned(), when(proposal.expires_at)],
    ];
    let mut row = |name: &str, value: Option<String>| {
        rows.extend(value.map(|value| vec![name.to_owned(), value]));
    };
    row("cluster", proposal.cluster.clone());
    row("reason", proposal.request.reason.clone());
    row("lease", proposal.request.lease_ms.map(lease));
    row("belongs to", proposal.request.correlation_id.clone());
    row("takes back", proposal.undoes.clone());
    row("policy", Some(ruling(&status.ruling)));
    for approval in &status.approvals {
        row("approved by", Some(approved(approval, now)));
    }
    if let Some(cancel) = &status.cancel {
        if is_stopped_by_plan(&cancel.reason) {
            let text = format!(
                "not sent because of its plan at {}: {}",
                when(cancel.at),
                cancel.reason
            );
            row("not sent", Some(text));
        } else {
            let text = format!("{} at {}: {}", cancel.by, when(cancel.at), cancel.reason);
            row("stopped by", Some(text));
        }
    }
    let executor = status.intent.as_ref().and_then(|intent| intent.by.as_ref());
    row("carried out by", executor.map(ToString::to_string));
    row("in process", status.owner.clone());
    let taken_over = status.taken_over.as_ref();
    row(
        "taken over by",
        taken_over.map(|taken| format!("proposal {} at {}", taken.by, when(taken.at))),
    );
    let taken_back = status.taken_back.as_ref();
    row(
        "taken back by",
        taken_back.map(|taken| format!("proposal {} at {}", taken.by, when(taken.at))),
    );
    row(
        "resolved by",
        status.resolved_by.as_ref().map(ToString::to_string),
    );
    rows
}

/// When a mutation is taken back by itself.
fn lease(ms: u64) -> String {
    format!("taken back {} s after it is carried out", ms.div_ceil(1000))
}

/// How a proposal stands, in two words at most: its outcome, and what became of that.
fn state_of(status: &ProposalStatus, now: Timestamp) -> String {
    let phase = status.phase_at(now);
    let reversed = status.outcome.as_ref().is_some_and(Outcome::is_reversed);
    let text = match (&status.taken_back, reversed) {
        (Some(_), _) => format!("{phase}, taken back"),
        (None, true) => format!("{phase}, reversed"),
        (None, false) => phase.to_string(),
    };
    match tone_of(phase, reversed) {
        Some(tone) => toned(tone, &text),
        None => text,
    }
}

/// Which states are good, which are not, and which wait for somebody.
pub(crate) fn tone_of(phase: Phase, is_reversed: bool) -> Option<Tone> {
    match phase {
        _ if is_reversed => Some(Tone::Bad),
        Phase::Applied => Some(Tone::Good),
        Phase::NotApplied => Some(Tone::Bad),
        Phase::Unknown | Phase::NeedsApproval => Some(Tone::Doubtful),
        _ => None,
    }
}

/// The same for programs: as the journal has it, and how it stands.
pub(crate) fn json(status: &ProposalStatus, now: Timestamp) -> Value {
    let mut json = serde_json::to_value(status).unwrap_or_default();
    json["phase"] = json!(status.phase_at(now));
    json["requester_identity"] = json!(status.proposal.request.proven_by.word());
    if let Some(Value::Array(approvals)) = json.get_mut("approvals") {
        for (approval, written) in status.approvals.iter().zip(approvals) {
            written["identity"] = json!(identity(approval));
        }
    }
    json
}

/// Whether who agreed is known, or only said.
fn identity(approval: &Approval) -> &'static str {
    match approval.signature {
        Some(_) => "signed",
        None => approval.by.proven_by().word(),
    }
}

fn approved(approval: &Approval, now: Timestamp) -> String {
    let until = when(approval.expires_at);
    let over = if approval.expires_at <= now {
        "expired"
    } else {
        "until"
    };
    let reason = approval
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(": {reason}"));
    let who = format!("{} (identity {})", approval.by, identity(approval));
    format!("{who}, {over} {until}{reason}")
}

/// What the rules say, in a line.
#[must_use]
pub fn ruling(ruling: &Ruling) -> String {
    let rule = ruling.rule();
    match ruling {
        Ruling::Allow { .. } => format!("allowed by `{rule}`"),
        Ruling::Approve {
            by, count, signed, ..
        } => {
            let by = if by.is_empty() {
                "any person".to_owned()
            } else {
                by.join(", ")
            };
            let signed = if *signed { ", signed" } else { "" };
            let s = if *count == 1 { "" } else { "s" };
            format!("needs {count} approval{s} from {by}{signed}, by `{rule}`")
        }
        Ruling::Deny { rule, reason } => {
            let (rule, reason) = (rule.clone(), reason.clone());
            Refusal::Denied { rule, reason }.to_string()
        }
        other => format!("{other:?}"),
    }
}

/// What waits for people, and how they agree.
pub(crate) fn waiting(status: &ProposalStatus, id: &str, global: &Global) -> String {
    let plan = status.proposal.plan_hash.short();
    format!(
        "Proposal {id} {}. To approve it\n  {}\nand then run it\n  {}",
        printable(&ruling(&status.ruling)),
        global.command_of_whoever_runs_it(&["approve", id, "--plan", plan]),
        run_command(&status.proposal, id, global),
    )
}

/// The command that carries it out, by somebody for whom it was allowed.
pub(crate) fn run_command(proposal: &Proposal, id: &str, global: &Global) -> String {
    let request = &proposal.request;
    let may = |who: &Actor| request.may_be_carried_out_by(who);
    let words = ["proposals", "run", id];
    match global.state.actor_without_flag() {
        Ok(who) if may(&who) => global.command(&words),
        _ => global.command_of(&request.actor, &words),
    }
}
