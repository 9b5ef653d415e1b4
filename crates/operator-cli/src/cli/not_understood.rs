//! What is said where a command line cannot be read.

use std::borrow::Cow;
use std::ffi::OsString;

use action_core::redacted;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error, ValueEnum as _};
use serde_json::json;

use crate::program::program;
use crate::subjects;
use crate::terminal::exit_code::Exit;
use crate::terminal::output::{Format, Output, note};

/// How many names are suggested at most.
const MOST_SUGGESTED: usize = 3;

/// Says what is wrong with the command line, to programs too; or shows the help that was asked for.
pub(super) fn not_understood(mut error: Error, command: &mut Command) -> Exit {
    match error.kind() {
        ErrorKind::InvalidSubcommand => suggest(&mut error),
        // All actions in three spellings each are no list to choose from.
        ErrorKind::MissingSubcommand => return help_of_meant(&error, command),
        _ => {}
    }
    let words = error.to_string();
    match redacted(&words) {
        // Nobody reads it.
        Cow::Borrowed(_) => drop(error.print()),
        Cow::Owned(words) => note(words.trim_end()),
    }
    if !error.use_stderr() {
        return Exit::Done;
    }
    tell_programs(&words)
}

fn tell_programs(words: &str) -> Exit {
    let mut output = Output::new(wanted_format(std::env::args_os()));
    let message = words.lines().next().unwrap_or_default();
    let message = redacted(message.trim_start_matches("error: "));
    output.for_programs(&json!({"error": {"code": "usage", "message": message}}));
    output.finish(Exit::Usage)
}

/// The help of the command that lacks the name of what it is to do.
fn help_of_meant(error: &Error, command: &mut Command) -> Exit {
    let words = std::env::args().skip(1);
    let mut help = command.render_help();
    let mut meant = Some(command);
    for word in words {
        meant = meant.and_then(|command| command.find_subcommand_mut(&word));
        match &mut meant {
            Some(found) => help = found.render_help(),
            None => break,
        }
    }
    note(help.to_string().trim_end());
    tell_programs(&error.to_string())
}

/// Names that are like what was given, each in one spelling and the likest first; and where what was given
/// is an action, how it is run.
fn suggest(error: &mut Error) {
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let given = given.clone();
    let name = given.replace('-', "_");
    let is_action = subjects::of_all_kinds()
        .iter()
        .any(|action| action.name == name);
    if is_action {
        let program = program().name;
        let tip = format!("`{name}` is an action; use `{program} run {name}`");
        let tip = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, tip);
        return;
    }
    // The likest is the last.
    if let Some(ContextValue::Strings(all)) = error.get(ContextKind::SuggestedSubcommand) {
        let kept = likest(&given, all);
        error.insert(
            ContextKind::SuggestedSubcommand,
            ContextValue::Strings(kept),
        );
    }
}

fn likest(given: &str, all: &[String]) -> Vec<String> {
    // Where there are several kinds of systems, only qualified names may be there.
    let is_bare = |name: &&String| !name.contains('.');
    let some_are_bare = !given.contains('.') && all.iter().any(|name| is_bare(&name));
    let mut kept: Vec<String> = Vec::new();
    for name in all
        .iter()
        .rev()
        .filter(|name| !some_are_bare || is_bare(name))
    {
        let plain = name.replace('-', "_");
        if !kept.iter().any(|known| known.replace('-', "_") == plain) {
            let by_name = all.iter().find(|other| **other == plain);
            kept.push(by_name.unwrap_or(name).clone());
        }
        if kept.len() == MOST_SUGGESTED {
            break;
        }
    }
    kept
}

/// The format that a command line asks for which could not be read as a whole: clap stops reading at
/// what is wrong, also where it is told to ignore that.
pub(super) fn wanted_format(arguments: impl Iterator<Item = OsString>) -> Format {
    let words: Vec<String> = arguments
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let after = |flag: &str| {
        let place = words.iter().position(|word| word == flag)?;
        words.get(place + 1).map(String::as_str)
    };
    let tied = |prefix: &str| words.iter().find_map(|word| word.strip_prefix(prefix));
    let given = after("-o")
        .or_else(|| after("--output"))
        .or_else(|| tied("--output="))
        .or_else(|| tied("-o"));
    let format = given.and_then(|name| Format::from_str(name, false).ok());
    format.unwrap_or(Format::Table)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::likest;
    use crate::terminal::output::Format;

    #[test]
    fn what_cannot_be_read_is_told_in_the_format_that_is_asked_for() {
        for (line, expected) in [
            ("operator plan x", Format::Table),
            ("operator plan x -o json", Format::Json),
            ("operator -ojsonl plan x", Format::Jsonl),
            ("operator plan x --output=json", Format::Json),
            ("operator plan x --output", Format::Table),
            ("operator plan x -o xml", Format::Table),
        ] {
            let words = line.split(' ').map(OsString::from);
            assert_eq!(super::wanted_format(words), expected, "{line}");
        }
    }

    #[test]
    fn what_is_suggested_is_in_one_spelling_the_likest_first() {
        let all = [
            "stop_drain",
            "list-stores",
            "list_operators",
            "list-operators",
            "tikv.list_regions",
            "list-regions",
            "list_regions",
        ];
        let all = all.map(str::to_owned);
        assert_eq!(
            likest("list_region", &all),
            ["list_regions", "list_operators", "list-stores"]
        );
    }
}
