//! Flags of actions, derived from what their parameters are declared to be.
//!
//! Clap only tells flags from values. Whether a value is right is for the validator to say, which
//! names everything that is wrong at once.

use action_core::{
    ActionDefinition, ParamDef, SettingDef, Shape, ValueType, is_unprintable, printable, redacted,
    unique_json,
};
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Number, Value};

use crate::program::program;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::list_values::how_to_list;

/// The argument that takes all parameters as JSON.
const PARAMS: &str = "params";

/// Flags that commands with actions have themselves, and names kept for later. No parameter of an
/// action may have such a name: the flag would take its value.
const RESERVED: &[&str] = &[
    "actor",
    "at",
    "begin-by",
    "ca-file",
    "client-certificate",
    "client-key",
    "cluster",
    "cluster-id",
    "columns",
    "config",
    "correlation-id",
    "detach",
    "file",
    "held-for",
    "help",
    "journal",
    "lease",
    "output",
    PARAMS,
    "policy-file",
    "reason",
    "scheduled-at",
    "server",
    "settle-for",
    "sign-with",
    "sort-by",
    "state-dir",
    "takes-back",
    "token-file",
    "verbose",
    "version",
    "wait",
    "wait-for-people",
    "watch",
    "yes",
];

/// Refuses actions with a parameter that could not be given by a flag of its own, as a flag of every
/// command or one of these, which say where the system is, has its name.
pub(crate) fn check_names(
    definitions: &[ActionDefinition],
    settings: &[&SettingDef],
) -> Result<(), Failure> {
    let is_taken = |parameter: &&ParamDef| {
        let of_settings = settings
            .iter()
            .any(|setting| setting.name == parameter.name);
        of_settings || RESERVED.contains(&long(parameter).as_str())
    };
    for definition in definitions {
        let taken = definition.parameters.iter().find(is_taken);
        if let Some(parameter) = taken {
            let (action, name) = (&definition.name, &parameter.name);
            let text = format!(
                "parameter `{name}` of `{action}` has the same name as the flag `--{}`",
                long(parameter)
            );
            return Err(Failure::new(Exit::Bug, "reserved_name", text)
                .next("rename the parameter: every command has this flag"));
        }
    }
    Ok(())
}

/// Whether no parameter may have the name of this flag.
#[cfg(test)]
pub(crate) fn is_reserved(flag: &str) -> bool {
    RESERVED.contains(&flag)
}

/// The subcommand of an action, which is known with dashes in its name too.
pub(crate) fn subcommand(definition: &ActionDefinition) -> Command {
    let mut command = command(definition);
    // By its qualified name, too, where there are several kinds of systems.
    if !definition.name.contains('.') {
        command = command.alias(format!("{}.{}", definition.subject, definition.name));
    }
    match definition.name.replace('_', "-") {
        dashed if dashed != definition.name => command.alias(dashed),
        _ => command,
    }
}

/// A command with the flags of an action.
pub(crate) fn command(definition: &ActionDefinition) -> Command {
    with_parameters(Command::new(definition.name.clone()), definition)
        .about(first_sentence(&definition.description))
}

/// The same for a command with a name and a first sentence of its own.
pub(crate) fn with_parameters(command: Command, definition: &ActionDefinition) -> Command {
    let parameters = &definition.parameters;
    let all = Arg::new(PARAMS)
        .long(PARAMS)
        .value_name("JSON")
        .help("All parameters as one JSON object, instead of one flag per parameter")
        .conflicts_with_all(parameters.iter().map(id));
    command
        .long_about(definition.description.clone())
        .args(parameters.iter().map(flag))
        .arg(all)
}

/// What the command line gives for the parameters, right or not.
pub(crate) fn parameters(
    definition: &ActionDefinition,
    matches: &ArgMatches,
) -> Result<Value, Failure> {
    if let Some(json) = matches.get_one::<String>(PARAMS) {
        return unique_json(json.as_bytes()).map_err(|error| {
            let what = if error.is_data() {
                "wrong"
            } else {
                "invalid JSON"
            };
            Failure::usage(format!("`--params` is {what}: {error}"))
        });
    }
    let mut given = Map::new();
    for parameter in &definition.parameters {
        if let Some(texts) = matches.get_many::<String>(&id(parameter)) {
            let texts: Vec<&str> = texts.map(String::as_str).collect();
            given.insert(parameter.name.clone(), value(&parameter.shape, &texts));
        }
    }
    Ok(Value::Object(given))
}

/// The arguments that give these parameters, for a command line to copy.
pub fn arguments(definition: Option<&ActionDefinition>, given: &Map<String, Value>) -> Vec<String> {
    let as_flags = || {
        let mut arguments = Vec::new();
        for (name, value) in given {
            let parameter = definition?
                .parameters
                .iter()
                .find(|known| known.name == *name)?;
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => return None,
            };
            let flag = long(parameter);
            // A value that looks like a flag is taken for one unless it is tied to its own.
            if text.starts_with('-') || parameter.shape.kind == ValueType::Boolean {
                arguments.push(format!("--{flag}={text}"));
            } else {
                arguments.extend([format!("--{flag}"), text]);
            }
        }
        Some(arguments)
    };
    as_flags().unwrap_or_else(|| {
        let json = Value::Object(given.clone()).to_string();
        vec![format!("--{PARAMS}"), json]
    })
}

/// A command line for a person to copy.
#[must_use]
pub fn command_line(words: &[String]) -> String {
    let mut line = program().name.to_owned();
    let mut before = "";
    for word in words {
        // A value that begins so would be read as a flag.
        let is_value = before.starts_with("--") && word.starts_with('-') && !word.starts_with("--");
        line.push(if is_value { '=' } else { ' ' });
        line.push_str(&quoted(&redacted(word)));
        before = word;
    }
    printable(&line).into_owned()
}

/// A word of a command line, quoted for a shell where that is needed.
fn quoted(word: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "-_=./:,@%+".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else if word.contains(is_unprintable) {
        let byte = |byte: u8| match byte {
            b'\'' | b'\\' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        };
        format!("$'{}'", word.bytes().map(byte).collect::<String>())
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The first sentence of a description.
pub(crate) fn first_sentence(description: &str) -> String {
    let paragraph = description.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = line.split_inclusive(". ").next().unwrap_or_default();
    sentence.trim_end().trim_end_matches('.').to_owned()
}

/// What the id of an argument begins with that is a parameter.
pub(crate) const PARAMETER: &str = "parameter ";

fn id(parameter: &ParamDef) -> String {
    format!("{PARAMETER}{}", parameter.name)
}

fn long(parameter: &ParamDef) -> String {
    parameter.name.replace('_', "-")
}

fn flag(parameter: &ParamDef) -> Arg {
    let shape = &parameter.shape;
    let mut help = parameter.description.trim().to_owned();
    if parameter.required {
        help.push_str(" (required)");
    }
    if shape.kind == ValueType::Array {
        help.push_str(&format!(" {}", how_to_list(&long(parameter), ["A", "B"])));
    }
    let arg = Arg::new(id(parameter))
        .long(long(parameter))
        .value_name(shape.kind.as_str().to_uppercase())
        .help(help)
        .help_heading("Parameters");
    match shape.kind {
        ValueType::Boolean => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        ValueType::Array => arg.action(ArgAction::Append).allow_negative_numbers(true),
        _ => arg.allow_negative_numbers(true),
    }
}

/// What was meant: JSON of the declared type when the text is that without loss, else the text,
/// for the validator to quote.
pub(crate) fn value(shape: &Shape, texts: &[&str]) -> Value {
    let text = texts.first().copied().unwrap_or_default();
    let as_text = || Value::String(text.to_owned());
    match shape.kind {
        ValueType::Integer => number(text)
            .filter(|number| number.to_string() == text)
            .map_or_else(as_text, Value::Number),
        ValueType::Number => number(text).map_or_else(as_text, Value::Number),
        ValueType::Boolean => text.parse().map_or_else(|_| as_text(), Value::Bool),
        ValueType::Object => json(text).filter(Value::is_object).unwrap_or_else(as_text),
        ValueType::Array => match texts {
            [_] if json(text).is_some_and(|json| json.is_array()) => {
                json(text).unwrap_or_else(as_text)
            }
            _ => texts.iter().map(|text| item(shape, text)).collect(),
        },
        _ => as_text(),
    }
}

fn item(shape: &Shape, text: &str) -> Value {
    match &shape.items {
        Some(items) => value(items, &[text]),
        None => Value::String(text.to_owned()),
    }
}

fn json(text: &str) -> Option<Value> {
    unique_json(text.as_bytes()).ok()
}

/// A JSON number without spaces around it.
fn number(text: &str) -> Option<Number> {
    let number: Number = serde_json::from_str(text).ok()?;
    let is_exact = number.is_u64() || number.is_i64() || text.contains(['.', 'e', 'E']);
    (is_exact && text.trim() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameter(name: &str, shape: Value) -> ParamDef {
        let mut json = json!({"name": name, "description": "Something."});
        json.as_object_mut()
            .unwrap()
            .extend(shape.as_object().unwrap().clone());
        serde_json::from_value(json).unwrap()
    }

    #[track_caller]
    fn check(kind: ValueType, texts: &[&str], expected: Value) {
        assert_eq!(value(&Shape::new(kind), texts), expected);
    }

    #[test]
    fn a_printed_command_is_read_by_a_shell_as_it_was_meant() {
        let line = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            command_line(&words)
        };
        for (words, expected) in [
            (
                &["undo", "1", "--state-dir", "/a b/it's"][..],
                r"operator undo 1 --state-dir '/a b/it'\''s'",
            ),
            (
                &["undo", "--state-dir", "-rel"],
                "operator undo --state-dir=-rel",
            ),
            (
                &["undo", "--yes", "--state-dir", "x"],
                "operator undo --yes --state-dir x",
            ),
            (
                &["run", "--state-dir", "a\n\u{202e}'"],
                r"operator run --state-dir $'a\x0a\xe2\x80\xae\''",
            ),
        ] {
            assert_eq!(line(words), expected);
        }
    }

    #[test]
    fn values_become_json_when_nothing_is_lost() {
        check(ValueType::Integer, &["12"], json!(12));
        check(ValueType::Integer, &["-1"], json!(-1));
        check(ValueType::Integer, &["9.5"], json!(9.5));
        check(
            ValueType::Integer,
            &["9007199254740992"],
            json!(9_007_199_254_740_992_u64),
        );
        check(ValueType::Number, &["0.50"], json!(0.5));
        check(ValueType::Boolean, &["false"], json!(false));
        check(ValueType::String, &["12"], json!("12"));
        check(ValueType::Array, &["[1,2]"], json!([1, 2]));
        check(ValueType::Array, &["a", "b"], json!(["a", "b"]));
    }

    #[test]
    fn other_values_are_passed_on_as_they_were_written() {
        for text in [
            "",
            "abc",
            " 7",
            "7 ",
            "07",
            "+7",
            "1e3",
            "99999999999999999999999",
        ] {
            check(ValueType::Integer, &[text], json!(text));
        }
        check(ValueType::Boolean, &["yes"], json!("yes"));
        check(ValueType::Object, &["[1]"], json!("[1]"));
    }

    #[test]
    fn a_parameter_with_the_name_of_a_flag_is_refused() {
        let mut definition: ActionDefinition = serde_json::from_value(json!({
            "name": "move", "subject": "lamp", "title": "Move", "description": "Moves it.",
            "kind": "mutation", "reversible": false, "idempotent": false,
            "requires_approval": false, "parameters": [], "input_schema": {}, "output_schema": {},
        }))
        .unwrap();
        let text = json!({"type": "string"});
        definition.parameters = vec![parameter("region_id", text.clone())];
        assert!(check_names(std::slice::from_ref(&definition), &[]).is_ok());
        for name in ["reason", "state_dir", "server", "journal", "policy_file"] {
            definition.parameters = vec![parameter(name, text.clone())];
            let failure = check_names(std::slice::from_ref(&definition), &[]).unwrap_err();
            assert_eq!(failure.exit, Exit::Bug);
            let named = format!("`{name}` of `{}`", definition.name);
            assert!(failure.message().contains(&named), "{}", failure.message());
        }
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("--region-id"), "--region-id");
        assert_eq!(quoted("http://127.0.0.1:2379"), "http://127.0.0.1:2379");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }

    #[test]
    fn the_first_sentence_is_on_one_line() {
        assert_eq!(
            first_sentence("Moves a\nleader. More.\n\nRest."),
            "Moves a leader"
        );
        assert_eq!(first_sentence(""), "");
    }
}
