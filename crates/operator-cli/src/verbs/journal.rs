//! `operator journal`: the record of all that happened.

use action_core::printable;
use action_guard::{Entry, Journal, Record};
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use crate::reports::plan;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::table::table;
use crate::terminal::table::when;

/// How many records are read at a time.
const AT_A_TIME: usize = 1_000;

pub(crate) fn command() -> Command {
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("NUMBER")
            .value_parser(value_parser!(u64))
            .help(help)
    };
    Command::new("journal")
        .about("Show and check the record of all that happened; needs no PD")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("show")
                .about("Show records, the oldest first")
                .arg(number("after", "Only records with higher numbers"))
                .arg(number("limit", "At most so many [default: 100]"))
                .arg(
                    Arg::new("id")
                        .long("id")
                        .value_name("ID")
                        .help("Only those of this proposal"),
                ),
            Command::new("verify")
                .about("Check every record, and that a head seen before is still part of it")
                .arg(
                    Arg::new("head")
                        .long("head")
                        .value_name("NUMBER:HASH")
                        .help("A head that `journal head` printed earlier, kept elsewhere"),
                ),
            Command::new("head").about("Print the end of the chain, to be kept elsewhere"),
        ])
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let journal = global.state.journal()?;
    match matches.subcommand() {
        Some(("show", matches)) => show(&*journal, matches, output).await,
        Some(("verify", matches)) => verify(&*journal, matches, output).await,
        Some(("head", _)) => {
            let head = journal.verify().await?.head;
            if output.is_json() {
                output.json(&head);
            } else {
                output.data(&format!("{}:{}", head.seq, head.hash));
            }
            Ok(Exit::Done)
        }
        _ => Err(Failure::usage("no such command")),
    }
}

async fn show(
    journal: &dyn Journal,
    matches: &ArgMatches,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let number = |name: &str| matches.get_one::<u64>(name).copied();
    let limit = usize::try_from(number("limit").unwrap_or(100)).unwrap_or(usize::MAX);
    let id = matches.get_one::<String>("id");
    let mut after = number("after").unwrap_or(0);
    let mut shown: Vec<Entry> = Vec::new();
    while shown.len() < limit {
        let entries = journal.entries(after, AT_A_TIME).await?;
        let Some(last) = entries.last() else { break };
        after = last.seq;
        let is_meant = |entry: &Entry| id.is_none_or(|id| entry.record.proposal_id() == Some(id));
        shown.extend(
            entries
                .into_iter()
                .filter(is_meant)
                .take(limit - shown.len()),
        );
    }
    if output.is_json() {
        let entries: Vec<_> = shown.iter().map(json_of).collect();
        output.list("entries", &entries);
        return Ok(Exit::Done);
    }
    let rows = shown.iter().map(|entry| {
        let (kind, what) = line(&entry.record);
        vec![
            entry.seq.to_string(),
            when(entry.at),
            kind.to_owned(),
            entry.record.proposal_id().unwrap_or("").to_owned(),
            what,
        ]
    });
    output.data(&table(
        &["no", "at", "record", "proposal", "what"],
        rows.collect(),
    ));
    Ok(Exit::Done)
}

fn json_of(entry: &Entry) -> Value {
    json!({
        "seq": entry.seq,
        "at": entry.at,
        "instance": entry.instance,
        "prev": entry.prev.to_string(),
        "record": entry.record,
    })
}

async fn verify(
    journal: &dyn Journal,
    matches: &ArgMatches,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let verified = journal.verify().await?;
    if let Some(head) = matches.get_one::<String>("head") {
        let (seq, hash) = head
            .split_once(':')
            .and_then(|(seq, hash)| Some((seq.parse::<u64>().ok()?, hash)))
            .ok_or_else(|| Failure::usage(format!("`--head {head}` is not NUMBER:HASH")))?;
        let found = match seq {
            seq if seq == verified.head.seq => Some(verified.head.hash.to_string()),
            seq => {
                let after = journal.entries(seq, 1).await?;
                let next = after.first().filter(|entry| entry.seq == seq + 1);
                next.map(|entry| entry.prev.to_string())
            }
        };
        if found.as_deref() != Some(hash) {
            return Err(Failure::new(
                Exit::Failed,
                "other_head",
                format!("the journal is not the one that had record {seq} with hash {hash}"),
            ));
        }
    }
    if output.is_json() {
        output.json(&json!({"verified": true, "journal": verified}));
    } else {
        let (first, head) = (verified.first, verified.head);
        output.data(&format!(
            "Verified: records {first} to {}, in {} segments, are as they were written\n{}:{}",
            head.seq, verified.segments, head.seq, head.hash
        ));
    }
    Ok(Exit::Done)
}

/// A record in a line: its kind, and what it says.
fn line(record: &Record) -> (&'static str, String) {
    let by_reason =
        |by: &dyn std::fmt::Display, reason: &str| format!("by {by}: {}", printable(reason));
    match record {
        Record::Checkpoint { .. } => ("checkpoint", String::new()),
        Record::Proposed { proposal, ruling } => {
            let request = &proposal.request;
            let what = plan::request(&request.action, &request.parameters);
            let by = printable(&request.actor);
            (
                "proposed",
                format!(
                    "{what} by {by}; {}",
                    crate::reports::proposal::ruling(ruling)
                ),
            )
        }
        Record::Approved { approval, .. } => {
            let identity = if approval.signature.is_some() {
                "signed"
            } else {
                "claimed"
            };
            (
                "approved",
                format!("by {} (identity {identity})", approval.by),
            )
        }
        Record::Rejected { by, reason, .. } => ("rejected", by_reason(by, reason)),
        Record::Cancelled { by, reason, .. } => ("cancelled", by_reason(by, reason)),
        Record::Intent { .. } => ("intent", String::new()),
        Record::Answer { answer, .. } => {
            let json = serde_json::to_value(answer).unwrap_or_default();
            ("answer", crate::terminal::table::text_of(&json["answer"]))
        }
        Record::Outcome { outcome, .. } => {
            let result = serde_json::to_value(outcome.result).unwrap_or_default();
            let result = crate::terminal::table::text_of(&result);
            (
                "outcome",
                format!("{result}: {}", printable(&outcome.summary)),
            )
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
        } => {
            let mode = serde_json::to_value(mode).unwrap_or_default();
            let mode = crate::terminal::table::text_of(&mode);
            let identity = if proof.is_some() { "signed" } else { "claimed" };
            (
                "mode",
                format!("{mode}, {} (identity {identity})", by_reason(by, reason)),
            )
        }
        Record::Killed { by, reason } => ("killed", by_reason(by, reason)),
        Record::Reset { by, reason, proof } => {
            let identity = if proof.is_some() { "signed" } else { "claimed" };
            (
                "reset",
                format!("{} (identity {identity})", by_reason(by, reason)),
            )
        }
        _ => ("other", String::new()),
    }
}
