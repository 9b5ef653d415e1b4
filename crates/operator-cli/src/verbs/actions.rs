//! `operator actions`: what can be done.

use action_core::{ActionDefinition, printable, printable_lines, tool_json};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgMatches, Command, ValueEnum, value_parser};
use serde_json::Value;

use crate::flags::first_sentence;
use crate::subjects;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::{Format, Output};
use crate::terminal::table;
use crate::terminal::values;

/// Writes an action as a tool for a model.
type ToTool = fn(&ActionDefinition) -> Value;

/// What one action looks like as a tool for a model, beside the formats of all output.
const TOOL_FORMATS: [(&str, ToTool); 4] = [
    ("mcp", tool_json::mcp),
    ("openai", tool_json::openai_chat),
    ("openai-responses", tool_json::openai_responses),
    ("anthropic", tool_json::anthropic),
];

pub(crate) fn command() -> Command {
    let list = Command::new("list")
        .about("List all actions")
        .arg(
            Arg::new("format")
                .long("format")
                .value_parser(value_parser!(Format))
                .help("Format of the list [default: as `--output`]"),
        )
        .arg(
            Arg::new("subject")
                .long("subject")
                .value_name("NAME")
                .value_parser(PossibleValuesParser::new(
                    subjects::kinds().iter().map(|kind| kind.subject.name),
                ))
                .help("Only actions of this kind of system"),
        );
    let formats = Format::value_variants().iter();
    let formats = formats.filter_map(ValueEnum::to_possible_value);
    let tools = TOOL_FORMATS
        .iter()
        .map(|(name, _)| PossibleValue::new(*name));
    let show = Command::new("show")
        .about("Show an action, for people or as a tool definition for a model")
        .arg(
            Arg::new("name")
                .required(true)
                .value_name("NAME")
                .help("Name of the action"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_parser(PossibleValuesParser::new(formats.chain(tools)))
                .help("Format [default: as `--output`]"),
        );
    Command::new("actions")
        .about("List and describe actions; contacts no system")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([list, show])
}

pub(crate) fn main(matches: &ArgMatches, output: &mut Output) -> Result<Exit, Failure> {
    let definitions = subjects::definitions();
    match matches.subcommand() {
        Some(("list", matches)) => {
            if let Some(format) = matches.get_one::<Format>("format") {
                output.set_format(*format);
            }
            let subject = matches.get_one::<String>("subject");
            match subject.and_then(|name| subjects::named(name)) {
                Some(kind) => list(kind.definitions(), output),
                None => list(definitions, output),
            }
        }
        Some(("show", matches)) => {
            let name = matches.get_one::<String>("name").map_or("", String::as_str);
            let format = matches.get_one::<String>("format").map(String::as_str);
            let own = subjects::of_qualified(name).map_or(name, |(_, own)| own);
            let definition = definitions
                .iter()
                .find(|definition| definition.name == name || definition.name == own);
            let definition = definition.ok_or_else(|| {
                let failure = Failure::usage(format!("unknown action `{name}`"));
                match qualified(definitions, name).as_slice() {
                    [] => failure.command("actions list", "lists all actions"),
                    names => failure.next(format!("known are `{}`", names.join("`, `"))),
                }
            })?;
            show(definition, format, output);
        }
        _ => return Err(Failure::usage("unknown command")),
    }
    Ok(Exit::Done)
}

pub(super) fn list(definitions: &[ActionDefinition], output: &mut Output) {
    let rows = |definitions: &[&ActionDefinition]| {
        let rows = definitions.iter().map(|definition| {
            let (kind, stake) = kind(definition);
            vec![
                definition.name.clone(),
                kind,
                stake,
                first_sentence(&definition.description),
            ]
        });
        rows.collect()
    };
    output.show_list("actions", definitions, || {
        let header = ["name", "kind", "risk", "what it does"];
        let of_kind = |kind: &subjects::Kind| {
            let name = kind.subject.name;
            let mut own = definitions.iter().filter(|known| known.subject == name);
            let first = own.next()?;
            let own: Vec<_> = std::iter::once(first).chain(own).collect();
            let table = table::table(&header, rows(&own));
            let is_all = own.len() == definitions.len();
            Some(if is_all {
                table
            } else {
                format!("{}:\n{table}", kind.subject.title)
            })
        };
        let parts = subjects::kinds().iter().filter_map(of_kind);
        parts.collect::<Vec<_>>().join("\n\n")
    });
}

/// An action of each kind that has one of this name, by its qualified name.
fn qualified<'a>(definitions: &'a [ActionDefinition], name: &str) -> Vec<&'a str> {
    let all = definitions.iter().map(|known| known.name.as_str());
    all.filter(|known| known.split_once('.').is_some_and(|(_, own)| own == name))
        .collect()
}

fn show(definition: &ActionDefinition, format: Option<&str>, output: &mut Output) {
    let tool = TOOL_FORMATS.iter().find(|(name, _)| format == Some(*name));
    if let Some((_, render)) = tool {
        return output.json(&render(definition));
    }
    if let Some(format) = format.and_then(|name| Format::from_str(name, false).ok()) {
        output.set_format(format);
    }
    output.show(definition, || text(definition));
}

fn text(definition: &ActionDefinition) -> String {
    let (kind, stake) = kind(definition);
    let mut facts = vec![kind];
    if definition.is_mutation() {
        facts.push(format!("{stake} risk"));
        facts.push(
            if definition.reversible {
                "can be taken back"
            } else {
                "cannot be taken back"
            }
            .to_owned(),
        );
        if definition.idempotent {
            facts.push("repeating it changes nothing more".to_owned());
        }
        if definition.requires_approval {
            facts.push("requires approval".to_owned());
        }
    } else if let Some(cost) = word(&definition.cost) {
        facts.push(format!("reads: {cost}"));
    }
    let rows = definition
        .parameters
        .iter()
        .map(|parameter| {
            let need = match (&parameter.default, parameter.required) {
                (Some(default), _) => format!("default {}", values::text_of(default)),
                (None, true) => "required".to_owned(),
                (None, false) => "optional".to_owned(),
            };
            let kind = parameter.shape.kind.as_str().to_owned();
            let description = parameter
                .description
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            vec![parameter.name.clone(), kind, need, description]
        })
        .collect::<Vec<_>>();
    let parameters = if rows.is_empty() {
        "Takes no parameters.".to_owned()
    } else {
        table::table(&["parameter", "type", "", "description"], rows)
    };
    format!(
        "{}: {}\n{}\n\n{}\n\n{parameters}",
        printable(&definition.name),
        printable(&definition.title),
        facts.join(", "),
        printable_lines(definition.description.trim()),
    )
}

/// What kind of action it is, and what it puts at stake.
fn kind(definition: &ActionDefinition) -> (String, String) {
    let kind = word(&definition.kind).unwrap_or_default();
    let kind = match word(&definition.effect) {
        Some(effect) => format!("{kind}, {}", effect.replace('_', "-")),
        None => kind,
    };
    (
        kind,
        word(&definition.risk).unwrap_or_else(|| "-".to_owned()),
    )
}

/// The word that a value has in JSON.
fn word(value: &impl serde::Serialize) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Some(word),
        _ => None,
    }
}
