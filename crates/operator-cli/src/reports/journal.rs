//! Records of the journal, as text and as JSON.

use std::collections::BTreeSet;

use action_core::printable;
use action_guard::{Actor, Entry, ProvenBy, Record, State, StepEvent};
use serde_json::{Value, json};

use crate::ids;
use crate::reports::is_stopped_by_plan;
use crate::reports::plan;
use crate::reports::proposal::{asked_by, ruling};
use crate::reports::target;
use crate::terminal::table::{self, Column};
use crate::terminal::values::{text_of, when};

/// How much is shown of what a record says, before the time of it.
const WHAT: usize = 40;

/// A row for each record.
pub(crate) fn table(entries: &[Entry], state: &State) -> String {
    let says_which = target::is_told(entries.iter().filter_map(|entry| entry.target.as_ref()));
    let ids = entries.iter().filter_map(|entry| entry.record.about());
    let ids: BTreeSet<&str> = ids.chain(ids::known(state)).collect();
    let short = |id: &str| ids::short(id, ids.iter().copied());
    let rows = entries.iter().map(|entry| {
        let (kind, what) = line(&entry.record);
        let mut row = vec![
            entry.seq.to_string(),
            when(entry.at),
            kind.to_owned(),
            entry.record.about().map_or_else(String::new, short),
            what,
        ];
        if says_which {
            row.insert(3, target::called(entry.target.as_ref()));
        }
        row
    });
    let mut columns = vec![
        Column::new("no").whole(),
        Column::new("at").whole().first_to_go(),
        Column::new("record").whole(),
        Column::new("id").whole(),
        Column::new("what").at_least(WHAT),
    ];
    if says_which {
        columns.insert(3, Column::new("cluster"));
    }
    table::list(columns, rows.collect())
}

/// A record with its place in the chain.
pub(crate) fn json(entry: &Entry) -> Value {
    json!({
        "seq": entry.seq,
        "at": entry.at,
        "instance": entry.instance,
        "prev": entry.prev.to_string(),
        "target": entry.target,
        "record": entry.record,
    })
}

/// A record in a line: its kind, and what it says.
fn line(record: &Record) -> (&'static str, String) {
    match record {
        Record::Checkpoint { .. } => ("checkpoint", String::new()),
        Record::Proposed { proposal, ruling } => {
            let request = &proposal.request;
            let what = plan::request(&request.action, &request.parameters);
            let (by, how) = (asked_by(request), proof(&request.proven_by));
            let by = printable(&by);
            let says = self::ruling(ruling);
            ("proposed", format!("{what} by {by}{how}; {says}"))
        }
        Record::Approved { approval, .. } => {
            let identity = match &approval.attested {
                Some(_) => proof(approval.by.proven_by()),
                None => format!(" {}", identity(approval.signature.is_some())),
            };
            ("approved", format!("by {}{identity}", approval.by))
        }
        Record::Rejected { by, reason, .. } => ("rejected", by_reason(by, reason)),
        Record::Expired { .. } => ("expired", "was not sent in time".to_owned()),
        Record::Cancelled { reason, .. } if is_stopped_by_plan(reason) => (
            "not sent",
            format!("not sent because of its plan: {}", printable(reason)),
        ),
        Record::Cancelled { by, reason, .. } => ("cancelled", by_reason(by, reason)),
        Record::Intent { .. } => ("intent", "about to be sent".to_owned()),
        Record::Answer { answer, .. } => {
            let json = serde_json::to_value(answer).unwrap_or_default();
            ("answer", text_of(&json["answer"]))
        }
        Record::Outcome { outcome, .. } => {
            let (result, summary) = (word(&outcome.result), printable(&outcome.summary));
            ("outcome", format!("{result}: {summary}"))
        }
        Record::Adopted { from, .. } => ("adopted", format!("from {}", printable(from))),
        Record::Resolved { by, reason, .. } => ("resolved", by_reason(by, reason)),
        Record::Released { by, reason, .. } => ("released", by_reason(by, reason)),
        Record::BreakGlass { by, reason, .. } => ("break glass", by_reason(by, reason)),
        Record::Mode {
            mode,
            by,
            reason,
            proof,
            attested,
            ..
        } => {
            let (mode, who) = (word(mode), by_reason(by, reason));
            let identity = identity(proof.is_some() || attested.is_some());
            ("mode", format!("{mode}, {who} {identity}"))
        }
        Record::Killed { by, reason, .. } => ("killed", by_reason(by, reason)),
        Record::Reset {
            by, reason, proof, ..
        } => {
            let who = by_reason(by, reason);
            ("reset", format!("{who} {}", identity(proof.is_some())))
        }
        other => of_token(other),
    }
}

/// The same of a token, of the pause of an agent, and of gates.
fn of_token(record: &Record) -> (&'static str, String) {
    match record {
        Record::TokenMade { made } => {
            let (grant, by) = (&made.grant, &made.by);
            let clusters = printable(&grant.clusters.join(", ")).into_owned();
            (
                "token created",
                format!(
                    "for {} on {clusters}, by {by} (identity signed)",
                    grant.actor
                ),
            )
        }
        Record::TokenRevoked { by, reason, .. } => ("token revoked", by_reason(by, reason)),
        Record::AgentPaused {
            agent,
            until,
            by,
            reason,
        } => {
            let until = until.map_or_else(String::new, |until| format!(" until {}", when(until)));
            let who = by_reason(by, reason);
            ("agent paused", format!("{agent}{until}, {who}"))
        }
        Record::AgentResumed {
            agent,
            by,
            reason,
            proof,
            attested,
        } => {
            let identity = identity(proof.is_some() || attested.is_some());
            let who = by_reason(by, reason);
            ("agent resumed", format!("{agent} {who} {identity}"))
        }
        Record::GateOpened { policy } => (
            "gate opened",
            format!(
                "by policy {}",
                printable(policy.get(..12).unwrap_or(policy))
            ),
        ),
        Record::GateClosed {} => ("gate closed", String::new()),
        other => of_browser(other),
    }
}

/// The same of a login with a browser.
fn of_browser(record: &Record) -> (&'static str, String) {
    match record {
        Record::SessionOpened { session } => {
            let (actor, until) = (&session.actor, session.expires_at);
            let how = actor.proven_by();
            ("logged in", format!("{actor} ({how}) until {until}"))
        }
        Record::SessionEnded { by, reason, .. } => ("logged out", by_reason(by, reason)),
        Record::LinkMade { link } => {
            let (actor, until) = (&link.actor, link.expires_at);
            ("link made", format!("for {actor} until {until}"))
        }
        other => of_workflow(other),
    }
}

/// The same of a workflow.
fn of_workflow(record: &Record) -> (&'static str, String) {
    match record {
        Record::FlowStarted { started, .. } => {
            let title = printable(&started.workflow.title);
            let (count, by) = (started.workflow.steps.len(), &started.by);
            let s = if count == 1 { "" } else { "s" };
            let proof = proof(by.proven_by());
            (
                "workflow",
                format!("started by {by}{proof}: {title}, {count} step{s}"),
            )
        }
        Record::FlowStep { step, event, .. } => {
            ("step", format!("{}: {}", printable(step), happened(event)))
        }
        Record::FlowResumed { by, reason, .. } => {
            ("workflow", format!("resumed {}", by_reason(by, reason)))
        }
        Record::FlowCancelled { by, reason, .. } => {
            ("workflow", format!("cancelled {}", by_reason(by, reason)))
        }
        Record::FlowCompensating { by, reason, .. } => (
            "workflow",
            format!("to be taken back, {}", by_reason(by, reason)),
        ),
        Record::ClockConfirmed {
            by, reason, proof, ..
        } => {
            let who = by_reason(by, reason);
            (
                "clock confirmed",
                format!("{who} {}", identity(proof.is_some())),
            )
        }
        _ => ("other", String::new()),
    }
}

/// What happened to a step.
fn happened(event: &StepEvent) -> String {
    match event {
        StepEvent::Began => "waiting".to_owned(),
        StepEvent::Seen { summary } => printable(summary).into_owned(),
        StepEvent::Confirmed { by, note, .. } => {
            let note = note.as_deref().unwrap_or_default();
            let colon = if note.is_empty() { "" } else { ": " };
            format!("confirmed by {by}{colon}{}", printable(note))
        }
        StepEvent::AskedAnew { by, .. } => format!("to be approved again, for {by}"),
        StepEvent::Failed { code, reason, .. } => {
            format!("failed ({}): {}", printable(code), printable(reason))
        }
        StepEvent::NotTakenBack { code, reason, .. } => {
            format!(
                "not taken back ({}): {}",
                printable(code),
                printable(reason)
            )
        }
        StepEvent::Left { reason } => format!("nothing to take back: {}", printable(reason)),
        other => word(other),
    }
}

fn by_reason(by: &Actor, reason: &str) -> String {
    format!("by {by}{}: {}", proof(by.proven_by()), printable(reason))
}

/// How it was proven who somebody is, where it was.
fn proof(by: &ProvenBy) -> String {
    match by {
        ProvenBy::Claimed => String::new(),
        proven => format!(" ({proven})"),
    }
}

fn identity(is_signed: bool) -> &'static str {
    if is_signed {
        "(identity signed)"
    } else {
        "(identity claimed)"
    }
}

/// The word that a value has in JSON.
fn word(value: &impl serde::Serialize) -> String {
    text_of(&serde_json::to_value(value).unwrap_or_default())
}
