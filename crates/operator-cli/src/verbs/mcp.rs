//! `operator mcp`: the actions as tools of the Model Context Protocol, over stdin and stdout.

#[cfg(feature = "proxy")]
mod at_gate;

use std::path::Path;
use std::time::Duration;

use action_core::{REDACTED, Risk, report};
use action_guard::Actor;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use operator_mcp::{Ceiling, Server};
use serde_json::{Value, json};

use crate::arguments::length;
use crate::program::program;
use crate::settings::Global;
use crate::settings::file_flags::is_file_flag;
use crate::terminal::exit_code::Exit;
use crate::terminal::failure::Failure;
use crate::terminal::output::Output;

/// Who acts where nobody is named.
const AGENT: &str = "agent:mcp";

/// The programs whose configuration can be printed.
const HOSTS: [&str; 7] = [
    "claude-code",
    "claude-desktop",
    "codex",
    "cursor",
    "goose",
    "vscode",
    "zed",
];

pub(crate) fn command() -> Command {
    Command::new("mcp")
        .about("Serve the actions as tools of the Model Context Protocol (stdio)")
        .after_help(
            "Reads and writes the protocol on stdin and stdout until stdin closes. It only reads, unless `--up-to` allows changes; the policy, the mode and the kill switch of the state directory then apply as for every other command. It acts for `agent:mcp` unless `--actor` names another agent.",
        )
        .arg(
            Arg::new("read-only")
                .long("read-only")
                .action(ArgAction::SetTrue)
                .help("Offer only tools that change nothing (the default without `--up-to`)"),
        )
        .arg(
            Arg::new("up-to")
                .long("up-to")
                .value_name("RISK")
                .value_parser(["low", "medium", "high"])
                .conflicts_with("read-only")
                .help("Also offer mutations, up to this risk"),
        )
        .arg(
            Arg::new("answer-within")
                .long("answer-within")
                .value_name("TIME")
                .value_parser(length)
                .help("Time after which a call answers that it is in progress [default: 45s]"),
        )
        .arg(
            Arg::new("print-config")
                .long("print-config")
                .value_name("HOST")
                .value_parser(HOSTS)
                .help("Print the configuration for an agent's host, and serve nothing"),
        )
}

pub(crate) async fn main(
    matches: &ArgMatches,
    global: &Global,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let host = matches.get_one::<String>("print-config");
    #[cfg(feature = "proxy")]
    if global.server.is_given() {
        let cluster = at_gate::cluster(matches)?;
        return match host {
            Some(host) => print(host, at_gate::words(cluster, global), output),
            None => at_gate::serve(cluster, global).await,
        };
    }
    let actor = agent(matches, global)?;
    if let Some(host) = host {
        return print(host, words(matches, global, &actor), output);
    }
    let ceiling = match matches.get_one::<String>("up-to").map(String::as_str) {
        None => Ceiling::ReadOnly,
        Some("low") => Ceiling::UpTo(Risk::Low),
        Some("medium") => Ceiling::UpTo(Risk::Medium),
        Some(_) => Ceiling::UpTo(Risk::High),
    };
    let guard = global.state.guard(&global.connection).await?;
    let server = Server::new(guard, actor, ceiling)
        .map_err(|error| Failure::new(Exit::Bug, "tools", report(&error)))?;
    let program = program();
    let mut server = server
        .named(program.name, program.version)
        .approved_by(global.command(&["approve"]))
        .confirmed_by(global.command(&["workflow", "confirm"]));
    if let Some(patience) = matches.get_one::<Duration>("answer-within") {
        server = server.answer_within(*patience);
    }
    let served = server.serve_stdio().await;
    served.map_err(|error| Failure::new(Exit::Failed, "mcp", report(&error)))?;
    Ok(Exit::Done)
}

/// For whom it acts: an agent, to whom no person's name is lent. Who is named in the environment or the
/// config file may be the person who sets this up, and it is an agent all the same.
fn agent(matches: &ArgMatches, global: &Global) -> Result<Actor, Failure> {
    let is_asked_for = matches.value_source("actor") == Some(ValueSource::CommandLine);
    let named = global.state.actor()?;
    if named.as_str().starts_with("agent:") {
        return Ok(named);
    }
    if is_asked_for {
        let text = format!("`{named}` is not an agent");
        return Err(Failure::usage(text).next("give `--actor agent:NAME`"));
    }
    let agent = AGENT.parse::<Actor>();
    agent.map_err(|error| Failure::new(Exit::Bug, "actor", error.to_string()))
}

/// Prints what goes into the configuration of a host which is to run this command with such words.
fn print(host: &str, flags: Vec<String>, output: &mut Output) -> Result<Exit, Failure> {
    let program = std::env::current_exe();
    let program = program.map_err(|error| {
        Failure::new(
            Exit::Failed,
            "program",
            format!("cannot find the path of this program: {error}"),
        )
    })?;
    if flags.iter().any(|word| word.contains(REDACTED)) {
        let text = "an address that contains a password cannot be used here, and is not printed";
        return Err(Failure::usage(text));
    }
    let mut words = vec![program.display().to_string(), "mcp".to_owned()];
    words.extend(flags);
    let entry = config(host, &words);
    output.show_as_it_is(&json!({"host": host, "entry": entry}), &entry);
    Ok(Exit::Done)
}

/// The flags as a host gives them: by whole paths, because it runs this from anywhere.
fn words(matches: &ArgMatches, global: &Global, actor: &Actor) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(risk) = matches.get_one::<String>("up-to") {
        words.extend(["--up-to".to_owned(), risk.clone()]);
    }
    words.extend(["--actor".to_owned(), actor.to_string()]);
    let given = global.flags();
    for (at, word) in given.iter().enumerate() {
        let is_path = at > 0 && given.get(at - 1).is_some_and(|flag| is_file_flag(flag));
        let whole = is_path
            .then(|| std::path::absolute(Path::new(word)).ok())
            .flatten();
        words.push(whole.map_or_else(|| word.clone(), |path| path.display().to_string()));
    }
    words
}

/// What a host wants to be told, in its own file's form.
fn config(host: &str, words: &[String]) -> String {
    let name = program().name;
    let (command, arguments) = words
        .split_first()
        .map_or(("", words), |(first, rest)| (first, rest));
    let entry = json!({"command": command, "args": arguments});
    let stdio = json!({"type": "stdio", "command": command, "args": arguments});
    let pretty = |value: Value| serde_json::to_string_pretty(&value).unwrap_or_default();
    // A text or a list in JSON is one in TOML and in YAML, too.
    let list = json!(arguments);
    match host {
        "claude-code" => pretty(json!({"mcpServers": {name: stdio}})),
        "vscode" => pretty(json!({"servers": {name: stdio}})),
        "zed" => pretty(json!({"context_servers": {name: entry}})),
        "codex" => format!(
            "[mcp_servers.{name}]\ncommand = {}\nargs = {list}",
            json!(command)
        ),
        "goose" => format!(
            "extensions:\n  {name}:\n    name: {name}\n    type: stdio\n    enabled: true\n    cmd: {}\n    \
             args: {list}\n    timeout: 300",
            json!(command)
        ),
        _ => pretty(json!({"mcpServers": {name: entry}})),
    }
}
