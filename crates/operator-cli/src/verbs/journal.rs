//! `operator journal`: the record of all that happened.

use std::collections::BTreeSet;

use action_guard::{Entry, Head, Journal, State};
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use crate::ids;
use crate::reports::journal as report;
use crate::settings::Global;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;
use crate::terminal::progress;

/// How many ids are listed at most where several are meant.
const MOST_LISTED: usize = 10;

pub(crate) fn command() -> Command {
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("NUMBER")
            .value_parser(value_parser!(u64))
            .help(help)
    };
    Command::new("journal")
        .about("Show and verify the journal; contacts no system")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            Command::new("show")
                .about("Show records, oldest first")
                .arg(number("after", "Only records after this number"))
                .arg(number("limit", "Maximum number of records [default: 100]"))
                .arg(
                    Arg::new("id")
                        .long("id")
                        .value_name("ID")
                        .help("Only records of this proposal, workflow, token or session"),
                ),
            Command::new("verify")
                .about("Verify every record, and that an earlier head is still part of the chain")
                .arg(
                    Arg::new("head")
                        .long("head")
                        .value_name("NUMBER:HASH")
                        .help("Head that `journal head` printed earlier, kept elsewhere"),
                ),
            Command::new("head")
                .about("Print the head of the chain, to keep elsewhere for `verify`"),
        ])
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let journal = global.state.journal_to_read()?;
    match matches.subcommand() {
        Some(("show", matches)) => show(&*journal, matches, output).await,
        Some(("verify", matches)) => verify(&*journal, matches, output).await,
        Some(("head", _)) => {
            let head = journal.head().await?;
            show_head(&head, output);
            Ok(Exit::Done)
        }
        _ => Err(Failure::usage("unknown command")),
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
    let after = number("after").unwrap_or(0);
    let (shown, more) = match id {
        Some(id) => {
            let mut entries = about(journal, id).await?;
            entries.retain(|entry| entry.seq > after);
            let more = entries.len().saturating_sub(limit);
            entries.truncate(limit);
            (entries, u64::try_from(more).unwrap_or(u64::MAX))
        }
        None => {
            let shown = journal.entries(after, limit).await?;
            let last = shown.last().map_or(after, |entry| entry.seq);
            (shown, journal.head().await?.seq.saturating_sub(last))
        }
    };
    show_entries(&shown, &*journal.state().await?, (after, more), output);
    Ok(Exit::Done)
}

/// The records that are about what is meant by an id, or by the beginning of it: a proposal, a
/// workflow, a token, a session or a link.
async fn about(journal: &dyn Journal, given: &str) -> Result<Vec<Entry>, Failure> {
    let beginning = ids::with_dashes(given).unwrap_or_else(|| given.to_owned());
    let mut entries = journal.entries_with(&beginning).await?;
    // What it takes back is another's.
    let is_about = |entry: &Entry| {
        let id = entry.record.about();
        id.is_some_and(|id| id.starts_with(&beginning))
    };
    entries.retain(is_about);
    let found: BTreeSet<&str> = entries.iter().filter_map(|it| it.record.about()).collect();
    match found.len() {
        1 => Ok(entries),
        0 => {
            let text = format!("no record is about an id that begins with `{given}`");
            Err(Failure::usage(text).command("journal show", "shows all records"))
        }
        _ => {
            let ids = found.iter().take(MOST_LISTED);
            let lines = ids.map(|id| (*id).to_owned()).collect();
            let text = format!("`{given}` matches more than one id:");
            Err(Failure::usage(text)
                .lines(lines)
                .next("give more digits of the id"))
        }
    }
}

/// Shows records with higher numbers than `after`, and that there are more.
pub(super) fn show_entries(
    shown: &[Entry],
    state: &State,
    (after, more): (u64, u64),
    output: &mut Output,
) {
    let last = shown.last().map_or(after, |entry| entry.seq);
    let truncated = (more > 0)
        .then(|| format!("{more} more records (truncated, use --limit or --after {last})"));
    let entries: Vec<_> = shown.iter().map(report::json).collect();
    output.show_list("entries", &entries, || {
        let parts = [Some(report::table(shown, state)), truncated.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    });
    if let Some(truncated) = &truncated {
        output.note_beside_data(truncated);
    }
}

/// Shows the end of the chain.
pub(super) fn show_head(head: &Head, output: &mut Output) {
    output.show(head, || format!("{}:{}", head.seq, head.hash));
}

async fn verify(
    journal: &dyn Journal,
    matches: &ArgMatches,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let progress = Box::new(progress::counting("checking"));
    let verified = journal.verify_showing(progress).await?;
    if let Some(head) = matches.get_one::<String>("head") {
        contains(journal, &verified.head, head).await?;
    }
    output.show(&json!({"verified": true, "journal": verified}), || {
        let (first, head) = (verified.first, &verified.head);
        let s = if verified.segments == 1 { "" } else { "s" };
        let mut text = format!(
            "Verified: records {first} to {} in {} segment{s} are unchanged\n{}:{}",
            head.seq, verified.segments, head.seq, head.hash
        );
        if verified.half_line_bytes > 0 {
            text.push_str(&format!(
                "\nAn incomplete record follows ({} bytes): it is being written, or its write was interrupted. It has no effect, and the next record replaces it",
                verified.half_line_bytes
            ));
        }
        if let Some(last) = verified.first.checked_sub(1).filter(|last| *last > 0) {
            // The first that is here has what they add up to.
            text.push_str(&format!("\nRecords 1 to {last} are no longer kept here"));
        }
        text
    });
    Ok(Exit::Done)
}

/// That a head which was kept elsewhere is still part of the journal.
async fn contains(journal: &dyn Journal, now: &Head, kept: &str) -> Result<(), Failure> {
    let (seq, hash) = kept
        .split_once(':')
        .and_then(|(seq, hash)| Some((seq.parse::<u64>().ok()?, hash)))
        .ok_or_else(|| Failure::usage(format!("invalid `--head {kept}`: write NUMBER:HASH")))?;
    let found = if seq == now.seq {
        Some(now.hash.to_string())
    } else {
        let after = journal.entries(seq, 1).await?;
        let next = after.first().filter(|entry| entry.seq == seq + 1);
        next.map(|entry| entry.prev.to_string())
    };
    if found.as_deref() == Some(hash) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::JournalDamaged,
        "other_head",
        format!("the journal was changed or replaced: record {seq} does not have hash {hash}"),
    ))
}
